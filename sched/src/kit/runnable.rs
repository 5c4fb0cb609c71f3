//! A task as its scheduler has it.

use super::Runnable;
use crate::cpu_set::CpuSet;
use crate::state::{Begin, End, RunState};
use crate::task::{Header, TaskInfo, TaskRef, waker_for_poll};
use crate::{CpuId, TaskId};
use core::fmt;
use core::ptr::NonNull;
use core::task::Context;

/// What became of a task in its run.
#[derive(Debug)]
#[must_use = "a task that may go on has to go into a queue"]
pub enum Ran {
    /// It was woken meanwhile, as by a yield: it may be run again, now or later.
    Again(Runnable),
    /// It waits: [`schedule`](super::Schedule::schedule) hears of its next wake, maybe already.
    Waiting,
    /// It is over: it finished, was cancelled, or nobody could have woken it any more.
    Over,
}

/// A task that is to be run; the one right to that. Dropping it ends the task, as a scheduler that is shut down does.
impl Runnable {
    /// What the task was made with.
    pub fn info(&self) -> TaskInfo {
        self.header().info()
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// The CPUs that may run the task, if the [builder](super::Builder::affinity) was told; `None`: any.
    pub fn allowed_cpus(&self) -> Option<CpuSet> {
        self.affinity()
    }

    /// What [`set_last_cpu`](Self::set_last_cpu) was told.
    pub fn last_cpu(&self) -> Option<CpuId> {
        self.header().home()
    }

    /// Notes which CPU has the task, for who places it after its next wake.
    pub fn set_last_cpu(&mut self, cpu: CpuId) {
        self.header().set_home(cpu);
    }

    /// A reference to the task; `None` if it is only to be freed.
    pub fn task_ref(&self) -> Option<TaskRef> {
        // SAFETY: live, and if there is a reference this has the queue's, which is not given up before this goes.
        (!self.header().state.is_unreferenced()).then(|| unsafe { TaskRef::new(self.pointer()) })
    }

    /// Polls the task once; or drops its future, if it was cancelled; or frees it, if nobody has a reference.
    ///
    /// Lock-free but for the poll itself. Where the future may be polled and dropped: not in an interrupt handler, as a rule. A
    /// panic of the future comes out of here; the task has ended then, and its handle says that it was cancelled.
    pub fn run(self) -> Ran {
        if self.header().state.is_unreferenced() {
            // SAFETY: no reference is left, and this was the one `Runnable` of it.
            unsafe { Header::free(self.into_header()) };
            return Ran::Over;
        }
        let header = self.into_header();
        // SAFETY: the queue's reference is ours until `end` or `finish` gives it up.
        let state = &unsafe { header.as_ref() }.state;
        if state.begin() == Begin::Cancelled {
            drop(Ending(header));
            return Ran::Over;
        }
        let ending = Ending(header);
        // SAFETY: as above, live during the poll.
        let waker = unsafe { waker_for_poll(header) };
        // SAFETY: the task is `RUNNING` by us; a cleared future is never picked again, because its task is complete.
        let is_ready = unsafe { Header::poll(header, &mut Context::from_waker(&waker)) };
        core::mem::forget(ending);
        if is_ready {
            // SAFETY: `RUNNING` by us, and the stage holds the output.
            unsafe { Header::finish(header, || ()) };
            return Ran::Over;
        }
        match state.end() {
            // SAFETY: the task is `QUEUED` again, and still ours.
            End::Requeue => Ran::Again(unsafe { Self::from_raw(header) }),
            End::Idle => Ran::Waiting,
            End::Unreachable => {
                // SAFETY: there was one reference, ours, and no queue has the task.
                unsafe { Header::free(header) };
                Ran::Over
            }
        }
    }
}

/// The end without an output of a task that is `RUNNING` by its owner.
struct Ending(NonNull<Header>);

impl Drop for Ending {
    fn drop(&mut self) {
        /// Also if the future's destructor panics.
        struct Finish(NonNull<Header>);
        impl Drop for Finish {
            fn drop(&mut self) {
                // SAFETY: `RUNNING` by us; the stage holds nothing, or what is left where a destructor panicked, which the vtable's
                // `clear` has taken out of it.
                unsafe { Header::finish(self.0, || ()) }
            }
        }
        let finish = Finish(self.0);
        // SAFETY: the task is `RUNNING` by us, so the stage is ours.
        unsafe { Header::clear(finish.0) }
    }
}

/// RK2: ends a task instead of running it.
pub(crate) fn end(task: Runnable) {
    let _ = task.header().state.shut_down();
    // It is shut down, or freed.
    let _ = task.run();
}

impl fmt::Debug for Runnable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runnable").field("info", &self.info()).finish_non_exhaustive()
    }
}

/// What a [`Runnable`] points to: what links it into queues. It offers nothing by itself.
impl Header {
    /// What the task is at, for a scheduler's own dumps: a hint.
    pub fn run_state(&self) -> RunState {
        self.state.run_state()
    }
}

impl fmt::Debug for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHeader")
            .field("id", &self.id())
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
