//! A circular doubly linked list through the entries of its nodes.
//!
//! The list itself is one pointer, to the first node; the last one is the first one's `prev`.
//! Invariants:
//!
//! - **L1** `next` and `prev` of every listed node name listed nodes, and undo one another; a node
//!   alone names itself.
//! - **L2** Every stored pointer is the one that [`Handle::into_raw`](crate::Handle::into_raw)
//!   gave, never one that came in from elsewhere: a handle can be made of it again.
//!
//! Being circular, the list can be taken over by another head in O(1), without a word to its nodes.

use core::ptr::NonNull;

use crate::entry::{Fields, Linked, fields};

pub(crate) struct List<T> {
    first: Option<NonNull<T>>,
}

impl<T: Linked> List<T> {
    pub(crate) const fn new() -> Self {
        Self { first: None }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(crate) const fn first(&self) -> Option<NonNull<T>> {
        self.first
    }

    /// Empties the list and returns it, in O(1) and without touching a node.
    pub(crate) const fn take(&mut self) -> Self {
        Self { first: self.first.take() }
    }

    /// # Safety
    ///
    /// `node` comes from `Handle::into_raw`, is live, is on no list, and stays live while it is on
    /// this one. The caller may access its entry.
    pub(crate) unsafe fn push_back(&mut self, node: NonNull<T>) {
        let Some(first) = self.first else {
            // SAFETY: `node` is live and its entry ours to write, by contract.
            unsafe { set_links(node, Links { prev: node, next: node }) };
            self.first = Some(node);
            return;
        };
        // SAFETY: `first` and, by L1, `last` are listed, hence live and ours; `node` is by contract.
        unsafe {
            let last = (*fields(first)).prev;
            set_links(node, Links { prev: last, next: first });
            (*fields(last)).next = node;
            (*fields(first)).prev = node;
        }
    }

    /// Takes the first node off the list.
    pub(crate) fn pop_front(&mut self) -> Option<NonNull<T>> {
        let first = self.first?;
        // SAFETY: `first` is listed; by L1 so are its neighbours: all are live and ours.
        unsafe {
            let Fields { prev: last, next, .. } = *fields(first);
            if next == first {
                self.first = None;
            } else {
                self.first = Some(next);
                (*fields(last)).next = next;
                (*fields(next)).prev = last;
            }
        }
        Some(first)
    }

    /// Takes `node` off its list and returns it by the pointer under which it was listed (L2).
    ///
    /// # Safety
    ///
    /// `node` is on this list. The caller may access the entries of all nodes of the list.
    pub(crate) unsafe fn unlink(&mut self, node: NonNull<T>) -> NonNull<T> {
        // SAFETY: `node` is listed; by L1 so are its neighbours: all are live and ours.
        unsafe {
            let Fields { prev, next, .. } = *fields(node);
            debug_assert!((*fields(next)).prev == node, "broken list: foreign or moved node");
            let listed = (*fields(prev)).next;
            debug_assert!(listed == node, "broken list: foreign or moved node");
            if self.first == Some(node) {
                self.first = if next == node { None } else { Some(next) };
            }
            (*fields(prev)).next = next;
            (*fields(next)).prev = prev;
            listed
        }
    }
}

pub(crate) fn all_empty<T: Linked>(lists: &[List<T>]) -> bool {
    lists.iter().all(List::is_empty)
}

struct Links<T> {
    prev: NonNull<T>,
    next: NonNull<T>,
}

/// # Safety
///
/// `node` is live and the caller may write its entry.
unsafe fn set_links<T: Linked>(node: NonNull<T>, links: Links<T>) {
    // SAFETY: by contract.
    unsafe {
        (*fields(node)).prev = links.prev;
        (*fields(node)).next = links.next;
    }
}
