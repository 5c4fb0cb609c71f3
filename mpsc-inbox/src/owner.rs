//! The owner's side: a drain with a budget, and the states that only the owner sets.
//!
//! - **O1** A list is taken from the head only when the remainder is empty, so the remainder is always older than the
//!   head's list, and delivery is in push order.
//! - **O2** Nothing here writes to the head of an inbox that holds no list, but `arm`, `disarm`, `close` and `reopen`.
//! - **O3** `arm` succeeds only if neither list nor remainder is there: an armed owner has seen everything.

use crate::handle::Handle;
use crate::head::Head;
use crate::inbox::Inbox;
use crate::link::{self, Linked};
use crate::list::List;
use crate::remainder::Touch;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::Ordering;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;

/// The right to take out of an [`Inbox`]. One at a time; dropping it gives the right back.
///
/// It may be sent to another thread if the handles may, and is never shared: an interrupt handler pushes to the inbox
/// and leaves the owner alone.
pub struct Owner<'a, T: Linked<Tag>, Tag = ()> {
    inbox: &'a Inbox<T, Tag>,
    not_shared: PhantomData<Cell<()>>,
}

/// The inbox could not be armed: a list or a remainder is there. Drain first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "an owner that halts now sleeps on work"]
pub struct NotEmpty;

impl<'a, T: Linked<Tag>, Tag> Owner<'a, T, Tag> {
    /// Only for the holder of the inbox's `owned` flag.
    pub(crate) fn new(inbox: &'a Inbox<T, Tag>) -> Self {
        Self { inbox, not_shared: PhantomData }
    }

    /// The inbox.
    pub fn inbox(&self) -> &'a Inbox<T, Tag> {
        self.inbox
    }

    /// Takes nodes out in push order, touching at most `budget_nodes` of them.
    ///
    /// Putting one node in order is a touch and delivering one is a touch, so `n` nodes that are pushed at once cost
    /// `2 * n` in all. What the budget leaves (nodes half put in order, nodes undelivered) stays in order as the owner's
    /// remainder, and the next drain goes on exactly there: dropping or leaking the iterator loses nothing.
    ///
    /// Wait-free: each step is O(1) and at most one atomic swap is made per list taken. Draining an empty inbox writes
    /// nothing, and ARMED stays as it is.
    pub fn drain(&mut self, budget_nodes: usize) -> Drain<'_, 'a, T, Tag> {
        Drain { owner: self, budget_nodes }
    }

    /// Whether an earlier drain has left something. Wait-free.
    pub fn has_remainder(&self) -> bool {
        // SAFETY: the remainder is ours while we are the owner, and nobody holds it mutably: `drain` borrows us so.
        self.inbox.remainder.with(|remainder| unsafe { !(*remainder).is_empty() })
    }

    /// Whether there is neither list nor remainder. Wait-free; writes nothing.
    pub fn is_empty(&self) -> bool {
        !self.has_remainder() && self.inbox.is_empty()
    }

    /// Asks to be told: the push that finds this state is the one that owes a kick. Wait-free.
    ///
    /// Armed already is success: an interrupt that pushed nothing leaves the state behind. So is closed, and it stays
    /// closed: nothing can arrive, so there is nothing to be told of.
    ///
    /// Whoever halts after this looks once more at everything that is *not* in this inbox, with a
    /// `fence(SeqCst)` between, as the publisher of that has one too: arming orders no other memory.
    ///
    /// # Errors
    ///
    /// [`NotEmpty`] if a list or a remainder is there.
    pub fn arm(&mut self) -> Result<(), NotEmpty> {
        if self.has_remainder() {
            return Err(NotEmpty);
        }
        // Ordering: Relaxed. It hands nothing over: a push either comes before it in the word's order, and is seen
        // here, or after it, and sees ARMED. What the owner must see of *other* memory is the caller's fence.
        match self.inbox.head.compare_exchange(
            Head::EMPTY,
            Head::ARMED,
            Ordering::Relaxed,
            Ordering::Relaxed,
        ) {
            Ok(_) => Ok(()),
            Err(actual) => match Head::decode(actual) {
                Head::List(_) | Head::Empty => Err(NotEmpty),
                Head::Armed | Head::Closed => Ok(()),
            },
        }
    }

    /// Takes ARMED back. Wait-free.
    ///
    /// `false` if the inbox was not armed: a pusher has replaced it (and kicks), or nobody had armed it.
    pub fn disarm(&mut self) -> bool {
        // Ordering: Relaxed, as in `arm`.
        self.inbox
            .head
            .compare_exchange(Head::ARMED, Head::EMPTY, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Refuses all pushes from now on and takes out everything that is inside, in push order.
    ///
    /// Every push either went in before, and is in the list, or gets its handle back. Wait-free, but O(n) in the nodes
    /// inside: not for interrupt handlers. Closing a closed inbox is empty-handed.
    pub fn close(&mut self) -> List<T, Tag> {
        // Ordering: Acquire pairs with the Release of every push of the list (I1). It releases nothing: who reads
        // CLOSED takes nothing over.
        let word = self.inbox.head.swap(Head::CLOSED, Ordering::Acquire);
        // SAFETY: we are the owner, and the swap took the list.
        unsafe { self.inbox.collect(Head::decode(word).list()) }
    }

    /// Accepts pushes again; `false` if the inbox was not closed. Wait-free.
    pub fn reopen(&mut self) -> bool {
        let closed = self.inbox.is_closed();
        if closed {
            // Ordering: Relaxed. Only an owner leaves CLOSED (H2), so there is nothing to compare with; and a pusher
            // takes nothing over from whom it finds EMPTY.
            self.inbox.head.store(Head::EMPTY, Ordering::Relaxed);
        }
        closed
    }
}

impl<T: Linked<Tag>, Tag> Drop for Owner<'_, T, Tag> {
    fn drop(&mut self) {
        self.inbox.release_owner();
    }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for Owner<'_, T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Owner")
            .field("inbox", &self.inbox)
            .field("has_remainder", &self.has_remainder())
            .finish()
    }
}

