//! The push side: what any CPU, thread or interrupt handler may call.
//!
//! # Synchronization
//!
//! - **I1** A push writes its node, then publishes it by a release compare-and-swap on the head word. Whoever takes the
//!   list does so by an acquire swap. Between the two the word changes only by further pushes, which are
//!   read-modify-writes, so the swap synchronises with *every* push of the list.
//! - **I2** There is no window: before its compare-and-swap a push is invisible, after it the chain is whole. A pusher
//!   that stalls anywhere hides nobody's node.
//! - **I3** `remainder` belongs to the holder of `owned`; a new owner acquires what the last one released.

use crate::batch::Batch;
use crate::handle::{Handle, Unique};
use crate::head::Head;
use crate::link::{self, Linked};
use crate::list::List;
use crate::owner::Owner;
use crate::remainder::Remainder;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicBool, AtomicPtr, Ordering, UnsafeCell, const_fn};
use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr::NonNull;

/// A lock-free multi-producer inbox with one owner at a time.
///
/// Anyone with a shared reference pushes; [`take_owner`](Self::take_owner) gives the right to take out. It can be a
/// `static`. Dropping it drops every handle still inside, once; that is O(n).
///
/// It may be shared between threads if its handles may be sent.
pub struct Inbox<T: Linked<Tag>, Tag = ()> {
    pub(crate) head: AtomicPtr<T>,
    owned: AtomicBool,
    pub(crate) remainder: UnsafeCell<Remainder<T, Tag>>,
    handles: PhantomData<T::Handle>,
}

// SAFETY: an inbox is the handles in it.
unsafe impl<T: Linked<Tag>, Tag> Send for Inbox<T, Tag> where T::Handle: Send {}
// SAFETY: a shared inbox moves handles from the pushers' threads to the owner's and hands out nothing else; head and
// `owned` are atomics, the remainder follows I3.
unsafe impl<T: Linked<Tag>, Tag> Sync for Inbox<T, Tag> where T::Handle: Send {}

/// What a push that went in found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "the push that replaced ARMED owes the owner a kick"]
pub enum Pushed {
    /// Others were there already; whoever pushed first took care of what the owner must be told.
    Joined,
    /// The inbox was empty, and its owner did not ask to be told: it looks by itself.
    First,
    /// The inbox was empty and armed: the owner may be halted, and this pusher must kick it.
    KickOwed,
}

/// The inbox is closed; here is the handle back.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[must_use = "the handle that was refused is in here"]
pub struct Closed<H>(pub H);

impl<T: Linked<Tag>, Tag> Inbox<T, Tag> {
    const_fn! {
        /// An empty inbox, neither armed nor closed.
        pub const fn new() -> Self {
            let () = Head::<T>::NODES_MISS_THE_SENTINELS;
            Self {
                head: AtomicPtr::new(Head::EMPTY),
                owned: AtomicBool::new(false),
                remainder: UnsafeCell::new(Remainder::new()),
                handles: PhantomData,
            }
        }
    }

    /// Pushes a node.
    ///
    /// Lock-free: a failed attempt means that another push or the owner got through. Callable from threads and
    /// interrupt handlers, and in an interrupt that interrupted a push to the same inbox. From an NMI handler memory
    /// stays sound, but an owner that is between arming and halting may miss the kick: do not.
    ///
    /// # Errors
    ///
    /// [`Closed`] gives the handle back. A push that runs beside [`Owner::reopen`] may still be refused.
    ///
    /// # Limits
    ///
    /// A node that is freed while other pushes are under way can bring on what the [crate](crate#limits) says of it.
    pub fn push(&self, handle: T::Handle) -> Result<Pushed, Closed<T::Handle>>
    where
        T::Handle: Unique,
    {
        // SAFETY: the handle is unique and in our hands, so its node is in no structure.
        unsafe { self.push_unlinked(handle) }
    }

    /// Pushes a node by a handle of which there may be several; else as [`push`](Self::push).
    ///
    /// Debug builds panic if the node is already linked.
    ///
    /// # Errors
    ///
    /// [`Closed`] gives the handle back.
    ///
    /// # Safety
    ///
    /// The node is in no structure through this tag's link, its removal from the last one happened before this call,
    /// and nobody else links it meanwhile. Until it is handed back the third promise of [`Handle`] holds.
    pub unsafe fn push_unlinked(&self, handle: T::Handle) -> Result<Pushed, Closed<T::Handle>> {
        let node = handle.into_raw();
        // SAFETY: the node is in no structure, so it is ours.
        unsafe { link::assert_unlinked(node) };
        // SAFETY: a chain of one, which is ours.
        match unsafe { self.put_in_front(node, node) } {
            Some(pushed) => Ok(pushed),
            None => {
                // SAFETY: the node is still ours.
                unsafe { link::mark_unlinked(node) };
                // SAFETY: `node` came from `into_raw` above.
                Err(Closed(unsafe { T::Handle::from_raw(node) }))
            }
        }
    }

