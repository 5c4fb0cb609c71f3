//! Intervals: nodes from their key to their end, and which of them meet another.

use crate::contains::Contains;
use crate::link::Linked;
use crate::node::Side;
use crate::provided::{Interval, MaxEnd};
use crate::tree::Tree;

impl<T> Tree<T>
where
    T: Linked + Interval<End = <T as Linked>::Key>,
    T::Key: Copy,
{
    /// The first interval that has a point in common with `from..=to`. O(log n), one descent.
    #[must_use]
    pub fn first_overlap<At>(&self, from: &T::Key, to: &T::Key) -> Option<&T>
    where
        T::Augment: Contains<T, MaxEnd, At>,
    {
        let mut node = self.root?;
        loop {
            // If one on the left ends late enough, but begins too late to overlap, so do all
            // behind it: then there is none but on the left either.
            let left = node.child(Side::Left);
            let left = left.filter(|left| T::Augment::part(left.summary()) >= *from);
            node = match left {
                Some(left) => left,
                None if node.value().key() > *to => return None,
                None if node.value().end() >= *from => return Some(node.value()),
                None => node.child(Side::Right)?,
            };
        }
    }
}
