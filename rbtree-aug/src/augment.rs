//! Augmentation: a summary of every subtree, kept in its root.

/// What a tree maintains over the nodes of each subtree.
///
/// A summary is a fold of the subtree's nodes in the tree's order: [`measure`](Augment::measure)
/// for each node, put together by [`join`](Augment::join). There is no summary of nothing, so no
/// value has to be set aside for it.
///
/// Laws, which [`check_laws`](crate::check_laws) tests on nodes that you give it:
///
/// 1. `measure` answers the same for a node in which nothing changed.
/// 2. `join` is associative: `join(join(a, b), c) == join(a, join(b, c))`. It need not commute. So
///    the shape of the tree cannot be seen in a summary.
/// 3. Where [`with`](Augment::with) and [`without`](Augment::without) answer, they are right.
///
/// If a law is broken, summaries and searches over them are wrong, and nothing else is.
///
/// `==` on summaries decides when an update may stop on its way up. Code here may panic: the tree
/// stays whole, no node is lost, and summaries may be stale until
/// [`recompute_all`](crate::Tree::recompute_all).
///
/// `()` maintains nothing and costs nothing; a pair maintains both of its parts.
pub trait Augment<T: ?Sized> {
    /// A small plain value, stored in each link.
    type Summary: Copy + PartialEq;

    /// The summary of `node` alone.
    fn measure(node: &T) -> Self::Summary;

    /// The summary of two neighbouring runs of nodes, `left` before `right`.
    fn join(left: Self::Summary, right: Self::Summary) -> Self::Summary;

    /// What `summary` becomes when a node measured as `newcomer` joins its run, wherever in it;
    /// `None` if that depends on where. Where `join` commutes this is `Some` of the join, and saves
    /// an insertion the look at children beside its way.
    #[inline]
    fn with(summary: Self::Summary, newcomer: Self::Summary) -> Option<Self::Summary> {
        let _ = (summary, newcomer);
        None
    }

    /// What `summary` becomes when a node measured as `leaver` leaves its run, which keeps others;
    /// `None` if that depends on the others. It saves a removal the same.
    #[inline]
    fn without(summary: Self::Summary, leaver: Self::Summary) -> Option<Self::Summary> {
        let _ = (summary, leaver);
        None
    }
}

impl<T: ?Sized> Augment<T> for () {
    type Summary = ();

    fn measure(_: &T) {}

    fn join((): (), (): ()) {}

    fn with((): (), (): ()) -> Option<()> {
        Some(())
    }

    fn without((): (), (): ()) -> Option<()> {
        Some(())
    }
}

impl<T: ?Sized, A: Augment<T>, B: Augment<T>> Augment<T> for (A, B) {
    type Summary = (A::Summary, B::Summary);

    fn measure(node: &T) -> Self::Summary {
        (A::measure(node), B::measure(node))
    }

    fn join(left: Self::Summary, right: Self::Summary) -> Self::Summary {
        (A::join(left.0, right.0), B::join(left.1, right.1))
    }

    fn with(summary: Self::Summary, newcomer: Self::Summary) -> Option<Self::Summary> {
        Some((A::with(summary.0, newcomer.0)?, B::with(summary.1, newcomer.1)?))
    }

    fn without(summary: Self::Summary, leaver: Self::Summary) -> Option<Self::Summary> {
        Some((A::without(summary.0, leaver.0)?, B::without(summary.1, leaver.1)?))
    }
}
