//! Iteration in order, from both ends.

use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;

use crate::link::Linked;
use crate::node::{Node, Side};
use crate::tree::Tree;

/// The nodes of a part of a tree, in order.
pub struct Range<'a, T: Linked> {
    /// The first and the last that are left.
    ends: Option<[Node<T>; 2]>,
    of: PhantomData<&'a Tree<T>>,
}

impl<'a, T: Linked> Range<'a, T> {
    pub(crate) fn new(ends: Option<(Node<T>, Node<T>)>) -> Self {
        Range { ends: ends.map(|(first, last)| [first, last]), of: PhantomData }
    }

    fn take(&mut self, side: Side) -> Option<&'a T> {
        let ends = self.ends?;
        let node = ends[side as usize];
        // If keys lied, the ends may have been the wrong way round: the tree's own end ends it too.
        let next = if ends[0] == ends[1] { None } else { node.neighbour(!side) };
        self.ends = next.map(|next| match side {
            Side::Left => [next, ends[1]],
            Side::Right => [ends[0], next],
        });
        Some(node.value())
    }
}

impl<'a, T: Linked> Iterator for Range<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        self.take(Side::Left)
    }
}

impl<T: Linked> DoubleEndedIterator for Range<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.take(Side::Right)
    }
}

impl<T: Linked> FusedIterator for Range<'_, T> {}

impl<T: Linked> Clone for Range<'_, T> {
    fn clone(&self) -> Self {
        Range { ..*self }
    }
}

impl<T: Linked> fmt::Debug for Range<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Range").field("ends", &self.ends).finish()
    }
}

/// All nodes of a tree, in order.
pub struct Iter<'a, T: Linked> {
    range: Range<'a, T>,
    left: usize,
}

impl<'a, T: Linked> Iter<'a, T> {
    pub(crate) fn new(tree: &'a Tree<T>) -> Self {
        let [first, last] = tree.ends;
        Iter { range: Range::new(first.zip(last)), left: tree.len() }
    }
}

impl<'a, T: Linked> Iterator for Iter<'a, T> {
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        let node = self.range.next()?;
        self.left -= 1;
        Some(node)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<T: Linked> DoubleEndedIterator for Iter<'_, T> {
    fn next_back(&mut self) -> Option<Self::Item> {
        let node = self.range.next_back()?;
        self.left -= 1;
        Some(node)
    }
}

impl<T: Linked> ExactSizeIterator for Iter<'_, T> {}
impl<T: Linked> FusedIterator for Iter<'_, T> {}

impl<T: Linked> Clone for Iter<'_, T> {
    fn clone(&self) -> Self {
        Iter { range: self.range.clone(), left: self.left }
    }
}

impl<T: Linked> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").field("left", &self.left).finish_non_exhaustive()
    }
}
