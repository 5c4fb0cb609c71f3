//! What a node brings along: the [`Entry`] inside it, the [`Handle`] that owns it while it is
//! armed, and [`Linked`], which ties the two together.
//!
//! The wheel reaches entries through raw pointers only, and all of an entry's fields are in one
//! `UnsafeCell`: a `&Node` may be alive while the wheel links and unlinks the node. `PhantomPinned`
//! does the same for a `&mut Node` and a `Box<Node>`.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::NonNull;

use crate::level::Slot;

/// A pointer that owns, or vouches for, a node while the wheel holds it.
///
/// Implemented for `NonNull<T>`, `&'static T`, `&'static mut T`, `Pin<&'static mut T>` and, with
/// the feature `alloc`, for `Box<T>`, `Arc<T>`, `Pin<Box<T>>` and `Pin<Arc<T>>`.
///
/// # Safety
///
/// - `from_raw(into_raw(handle))` is `handle`, and neither call panics.
/// - From `into_raw` until `from_raw` of the same pointer, the node is live, stays where it is, and
///   the pointer may be used to reach it. (`NonNull` cannot promise this by itself; see [`Linked`].)
pub unsafe trait Handle {
    /// The node pointed to.
    type Target;

    /// Gives up the handle for a pointer to its node.
    fn into_raw(self) -> NonNull<Self::Target>;

    /// Takes the handle back.
    ///
    /// # Safety
    ///
    /// `raw` came from [`into_raw`](Self::into_raw), and is turned back this once.
    unsafe fn from_raw(raw: NonNull<Self::Target>) -> Self;
}

/// A node that holds an [`Entry`] for itself.
///
/// # Safety
///
/// - `entry` returns the address of an [`Entry`] inside `*node`, the same one each time, which
///   nothing else uses as an entry, and which is not moved or overwritten while it is linked.
/// - `entry` makes no reference to the node or to a part of it. Other pointers to the node may be in
///   use at that time.
/// - With `Handle = NonNull<Self>`, or another handle that does not own its node: every handle that
///   is given to [`Wheel::arm`](crate::Wheel::arm) points to a node that is live and pinned until the
///   wheel hands it back. Keep the node type, or all ways to its wheel, private; `arm` is safe to
///   call and cannot check this.
///
/// # Implementing it
///
/// The obvious way is wrong. It makes a `&mut` to the entry, and thereby claims that nothing else
/// points there, which is untrue as soon as somebody holds the node by a shared handle:
///
/// ```no_run
/// # use core::ptr::NonNull;
/// # use timer_wheel::{Entry, Linked};
/// # struct Sleeper { entry: Entry<Sleeper> }
/// unsafe impl Linked for Sleeper {
///     type Handle = &'static Sleeper;
///     unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
///         let sleeper = unsafe { &mut *node.as_ptr() }; // wrong: undefined behaviour
///         NonNull::from(&mut sleeper.entry)
///     }
/// }
/// ```
///
/// The right way computes the address and nothing else:
///
/// ```
/// # use core::ptr::NonNull;
/// # use timer_wheel::{Entry, Linked};
/// # struct Sleeper { entry: Entry<Sleeper> }
/// // SAFETY: each node has one entry, used for nothing else; no reference is made.
/// unsafe impl Linked for Sleeper {
///     type Handle = &'static Sleeper;
///     unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
///         // SAFETY: `node` is live, so the place exists; its address is not null.
///         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
///     }
/// }
/// ```
pub unsafe trait Linked: Sized {
    /// What is handed in on arming, and handed back on firing and cancelling.
    type Handle: Handle<Target = Self>;

    /// The address of the node's entry.
    ///
    /// # Safety
    ///
    /// `node` points to a live node.
    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>>;
}

/// What an entry knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In no wheel.
    Idle,
    /// Held by a wheel and not yet fired: in a slot, or in flight. Which of the two only the wheel
    /// knows, because it takes a slot into flight without touching the slot's entries.
    Armed,
    /// Fired, and not yet handed out by [`Wheel::pop_fired`](crate::Wheel::pop_fired).
    Fired,
}

/// The link that a node embeds to be armed in a [`Wheel`](crate::Wheel) of `T`.
///
/// It can be sent to another thread, but is not `Sync`. Whoever declares a node `Sync` promises that
/// all wheels the node is ever handed to, and all calls of its [`state`](Self::state) and
/// [`deadline`](Self::deadline), exclude one another (one lock, say):
///
/// ```compile_fail,E0277
/// # use timer_wheel::Entry;
/// fn is_sync<T: Sync>() {}
/// is_sync::<Entry<()>>();
/// ```
pub struct Entry<T> {
    fields: UnsafeCell<Fields<T>>,
    _pinned: PhantomPinned,
}

/// The list an entry was put on. It stays as it is when a slot's list is taken into flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Idle,
    Slot(Slot),
    Beyond,
    Flight,
    Fired,
}

pub(crate) struct Fields<T> {
    /// Dangling while idle, like `next`.
    pub(crate) prev: NonNull<T>,
    pub(crate) next: NonNull<T>,
    pub(crate) deadline_tick: u64,
    pub(crate) place: Place,
}

impl<T> Clone for Fields<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Fields<T> {}

