//! Walking the tree in order, both ways.

use core::fmt;
use core::iter::FusedIterator;

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
        self.step(Side::Right);
    }

    /// Back to the node before; from past the end to the last. O(log n), amortised constant.
    pub fn move_prev(&mut self) {
        self.step(Side::Left);
    }

    fn step(&mut self, side: Side) {
        self.at = match self.at {
            Some(node) => node.neighbour(side),
            None => self.tree.end(!side),
        };
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

/// The nodes of a tree in order.
pub struct Iter<'a, T: Linked> {
    tree: &'a Tree<T>,
    /// What each side takes next; of no meaning when none are left.
    next: [Option<Node<T>>; 2],
    left: usize,
}

impl<'a, T: Linked> Iter<'a, T> {
    pub(crate) fn new(tree: &'a Tree<T>) -> Self {
        Iter { tree, next: tree.ends, left: tree.len() }
    }

    fn take(&mut self, side: Side) -> Option<&'a T> {
        self.left = self.left.checked_sub(1)?;
        let node = self.next[side as usize]?;
        self.next[side as usize] = node.neighbour(!side);
        Some(node.value())
    }
}

impl<'a, T: Linked> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.take(Side::Left)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Linked> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.take(Side::Right)
    }
}

impl<T: Linked> ExactSizeIterator for Iter<'_, T> {}
impl<T: Linked> FusedIterator for Iter<'_, T> {}

impl<T: Linked> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { ..*self }
    }
}

impl<T: Linked> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("left", &self.left).field("of", self.tree).finish()
    }
}

impl<'a, T: Linked> IntoIterator for &'a Tree<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