    /// Pushes many nodes by one compare-and-swap; they come out in the order in which they were added to the batch, with no
    /// other one between.
    ///
    /// Lock-free, and O(1) in the nodes: the context and the limits are those of [`push`](Self::push). An empty batch
    /// changes nothing, owes nothing and is never refused: the answer is [`Pushed::Joined`].
    ///
    /// # Errors
    ///
    /// [`Closed`] gives the batch back whole.
    pub fn push_batch(&self, batch: Batch<T, Tag>) -> Result<Pushed, Closed<Batch<T, Tag>>> {
        let Some((newest, oldest)) = batch.ends else { return Ok(Pushed::Joined) };
        // SAFETY: the chain is the batch's (B2), and the batch is ours.
        match unsafe { self.put_in_front(newest, oldest) } {
            Some(pushed) => {
                mem::forget(batch);
                Ok(pushed)
            }
            None => {
                // SAFETY: the chain is still ours; its end is its end again (B2).
                unsafe { link::set_next(oldest, None) };
                Err(Closed(batch))
            }
        }
    }

    /// Publishes a chain in front of what the head has; `None` if pushes are refused. The oldest node's link is then
    /// anything.
    ///
    /// # Safety
    ///
    /// The caller holds the chain, which runs from `newest` to `oldest`; a success hands it over.
    #[inline]
    unsafe fn put_in_front(&self, newest: NonNull<T>, oldest: NonNull<T>) -> Option<Pushed> {
        // Ordering: Relaxed. A guess that the compare-and-swap checks; a `CLOSED` read here refuses, and hands
        // nothing over.
        let mut word = self.head.load(Ordering::Relaxed);
        loop {
            let (older, pushed) = match Head::decode(word) {
                Head::Empty => (None, Pushed::First),
                Head::Armed => (None, Pushed::KickOwed),
                Head::List(older) => (Some(older), Pushed::Joined),
                Head::Closed => return None,
            };
            // SAFETY: the node is still the caller's: no attempt has succeeded.
            unsafe { link::set_next(oldest, older) };
            // Ordering: Release publishes the chain and all that the pusher wrote before; pairs with the Acquire swaps
            // in `Owner` (I1). Relaxed on failure: a new guess.
            match self.head.compare_exchange_weak(
                word,
                newest.as_ptr(),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return Some(pushed),
                Err(actual) => word = actual,
            }
        }
    }

    /// Whether no list is waiting. Wait-free; writes nothing; callable from anywhere.
    ///
    /// What the owner has taken out and not yet delivered is not seen here: ask [`Owner::is_empty`].
    pub fn is_empty(&self) -> bool {
        !matches!(self.look(), Head::List(_))
    }

    /// Whether the owner has asked to be told and nobody has pushed since. Wait-free; writes nothing.
    pub fn is_armed(&self) -> bool {
        matches!(self.look(), Head::Armed)
    }

    /// Whether pushes are refused. Wait-free; writes nothing.
    pub fn is_closed(&self) -> bool {
        matches!(self.look(), Head::Closed)
    }

    /// Becomes the owner, or `None` while there is one. Wait-free; callable from anywhere.
    ///
    /// Dropping the owner gives the right back; what it has not delivered stays, in order, for the next one.
    pub fn take_owner(&self) -> Option<Owner<'_, T, Tag>> {
        // Ordering: Acquire pairs with the Release in `release_owner`: the remainder as the last owner left it (I3).
        // Relaxed on failure: nothing is taken.
        self.owned
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .ok()
            .map(|_| Owner::new(self))
    }

    /// Gives the owner's right back; only for the drop of [`Owner`].
    pub(crate) fn release_owner(&self) {
        // Ordering: Release pairs with the Acquire in `take_owner` (I3).
        self.owned.store(false, Ordering::Release);
    }

    pub(crate) fn look(&self) -> Head<T> {
        // Ordering: Relaxed. The answer may be old as soon as it is given; whoever needs it to be newer than some
        // write of his own puts a SeqCst fence between, and whoever acts on a list takes it by an Acquire swap.
        Head::decode(self.head.load(Ordering::Relaxed))
    }

    /// Takes everything out, the remainder first, in push order. O(n).
    ///
    /// # Safety
    ///
    /// The caller owns the remainder (I3), and `newest` is a list that it took from the head.
    pub(crate) unsafe fn collect(&self, newest: Option<NonNull<T>>) -> List<T, Tag> {
        let mut list = List::new();
        let mut touches = usize::MAX;
        self.remainder.with_mut(|remainder| {
            // SAFETY: the caller owns the remainder, and nothing here runs code of the user's.
            while let Some(node) = unsafe { (*remainder).pop_oldest(&mut touches) } {
                // SAFETY: the node has left the remainder and is in no other structure.
                unsafe { list.push_back_node(node) };
            }
        });
        if let Some(newest) = newest {
            // SAFETY: the caller took the list.
            list.append(&mut unsafe { List::of_chain(newest) });
        }
        list
    }
}

impl<T: Linked<Tag>, Tag> Drop for Inbox<T, Tag> {
    fn drop(&mut self) {
        // `&mut self`: every push and every owner happened before.
        let newest = self.look().list();
        // SAFETY: nobody else is left, so remainder and list are ours; the word is never read again.
        drop(unsafe { self.collect(newest) });
    }
}

impl<T: Linked<Tag>, Tag> Default for Inbox<T, Tag> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for Inbox<T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inbox").field("head", &self.look()).finish_non_exhaustive()
    }
}

impl<H> fmt::Debug for Closed<H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Closed").finish_non_exhaustive()
    }
}

impl<H> fmt::Display for Closed<H> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the inbox is closed")
    }
}

impl<H> core::error::Error for Closed<H> {}
