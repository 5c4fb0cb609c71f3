//! A scheduler in counted memory, which goes when nobody needs it any more.
//!
//! It is the same scheduler, and the same loop: what differs is who owns it. [`Shared`] is for hosts and for tests, and for kernels
//! that make and end schedulers, one for each process, say; a scheduler for the whole of a kernel stands in a `static`, and its
//! tasks count nothing.
//!
//! # Invariants
//!
//! - **AR1** The memory is there for as long as there is a handle ([`Shared`], [`SharedCore`]), a builder, a spawner, a [`Kept`]
//!   future or a task: each of these has a count of the `Arc`. So a waker, a join handle or a [`TaskRef`](crate::TaskRef),
//!   which has a reference of its task, may outlive all handles.
//! - **AR2** Whoever may give up a task's last reference in the midst of a call of the scheduler holds a count of its own until that
//!   call is over ([`Keep`]): the scheduler is never freed beneath its own code.
//! - **AR3** When the last handle goes there is no loop, and there will be none: the scheduler is *closed*. All that is ready or sleeps
//!   ends there; what is woken or given up later ends where that is done. So no task stays that nobody can reach.
//! - **AR4** In a closed scheduler every task that is placed comes to the injector or to the stranded ones, and whoever put it there
//!   looks, behind a fence, whether the scheduler is closed; who closes it looks, behind a fence, what came. One at a time takes
//!   them out, and looks again when it is done: nothing stays, and destructors that give up more tasks do not nest.

mod close;
mod core;
mod keep;

pub use self::core::SharedCore;
pub(crate) use keep::Keep;
pub use keep::Kept;

use crate::spawn::Builder;
use crate::sync::{AtomicUsize, Ordering, fence};
use crate::task::JoinHandle;
use crate::time::{Sleep, Timeout};
use crate::trace::Trace;
use crate::{Machine, Scheduler, Settings, Tier};
use ::core::fmt;
use ::core::future::Future;
use ::core::ops::Deref;
#[cfg(not(loom))]
use alloc::sync::Arc;
// What the last count's holder is ordered behind.
#[cfg(loom)]
use loom::sync::Arc;

/// What a scheduler in an `Arc` knows of it.
pub(crate) struct Counted {
    /// The pointer of the `Arc`, with the right to its counts.
    arc: *const (),
    handles: AtomicUsize,
}

// SAFETY: the pointer is used to count only, and by way of `Keep`, for schedulers that may be sent.
unsafe impl Send for Counted {}
// SAFETY: as above.
unsafe impl Sync for Counted {}

/// A handle to a scheduler in counted memory; all that can be done with a `&Scheduler` can be done with it.
///
/// When the last handle goes, [`SharedCore`]s included, all tasks that are ready or sleep are ended as if the scheduler was
/// [shut down](Scheduler::shut_down), in that drop: their futures are dropped and their join handles told. Those that wait for
/// somebody else stay with him who can wake them: his wake, or his last reference's end, ends them, where he calls it. A task whose
/// own future has a handle keeps its scheduler; [`shut_down`](Scheduler::shut_down), and a loop that ends, break such a circle.
///
/// Threads, [task-locals](crate::TaskLocal) and intervals need a scheduler that is static.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`new`](Self::new) | lock-free but for the allocator | thread | yes | the scheduler's memory is written |
/// | `clone` | wait-free | any but NMI | no | O(1) |
/// | drop | wait-free; blocking for the last one | any but NMI; thread, if it may be the last | no | O(1); for the last one O(n) in the tasks, and their destructors |
///
/// ```
/// # use sched::{CpuId, Machine, Settings, Shared};
/// # struct Alone;
/// # // SAFETY: one CPU, on one thread, which nothing interrupts.
/// # unsafe impl Machine for Alone {
/// #     type Saved = ();
/// #     fn cpu(&self) -> Option<CpuId> { Some(CpuId::new(0)) }
/// #     fn now_ns(&self) -> u64 { 0 }
/// #     fn mask(&self) {}
/// #     unsafe fn restore(&self, (): ()) {}
/// #     fn kick(&self, _: CpuId) {}
/// #     unsafe fn halt(&self) {}
/// #     fn set_timer(&self, _: u64) {}
/// #     fn seed(&self) -> u64 { 1 }
/// # }
/// let scheduler = Shared::<Alone>::new(Alone, (), Settings::DEFAULT);
/// let mut core = scheduler.enter()?;
/// let handle = scheduler.spawn(async { 6 * 7 });
/// assert_eq!(core.block_on(async move { handle.await }), Ok(42));
/// # Ok::<(), sched::EnterError>(())
/// ```
pub struct Shared<M: Machine + 'static, T: Trace + 'static = (), const CPUS: usize = 64> {
    scheduler: Arc<Scheduler<M, T, CPUS>>,
}

