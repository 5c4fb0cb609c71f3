//! The longest and the shortest slice in the queue: what bounds a lag, and what a protected task may
//! run.

use super::entity::{Entity, FairTask};
use rbtree_aug::Augment;

/// Augmentation with the shortest and the longest slice of each subtree.
#[derive(Clone, Copy, Debug)]
pub enum Slices {}

/// Both, in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SliceRange {
    pub(super) shortest_ns: u32,
    pub(super) longest_ns: u32,
}

impl SliceRange {
    pub(super) fn of(slice_ns: u32) -> Self {
        SliceRange { shortest_ns: slice_ns, longest_ns: slice_ns }
    }

    pub(super) fn and(self, other: Self) -> Self {
        SliceRange {
            shortest_ns: self.shortest_ns.min(other.shortest_ns),
            longest_ns: self.longest_ns.max(other.longest_ns),
        }
    }
}

impl<T: FairTask> Augment<Entity<T>> for Slices {
    type Summary = SliceRange;

    fn measure(entity: &Entity<T>) -> SliceRange {
        SliceRange::of(entity.slice_ns())
    }

    fn join(left: SliceRange, right: SliceRange) -> SliceRange {
        left.and(right)
    }

    fn with(summary: SliceRange, newcomer: SliceRange) -> Option<SliceRange> {
        Some(summary.and(newcomer))
    }

    fn without(summary: SliceRange, leaver: SliceRange) -> Option<SliceRange> {
        let is_inside =
            summary.shortest_ns < leaver.shortest_ns && leaver.longest_ns < summary.longest_ns;
        is_inside.then_some(summary)
    }
}
