//! Insertion: one by one, and of sorted batches.

use crate::augment::Augment;
use crate::gap::Gap;
use crate::link::Linked;
use crate::newcomer::{AlreadyLinked, Newcomer, Refused};
use crate::node::Side;
use crate::summary::settle_with;
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// Inserts a node, behind all whose key is equal. O(log n), at most two rotations.
    ///
    /// If a key's comparison or the augmentation panics, the handle is dropped or the node is a
    /// member; nothing else changes but summaries (see [`Augment`]).
    ///
    /// # Errors
    ///
    /// [`AlreadyLinked`] with the handle inside, if the node is in a tree: this one or another.
    #[inline]
    pub fn insert(&mut self, handle: T::Handle) -> Result<(), AlreadyLinked<T::Handle>> {
        let newcomer = Newcomer::<T>::claim(handle)?;
        let gap = self.gap_behind(newcomer.value());
        self.put(newcomer, gap);
        Ok(())
    }

    /// Inserts a node, unless there is one with an equal key. As [`insert`](Self::insert), and one
    /// more comparison.
    ///
    /// # Errors
    ///
    /// [`Refused::Equal`] or [`Refused::Linked`], with the handle inside.
    pub fn insert_unique(&mut self, handle: T::Handle) -> Result<(), Refused<T::Handle>> {
        let newcomer = Newcomer::<T>::claim(handle)?;
        let gap = self.gap_behind(newcomer.value());
        let before = Self::beside(gap, Side::Left);
        if before.is_some_and(|before| before.value().key() == newcomer.value().key()) {
            return Err(Refused::Equal(newcomer.into_handle()));
        }
        self.put(newcomer, gap);
        Ok(())
    }

    /// Inserts a batch that is sorted and belongs behind all that is there. Constant per node, on
    /// average, where summaries above it do not change.
    ///
    /// A node whose key is less than the last one's is inserted where it belongs, at the cost of
    /// [`insert`](Self::insert). Answers how many were inserted.
    ///
    /// # Errors
    ///
    /// [`AlreadyLinked`] with the first handle that was refused. Those before it are in the tree,
    /// and the rest is in the iterator still, if it was lent (`&mut`).
    pub fn append(
        &mut self,
        batch: impl IntoIterator<Item = T::Handle>,
    ) -> Result<usize, AlreadyLinked<T::Handle>> {
        let before = self.len();
        for handle in batch {
            let newcomer = Newcomer::<T>::claim(handle)?;
            let gap = self.gap_after_last(newcomer.value());
            self.put(newcomer, gap);
        }
        Ok(self.len() - before)
    }

    /// A tree of a sorted batch. O(n), summaries included. Of one that is not sorted: as
    /// [`append`](Self::append).
    ///
    /// # Errors
    ///
    /// As for [`append`](Self::append): the tree so far is dropped, its handles with it.
    pub fn from_sorted(
        batch: impl IntoIterator<Item = T::Handle>,
    ) -> Result<Self, AlreadyLinked<T::Handle>> {
        let mut tree = Self::new();
        for handle in batch {
            let newcomer = Newcomer::<T>::claim(handle)?;
            let gap = tree.gap_after_last(newcomer.value());
            let summary = T::Augment::measure(newcomer.value());
            let node = newcomer.attach(gap.map(|gap| gap.parent), summary);
            tree.link(node, gap);
        }
        tree.recompute_all();
        Ok(tree)
    }

    /// Lets `newcomer` in at `gap`.
    #[inline]
    pub(crate) fn put(&mut self, newcomer: Newcomer<T>, gap: Option<Gap<T>>) {
        let summary = T::Augment::measure(newcomer.value());
        settle_with(gap, summary);
        let node = newcomer.attach(gap.map(|gap| gap.parent), summary);
        self.link(node, gap);
    }

    /// The gap behind all whose key is not greater.
    #[inline]
    pub(crate) fn gap_behind(&self, newcomer: &T) -> Option<Gap<T>> {
        let key = newcomer.key();
        self.gap_before(|node| key < node.key())
    }

    /// As `gap_behind`, in constant time if that is the last gap.
    fn gap_after_last(&self, newcomer: &T) -> Option<Gap<T>> {
        let last = self.end(Side::Right)?;
        if newcomer.key() < last.value().key() {
            self.gap_behind(newcomer)
        } else {
            Some(Gap { parent: last, side: Side::Right })
        }
    }
}
