//! Walking the tree in order, both ways, and changing it on the way.

use core::fmt;

use crate::cursor::Cursor;
use crate::gap::Gap;
use crate::link::Linked;
use crate::newcomer::{Newcomer, Refused};
use crate::node::{Node, Side};
use crate::tree::Tree;
use crate::update::Update;

/// As [`Cursor`], and the tree can be changed where it is.
pub struct CursorMut<'a, T: Linked> {
    tree: &'a mut Tree<T>,
    at: Option<Node<T>>,
}

impl<'a, T: Linked> CursorMut<'a, T> {
    pub(crate) fn new(tree: &'a mut Tree<T>, at: Option<Node<T>>) -> Self {
        CursorMut { tree, at }
    }

    /// The node under the cursor; `None` past the end.
    #[must_use]
    pub fn get(&self) -> Option<&T> {
        self.at.map(Node::value)
    }

    /// A cursor that only reads, at the same place.
    #[must_use]
    pub fn as_cursor(&self) -> Cursor<'_, T> {
        Cursor::new(self.tree, self.at)
    }

    /// On to the next node; from past the end to the first. O(log n), amortised constant.
    pub fn move_next(&mut self) {
        self.at = self.tree.step(self.at, Side::Right);
    }

    /// Back to the node before; from past the end to the last. O(log n), amortised constant.
    pub fn move_prev(&mut self) {
        self.at = self.tree.step(self.at, Side::Left);
    }

    /// Takes the node under the cursor out, and moves on to the next. `None` past the end. As
    /// [`Tree::remove`].
    pub fn remove(&mut self) -> Option<T::Handle> {
        let node = self.at?;
        self.at = node.neighbour(Side::Right);
        Some(self.tree.take(node))
    }

    /// Inserts a node right behind that under the cursor; past the end, as the first. Two
    /// comparisons instead of a descent; otherwise as [`Tree::insert`].
    ///
    /// # Errors
    ///
    /// [`Refused::OutOfOrder`] if the key does not fit there, or [`Refused::Linked`]; the handle is
    /// inside.
    pub fn insert_after(&mut self, handle: T::Handle) -> Result<(), Refused<T::Handle>> {
        self.insert_beside(Side::Right, handle)
    }

    /// Inserts a node right in front of that under the cursor; past the end, as the last. As
    /// [`insert_after`](Self::insert_after).
    ///
    /// # Errors
    ///
    /// As for [`insert_after`](Self::insert_after).
    pub fn insert_before(&mut self, handle: T::Handle) -> Result<(), Refused<T::Handle>> {
        self.insert_beside(Side::Left, handle)
    }

    fn insert_beside(&mut self, side: Side, handle: T::Handle) -> Result<(), Refused<T::Handle>> {
        let newcomer = Newcomer::<T>::claim(handle)?;
        let [before, after] = match side {
            Side::Left => [self.tree.step(self.at, Side::Left), self.at],
            Side::Right => [self.at, self.tree.step(self.at, Side::Right)],
        };
        if !fits(newcomer.value(), before, after) {
            return Err(Refused::OutOfOrder(newcomer.into_handle()));
        }
        let gap = match (before, after) {
            (Some(before), _) => Some(Gap::beside(before, Side::Right)),
            (None, Some(after)) => Some(Gap::beside(after, Side::Left)),
            (None, None) => None,
        };
        self.tree.put(newcomer, gap);
        Ok(())
    }

    /// Puts a node in the place of that under the cursor, and gives that one back. As
    /// [`Tree::replace`], by the cursor.
    ///
    /// # Errors
    ///
    /// As for [`Tree::replace`]; past the end there is no node.
    pub fn replace(&mut self, handle: T::Handle) -> Result<T::Handle, Refused<T::Handle>> {
        match &mut self.at {
            Some(node) => self.tree.exchange(node, handle),
            None => Err(Refused::Absent(handle)),
        }
    }

    /// Leave to change the node under the cursor; `None` past the end. The cursor goes where the
    /// node goes.
    pub fn update(&mut self) -> Option<Update<'_, T>> {
        self.at.map(|node| Update::new(self.tree, node))
    }
}

/// Whether the key of `value` may stand between those of `before` and `after`.
pub(crate) fn fits<T: Linked>(value: &T, before: Option<Node<T>>, after: Option<Node<T>>) -> bool {
    let key = value.key();
    before.is_none_or(|before| before.value().key() <= key)
        && after.is_none_or(|after| key <= after.value().key())
}

impl<T: Linked> fmt::Debug for CursorMut<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CursorMut").field("at", &self.at).finish_non_exhaustive()
    }
}
