//! Nodes that go into an inbox together, by one compare-and-swap.
//!
//! Invariants:
//! - **B1** A batch is linked as the head's list is, from newer to older, so that pushing it changes one link, that of its
//!   oldest node, and walks nothing.
//! - **B2** `ends` is `None` when there is no node; else the newest and the oldest, the oldest's link being the end of the
//!   chain.
//! - **B3** `len` is the number of nodes from the newest to the oldest.

use crate::handle::{Handle, Unique};
use crate::link::{self, Linked};
use crate::list::List;
use crate::sync::const_fn;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// Nodes to be pushed at once, in the order in which they were added: [`Inbox::push_batch`](crate::Inbox::push_batch).
///
/// Adding one is O(1) and touches no other node. It is turned into a [`List`] and back in O(n), each node touched once.
/// Dropping it is O(n): it drops the handles, the oldest first.
///
/// ```
/// # use mpsc_inbox::{Batch, Inbox, Link, Linked, Pushed};
/// # use core::ptr::NonNull;
/// # struct Job { number: u32, link: Link<Job> }
/// # // SAFETY: `link` projects to the one link field, by address.
/// # unsafe impl Linked for Job {
/// #     type Handle = &'static mut Job;
/// #     unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
/// #         // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
/// #         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
/// #     }
/// # }
/// # let job = |number| &mut *Box::leak(Box::new(Job { number, link: Link::new() }));
/// let inbox: Inbox<Job> = Inbox::new();
/// let mut batch = Batch::new();
/// batch.push(job(1));
/// batch.push(job(2));
/// assert_eq!(inbox.push_batch(batch).ok(), Some(Pushed::First));
///
/// let mut owner = inbox.take_owner().expect("nobody else has it");
/// assert!(owner.drain(3).map(|job| job.number).eq([1, 2]));
/// ```
pub struct Batch<T: Linked<Tag>, Tag = ()> {
    /// The newest node and the oldest.
    pub(crate) ends: Option<(NonNull<T>, NonNull<T>)>,
    len: usize,
    handles: PhantomData<T::Handle>,
}

// SAFETY: a batch is the handles in it, and nothing else reaches its links.
unsafe impl<T: Linked<Tag>, Tag> Send for Batch<T, Tag> where T::Handle: Send {}
// SAFETY: through a shared reference to a batch nobody reaches a node.
unsafe impl<T: Linked<Tag>, Tag> Sync for Batch<T, Tag> {}

impl<T: Linked<Tag>, Tag> Batch<T, Tag> {
    const_fn! {
        /// An empty batch.
        pub const fn new() -> Self {
            Self { ends: None, len: 0, handles: PhantomData }
        }
    }

    /// Adds a node behind all others. O(1).
    pub fn push(&mut self, handle: T::Handle)
    where
        T::Handle: Unique,
    {
        // SAFETY: the handle is unique and in our hands, so its node is in no structure.
        unsafe { self.push_unlinked(handle) }
    }

    /// Adds a node behind all others, by a handle of which there may be several. O(1).
    ///
    /// Debug builds panic if the node is already linked.
    ///
    /// # Safety
    ///
    /// The node is in no structure through this tag's link, and its removal from the last one happened before this
    /// call. Until it is handed back the third promise of [`Handle`] holds.
    #[inline]
    pub unsafe fn push_unlinked(&mut self, handle: T::Handle) {
        let node = handle.into_raw();
        // SAFETY: the node is in no structure, so it is ours.
        unsafe { link::assert_unlinked(node) };
        // SAFETY: as above.
        unsafe { link::set_next(node, self.ends.map(|(newest, _)| newest)) };
        self.ends = Some((node, self.ends.map_or(node, |(_, oldest)| oldest)));
        self.len += 1;
    }

    /// Takes all nodes out, in the order in which they were added. O(n).
    fn take_list(&mut self) -> List<T, Tag> {
        self.len = 0;
        match self.ends.take() {
            // SAFETY: the chain was the batch's (B2), and it is handed over.
            Some((newest, _)) => unsafe { List::of_chain(newest) },
            None => List::new(),
        }
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

impl<T: Linked<Tag>, Tag> From<List<T, Tag>> for Batch<T, Tag> {
    /// O(n).
    fn from(mut list: List<T, Tag>) -> Self {
        let (ends, len) = (list.ends.take(), list.len());
        if let Some((oldest, _)) = ends {
            // SAFETY: the chain was the list's (F1), and it is ours.
            unsafe { link::reverse(oldest) };
        }
        Self { ends: ends.map(|(oldest, newest)| (newest, oldest)), len, handles: PhantomData }
    }
}

impl<T: Linked<Tag>, Tag> From<Batch<T, Tag>> for List<T, Tag> {
    /// O(n).
    fn from(mut batch: Batch<T, Tag>) -> Self {
        batch.take_list()
    }
}

impl<T: Linked<Tag>, Tag> Drop for Batch<T, Tag> {
    fn drop(&mut self) {
        drop(self.take_list());
    }
}

impl<T: Linked<Tag>, Tag> Default for Batch<T, Tag> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Linked<Tag>, Tag> fmt::Debug for Batch<T, Tag> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Batch").field("len", &self.len).finish_non_exhaustive()
    }
}
