//! Summaries after a change of shape.
//!
//! S. Every node's summary is the join of its left child's, its own measure and its right child's.
//!
//! A change of shape runs to its end first, without any code from outside, and notes in [`Touched`]
//! the nodes at which S may now be false. Then S is restored there. Code from outside runs only in
//! that second part, so a panic in it leaves a sound red-black tree with some summaries stale.
//!
//! A rotation exchanges the summaries of its two nodes, and a node that takes the place of an
//! erased one takes over its summary: so the node on top of a changed place still carries what its
//! parent's summary was made from, and "unchanged" on the way up is a reason to stop.

use crate::augment::Augment;
use crate::link::{Linked, SummaryOf};
use crate::node::{Node, Side};
use crate::tree::Tree;

/// At most this many rotations follow an insertion (2) or an erasure (3).
const ROTATIONS_MAX: usize = 3;

/// Where S may be false after a change of shape.
pub(crate) struct Touched<T> {
    /// Got or lost a child.
    start: Option<Node<T>>,
    /// Took an erased node's place, above `start` or at it.
    heir: Option<Node<T>>,
    /// Rotated: the node that went down, and the one that came up over it.
    rotated: [Option<(Node<T>, Node<T>)>; ROTATIONS_MAX],
    rotations: usize,
}

impl<T: Linked> Touched<T> {
    pub(crate) fn new(start: Option<Node<T>>, heir: Option<Node<T>>) -> Self {
        Touched { start, heir, rotated: [None; ROTATIONS_MAX], rotations: 0 }
    }

    pub(crate) fn rotated(&mut self, down: Node<T>, up: Node<T>) {
        debug_assert!(self.rotations < ROTATIONS_MAX, "more rotations than a rebalance can need");
        if let Some(slot) = self.rotated.get_mut(self.rotations) {
            *slot = Some((down, up));
            self.rotations += 1;
        }
    }

    /// Restores S. O(log n), and no further up than summaries change.
    ///
    /// `propagate(v)` makes S true at v, and leaves it false nowhere that it was true: so calling
    /// it at every node where S may be false is enough, in whatever order. This order goes from
    /// below to above, so that `join` never sees runs that are not neighbours, and little is done
    /// twice. The nodes that went down come first, as one of them may be beside the way up from
    /// `start`; an heir among them is on that way, and has to wait for what is below it.
    pub(crate) fn settle(self) {
        if size_of::<SummaryOf<T>>() == 0 {
            return;
        }
        let rotated = || self.rotated.iter().flatten().copied();
        for (down, _) in rotated().filter(|(down, _)| Some(*down) != self.heir) {
            refresh(down);
        }
        self.start.into_iter().for_each(propagate);
        for (down, up) in rotated().rev() {
            propagate(down);
            propagate(up);
        }
        self.heir.into_iter().for_each(propagate);
    }
}

/// Makes S true at `node`, and tells whether its summary changed.
fn refresh<T: Linked>(node: Node<T>) -> bool {
    let fresh = computed(node);
    let changed = fresh != node.summary();
    if changed {
        node.set_summary(fresh);
    }
    changed
}

/// Makes S true at `node`, then upwards while summaries change.
pub(crate) fn propagate<T: Linked>(node: Node<T>) {
    let mut next = Some(node);
    while let Some(node) = next {
        if !refresh(node) {
            return;
        }
        next = node.parent();
    }
}

/// What S says of `node`.
pub(crate) fn computed<T: Linked>(node: Node<T>) -> SummaryOf<T> {
    let mut summary = T::Augment::measure(node.value());
    if let Some(left) = node.child(Side::Left) {
        summary = T::Augment::join(left.summary(), summary);
    }
    if let Some(right) = node.child(Side::Right) {
        summary = T::Augment::join(summary, right.summary());
    }
    summary
}

impl<T: Linked> Tree<T> {
    /// Recomputes every summary, children before parents, without recursion. O(n).
    ///
    /// After a bulk change of what is measured, or after a panic in the augmentation.
    pub fn rebuild_summaries(&mut self) {
        let mut next = self.root.map(first_in_post_order);
        while let Some(node) = next {
            node.set_summary(computed(node));
            next = node.parent().map(|parent| match parent.child(Side::Right) {
                Some(right) if right != node => first_in_post_order(right),
                _ => parent,
            });
        }
    }
}

/// The leaf at which the post-order of a subtree begins.
fn first_in_post_order<T: Linked>(mut node: Node<T>) -> Node<T> {
    while let Some(child) = node.child(Side::Left).or(node.child(Side::Right)) {
        node = child;
    }
    node
}
