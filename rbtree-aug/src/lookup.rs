//! Finding by key.

use core::ops::{Bound, RangeBounds};

use crate::cursor::Cursor;
use crate::cursor_mut::CursorMut;
use crate::gap::Gap;
use crate::iter::{Iter, Range};
use crate::link::Linked;
use crate::node::{Node, Side};
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// The first node whose key is equal to `key`. O(log n).
    #[must_use]
    pub fn get(&self, key: &T::Key) -> Option<&T> {
        self.lower_bound(key).get().filter(|node| node.key() == *key)
    }

    /// A cursor on the first node whose key is not less than `key`, or past the end. O(log n).
    #[must_use]
    pub fn lower_bound(&self, key: &T::Key) -> Cursor<'_, T> {
        Cursor::new(self, Self::beside(self.gap_below(key), Side::Right))
    }

    /// A cursor on the first node whose key is greater than `key`, or past the end. O(log n).
    #[must_use]
    pub fn upper_bound(&self, key: &T::Key) -> Cursor<'_, T> {
        Cursor::new(self, Self::beside(self.gap_above(key), Side::Right))
    }

    /// As [`lower_bound`](Self::lower_bound), with a cursor that may change the tree.
    #[must_use]
    pub fn lower_bound_mut(&mut self, key: &T::Key) -> CursorMut<'_, T> {
        let at = Self::beside(self.gap_below(key), Side::Right);
        CursorMut::new(self, at)
    }

    /// As [`upper_bound`](Self::upper_bound), with a cursor that may change the tree.
    #[must_use]
    pub fn upper_bound_mut(&mut self, key: &T::Key) -> CursorMut<'_, T> {
        let at = Self::beside(self.gap_above(key), Side::Right);
        CursorMut::new(self, at)
    }

    /// A cursor on the first node, or past the end of an empty tree. Constant time.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_, T> {
        Cursor::new(self, self.end(Side::Left))
    }

    /// As [`cursor`](Self::cursor), with a cursor that may change the tree.
    #[must_use]
    pub fn cursor_mut(&mut self) -> CursorMut<'_, T> {
        let at = self.end(Side::Left);
        CursorMut::new(self, at)
    }

    /// All nodes in order; also backwards. Constant time per step, amortised.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// The nodes whose keys are in `keys`, in order; also backwards. O(log n) to begin, constant per
    /// step, amortised. Empty if `keys` ends before it begins.
    #[must_use]
    pub fn range(&self, keys: impl RangeBounds<T::Key>) -> Range<'_, T> {
        let first = match keys.start_bound() {
            Bound::Unbounded => self.end(Side::Left),
            Bound::Included(key) => Self::beside(self.gap_below(key), Side::Right),
            Bound::Excluded(key) => Self::beside(self.gap_above(key), Side::Right),
        };
        let last = match keys.end_bound() {
            Bound::Unbounded => self.end(Side::Right),
            Bound::Included(key) => Self::beside(self.gap_above(key), Side::Left),
            Bound::Excluded(key) => Self::beside(self.gap_below(key), Side::Left),
        };
        let begins_before_its_end = |first: &Node<T>| match keys.end_bound() {
            Bound::Unbounded => true,
            Bound::Included(key) => first.value().key() <= *key,
            Bound::Excluded(key) => first.value().key() < *key,
        };
        Range::new(first.filter(begins_before_its_end).zip(last))
    }

    fn gap_below(&self, key: &T::Key) -> Option<Gap<T>> {
        self.gap_before(|node| *key <= node.key())
    }

    fn gap_above(&self, key: &T::Key) -> Option<Gap<T>> {
        self.gap_before(|node| *key < node.key())
    }
}

impl<'a, T: Linked> IntoIterator for &'a Tree<T> {
    type Item = &'a T;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
