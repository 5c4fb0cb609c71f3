//! Drains: what the owner takes out of the inbox, node by node, within a budget.
//!
//! - **D1** A list is taken from the head only when the remainder is empty (R3), so what is taken is newer than all that
//!   came out before.
//! - **D2** One drain takes one list. What is pushed after that waits for the next drain: a drain ends, whatever its budget
//!   and however busy the pushers.
//! - **D3** A drain has the remainder in hand, where the compiler keeps it in registers and no pusher's cache line is
//!   written for each node. Its end, early or not, puts back what is left.

use crate::handle::Handle;
use crate::link::{self, Linked};
use crate::owner::Owner;
use crate::remainder::Remainder;
use core::fmt;
use core::iter::FusedIterator;
use core::mem;
use core::ptr::NonNull;

/// A drain in push order under way; see [`Owner::drain`].
///
/// Dropping it early loses nothing. Leaking it leaks what it has taken and not handed out.
#[must_use = "it takes nodes out as it is iterated"]
pub struct Drain<'o, 'a, T: Linked<Tag>, Tag = ()>(Budgeted<'o, 'a, T, Tag>);

/// A drain that gives the newest first under way; see [`Owner::drain_lifo`].
///
/// Dropping it early loses nothing. Leaking it leaks what it has taken and not handed out.
#[must_use = "it takes nodes out as it is iterated"]
pub struct DrainLifo<'o, 'a, T: Linked<Tag>, Tag = ()>(Budgeted<'o, 'a, T, Tag>);

/// What the two have in common.
struct Budgeted<'o, 'a, T: Linked<Tag>, Tag> {
    owner: &'o mut Owner<'a, T, Tag>,
    /// The owner's, until the end of the drain (D3).
    remainder: Remainder<T, Tag>,
    budget_nodes: usize,
    /// Whether this drain has still to look at the head (D2).
    may_take: bool,
}

impl<'o, 'a, T: Linked<Tag>, Tag> Budgeted<'o, 'a, T, Tag> {
    #[inline]
    fn new(owner: &'o mut Owner<'a, T, Tag>, budget_nodes: usize) -> Self {
        let remainder = owner.take_remainder();
        Self { owner, remainder, budget_nodes, may_take: true }
    }

    /// Sees to it that there is a node to be touched, if the budget allows touching one.
    #[inline]
    fn stock(&mut self) -> Option<()> {
        if self.remainder.is_empty() {
            if !self.may_take || self.budget_nodes == 0 {
                return None;
            }
            let newest = self.owner.take_list();
            self.may_take = false;
            // SAFETY: the list is the owner's now, and the remainder is empty.
            unsafe { self.remainder.refill(newest?) };
        }
        Some(())
    }
}

impl<T: Linked<Tag>, Tag> Drop for Budgeted<'_, '_, T, Tag> {
    #[inline]
    fn drop(&mut self) {
        self.owner.put_back(mem::replace(&mut self.remainder, Remainder::new()));
    }
}

impl<'o, 'a, T: Linked<Tag>, Tag> Drain<'o, 'a, T, Tag> {
    #[inline]
    pub(crate) fn new(owner: &'o mut Owner<'a, T, Tag>, budget_nodes: usize) -> Self {
        Self(Budgeted::new(owner, budget_nodes))
    }

    /// How many nodes may still be touched. Wait-free.
    pub const fn budget_left_nodes(&self) -> usize {
        self.0.budget_nodes
    }
}

impl<'o, 'a, T: Linked<Tag>, Tag> DrainLifo<'o, 'a, T, Tag> {
    #[inline]
    pub(crate) fn new(owner: &'o mut Owner<'a, T, Tag>, budget_nodes: usize) -> Self {
        Self(Budgeted::new(owner, budget_nodes))
    }

    /// How many nodes may still be touched. Wait-free.
    pub const fn budget_left_nodes(&self) -> usize {
        self.0.budget_nodes
    }
}

impl<T: Linked<Tag>, Tag> Iterator for Drain<'_, '_, T, Tag> {
    type Item = T::Handle;

    #[inline]
    fn next(&mut self) -> Option<T::Handle> {
        self.0.stock()?;
        let oldest = self.0.remainder.pop_oldest(&mut self.0.budget_nodes)?;
        // SAFETY: the node has just left the remainder.
        Some(unsafe { hand_out(oldest) })
    }

    /// With a loop of its own for those that are in order, which have nothing but a link to follow.
    #[inline]
    fn fold<B, F: FnMut(B, T::Handle) -> B>(mut self, init: B, mut f: F) -> B {
        let mut folded = init;
        while let Some(handle) = self.next() {
            folded = f(folded, handle);
            while let Some(oldest) = self.0.remainder.pop_ordered(&mut self.0.budget_nodes) {
                // SAFETY: the node has just left the remainder.
                folded = f(folded, unsafe { hand_out(oldest) });
            }
        }
        folded
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.0.budget_nodes))
    }
}

impl<T: Linked<Tag>, Tag> Iterator for DrainLifo<'_, '_, T, Tag> {
    type Item = T::Handle;

    #[inline]
    fn next(&mut self) -> Option<T::Handle> {
        self.0.stock()?;
        self.0.budget_nodes = self.0.budget_nodes.checked_sub(1)?;
        let first = self.0.remainder.pop_first()?;
        // SAFETY: the node has just left the remainder.
        Some(unsafe { hand_out(first) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.0.budget_nodes))
    }
}

// Once the budget is used up or the list has been taken (D2), nothing comes any more.
impl<T: Linked<Tag>, Tag> FusedIterator for Drain<'_, '_, T, Tag> {}
impl<T: Linked<Tag>, Tag> FusedIterator for DrainLifo<'_, '_, T, Tag> {}

/// Turns a node back into the handle that its pusher gave.
///
/// # Safety
///
/// The node has left the inbox, and this is called once for it.
#[inline]
unsafe fn hand_out<T: Linked<Tag>, Tag>(node: NonNull<T>) -> T::Handle {
    // SAFETY: the node is ours until it is handed out.
    unsafe { link::mark_unlinked(node) };
    // SAFETY: its pusher turned it raw, and it is turned back once, here.
    unsafe { T::Handle::from_raw(node) }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for Drain<'_, '_, T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("Drain", formatter)
    }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for DrainLifo<'_, '_, T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.describe("DrainLifo", formatter)
    }
}

impl<T: Linked<Tag>, Tag> Budgeted<'_, '_, T, Tag> {
    fn describe(&self, name: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct(name)
            .field("budget_nodes", &self.budget_nodes)
            .finish_non_exhaustive()
    }
}