/// The fields of a node's entry.
///
/// # Safety
///
/// `node` points to a live node.
pub(crate) unsafe fn fields<T: Linked>(node: NonNull<T>) -> *mut Fields<T> {
    // SAFETY: `node` is live, so `Linked` gives the address of an entry inside it; the place is
    // projected without a reference.
    unsafe { UnsafeCell::raw_get(&raw const (*T::entry(node).as_ptr()).fields) }
}

impl<T> Entry<T> {
    /// An idle entry.
    pub const fn new() -> Self {
        let fields = Fields {
            prev: NonNull::dangling(),
            next: NonNull::dangling(),
            deadline_tick: 0,
            place: Place::Idle,
        };
        Self { fields: UnsafeCell::new(fields), _pinned: PhantomPinned }
    }

    /// Whether the entry is held by a wheel, and whether it has fired. O(1).
    pub fn state(&self) -> State {
        match self.fields().place {
            Place::Idle => State::Idle,
            Place::Slot(_) | Place::Beyond | Place::Flight => State::Armed,
            Place::Fired => State::Fired,
        }
    }

    /// The tick for which the entry was last armed; 0 if never. O(1).
    pub fn deadline(&self) -> u64 {
        self.fields().deadline_tick
    }

    fn fields(&self) -> Fields<T> {
        // SAFETY: an entry is not `Sync`, so a wheel that writes it runs on this thread or is
        // excluded by whoever declared the node `Sync`; and the wheel calls no foreign code while
        // it has a write half done.
        unsafe { *self.fields.get() }
    }
}

// SAFETY: an entry gives no access to a `T`; its links are followed only by the wheel that holds the
// node, and then the node does not move.
unsafe impl<T> Send for Entry<T> {}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Entry<*mut ()>>();
};

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("state", &self.state())
            .field("deadline_tick", &self.deadline())
            .finish_non_exhaustive()
    }
}

// SAFETY: the pointer is the handle. That the node is live is promised by the node's `Linked`.
unsafe impl<T> Handle for NonNull<T> {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        self
    }
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        raw
    }
}

// SAFETY: the node is borrowed for ever, so it lives and stays; the entry's fields are in a cell.
unsafe impl<T> Handle for &'static T {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }
    unsafe fn from_raw(raw: NonNull<T>) -> Self {
        // SAFETY: `raw` came from such a reference, by contract.
        unsafe { raw.as_ref() }
    }
}

// SAFETY: the node is borrowed for ever and by the wheel alone until it is handed back.
unsafe impl<T> Handle for &'static mut T {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        NonNull::from(self)
    }
    unsafe fn from_raw(mut raw: NonNull<T>) -> Self {
        // SAFETY: `raw` came from such a reference, and is turned back this once, by contract.
        unsafe { raw.as_mut() }
    }
}

// SAFETY: as for `&'static mut T`.
unsafe impl<T> Handle for Pin<&'static mut T> {
    type Target = T;
    fn into_raw(self) -> NonNull<T> {
        // SAFETY: the node is not moved: only its address is taken.
        NonNull::from(unsafe { Pin::into_inner_unchecked(self) })
    }
    unsafe fn from_raw(mut raw: NonNull<T>) -> Self {
        // SAFETY: `raw` came from such a pinned reference, and is turned back this once, by contract.
        unsafe { Pin::new_unchecked(raw.as_mut()) }
    }
}

#[cfg(feature = "alloc")]
mod owned {
    use alloc::boxed::Box;
    use alloc::sync::Arc;
    use core::pin::Pin;
    use core::ptr::NonNull;

    use super::Handle;

    // SAFETY: the wheel owns the allocation until the handle is handed back.
    unsafe impl<T> Handle for Box<T> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: a box is not null.
            unsafe { NonNull::new_unchecked(Box::into_raw(self)) }
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such a box, and is turned back this once, by contract.
            unsafe { Box::from_raw(raw.as_ptr()) }
        }
    }

    // SAFETY: the wheel owns one count, so the node lives and no one can have it by `&mut`.
    unsafe impl<T> Handle for Arc<T> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: an `Arc`'s pointer is not null.
            unsafe { NonNull::new_unchecked(Arc::into_raw(self).cast_mut()) }
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such an `Arc`, and is turned back this once, by contract.
            unsafe { Arc::from_raw(raw.as_ptr()) }
        }
    }

    // SAFETY: as for `Box<T>`.
    unsafe impl<T> Handle for Pin<Box<T>> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: the node is not moved: only its address is taken.
            unsafe { Pin::into_inner_unchecked(self) }.into_raw()
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such a pinned box, by contract; its node has not moved.
            unsafe { Pin::new_unchecked(Box::from_raw(raw.as_ptr())) }
        }
    }

    // SAFETY: as for `Arc<T>`.
    unsafe impl<T> Handle for Pin<Arc<T>> {
        type Target = T;
        fn into_raw(self) -> NonNull<T> {
            // SAFETY: the node is not moved: only its address is taken.
            Handle::into_raw(unsafe { Pin::into_inner_unchecked(self) })
        }
        unsafe fn from_raw(raw: NonNull<T>) -> Self {
            // SAFETY: `raw` came from such a pinned `Arc`, by contract; its node has not moved.
            unsafe { Pin::new_unchecked(Arc::from_raw(raw.as_ptr())) }
        }
    }
}
