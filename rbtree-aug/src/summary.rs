//! Summaries, and how they follow the shape.
//!
//! S. Every node's summary is the join of its left child's, its own measure and its right child's.
//!
//! A change is made in three steps, and the second has no code from outside in it:
//!
//! 1. S is made true for the nodes as they *will* be: from the place of the change upwards, and no
//!    further than summaries change ([`climb`]). The shape is still the old one.
//! 2. The shape is changed. A rotation gives the summary of its place to the node that comes up; a
//!    node that takes the place of another takes over its summary.
//! 3. The nodes that went down, at most three, are summarised anew ([`refresh`]). Nothing above them
//!    changes by it.
//!
//! So a panic in code from outside finds a sound red-black tree, in which some summaries are stale.

use core::ptr::NonNull;

use crate::augment::Augment;
use crate::gap::Gap;
use crate::link::{Linked, SummaryOf};
use crate::node::{Node, Side};
use crate::tree::Tree;

/// Whether there is anything to maintain.
pub(crate) const fn has_summaries<T: Linked>() -> bool {
    size_of::<SummaryOf<T>>() != 0
}

/// Makes S true at `place` and above it, as `up` leads. Below it the summary is `below` now. Goes as
/// far as summaries change.
///
/// `shortcut` may know what becomes of a summary without looking at the node's children.
#[inline]
pub(crate) fn climb<T: Linked>(
    mut place: Option<(Node<T>, Side)>,
    mut below: Option<SummaryOf<T>>,
    up: impl Fn(Node<T>) -> Option<(Node<T>, Side)>,
    shortcut: impl Fn(SummaryOf<T>) -> Option<SummaryOf<T>>,
) {
    while let Some((node, side)) = place {
        let old = node.summary();
        let fresh = shortcut(old).unwrap_or_else(|| {
            // What does not come from below is joined first: `below` is what there is to wait for.
            let beside = node.child(!side).map(Node::summary);
            let measure = T::Augment::measure(node.value());
            match side {
                Side::Left => with_left::<T>(below, with_right::<T>(measure, beside)),
                Side::Right => with_right::<T>(with_left::<T>(beside, measure), below),
            }
        });
        if fresh == old {
            return;
        }
        node.set_summary(fresh);
        below = Some(fresh);
        place = up(node);
    }
}

/// Makes S true at `node`, then upwards while summaries change.
pub(crate) fn propagate<T: Linked>(node: Node<T>) {
    if has_summaries::<T>() {
        settle(node, computed(node));
    }
}

/// The summary at `node`'s place is `fresh` now; makes S true above it.
pub(crate) fn settle<T: Linked>(node: Node<T>, fresh: SummaryOf<T>) {
    if fresh != node.summary() {
        node.set_summary(fresh);
        climb(node.place(), Some(fresh), Node::place, |_| None);
    }
}

/// How many nodes above a newcomer are written without a look at whether that is needed. Near the
/// leaves it is as likely as not, and a wrong guess of the processor costs more.
const LEVELS_UNASKED: usize = 2;

/// Makes S true for the tree in which `gap` is filled with a node measured as `newcomer`.
#[inline]
pub(crate) fn settle_with<T: Linked>(gap: Option<Gap<T>>, newcomer: SummaryOf<T>) {
    if !has_summaries::<T>() {
        return;
    }
    let with = |summary| T::Augment::with(summary, newcomer);
    let (mut place, mut below) = (gap.map(|gap| (gap.parent, gap.side)), newcomer);
    for _ in 0..LEVELS_UNASKED {
        let Some((node, _)) = place else { return };
        let Some(fresh) = with(node.summary()) else { break };
        node.set_summary(fresh);
        (place, below) = (node.place(), fresh);
    }
    climb(place, Some(below), Node::place, with);
}

/// Makes S true for the tree without `node`, which is still there, and has no child on one side.
/// `up` is the way to the root.
#[inline]
pub(crate) fn settle_without<T: Linked>(
    node: Node<T>,
    up: impl Fn(Node<T>) -> Option<(Node<T>, Side)>,
) {
    if has_summaries::<T>() {
        let leaver = T::Augment::measure(node.value());
        let only_child = node.child(Side::Left).or(node.child(Side::Right));
        let below = only_child.map(Node::summary);
        climb(up(node), below, up, |summary| T::Augment::without(summary, leaver));
    }
}

/// Makes S true for the tree in which `heir`, from the right below `node`, stands for it.
pub(crate) fn settle_with_heir<T: Linked>(node: Node<T>, heir: Node<T>) {
    if has_summaries::<T>() {
        settle_without(heir, |below| below.place().filter(|(above, _)| *above != node));
        let inherits = heir.parent() == Some(node);
        let right = if inherits { heir } else { node }.child(Side::Right).map(Node::summary);
        let left = node.child(Side::Left).map(Node::summary);
        let measure = T::Augment::measure(heir.value());
        settle(node, with_right::<T>(with_left::<T>(left, measure), right));
    }
}

/// Makes S true at nodes whose shape is final, those below first.
#[inline]
pub(crate) fn refresh<T: Linked, const N: usize>(nodes: [Node<T>; N]) {
    if has_summaries::<T>() {
        nodes.into_iter().for_each(|node| node.set_summary(computed(node)));
    }
}

/// What S says of `node`.
pub(crate) fn computed<T: Linked>(node: Node<T>) -> SummaryOf<T> {
    computed_as(node, T::Augment::measure(node.value()))
}

/// What S would say if the measure of `node` was `measure`.
pub(crate) fn computed_as<T: Linked>(node: Node<T>, measure: SummaryOf<T>) -> SummaryOf<T> {
    let [left, right] = [Side::Left, Side::Right].map(|side| node.child(side).map(Node::summary));
    with_right::<T>(with_left::<T>(left, measure), right)
}

fn with_left<T: Linked>(left: Option<SummaryOf<T>>, rest: SummaryOf<T>) -> SummaryOf<T> {
    left.map_or(rest, |left| T::Augment::join(left, rest))
}

fn with_right<T: Linked>(rest: SummaryOf<T>, right: Option<SummaryOf<T>>) -> SummaryOf<T> {
    right.map_or(rest, |right| T::Augment::join(rest, right))
}

impl<T: Linked> Tree<T> {
    /// Recomputes every summary, children before parents, without recursion. O(n).
    ///
    /// After a bulk change of what is measured, or after a panic in the augmentation.
    pub fn recompute_all(&mut self) {
        let mut next = self.root.map(first_in_post_order);
        while let Some(node) = next {
            node.set_summary(computed(node));
            next = node.parent().map(|parent| match parent.child(Side::Right) {
                Some(right) if right != node => first_in_post_order(right),
                _ => parent,
            });
        }
    }

    /// Brings the summaries up to date after what is measured of `node` has changed, but not its
    /// key (see [`reposition`](Self::reposition)). O(log n), and no further up than summaries
    /// change. Nothing happens if the node is in no tree.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    pub unsafe fn update_summary(&mut self, node: NonNull<T>) {
        // SAFETY: Live, and linked here or nowhere, by the caller's promise.
        if let Some(node) = unsafe { self.member(node) } {
            propagate(node);
        }
    }

    /// The summary of all nodes, or `None` for an empty tree. Constant time.
    #[must_use]
    pub fn summary(&self) -> Option<SummaryOf<T>> {
        self.root.map(Node::summary)
    }
}

/// The leaf at which the post-order of a subtree begins.
fn first_in_post_order<T: Linked>(mut node: Node<T>) -> Node<T> {
    while let Some(child) = node.child(Side::Left).or(node.child(Side::Right)) {
        node = child;
    }
    node
}
