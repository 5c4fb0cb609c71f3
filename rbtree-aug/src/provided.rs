//! The augmentations that come with the crate. What searches them is in `deadline`, `rank` and
//! `interval`.

use crate::augment::Augment;

/// A node with a deadline.
pub trait Deadline {
    /// Earlier is less. No value is special.
    type Deadline: Ord + Copy;

    /// The node's deadline. It may change while the node is linked, and then the tree must be told
    /// with [`update_summary`](crate::Tree::update_summary).
    fn deadline(&self) -> Self::Deadline;
}

/// A node with a virtual runtime: how much service it has had, weighted.
pub trait Vruntime {
    /// Less is further behind. No value is special.
    type Vruntime: Ord + Copy;

    /// The node's virtual runtime. As for [`Deadline::deadline`], changes must be told.
    fn vruntime(&self) -> Self::Vruntime;
}

/// A node that is an interval, from its key to its end, both included.
pub trait Interval {
    /// Of the type of the keys.
    type End: Ord + Copy;

    /// The node's end. As for [`Deadline::deadline`], changes must be told.
    fn end(&self) -> Self::End;
}

/// Augmentation with the earliest deadline of each subtree.
#[derive(Clone, Copy, Debug)]
pub enum MinDeadline {}

/// Augmentation with the least virtual runtime of each subtree.
#[derive(Clone, Copy, Debug)]
pub enum MinVruntime {}

/// Augmentation with the latest end of each subtree.
#[derive(Clone, Copy, Debug)]
pub enum MaxEnd {}

/// Augmentation with the number of nodes of each subtree.
#[derive(Clone, Copy, Debug)]
pub enum Count {}

impl<T: Deadline + ?Sized> Augment<T> for MinDeadline {
    type Summary = T::Deadline;

    fn measure(node: &T) -> T::Deadline {
        node.deadline()
    }

    fn join(left: T::Deadline, right: T::Deadline) -> T::Deadline {
        left.min(right)
    }

    fn with(summary: T::Deadline, newcomer: T::Deadline) -> Option<T::Deadline> {
        Some(summary.min(newcomer))
    }

    fn without(summary: T::Deadline, leaver: T::Deadline) -> Option<T::Deadline> {
        (summary < leaver).then_some(summary)
    }
}

impl<T: Vruntime + ?Sized> Augment<T> for MinVruntime {
    type Summary = T::Vruntime;

    fn measure(node: &T) -> T::Vruntime {
        node.vruntime()
    }

    fn join(left: T::Vruntime, right: T::Vruntime) -> T::Vruntime {
        left.min(right)
    }

    fn with(summary: T::Vruntime, newcomer: T::Vruntime) -> Option<T::Vruntime> {
        Some(summary.min(newcomer))
    }

    fn without(summary: T::Vruntime, leaver: T::Vruntime) -> Option<T::Vruntime> {
        (summary < leaver).then_some(summary)
    }
}

impl<T: Interval + ?Sized> Augment<T> for MaxEnd {
    type Summary = T::End;

    fn measure(node: &T) -> T::End {
        node.end()
    }

    fn join(left: T::End, right: T::End) -> T::End {
        left.max(right)
    }

    fn with(summary: T::End, newcomer: T::End) -> Option<T::End> {
        Some(summary.max(newcomer))
    }

    fn without(summary: T::End, leaver: T::End) -> Option<T::End> {
        (summary > leaver).then_some(summary)
    }
}

impl<T: ?Sized> Augment<T> for Count {
    type Summary = usize;

    fn measure(_: &T) -> usize {
        1
    }

    fn join(left: usize, right: usize) -> usize {
        left.wrapping_add(right)
    }

    fn with(summary: usize, newcomer: usize) -> Option<usize> {
        Some(summary.wrapping_add(newcomer))
    }

    fn without(summary: usize, leaver: usize) -> Option<usize> {
        Some(summary.wrapping_sub(leaver))
    }
}
