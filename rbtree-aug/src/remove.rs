//! Removal.

use core::ptr::NonNull;

use crate::link::Linked;
use crate::newcomer::Newcomer;
use crate::node::{Node, Side};
use crate::shape::heir;
use crate::summary::{settle_with_heir, settle_without};
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// Takes a node out and gives its handle back; `None` if it is in no tree. O(log n), at most
    /// three rotations. The pointer may be made from a `&T`; the handle comes from the tree.
    ///
    /// If the augmentation panics, the node is in the tree still, or its handle is dropped.
    ///
    /// # Safety
    ///
    /// `node` points to a live value that is in this tree or in none.
    pub unsafe fn remove(&mut self, node: NonNull<T>) -> Option<T::Handle> {
        // SAFETY: Live, and linked here or nowhere, by the caller's promise.
        unsafe { self.member(node) }.map(|node| self.take(node))
    }

    /// Takes the first node out. O(log n).
    #[inline]
    pub fn pop_first(&mut self) -> Option<T::Handle> {
        self.pop(Side::Left)
    }

    /// Takes the last node out. O(log n).
    #[inline]
    pub fn pop_last(&mut self) -> Option<T::Handle> {
        self.pop(Side::Right)
    }

    #[inline]
    fn pop(&mut self, side: Side) -> Option<T::Handle> {
        let node = self.end(side)?;
        // All the way up from an end is on one side: it need not be asked for.
        settle_without(node, |below| below.parent().map(|parent| (parent, side)));
        Some(self.unlink_end(node, side).into_handle())
    }

    pub(crate) fn take(&mut self, node: Node<T>) -> T::Handle {
        self.take_out(node).into_handle()
    }

    pub(crate) fn take_out(&mut self, node: Node<T>) -> Newcomer<T> {
        let heir = heir(node);
        match heir {
            None => settle_without(node, Node::place),
            Some(heir) => settle_with_heir(node, heir),
        }
        self.unlink(node, heir)
    }
}
