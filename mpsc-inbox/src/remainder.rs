//! What the owner has taken and not yet handed out: a chain being reversed, one node at a time.
//!
//! ```text
//! taken, four nodes:  chain ─► 4 ─► 3 ─► 2 ─► 1
//! two touches later:  chain ─► 2 ─► 1               ordered ─► 3 ─► 4
//! two touches later:            1 is handed out     ordered ─► 2 ─► 3 ─► 4
//! ```
//!
//! Invariants:
//! - **R1** `ordered` runs from older to newer; `chain` from newer to older; every node of `chain` is older than every
//!   node of `ordered`.
//! - **R2** So the oldest node of all is the last one of `chain`, or the first of `ordered` where there is no chain. It is
//!   handed out as it is reached: `n` nodes cost `2 * n - 1` touches, and one alone costs one.
//! - **R3** A new chain is put in only when both are empty.

use crate::link::{self, Linked};
use core::marker::PhantomData;
use core::ptr::NonNull;

/// A taken chain, partly reversed, partly delivered.
pub(crate) struct Remainder<T: Linked<Tag>, Tag> {
    chain: Option<NonNull<T>>,
    ordered: Option<NonNull<T>>,
    tag: PhantomData<fn() -> Tag>,
}

// SAFETY: a remainder is the handles in it, and nothing else reaches its links.
unsafe impl<T: Linked<Tag>, Tag> Send for Remainder<T, Tag> where T::Handle: Send {}

impl<T: Linked<Tag>, Tag> Remainder<T, Tag> {
    pub(crate) const fn new() -> Self {
        Self { chain: None, ordered: None, tag: PhantomData }
    }

    #[inline]
    pub(crate) const fn is_empty(&self) -> bool {
        self.chain.is_none() && self.ordered.is_none()
    }

    /// Puts in a chain, newest node first.
    ///
    /// # Safety
    ///
    /// The chain's nodes are the caller's and become the remainder's. The remainder is empty (R3).
    #[inline]
    pub(crate) unsafe fn refill(&mut self, newest: NonNull<T>) {
        debug_assert!(
            self.is_empty(),
            "a chain is taken only when nothing is left of the last one"
        );
        self.chain = Some(newest);
    }

    /// Takes out the oldest node, which becomes the caller's. Putting a node in order is a touch, and so is taking one
    /// out; each is taken off the budget. `None` when that is used up, or when there is no node.
    #[inline]
    pub(crate) fn pop_oldest(&mut self, budget_nodes: &mut usize) -> Option<NonNull<T>> {
        if let Some(newest) = self.chain {
            return self.reverse(newest, budget_nodes);
        }
        self.pop_ordered(budget_nodes)
    }

    /// The same where there is no chain, as after a `pop_oldest` that took something out.
    #[inline]
    pub(crate) fn pop_ordered(&mut self, budget_nodes: &mut usize) -> Option<NonNull<T>> {
        debug_assert!(self.chain.is_none(), "the oldest is in the chain (R2)");
        let oldest = self.ordered?;
        *budget_nodes = budget_nodes.checked_sub(1)?;
        // SAFETY: the node is the remainder's, linked when it was reversed.
        self.ordered = unsafe { link::next(oldest) };
        Some(oldest)
    }

    /// Goes down the chain, which begins at `node`, and takes out its last one (R2).
    #[inline]
    fn reverse(&mut self, mut node: NonNull<T>, budget_nodes: &mut usize) -> Option<NonNull<T>> {
        let mut ordered = self.ordered;
        let (chain, oldest) = loop {
            let Some(left) = budget_nodes.checked_sub(1) else { break (Some(node), None) };
            *budget_nodes = left;
            // SAFETY: the node is the remainder's, linked by its pusher.
            let Some(older) = (unsafe { link::next(node) }) else { break (None, Some(node)) };
            // SAFETY: the node is the remainder's.
            unsafe { link::set_next(node, ordered) };
            ordered = Some(node);
            node = older;
        };
        (self.chain, self.ordered) = (chain, ordered);
        oldest
    }

    /// Takes out the first node there is, which becomes the caller's: of those that `pop_oldest` has put in order, else
    /// of the chain, whose first is its newest.
    #[inline]
    pub(crate) fn pop_first(&mut self) -> Option<NonNull<T>> {
        let from = if self.ordered.is_some() { &mut self.ordered } else { &mut self.chain };
        let node = (*from)?;
        // SAFETY: the node is the remainder's, linked by its pusher or when it was reversed.
        *from = unsafe { link::next(node) };
        Some(node)
    }
}