/// A drain under way; see [`Owner::drain`].
///
/// After `None` it may give more, if the budget allows it and someone has pushed since.
pub struct Drain<'o, 'a, T: Linked<Tag>, Tag = ()> {
    owner: &'o mut Owner<'a, T, Tag>,
    budget_nodes: usize,
}

impl<T: Linked<Tag>, Tag> Drain<'_, '_, T, Tag> {
    /// How many nodes may still be touched.
    pub fn budget_left_nodes(&self) -> usize {
        self.budget_nodes
    }

    /// Moves the head's list into the empty remainder; `false` if there is none.
    fn refill(&mut self) -> bool {
        let inbox = self.owner.inbox;
        if inbox.is_empty() {
            return false;
        }
        // Ordering: Acquire pairs with the Release of every push of the list (I1). It releases nothing: a pusher that
        // finds EMPTY takes nothing over.
        let word = inbox.head.swap(Head::EMPTY, Ordering::Acquire);
        let Some(newest) = Head::decode(word).list() else { return false };
        // SAFETY: we are the owner; the swap took the list; the remainder is empty, says the caller.
        inbox.remainder.with_mut(|remainder| unsafe { (*remainder).refill(newest) });
        true
    }
}

impl<T: Linked<Tag>, Tag> Iterator for Drain<'_, '_, T, Tag> {
    type Item = T::Handle;

    fn next(&mut self) -> Option<T::Handle> {
        while self.budget_nodes > 0 {
            // SAFETY: the remainder is ours while we are the owner.
            match self.owner.inbox.remainder.with_mut(|remainder| unsafe { (*remainder).touch() }) {
                Touch::Reversed => self.budget_nodes -= 1,
                Touch::Delivered(node) => {
                    self.budget_nodes -= 1;
                    // SAFETY: the node has left the remainder and is ours.
                    unsafe { link::mark_unlinked(node) };
                    // SAFETY: its pusher turned it raw, and it is turned back once, here.
                    return Some(unsafe { T::Handle::from_raw(node) });
                }
                Touch::Nothing if self.refill() => {}
                Touch::Nothing => return None,
            }
        }
        None
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.budget_nodes))
    }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for Drain<'_, '_, T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Drain")
            .field("budget_nodes", &self.budget_nodes)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotEmpty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the inbox is not empty")
    }
}

impl core::error::Error for NotEmpty {}
