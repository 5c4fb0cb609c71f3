//! The owner's side of things: a singly linked FIFO, no atomics.
//!
//! Invariants:
//! - **F1** `ends` is `None` when the list is empty; else the oldest node and the newest, the newest's link being
//!   the end of the chain.
//! - **F2** `len` is the number of nodes from the oldest to the newest.

use crate::handle::{Handle, Unique};
use crate::link::{self, Linked};
use crate::sync::const_fn;
use core::fmt;
use core::iter::FusedIterator;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// An intrusive first-in, first-out list.
///
/// Every operation is O(1), allocates nothing and cannot fail; only dropping the list is O(n) (iterative): it hands
/// every handle back and drops it. Should a handle's own destructor panic, the handles after it are leaked.
pub struct List<T: Linked<Tag>, Tag = ()> {
    /// The oldest node and the newest.
    pub(crate) ends: Option<(NonNull<T>, NonNull<T>)>,
    len: usize,
    handles: PhantomData<T::Handle>,
}

// SAFETY: a list is the handles in it, and nothing else reaches its links.
unsafe impl<T: Linked<Tag>, Tag> Send for List<T, Tag> where T::Handle: Send {}
// SAFETY: a shared list gives away shared references to its nodes (`front`), and nothing else.
unsafe impl<T: Linked<Tag> + Sync, Tag> Sync for List<T, Tag> {}

impl<T: Linked<Tag>, Tag> List<T, Tag> {
    const_fn! {
        /// An empty list.
        pub const fn new() -> Self {
            Self { ends: None, len: 0, handles: PhantomData }
        }
    }

    /// Adds a node behind all others.
    pub fn push_back(&mut self, handle: T::Handle)
    where
        T::Handle: Unique,
    {
        // SAFETY: the handle is unique and in our hands, so its node is in no structure.
        unsafe { self.push_back_unlinked(handle) }
    }

    /// Adds a node behind all others, by a handle of which there may be several.
    ///
    /// Debug builds panic if the node is already linked.
    ///
    /// # Safety
    ///
    /// The node is in no structure through this tag's link, and its removal from the last one happened before this
    /// call. Until it is handed back the third promise of [`Handle`] holds.
    pub unsafe fn push_back_unlinked(&mut self, handle: T::Handle) {
        let node = handle.into_raw();
        // SAFETY: the node is in no structure, so it is ours.
        unsafe { link::assert_unlinked(node) };
        // SAFETY: as above, and it came from `into_raw`.
        unsafe { self.push_back_node(node) };
    }

    /// # Safety
    ///
    /// `node` is the raw form of a handle, and in no structure but the caller's hands.
    pub(crate) unsafe fn push_back_node(&mut self, node: NonNull<T>) {
        // SAFETY: the node is ours.
        unsafe { link::set_next(node, None) };
        let oldest = match self.ends {
            None => node,
            Some((oldest, newest)) => {
                // SAFETY: `newest` is in this list (F1).
                unsafe { link::set_next(newest, Some(node)) };
                oldest
            }
        };
        self.ends = Some((oldest, node));
        self.len += 1;
    }

    /// Removes the oldest node.
    pub fn pop_front(&mut self) -> Option<T::Handle> {
        let (oldest, newest) = self.ends?;
        // SAFETY: `oldest` is in this list, so its link was set (F1).
        let next = unsafe { link::next(oldest) };
        self.ends = next.map(|next| (next, newest));
        self.len -= 1;
        // SAFETY: the node is ours until it is handed back.
        unsafe { link::mark_unlinked(oldest) };
        // SAFETY: every node came in by `into_raw`, and this one leaves the list here.
        Some(unsafe { T::Handle::from_raw(oldest) })
    }

    /// The list of a chain that runs from newer to older. O(n).
    ///
    /// # Safety
    ///
    /// The chain's nodes are raw forms of handles, in no structure but the caller's hands.
    pub(crate) unsafe fn of_chain(newest: NonNull<T>) -> Self {
        // SAFETY: the chain is ours.
        let (oldest, len) = unsafe { link::reverse(newest) };
        Self { ends: Some((oldest, newest)), len, handles: PhantomData }
    }

    /// Moves all of `other` behind this list's nodes, in order.
    pub fn append(&mut self, other: &mut Self) {
        let Some((other_oldest, other_newest)) = other.ends.take() else { return };
        let oldest = match self.ends {
            None => other_oldest,
            Some((oldest, newest)) => {
                // SAFETY: `newest` is in this list (F1).
                unsafe { link::set_next(newest, Some(other_oldest)) };
                oldest
            }
        };
        self.ends = Some((oldest, other_newest));
        self.len += core::mem::take(&mut other.len);
    }

    /// The oldest node.
    pub fn front(&self) -> Option<&T> {
        // SAFETY: a linked node is live and nobody holds an exclusive reference to it (third promise of `Handle`);
        // it stays in the list as long as the borrow of the list lasts.
        self.ends.map(|(oldest, _)| unsafe { oldest.as_ref() })
    }

    /// Whether there is no node.
    pub const fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// How many nodes there are; counted, not walked.
    pub const fn len(&self) -> usize {
        self.len
    }
}

impl<T: Linked<Tag>, Tag> Drop for List<T, Tag> {
    fn drop(&mut self) {
        while let Some(handle) = self.pop_front() {
            drop(handle);
        }
    }
}

impl<T: Linked<Tag>, Tag> Default for List<T, Tag> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for List<T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("List").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<T: Linked<Tag>, Tag> IntoIterator for List<T, Tag> {
    type Item = T::Handle;
    type IntoIter = IntoIter<T, Tag>;

    fn into_iter(self) -> IntoIter<T, Tag> {
        IntoIter { list: self }
    }
}

/// The handles of a [`List`], oldest first. Dropping it drops those that are left.
pub struct IntoIter<T: Linked<Tag>, Tag = ()> {
    list: List<T, Tag>,
}

impl<T: Linked<Tag>, Tag> Iterator for IntoIter<T, Tag> {
    type Item = T::Handle;

    fn next(&mut self) -> Option<T::Handle> {
        self.list.pop_front()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.list.len, Some(self.list.len))
    }
}

impl<T: Linked<Tag>, Tag> ExactSizeIterator for IntoIter<T, Tag> {}
impl<T: Linked<Tag>, Tag> FusedIterator for IntoIter<T, Tag> {}

impl<T: Linked<Tag>, Tag> fmt::Debug for IntoIter<T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("IntoIter").field("len", &self.list.len).finish_non_exhaustive()
    }
}
