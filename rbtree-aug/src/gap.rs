//! Gaps in the order: where a descent ends, and what stands on both sides of it.

use crate::link::Linked;
use crate::node::{Node, Side};
use crate::tree::Tree;

/// A gap in the order of a tree that is not empty: under `parent`, where no child is on `side`.
#[derive(Debug)]
pub(crate) struct Gap<T> {
    pub(crate) parent: Node<T>,
    pub(crate) side: Side,
}

impl<T> Clone for Gap<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Gap<T> {}

impl<T: Linked> Gap<T> {
    /// The gap next to `node`, on its `side` in the order.
    pub(crate) fn beside(node: Node<T>, side: Side) -> Self {
        match node.child(side) {
            None => Gap { parent: node, side },
            Some(child) => Gap { parent: child.extreme(!side), side: !side },
        }
    }

    /// The node next to the gap, on its `side` in the order.
    pub(crate) fn neighbour(self, side: Side) -> Option<Node<T>> {
        if self.side == side { self.parent.neighbour(side) } else { Some(self.parent) }
    }
}

impl<T: Linked> Tree<T> {
    /// The gap in front of all nodes that are `behind` it; `None` in an empty tree. Calls `behind`
    /// once per level.
    #[inline]
    pub(crate) fn gap_before(&self, mut behind: impl FnMut(&T) -> bool) -> Option<Gap<T>> {
        let mut parent = self.root?;
        while let [Some(left), Some(right)] = parent.children() {
            parent = if behind(parent.value()) { left } else { right };
        }
        loop {
            let side = Side::left_if(behind(parent.value()));
            match parent.child(side) {
                Some(child) => parent = child,
                None => return Some(Gap { parent, side }),
            }
        }
    }

    /// The node next to `gap` on `side` in the order; the end of an empty tree is `None` too.
    pub(crate) fn beside(gap: Option<Gap<T>>, side: Side) -> Option<Node<T>> {
        gap.and_then(|gap| gap.neighbour(side))
    }
}
