//! The shape of the tree: linking a newcomer, taking a node out, standing in for one.

use crate::gap::Gap;
use crate::link::Linked;
use crate::newcomer::Newcomer;
use crate::node::{Colour, Node, Side};
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// Hangs `node`, new and childless, into `gap`, and rebalances. S holds above already.
    #[inline]
    pub(crate) fn link(&mut self, node: Node<T>, gap: Option<Gap<T>>) {
        self.len += 1;
        match gap {
            None => {
                self.root = Some(node);
                self.ends = [Some(node); 2];
            }
            Some(Gap { parent, side }) => {
                parent.set_child(side, Some(node));
                // T2: the newcomer is an end exactly if it is next to what was the end.
                if self.end(side) == Some(parent) {
                    self.ends[side as usize] = Some(node);
                }
            }
        }
        self.rebalance_inserted(node);
    }

    /// Takes `node` out and rebalances. `heir` is [`heir`] of it, and S holds already for what the
    /// nodes will be.
    #[inline]
    pub(crate) fn unlink(&mut self, node: Node<T>, heir: Option<Node<T>>) -> Newcomer<T> {
        self.len -= 1;
        for side in [Side::Left, Side::Right] {
            if self.end(side) == Some(node) {
                self.ends[side as usize] = node.neighbour(!side);
            }
        }

        let leaver = heir.unwrap_or(node);
        let only_child = leaver.child(Side::Left).or(leaver.child(Side::Right));
        let missing = leaver.colour();
        let mut place = leaver.place();
        self.put_in_place_of(leaver, only_child);
        if let Some(child) = only_child {
            // By R3 an only child is a red leaf, under a black node.
            child.hang(place.map(|(parent, _)| parent), Colour::Black);
        }
        if let Some(heir) = heir {
            self.stand_in(node, heir);
            place = place.map(|(parent, side)| (if parent == node { heir } else { parent }, side));
        }
        // T3: the handle is in a value that drops it before code from outside runs.
        let newcomer = Newcomer::detached(node);
        if only_child.is_none() && missing == Colour::Black {
            self.rebalance_erased(place);
        }
        newcomer
    }

    /// As [`unlink`](Self::unlink), for `node` at the end on `side`, where less has to be asked.
    #[inline]
    pub(crate) fn unlink_end(&mut self, node: Node<T>, side: Side) -> Newcomer<T> {
        self.len -= 1;
        let parent = node.parent();
        let child = node.child(!side);
        match parent {
            None => self.root = child,
            Some(parent) => parent.set_child(side, child),
        }
        // By R3 an only child is a red leaf, under a black node: so it is next in order.
        self.ends[side as usize] = child.or(parent);
        let missing = node.colour();
        let newcomer = Newcomer::detached(node);
        match (child, parent) {
            (Some(child), _) => child.hang(parent, Colour::Black),
            (None, None) => self.ends = [None; 2],
            (None, Some(parent)) if missing == Colour::Black => {
                self.rebalance_erased(Some((parent, side)));
            }
            _ => {}
        }
        newcomer
    }

    /// `new`, or nothing, stands where `old` stood under its parent. `new`'s own parent is not set.
    pub(crate) fn put_in_place_of(&mut self, old: Node<T>, new: Option<Node<T>>) {
        match old.place() {
            None => self.root = new,
            Some((parent, side)) => parent.set_child(side, new),
        }
    }

    /// `new` stands where `old` stood: its parent, children, colour and summary.
    pub(crate) fn stand_in(&mut self, old: Node<T>, new: Node<T>) {
        self.put_in_place_of(old, Some(new));
        old.copy_word_to(new);
        new.set_summary(old.summary());
        for side in [Side::Left, Side::Right] {
            let child = old.child(side);
            new.set_child(side, child);
            if let Some(child) = child {
                child.set_parent(Some(new));
            }
        }
    }
}

/// Who takes the place of `node` when it leaves: a node with two children cannot leave a gap that
/// closes, so its successor, which has no left child, leaves its own place and stands in.
pub(crate) fn heir<T: Linked>(node: Node<T>) -> Option<Node<T>> {
    node.child(Side::Left)?;
    node.child(Side::Right).map(|right| right.extreme(Side::Left))
}