impl<M, T, const CPUS: usize> Shared<M, T, CPUS>
where
    M: Machine + Send + 'static,
    T: Trace + Send + 'static,
{
    /// A scheduler on `machine`, before any CPU is there.
    pub fn new(machine: M, trace: T, settings: Settings) -> Self {
        let mut scheduler = Arc::new(Scheduler::new(machine, trace, settings));
        let arc = Arc::as_ptr(&scheduler).cast();
        if let Some(scheduler) = Arc::get_mut(&mut scheduler) {
            scheduler.counted = Some(Counted { arc, handles: AtomicUsize::new(1) });
        }
        Self { scheduler }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Shared<M, T, CPUS> {
    /// The scheduler, for those who see to it that they do not outlive its memory (AR1).
    fn extended(&self) -> &'static Scheduler<M, T, CPUS> {
        // SAFETY: within this crate it goes only to where a count goes with it: see each use.
        unsafe { &*Arc::as_ptr(&self.scheduler) }
    }

    fn keep(&self) -> Option<Keep> {
        Keep::new(self.extended())
    }

    /// Begins a task, as [`Scheduler::task`].
    #[track_caller]
    pub fn task(&self, name: &'static str) -> Builder<M, T, CPUS> {
        // AR1: the builder has a count, and so has each task.
        let mut builder = self.extended().task(name);
        builder.keep = self.keep();
        builder
    }

    /// Spawns a Normal task, as [`Scheduler::spawn`].
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.task("").spawn(future)
    }

    /// Spawns a Critical task, as [`Scheduler::spawn_critical`].
    #[track_caller]
    pub fn spawn_critical<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.task(name).tier(Tier::Critical).spawn(future)
    }

    /// Spawns a Background task, as [`Scheduler::spawn_background`].
    #[track_caller]
    pub fn spawn_background<F>(&self, name: &'static str, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.task(name).tier(Tier::Background).spawn(future)
    }

    /// As [`Scheduler::sleep_until`]; it completes at once when the last handle is gone.
    pub fn sleep_until(&self, deadline_ns: u64) -> Kept<Sleep> {
        Kept::new(self.extended().sleep_until(deadline_ns), self.keep())
    }

    /// As [`Scheduler::sleep_ns`]; it completes at once when the last handle is gone.
    pub fn sleep_ns(&self, duration_ns: u64) -> Kept<Sleep> {
        Kept::new(self.extended().sleep_ns(duration_ns), self.keep())
    }

    /// As [`Scheduler::sleep_ms`]; it completes at once when the last handle is gone.
    pub fn sleep_ms(&self, duration_ms: u64) -> Kept<Sleep> {
        Kept::new(self.extended().sleep_ms(duration_ms), self.keep())
    }

    /// As [`Scheduler::timeout`]; the time is over at once when the last handle is gone.
    pub fn timeout<F: Future>(&self, limit_ns: u64, future: F) -> Kept<Timeout<F>> {
        Kept::new(self.extended().timeout(limit_ns, future), self.keep())
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Deref for Shared<M, T, CPUS> {
    type Target = Scheduler<M, T, CPUS>;

    fn deref(&self) -> &Self::Target {
        &self.scheduler
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Clone for Shared<M, T, CPUS> {
    fn clone(&self) -> Self {
        if let Some(counted) = &self.scheduler.counted {
            // Ordering: Relaxed; who makes a handle has one.
            counted.handles.fetch_add(1, Ordering::Relaxed);
        }
        Self { scheduler: self.scheduler.clone() }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Drop for Shared<M, T, CPUS> {
    fn drop(&mut self) {
        let Some(counted) = &self.scheduler.counted else { return };
        // Ordering: Release pairs with the Acquire fence of the one who is last.
        if counted.handles.fetch_sub(1, Ordering::Release) == 1 {
            // Ordering: Acquire pairs with the Release of every handle that is gone: their loops are over.
            fence(Ordering::Acquire);
            // The `Arc` is there until this is over.
            close::close(self.extended());
        }
    }
}

impl<M: Machine + fmt::Debug, T: Trace, const CPUS: usize> fmt::Debug for Shared<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Shared").field(&**self).finish()
    }
}
