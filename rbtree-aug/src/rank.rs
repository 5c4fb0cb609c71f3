//! Ranks: which node is the n-th, and how many are before a key.

use crate::contains::Contains;
use crate::link::Linked;
use crate::node::Side;
use crate::provided::Count;
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// The node with `rank` nodes in front of it; `None` if there are no more than `rank`. O(log n).
    #[must_use]
    pub fn nth<At>(&self, rank: usize) -> Option<&T>
    where
        T::Augment: Contains<T, Count, At>,
    {
        let mut node = self.root?;
        let mut ahead = rank;
        loop {
            let left = node.child(Side::Left);
            let before = left.map_or(0, |left| T::Augment::part(left.summary()));
            node = match ahead.checked_sub(before) {
                None => left?,
                Some(0) => return Some(node.value()),
                Some(more) => {
                    ahead = more - 1;
                    node.child(Side::Right)?
                }
            };
        }
    }

    /// How many nodes have a key less than `key`: the rank of the first that has not. O(log n).
    #[must_use]
    pub fn rank<At>(&self, key: &T::Key) -> usize
    where
        T::Augment: Contains<T, Count, At>,
    {
        self.summary_while(|other| other < key).map_or(0, T::Augment::part)
    }
}
