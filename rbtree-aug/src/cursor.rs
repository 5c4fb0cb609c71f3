//! Walking the tree in order, both ways.

use core::fmt;

use crate::link::Linked;
use crate::node::{Node, Side};
use crate::tree::Tree;

/// A place in a tree: on a node, or past the end, which is also before the beginning.
pub struct Cursor<'a, T: Linked> {
    tree: &'a Tree<T>,
    at: Option<Node<T>>,
}

impl<'a, T: Linked> Cursor<'a, T> {
    pub(crate) fn new(tree: &'a Tree<T>, at: Option<Node<T>>) -> Self {
        Cursor { tree, at }
    }

    /// The node under the cursor; `None` past the end.
    #[must_use]
    pub fn get(&self) -> Option<&'a T> {
        self.at.map(Node::value)
    }

    /// On to the next node; from past the end to the first. O(log n), amortised constant.
    pub fn move_next(&mut self) {
        self.at = self.tree.step(self.at, Side::Right);
    }

    /// Back to the node before; from past the end to the last. O(log n), amortised constant.
    pub fn move_prev(&mut self) {
        self.at = self.tree.step(self.at, Side::Left);
    }
}

impl<T: Linked> Tree<T> {
    /// From `at` to the next on `side`; past the end is `None`, and between both ends.
    pub(crate) fn step(&self, at: Option<Node<T>>, side: Side) -> Option<Node<T>> {
        match at {
            Some(node) => node.neighbour(side),
            None => self.end(!side),
        }
    }
}

impl<T: Linked> Clone for Cursor<'_, T> {
    fn clone(&self) -> Self {
        Cursor { ..*self }
    }
}

impl<T: Linked> fmt::Debug for Cursor<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor").field("at", &self.at).finish_non_exhaustive()
    }
}
