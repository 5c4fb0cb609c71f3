//! Tasks that stay on their CPU, of futures that need not be `Send`: a local scheduler is a [`Core`] and its
//! [`LocalSpawner`].
//!
//! # Invariants
//!
//! - **LO1** The future of a local task is touched on the stack of its [`Core`] only: it is polled by that loop, or dropped
//!   there, when it is done, cancelled, or when the loop ends. The task's affinity is that one CPU, so no other loop runs it;
//!   the list has a reference, so the task is never freed while the future is there; and when the loop goes, it drops
//!   what is in the list first ([`Core::end_local_tasks`]). What another loop may find afterwards is a cancelled task without a
//!   future.
//! - **LO2** The list of a CPU is touched by its loop's stack only. A future is in it from its spawn until it is dropped.
//! - **LO3** A spawner is bound to one stay of one loop, by number, and cannot leave the stack of that loop: if the number is
//!   still the CPU's, the loop is there.
//! - **LO4** While the list is not empty the CPU's inboxes are open, so its tasks do not go elsewhere when they are woken.

use crate::Machine;
use crate::core_loop::Core;
use crate::sync::{AtomicPtr, AtomicUsize, Ordering, const_fn};
use crate::task::{Header, TaskRef};
use crate::trace::Trace;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::{NonNull, null_mut};
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

/// The local futures of one CPU (LO2).
pub(crate) struct LocalList {
    first: AtomicPtr<Node>,
    len: AtomicUsize,
    /// The number of the loop's stay (LO3), twice; and one more where there is none, or the CPU leaves (LO4).
    stay: AtomicUsize,
}

/// A future's place in the list.
pub(crate) struct Node {
    task: Option<TaskRef>,
    list: Option<&'static LocalList>,
    next: *mut Node,
    /// What points here: the list, or the `next` of the one before.
    before: *mut Node,
    _address_counts: PhantomPinned,
}

impl LocalList {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                first: AtomicPtr::new(null_mut()),
                len: AtomicUsize::new(0),
                stay: AtomicUsize::new(1),
            }
        }
    }

    /// How many futures there are; from other CPUs, a hint.
    pub(crate) fn len(&self) -> usize {
        // Ordering: Relaxed; a number.
        self.len.load(Ordering::Relaxed)
    }

    fn first(&self) -> *mut Node {
        // Ordering: Relaxed; written by this CPU's loop only, and handed over with it.
        self.first.load(Ordering::Relaxed)
    }

    fn set_first(&self, first: *mut Node, len: usize) {
        // Ordering: Relaxed; read by this CPU's loop only.
        self.first.store(first, Ordering::Relaxed);
        // Ordering: Relaxed; a number.
        self.len.store(len, Ordering::Relaxed);
    }

    /// A loop comes.
    pub(crate) fn open(&self) {
        // Ordering: Relaxed; read by this CPU's loop only.
        self.stay.store(self.stay().wrapping_add(1) & !1, Ordering::Relaxed);
    }

    /// Whether futures may be put in by who has a spawner of this stay.
    pub(crate) fn is_open(&self, stay: usize) -> bool {
        stay & 1 == 0 && self.stay() == stay
    }

    pub(crate) fn stay(&self) -> usize {
        // Ordering: Relaxed; written by this CPU's loop only, and handed over with it.
        self.stay.load(Ordering::Relaxed)
    }

    /// # Safety
    ///
    /// The caller is on the stack of the CPU's loop, the node is in no list, and stays where it is until it is taken out.
    pub(crate) unsafe fn put_in(&'static self, node: *mut Node, task: TaskRef) {
        let next = self.first();
        // SAFETY: the node is the caller's, and the first one of the list is live (LO2).
        unsafe {
            (*node).task = Some(task);
            (*node).list = Some(self);
            (*node).next = next;
            (*node).before = null_mut();
            if !next.is_null() {
                (*next).before = node;
            }
        }
        self.set_first(node, self.len() + 1);
    }

    /// # Safety
    ///
    /// The caller is on the stack of the CPU's loop, and the node is in this list.
    unsafe fn take_out(&self, node: *mut Node) {
        // SAFETY: the node and its neighbours are live (LO2).
        unsafe {
            let Node { next, before, .. } = *node;
            if !next.is_null() {
                (*next).before = before;
            }
            let first = if before.is_null() {
                next
            } else {
                (*before).next = next;
                self.first()
            };
            self.set_first(first, self.len() - 1);
        }
    }
}

pin_project! {
    /// A local future in its task: what the memory for [`Builder::spawn_local_in`] is made for.
    pub struct LocalFuture<F> {
        #[pin]
        future: F,
        #[pin]
        node: Node,
    }

    impl<F> PinnedDrop for LocalFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let node = this.node();
            // SAFETY: the node is this future's, and this is on the stack of its loop (LO1). It is taken out before the future
            // inside is dropped, whose destructor may spawn and drop others, or panic.
            unsafe {
                if let Some(list) = (*node).list.take() {
                    list.take_out(node);
                }
            }
        }
    }
}

// SAFETY: `Builder::spawn_local` and `spawn_local_in` alone make one, in the task itself, where it stays on the stack of its loop (LO1).
// What this allows is to have memory for one in a static.
unsafe impl<F> Send for LocalFuture<F> {}

impl<F> LocalFuture<F> {
    pub(crate) fn new(future: F) -> Self {
        let node = Node {
            task: None,
            list: None,
            next: null_mut(),
            before: null_mut(),
            _address_counts: PhantomPinned,
        };
        Self { future, node }
    }

    /// Its place in the list. Not to be moved out of.
    pub(crate) fn node(self: Pin<&mut Self>) -> *mut Node {
        // SAFETY: nothing is moved out of the node here.
        unsafe { self.project().node.get_unchecked_mut() }
    }
}

impl<F> fmt::Debug for LocalFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalFuture").finish_non_exhaustive()
    }
}

impl<F: Future> Future for LocalFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(context)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Drops all local futures, and cancels their tasks; spawners that there are spawn no more. LO4: comes before the inboxes are
    /// closed. As many steps as there are local tasks.
    pub(crate) fn end_local_tasks(&mut self) {
        let list = &self.cpu.local;
        // Ordering: Relaxed; read by this CPU's loop only.
        list.stay.store(list.stay() | 1, Ordering::Relaxed);
        end(list);
    }
}

/// A loop that ends, in whatever way.
pub(crate) struct Leaving<'a, M: Machine + 'static, T: Trace + 'static, const CPUS: usize>(
    pub(crate) &'a mut Core<M, T, CPUS>,
);

impl<M: Machine, T: Trace, const CPUS: usize> Drop for Leaving<'_, M, T, CPUS> {
    fn drop(&mut self) {
        self.0.go();
    }
}

/// Drops the futures of `list`, one by one; one whose destructor panics keeps no other one.
fn end(list: &LocalList) {
    struct AndTheRest<'a>(&'a LocalList);
    impl Drop for AndTheRest<'_> {
        fn drop(&mut self) {
            end(self.0);
        }
    }
    while let Some(node) = NonNull::new(list.first()) {
        // SAFETY: LO2, it is live, and nobody else reaches it.
        let Some(task) = (unsafe { &(*node.as_ptr()).task }).clone() else { return };
        // From here on no loop polls it; the one that finds it completes it as one that was shut down.
        task.shut_down();
        let rest = AndTheRest(list);
        // SAFETY: the stage of a local task is its loop's at any time (LO1), and this is on its stack; the poll is over,
        // whether it returned or panicked. `task` keeps the task live.
        unsafe { Header::clear(task.header_pointer()) };
        core::mem::forget(rest);
    }
}
