//! The owner's side: a drain with a budget, and the states that only the owner sets.
//!
//! - **O1** The remainder is always older than the head's list: `drain`, `drain_lifo`, `take_all` and `close` hand it out
//!   before they take that (D1).
//! - **O2** Nothing here writes to the head of an inbox that holds no list, but `arm`, `disarm`, `close` and `reopen`.
//! - **O3** `arm` succeeds only if neither list nor remainder is there: an armed owner has seen everything.

use crate::drain::{Drain, DrainLifo};
use crate::head::Head;
use crate::inbox::Inbox;
use crate::link::Linked;
use crate::list::List;
use crate::remainder::Remainder;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::Ordering;
use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

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

    /// Takes nodes out in push order, touching at most `budget_nodes` of them: first what the last drain left, then the one
    /// list that the head has.
    ///
    /// Putting one node in order is a touch and handing one out is a touch; the oldest of a list is handed out as it is
    /// reached. So `n` nodes that are pushed at once cost `2 * n - 1` in all, and a single one costs one. What the budget
    /// leaves (nodes half put in order, nodes not handed out) stays in order as the owner's remainder, and the next drain
    /// goes on exactly there.
    ///
    /// What is pushed while a drain is under way may come out in the next one only, so a drain ends also beside pushers that
    /// never rest. Wait-free: each step is O(1) in the nodes touched, and one atomic swap at most is made. Draining an empty
    /// inbox writes nothing, and ARMED stays as it is.
    #[inline]
    pub fn drain(&mut self, budget_nodes: usize) -> Drain<'_, 'a, T, Tag> {
        Drain::new(self, budget_nodes)
    }

    /// Takes nodes out at one touch each, at most `budget_nodes` of them, where the order does not matter: the newest of the
    /// head's list first.
    ///
    /// What the last drain left comes before that; if it was one in push order, those that it had put in order come first.
    /// So drains of the two kinds can be mixed: nothing is lost, and lists stay apart, but within a list the order is then
    /// neither the one nor the other. In all else this is like [`drain`](Self::drain).
    #[inline]
    pub fn drain_lifo(&mut self, budget_nodes: usize) -> DrainLifo<'_, 'a, T, Tag> {
        DrainLifo::new(self, budget_nodes)
    }

    /// Takes out everything that is inside, in push order, as a list that can be appended to another or pushed on as a
    /// [`Batch`](crate::Batch).
    ///
    /// Wait-free, but O(n) in the nodes inside: not for interrupt handlers. Taking from an empty inbox writes nothing, and
    /// ARMED stays as it is.
    pub fn take_all(&mut self) -> List<T, Tag> {
        let newest = self.take_list();
        // SAFETY: we are the owner, and have taken the list.
        unsafe { self.inbox.collect(newest) }
    }

    /// Takes the list from the head, newest node first; `None`, and nothing written, if there is none (O2).
    #[inline]
    pub(crate) fn take_list(&mut self) -> Option<NonNull<T>> {
        if self.inbox.is_empty() {
            return None;
        }
        // Ordering: Acquire pairs with the Release of every push of the list (I1). It releases nothing: a pusher that
        // finds EMPTY takes nothing over.
        let word = self.inbox.head.swap(Head::EMPTY, Ordering::Acquire);
        // Pushers only make a list longer (H1), so this is one; should it not be, nothing is taken for a node.
        Head::decode(word).list()
    }

    /// Takes the remainder in hand. Nothing is written if it is empty.
    #[inline]
    pub(crate) fn take_remainder(&mut self) -> Remainder<T, Tag> {
        if !self.has_remainder() {
            return Remainder::new();
        }
        // SAFETY: the remainder is ours while we are the owner (I3).
        self.inbox.remainder.with_mut(|kept| unsafe { kept.replace(Remainder::new()) })
    }

    /// Gives back what is left of the remainder that `take_remainder` took. Nothing is written if nothing is left.
    #[inline]
    pub(crate) fn put_back(&mut self, remainder: Remainder<T, Tag>) {
        if !remainder.is_empty() {
            // SAFETY: as above.
            self.inbox.remainder.with_mut(|kept| unsafe { kept.write(remainder) });
        }
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

impl fmt::Display for NotEmpty {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the inbox is not empty")
    }
}

impl core::error::Error for NotEmpty {}
