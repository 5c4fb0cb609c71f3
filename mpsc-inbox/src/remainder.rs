//! What the owner has taken and not yet handed out: a chain being reversed, one node at a time.
//!
//! Invariants:
//! - **R1** `ordered` runs from older to newer; `chain` from newer to older; every node of `chain` is older than every
//!   node of `ordered`.
//! - **R2** So nothing is delivered while `chain` is not empty, and then `ordered` is in push order.
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

/// What one touch of one node came to.
pub(crate) enum Touch<T> {
    /// No node was there to touch.
    Nothing,
    /// A node was put in order.
    Reversed,
    /// The oldest node of all leaves the remainder; it is the caller's.
    Delivered(NonNull<T>),
}

impl<T: Linked<Tag>, Tag> Remainder<T, Tag> {
    pub(crate) const fn new() -> Self {
        Self { chain: None, ordered: None, tag: PhantomData }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.chain.is_none() && self.ordered.is_none()
    }

    /// Puts in a chain, newest node first.
    ///
    /// # Safety
    ///
    /// The chain's nodes are the caller's and become the remainder's. The remainder is empty (R3).
    pub(crate) unsafe fn refill(&mut self, newest: NonNull<T>) {
        debug_assert!(
            self.is_empty(),
            "a chain is taken only when nothing is left of the last one"
        );
        self.chain = Some(newest);
    }

    /// Touches one node: reverses one link, or else delivers one node. O(1).
    pub(crate) fn touch(&mut self) -> Touch<T> {
        if let Some(node) = self.chain {
            // SAFETY: the node is the remainder's, linked by its pusher.
            self.chain = unsafe { link::next(node) };
            // SAFETY: the node is the remainder's.
            unsafe { link::set_next(node, self.ordered) };
            self.ordered = Some(node);
            Touch::Reversed
        } else if let Some(node) = self.ordered {
            // SAFETY: the node is the remainder's, linked when it was reversed.
            self.ordered = unsafe { link::next(node) };
            Touch::Delivered(node)
        } else {
            Touch::Nothing
        }
    }
}
