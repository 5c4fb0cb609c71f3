//! Taking a node out of the shape.

use crate::link::Linked;
use crate::node::{Colour, Node, Side};
use crate::settle::Touched;
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// Takes `node` out and rebalances; its own link is left as it was. No code from outside runs.
    pub(crate) fn erase(&mut self, node: Node<T>) -> Touched<T> {
        // A node with two children cannot leave a gap that closes: its successor, which has no left
        // child, leaves its own place and takes the node's.
        let heir = match (node.child(Side::Left), node.child(Side::Right)) {
            (Some(_), Some(right)) => Some(right.extreme(Side::Left)),
            _ => None,
        };

        let leaver = heir.unwrap_or(node);
        let only_child = leaver.child(Side::Left).or(leaver.child(Side::Right));
        let missing = leaver.colour();
        let mut parent = leaver.parent();
        let side = parent.map_or(Side::Left, |parent| leaver.side_under(parent));

        self.replace(leaver, only_child);
        if let Some(heir) = heir {
            self.take_place(node, heir);
            if parent == Some(node) {
                parent = Some(heir);
            }
        }

        let mut touched = Touched::new(parent, heir);
        match (only_child, missing) {
            // By R3 an only child is a red leaf, under a black node.
            (Some(child), _) => child.paint(Colour::Black),
            (None, Colour::Red) => {}
            (None, Colour::Black) => self.rebalance_erased(parent, side, &mut touched),
        }
        touched
    }

    /// `new`, or nothing, stands where `old` stood under its parent.
    pub(crate) fn replace(&mut self, old: Node<T>, new: Option<Node<T>>) {
        let parent = old.parent();
        match parent {
            None => self.root = new,
            Some(parent) => parent.set_child(old.side_under(parent), new),
        }
        if let Some(new) = new {
            new.set_parent(parent);
        }
    }

    /// `heir` stands where `node` stood: its parent, children, colour and summary.
    fn take_place(&mut self, node: Node<T>, heir: Node<T>) {
        self.replace(node, Some(heir));
        for side in [Side::Left, Side::Right] {
            let child = node.child(side);
            heir.set_child(side, child);
            if let Some(child) = child {
                child.set_parent(Some(heir));
            }
        }
        heir.paint(node.colour());
        heir.set_summary(node.summary());
    }
}
