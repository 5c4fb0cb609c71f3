//! Changing a node that is in the tree: its key, its measure, or the whole of it.

use core::fmt;
use core::ops::Deref;
use core::ptr::{self, NonNull};

use crate::augment::Augment;
use crate::cursor_mut::fits;
use crate::gap::Gap;
use crate::link::Linked;
use crate::newcomer::{Newcomer, Refused};
use crate::node::{Node, Side};
use crate::summary::{computed_as, propagate, settle};
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// Leave to change a node: order and summaries are restored when the guard is dropped. `None` if
    /// the node is in no tree.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    pub unsafe fn update(&mut self, node: NonNull<T>) -> Option<Update<'_, T>> {
        // SAFETY: The caller's promise.
        unsafe { self.member(node) }.map(|node| Update::new(self, node))
    }

    /// As [`update`](Self::update), of the first node. Safe, as it is there.
    pub fn update_first(&mut self) -> Option<Update<'_, T>> {
        self.end(Side::Left).map(|node| Update::new(self, node))
    }

    /// As [`update`](Self::update), of the last node. Safe, as it is there.
    pub fn update_last(&mut self) -> Option<Update<'_, T>> {
        self.end(Side::Right).map(|node| Update::new(self, node))
    }

    /// Restores order and summaries after the key of `node`, or what is measured of it, has changed.
    ///
    /// Where the key still fits between its neighbours', the node stays where it is: two
    /// comparisons, constant time on average, and the summaries as far up as they change. Otherwise
    /// it goes behind all whose key is equal, at the cost of a removal and an insertion. Nothing
    /// happens if the node is in no tree.
    ///
    /// Until then searches that meet the node may miss; nothing else is wrong. If a comparison
    /// panics, the node stays where it was. If the augmentation panics, the node is in the tree, or
    /// its handle is dropped.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    pub unsafe fn reposition(&mut self, node: NonNull<T>) {
        // SAFETY: The caller's promise.
        if let Some(node) = unsafe { self.member(node) } {
            self.restore(node);
        }
    }

    /// Puts a node in the place of another, and gives that one's handle back. Two comparisons,
    /// constant time on average, and the summaries as far up as they change.
    ///
    /// If a comparison or the augmentation panics, the new handle is dropped, and the old node stays.
    ///
    /// # Errors
    ///
    /// With the new handle inside: [`Refused::Absent`] if `node` is in no tree,
    /// [`Refused::Linked`] if the new one is in one, [`Refused::OutOfOrder`] if its key does not
    /// fit between those on both sides.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    pub unsafe fn replace(
        &mut self,
        node: NonNull<T>,
        handle: T::Handle,
    ) -> Result<T::Handle, Refused<T::Handle>> {
        // SAFETY: The caller's promise.
        match unsafe { self.member(node) } {
            Some(mut node) => self.exchange(&mut node, handle),
            None => Err(Refused::Absent(handle)),
        }
    }

    /// Puts the handle's node at the place of that `at`, which is the new one then.
    pub(crate) fn exchange(
        &mut self,
        at: &mut Node<T>,
        handle: T::Handle,
    ) -> Result<T::Handle, Refused<T::Handle>> {
        let old = *at;
        let newcomer = Newcomer::<T>::claim(handle)?;
        let [before, after] = [Side::Left, Side::Right].map(|side| old.neighbour(side));
        if !fits(newcomer.value(), before, after) {
            return Err(Refused::OutOfOrder(newcomer.into_handle()));
        }
        let measure = T::Augment::measure(newcomer.value());
        settle(old, computed_as(old, measure));

        let new = newcomer.attach(None, measure);
        self.stand_in(old, new);
        for end in &mut self.ends {
            *end = end.map(|end| if end == old { new } else { end });
        }
        *at = new;
        Ok(Newcomer::detached(old).into_handle())
    }

    fn restore(&mut self, node: Node<T>) {
        let [before, after] = [Side::Left, Side::Right].map(|side| node.neighbour(side));
        let stays = fits(node.value(), before, after);
        // Also where it leaves: what a summary is without a node is told from the node's measure.
        propagate(node);
        if stays {
            return;
        }
        let key = node.value().key();
        let is_ahead = after.is_none_or(|after| key <= after.value().key());
        let gap = self.gap_before(|other| {
            // On which side of its old place the new one is, the node's own key cannot tell.
            if ptr::eq(other, node.value()) { is_ahead } else { key < other.key() }
        });
        match gap {
            // Beside a node that stays, the gap can be found again when this one is gone.
            Some(Gap { parent: stays, side }) if stays != node => {
                let newcomer = self.take_out(node);
                self.put(newcomer, Some(Gap::beside(stays, side)));
            }
            // Keys lied: it is where it should be.
            _ => {}
        }
    }
}

/// Leave to change a node that is in a tree. Its drop is [`reposition`](Tree::reposition).
///
/// What can change is behind cells in the node, or written through [`as_ptr`](Self::as_ptr). There is
/// no `&mut`: the node could be overwritten by it, link and all, and others may share it. If the
/// guard is leaked, the node's order and summary are stale until the node is repositioned.
#[must_use = "order is restored when this is dropped"]
pub struct Update<'a, T: Linked> {
    tree: &'a mut Tree<T>,
    node: Node<T>,
}

impl<'a, T: Linked> Update<'a, T> {
    pub(crate) fn new(tree: &'a mut Tree<T>, node: Node<T>) -> Self {
        Update { tree, node }
    }

    /// The node, with the provenance of its handle: fields other than the link may be written
    /// through it if the handle allowed that, and nobody else has a reference to them.
    #[must_use]
    pub fn as_ptr(&self) -> NonNull<T> {
        self.node.pointer()
    }
}

impl<T: Linked> Deref for Update<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.node.value()
    }
}

impl<T: Linked> Drop for Update<'_, T> {
    fn drop(&mut self) {
        self.tree.restore(self.node);
    }
}

impl<T: Linked> fmt::Debug for Update<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Update").field("node", &self.node).finish_non_exhaustive()
    }
}
