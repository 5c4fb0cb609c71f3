//! Searches that a summary guides: whole subtrees are passed by when it says so.

use core::fmt;
use core::iter::FusedIterator;

use crate::augment::Augment;
use crate::link::{Linked, SummaryOf};
use crate::node::{Node, Side};
use crate::tree::Tree;

impl<T: Linked> Tree<T> {
    /// The first node, in order, that `is_it`, looked for only in subtrees whose summary `may_hold`
    /// it.
    ///
    /// O(log n) if `may_hold` says `true` only where there is one; otherwise that much for each
    /// subtree entered in vain, at most O(n). `is_it` is asked of one node after another, in order.
    #[must_use]
    pub fn find_first(
        &self,
        may_hold: impl FnMut(&SummaryOf<T>) -> bool,
        is_it: impl FnMut(&T) -> bool,
    ) -> Option<&T> {
        self.find_all(may_hold, is_it).next()
    }

    /// All nodes, in order, that [`find_first`](Self::find_first) might answer. O(log n) per node.
    pub fn find_all<M, I>(&self, may_hold: M, is_it: I) -> FindAll<'_, T, M, I>
    where
        M: FnMut(&SummaryOf<T>) -> bool,
        I: FnMut(&T) -> bool,
    {
        FindAll { tree: self, after: None, ended: false, may_hold, is_it }
    }

    /// The summary of the nodes in front whose keys are `in_prefix`; `None` if there are none.
    /// O(log n), one call per level.
    ///
    /// Once `false` for a key, `in_prefix` should be `false` for every greater one. If it is not,
    /// the answer is the summary of some nodes.
    #[must_use]
    pub fn summary_while(
        &self,
        mut in_prefix: impl FnMut(&T::Key) -> bool,
    ) -> Option<SummaryOf<T>> {
        let mut summary = None;
        let mut add = |more| {
            summary = Some(summary.map_or(more, |summary| T::Augment::join(summary, more)));
        };
        let mut next = self.root;
        while let Some(node) = next {
            let inside = in_prefix(&node.value().key());
            if inside {
                node.child(Side::Left).map(Node::summary).into_iter().for_each(&mut add);
                add(T::Augment::measure(node.value()));
            }
            next = node.child(Side::left_if(!inside));
        }
        summary
    }
}

/// See [`Tree::find_all`].
#[must_use]
pub struct FindAll<'a, T: Linked, M, I> {
    tree: &'a Tree<T>,
    /// The last one found.
    after: Option<Node<T>>,
    ended: bool,
    may_hold: M,
    is_it: I,
}

impl<T, M, I> FindAll<'_, T, M, I>
where
    T: Linked,
    M: FnMut(&SummaryOf<T>) -> bool,
    I: FnMut(&T) -> bool,
{
    /// The first node, in order, of the subtree under `node` that is in no subtree to be passed by.
    fn first_in(&mut self, node: Option<Node<T>>) -> Option<Node<T>> {
        let mut worthwhile = |node: &Node<T>| (self.may_hold)(&node.summary());
        let mut first = node.filter(&mut worthwhile)?;
        while let Some(left) = first.child(Side::Left).filter(&mut worthwhile) {
            first = left;
        }
        Some(first)
    }

    /// The next node, in order, that is in no subtree to be passed by.
    fn candidate(&mut self, after: Option<Node<T>>) -> Option<Node<T>> {
        let Some(mut node) = after else { return self.first_in(self.tree.root) };
        if let Some(first) = self.first_in(node.child(Side::Right)) {
            return Some(first);
        }
        // Up to the first node that has this one in its left subtree.
        loop {
            let (parent, side) = node.place()?;
            if side == Side::Left {
                return Some(parent);
            }
            node = parent;
        }
    }
}

impl<'a, T, M, I> Iterator for FindAll<'a, T, M, I>
where
    T: Linked,
    M: FnMut(&SummaryOf<T>) -> bool,
    I: FnMut(&T) -> bool,
{
    type Item = &'a T;

    fn next(&mut self) -> Option<&'a T> {
        while !self.ended {
            self.after = self.candidate(self.after);
            match self.after.map(Node::value) {
                None => self.ended = true,
                Some(value) if (self.is_it)(value) => return Some(value),
                Some(_) => {}
            }
        }
        None
    }
}

impl<T, M, I> FusedIterator for FindAll<'_, T, M, I>
where
    T: Linked,
    M: FnMut(&SummaryOf<T>) -> bool,
    I: FnMut(&T) -> bool,
{
}

impl<T: Linked, M, I> fmt::Debug for FindAll<'_, T, M, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FindAll").field("after", &self.after).finish_non_exhaustive()
    }
}
