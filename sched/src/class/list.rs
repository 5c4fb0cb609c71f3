//! An intrusive list of tasks: both ends, and out of the middle, in constant time.
//!
//! - **L1** The list's first and last, and each node's neighbours, are pointers that came from
//!   `Held::into_pointer`; each task in the list is pointed to from one side and from the other, once.
//! - **L2** A node whose task is in no list has no neighbours.

use super::held::Held;
use super::tcb::Tcb;
use core::cell::Cell;
use core::fmt;
use core::ptr::NonNull;

/// A task that can stand in the lists of [`Realtime`](super::Realtime), [`RoundRobin`](super::RoundRobin)
/// and [`Stop`](super::Stop): it has a [`Node`] inside.
///
/// # Safety
///
/// 1. `node` returns a pointer to a field of `*task`, always the same one, made by [`Node::new`] and
///    used by nothing else. It makes no reference to the whole task, and does not panic.
/// 2. With `Handle = NonNull<Self>` nothing in the type says that a pointer is good: this impl then
///    vouches for every pointer given to a class. Until the class gives it back the task is live, stays
///    at its address, and is not borrowed as `&mut`.
///
/// A node is not `Sync`, as an entity of the fair class is not: see [`FairTask`](super::FairTask).
pub unsafe trait ListTask: Tcb {
    /// Where the node of `task` is.
    ///
    /// # Safety
    ///
    /// `task` points to a live value.
    unsafe fn node(task: NonNull<Self>) -> NonNull<Node<Self>>;
}

/// Which class has a task, and at what level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) class: &'static str,
    pub(super) level: u8,
}

/// What a task embeds to stand in a list.
pub struct Node<T: Tcb> {
    next: Cell<Option<NonNull<T>>>,
    prev: Cell<Option<NonNull<T>>>,
    /// `None` while no class has the task.
    pub(super) place: Cell<Option<Place>>,
    /// What is left of its turn.
    pub(super) left_ns: Cell<u64>,
}

// SAFETY: The pointers inside are used by a class alone, and by it only while it has the task; a
// class goes to another thread only if its handles may.
unsafe impl<T: Tcb> Send for Node<T> {}

impl<T: Tcb> Node<T> {
    /// A node in no list.
    #[must_use]
    pub const fn new() -> Self {
        Node {
            next: Cell::new(None),
            prev: Cell::new(None),
            place: Cell::new(None),
            left_ns: Cell::new(0),
        }
    }
}

impl<T: Tcb> Default for Node<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Tcb> fmt::Debug for Node<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Node")
            .field("place", &self.place.get())
            .field("left_ns", &self.left_ns.get())
            .finish_non_exhaustive()
    }
}

/// The node of a task.
pub(super) fn node<T: ListTask>(task: &T) -> &Node<T> {
    // SAFETY: The task is live, and so is its field (contract of `ListTask`); it is shared, and
    // changes by its cells alone.
    unsafe { T::node(NonNull::from(task)).as_ref() }
}

/// The node of a task that a list has.
fn member<'a, T: ListTask>(task: NonNull<T>) -> &'a Node<T> {
    // SAFETY: Live while its handle is in the list (L1), which is as long as the node is looked at.
    unsafe { T::node(task).as_ref() }
}

pub(super) struct List<T: ListTask> {
    first: Option<NonNull<T>>,
    last: Option<NonNull<T>>,
}

// SAFETY: The list owns its handles and has no other state.
unsafe impl<T: ListTask> Send for List<T> where T::Handle: Send {}

impl<T: ListTask> List<T> {
    pub(super) const fn new() -> Self {
        List { first: None, last: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn push_back(&mut self, task: Held<T>) {
        let task = task.into_pointer();
        member(task).prev.set(self.last);
        self.point_to(self.last, Some(task));
        self.last = Some(task);
    }

    pub(super) fn push_front(&mut self, task: Held<T>) {
        let task = task.into_pointer();
        member(task).next.set(self.first);
        self.point_back_to(self.first, Some(task));
        self.first = Some(task);
    }

    pub(super) fn pop_front(&mut self) -> Option<Held<T>> {
        // SAFETY: It is in this list.
        self.first.map(|first| unsafe { self.remove(first) })
    }

    /// # Safety
    ///
    /// `task` points to a task in this list.
    pub(super) unsafe fn remove(&mut self, task: NonNull<T>) -> Held<T> {
        let node = member(task);
        let (prev, next) = (node.prev.take(), node.next.take());
        // The pointer that came in with the handle, not the caller's, which may be good for less.
        let stored = match prev {
            Some(prev) => member(prev).next.get(),
            None => self.first,
        };
        self.point_to(prev, next);
        self.point_back_to(next, prev);
        // SAFETY: From `into_pointer`, and in the list once (L1), out of which it is now.
        unsafe { Held::from_pointer(stored.unwrap_or(task)) }
    }

    /// The tasks, from the last to the first.
    pub(super) fn iter_back(&self) -> impl Iterator<Item = NonNull<T>> + '_ {
        core::iter::successors(self.last, |task| member(*task).prev.get())
    }

    /// What comes after `at` (at the beginning, if `None`) is `next`.
    fn point_to(&mut self, at: Option<NonNull<T>>, next: Option<NonNull<T>>) {
        match at {
            Some(at) => member(at).next.set(next),
            None => self.first = next,
        }
        if next.is_none() {
            self.last = at;
        }
    }

    /// What comes before `at` (at the end, if `None`) is `prev`.
    fn point_back_to(&mut self, at: Option<NonNull<T>>, prev: Option<NonNull<T>>) {
        match at {
            Some(at) => member(at).prev.set(prev),
            None => self.last = prev,
        }
    }
}

impl<T: ListTask> Drop for List<T> {
    fn drop(&mut self) {
        while let Some(task) = self.pop_front() {
            node(&*task).place.set(None);
        }
    }
}
