//! What fits into a slot: handles of one word.

use core::ptr::{self, NonNull};

/// A handle that can be turned into one word and back.
///
/// Implemented for `usize`, `NonNull<T>`, `&T` and, with the feature `alloc`, for `Box<T>`, `Arc<T>` and
/// `Pin` of these two; implement it for your own handle, such as a counted reference to a task.
///
/// ```
/// use core::ptr::NonNull;
/// use steal_deque::Item;
///
/// struct Task { id: u32 }
/// /// The one handle of a task that is ready to run.
/// struct Ready(NonNull<Task>);
/// // SAFETY: the handle is only ever used as a `&mut Task`, and there is one per task.
/// unsafe impl Send for Ready {}
///
/// // SAFETY: the word is the handle's pointer, with its provenance, and `from_word` restores just that.
/// unsafe impl Item for Ready {
///     fn into_word(self) -> *mut () {
///         self.0.as_ptr().cast()
///     }
///     unsafe fn from_word(word: *mut ()) -> Self {
///         // SAFETY: `word` came out of `into_word`, so it is not null.
///         Ready(unsafe { NonNull::new_unchecked(word.cast()) })
///     }
/// }
///
/// let mut task = Task { id: 7 };
/// let deque = steal_deque::StealDeque::<Ready, 4>::new();
/// let (mut owner, _) = deque.split().unwrap();
/// owner.push(Ready(NonNull::from(&mut task))).unwrap();
/// let ready = owner.pop().unwrap();
/// // SAFETY: `task` is alive, and `ready` is its only handle.
/// assert_eq!(unsafe { ready.0.as_ref() }.id, 7);
/// ```
///
/// # Safety
///
/// - `from_word(item.into_word())` is `item` again and owns what `item` owned; in between, the word does.
/// - A word is plain data until `from_word` is called: a deque copies words and throws copies away, and calls
///   `from_word` at most once for each `into_word`.
/// - If `Self: Send`, `from_word` may be called on another thread than `into_word` was.
pub unsafe trait Item: Sized {
    /// Gives up the handle for a word that stands for it.
    fn into_word(self) -> *mut ();

    /// Takes the handle back.
    ///
    /// # Safety
    ///
    /// `word` came out of `into_word` of this very type, and `from_word` was not called for it since. What
    /// the handle borrows, if anything, is still alive.
    unsafe fn from_word(word: *mut ()) -> Self;
}

// SAFETY: the word is an address without provenance, and that address is the number.
unsafe impl Item for usize {
    #[inline]
    fn into_word(self) -> *mut () {
        ptr::without_provenance_mut(self)
    }

    #[inline]
    unsafe fn from_word(word: *mut ()) -> Self {
        word.addr()
    }
}

// SAFETY: the word is the pointer itself.
unsafe impl<T> Item for NonNull<T> {
    #[inline]
    fn into_word(self) -> *mut () {
        self.as_ptr().cast()
    }

    #[inline]
    unsafe fn from_word(word: *mut ()) -> Self {
        // SAFETY: `word` came from a `NonNull<T>`, by this function's contract.
        unsafe { NonNull::new_unchecked(word.cast()) }
    }
}

// SAFETY: the word is the reference's pointer; nobody writes through it.
unsafe impl<T> Item for &T {
    #[inline]
    fn into_word(self) -> *mut () {
        ptr::from_ref(self).cast_mut().cast()
    }

    #[inline]
    unsafe fn from_word(word: *mut ()) -> Self {
        // SAFETY: `word` came from a `&T` whose borrow lasts, by this function's contract.
        unsafe { &*word.cast_const().cast() }
    }
}

#[cfg(feature = "alloc")]
mod heap {
    use super::Item;
    use alloc::boxed::Box;
    #[cfg(target_has_atomic = "ptr")]
    use alloc::sync::Arc;
    use core::pin::Pin;

    // SAFETY: the word is the box's raw pointer; `into_raw` gives up ownership, `from_raw` takes it back.
    unsafe impl<T> Item for Box<T> {
        #[inline]
        fn into_word(self) -> *mut () {
            Box::into_raw(self).cast()
        }

        #[inline]
        unsafe fn from_word(word: *mut ()) -> Self {
            // SAFETY: `word` came from `Box::into_raw`, once for this call, by this function's contract.
            unsafe { Box::from_raw(word.cast()) }
        }
    }

    // SAFETY: the word is the raw pointer; it stands for the one reference count that `into_raw` gave up.
    #[cfg(target_has_atomic = "ptr")]
    unsafe impl<T> Item for Arc<T> {
        #[inline]
        fn into_word(self) -> *mut () {
            Arc::into_raw(self).cast_mut().cast()
        }

        #[inline]
        unsafe fn from_word(word: *mut ()) -> Self {
            // SAFETY: `word` came from `Arc::into_raw`, once for this call, by this function's contract.
            unsafe { Arc::from_raw(word.cast_const().cast()) }
        }
    }

    // SAFETY: as for `Box<T>`; the value behind it does not move.
    unsafe impl<T> Item for Pin<Box<T>> {
        #[inline]
        fn into_word(self) -> *mut () {
            // SAFETY: the box is only turned into a word, and from there only into a pinned box again.
            unsafe { Pin::into_inner_unchecked(self) }.into_word()
        }

        #[inline]
        unsafe fn from_word(word: *mut ()) -> Self {
            // SAFETY: `word` came from a pinned box of this type, by this function's contract.
            Box::into_pin(unsafe { Box::from_word(word) })
        }
    }

    // SAFETY: as for `Arc<T>`; the value behind it does not move.
    #[cfg(target_has_atomic = "ptr")]
    unsafe impl<T> Item for Pin<Arc<T>> {
        #[inline]
        fn into_word(self) -> *mut () {
            // SAFETY: the reference is only turned into a word, and from there only into a pinned one again.
            unsafe { Pin::into_inner_unchecked(self) }.into_word()
        }

        #[inline]
        unsafe fn from_word(word: *mut ()) -> Self {
            // SAFETY: (1) `word` came from a pinned reference, by this function's contract; (2) so the value
            // is pinned already.
            unsafe { Pin::new_unchecked(Arc::from_word(word)) }
        }
    }
}
