//! EEVDF's pick, in both orders: the earliest deadline among a prefix of a tree by virtual runtime,
//! in two descents; the first eligible in a tree by deadline, in one.

use crate::contains::Contains;
use crate::link::Linked;
use crate::node::{Node, Side};
use crate::provided::{Deadline, MinDeadline, MinVruntime, Vruntime};
use crate::tree::Tree;

/// The best of the prefix so far: one node, or somewhere in a whole subtree.
enum Best<T> {
    Node(Node<T>),
    Within(Node<T>),
}

impl<T: Linked> Tree<T> {
    /// The node with the earliest deadline among those whose key is at most `bound`. O(log n).
    ///
    /// Among equal deadlines the first in the tree's order. `None` if no key is at most `bound`.
    #[must_use]
    pub fn earliest_deadline<At>(&self, bound: &T::Key) -> Option<&T>
    where
        T: Deadline,
        T::Augment: Contains<T, MinDeadline, At>,
    {
        self.earliest_deadline_while(|key| key <= bound)
    }

    /// As [`earliest_deadline`](Self::earliest_deadline), for the prefix of nodes whose keys
    /// answer `true`: where eligibility is computed, not compared. O(log n) calls.
    ///
    /// Once `false` for a key, it should be `false` for every greater one. If it is not, the
    /// answer is some node or `None`.
    #[must_use]
    pub fn earliest_deadline_while<At>(
        &self,
        mut in_prefix: impl FnMut(&T::Key) -> bool,
    ) -> Option<&T>
    where
        T: Deadline,
        T::Augment: Contains<T, MinDeadline, At>,
    {
        // First descent, towards the end of the prefix. Each node on it that is in the prefix
        // brings its whole left subtree along. All of the prefix is met, in its order.
        //
        // A single descent that goes by the minima does not do: where a subtree straddles the
        // bound, its minimum may lie beyond it, and lead away from the best of the prefix.
        let mut best: Option<(T::Deadline, Best<T>)> = None;
        let mut offer = |deadline: T::Deadline, place: Best<T>| {
            if best.as_ref().is_none_or(|(earliest, _)| deadline < *earliest) {
                best = Some((deadline, place));
            }
        };
        let mut next = self.root;
        while let Some(node) = next {
            if !in_prefix(&node.value().key()) {
                next = node.child(Side::Left);
                continue;
            }
            if let Some(left) = node.child(Side::Left) {
                offer(min_deadline(left), Best::Within(left));
            }
            offer(node.value().deadline(), Best::Node(node));
            next = node.child(Side::Right);
        }

        // Second descent, into the best subtree: all of it is in the prefix, so the minimum leads.
        match best? {
            (_, Best::Node(node)) => Some(node.value()),
            (deadline, Best::Within(subtree)) => Some(first_at(subtree, deadline).value()),
        }
    }

    /// The first node that is eligible: in a tree ordered by deadline, that with the earliest.
    /// O(log n), one descent.
    ///
    /// `eligible` should be `true` for every virtual runtime less than one for which it is. If it
    /// is not, the answer is some node that answered `true`, or `None`.
    #[must_use]
    pub fn first_eligible<At>(&self, mut eligible: impl FnMut(T::Vruntime) -> bool) -> Option<&T>
    where
        T: Vruntime,
        T::Augment: Contains<T, MinVruntime, At>,
    {
        let mut node = self.root?;
        loop {
            let left = node.child(Side::Left).filter(|left| {
                eligible(<T::Augment as Contains<T, MinVruntime, At>>::part(left.summary()))
            });
            node = match left {
                Some(left) => left,
                None if eligible(node.value().vruntime()) => return Some(node.value()),
                None => node.child(Side::Right)?,
            };
        }
    }
}

/// The first node under `node` whose deadline is at most `deadline`, which is their minimum.
fn first_at<T, At>(mut node: Node<T>, deadline: T::Deadline) -> Node<T>
where
    T: Linked + Deadline,
    T::Augment: Contains<T, MinDeadline, At>,
{
    loop {
        let left = node.child(Side::Left).filter(|left| min_deadline(*left) <= deadline);
        node = match (left, node.child(Side::Right)) {
            (Some(left), _) => left,
            (None, Some(right)) if node.value().deadline() > deadline => right,
            _ => return node,
        };
    }
}

fn min_deadline<T, At>(node: Node<T>) -> T::Deadline
where
    T: Linked + Deadline,
    T::Augment: Contains<T, MinDeadline, At>,
{
    T::Augment::part(node.summary())
}
