//! Augmentation: a summary of every subtree, kept in its root.

/// What a tree maintains over the nodes of each subtree.
///
/// A summary is a fold of the subtree's nodes in the tree's order: [`measure`](Augment::measure)
/// for each node, put together by [`join`](Augment::join). There is no summary of nothing, so no
/// value has to be set aside for it.
///
/// Law: `join` is associative, `join(join(a, b), c) == join(a, join(b, c))`. It need not commute.
/// Then the shape of the tree cannot be seen in a summary. If it is broken, or `measure` answers
/// differently for the same node, summaries and searches over them are wrong, and nothing else is.
///
/// `==` on summaries decides when an update may stop on its way up. Code here may panic: the tree
/// stays whole, no node is lost, and summaries may be stale until
/// [`rebuild_summaries`](crate::Tree::rebuild_summaries).
///
/// `()` maintains nothing and costs nothing; a pair maintains both of its parts.
pub trait Augment<T: ?Sized> {
    /// A small plain value, stored in each link.
    type Summary: Copy + PartialEq;

    /// The summary of `node` alone.
    fn measure(node: &T) -> Self::Summary;

    /// The summary of two neighbouring runs of nodes, `left` before `right`.
    fn join(left: Self::Summary, right: Self::Summary) -> Self::Summary;
}

impl<T: ?Sized> Augment<T> for () {
    type Summary = ();

    fn measure(_: &T) {}

    fn join((): (), (): ()) {}
}

impl<T: ?Sized, A: Augment<T>, B: Augment<T>> Augment<T> for (A, B) {
    type Summary = (A::Summary, B::Summary);

    fn measure(node: &T) -> Self::Summary {
        (A::measure(node), B::measure(node))
    }

    fn join(left: Self::Summary, right: Self::Summary) -> Self::Summary {
        (A::join(left.0, right.0), B::join(left.1, right.1))
    }
}

/// A node with a deadline.
pub trait Deadline {
    /// Earlier is less. No value is special.
    type Deadline: Ord + Copy;

    /// The node's deadline. It may change while the node is linked, and then the tree must be told
    /// with [`update_summary`](crate::Tree::update_summary).
    fn deadline(&self) -> Self::Deadline;
}

/// Augmentation with the earliest deadline of each subtree.
#[derive(Clone, Copy, Debug)]
pub struct MinDeadline;

impl<T: Deadline + ?Sized> Augment<T> for MinDeadline {
    type Summary = T::Deadline;

    fn measure(node: &T) -> T::Deadline {
        node.deadline()
    }

    fn join(left: T::Deadline, right: T::Deadline) -> T::Deadline {
        if right < left { right } else { left }
    }
}

/// An augmentation in which the earliest deadline can be read: [`MinDeadline`], or a pair whose
/// first part is one.
pub trait DeadlineSummary<T: Deadline + ?Sized>: Augment<T> {
    /// The earliest deadline among the nodes summarised.
    fn min_deadline(summary: Self::Summary) -> T::Deadline;
}

impl<T: Deadline + ?Sized> DeadlineSummary<T> for MinDeadline {
    fn min_deadline(summary: T::Deadline) -> T::Deadline {
        summary
    }
}

impl<T, A, B> DeadlineSummary<T> for (A, B)
where
    T: Deadline + ?Sized,
    A: DeadlineSummary<T>,
    B: Augment<T>,
{
    fn min_deadline(summary: Self::Summary) -> T::Deadline {
        A::min_deadline(summary.0)
    }
}
