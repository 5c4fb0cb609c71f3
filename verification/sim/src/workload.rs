//! What runs on the subject, and what comes from outside.

use crate::machine::Virtual;
use crate::violation::Kind;
use sched::CpuId;
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

/// The load of a run. All three parts are called on the simulation's thread, and all that they decide comes from the
/// machine's stream of chance or from their own state: then a seed says everything.
pub trait Workload {
    /// What a thread that is no CPU does, from the beginning of the run. It waits by [`Virtual::rest_ns`] and returns when
    /// [`Virtual::is_closing`], having told all tasks to come to their end.
    fn outside(&self, machine: Virtual);

    /// A device interrupt arrived on `cpu`; called in its handler, interrupts masked.
    fn interrupt(&self, machine: Virtual, cpu: CpuId) {
        let _ = (machine, cpu);
    }

    /// A last look, with everything at rest.
    ///
    /// # Errors
    ///
    /// What is wrong, in words.
    fn settle(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A future whose polls are checked: one at a time, and only when its task was picked (V2).
pub struct Tracked<F> {
    machine: Virtual,
    /// Its task, known from the first poll on; 0 before.
    task: u64,
    future: F,
}

impl Virtual {
    /// Wraps the future of a task.
    pub fn tracked<F: Future>(self, future: F) -> Tracked<F> {
        Tracked { machine: self, task: 0, future }
    }

    /// The task that runs on the caller's CPU, as the trace says.
    #[must_use]
    pub fn current_task(self) -> Option<u64> {
        self.with(|world| {
            let index = world.checker.running(world.current)?;
            Some(world.checker.tasks[index as usize].id)
        })
    }

    /// Says that the next task that the caller spawns is for these CPUs alone, so that the checks know.
    pub fn note_affinity(self, cpus: sched::CpuSet) {
        self.with(|world| {
            let party = world.current.min(world.cpus());
            world.checker.next_affinity(party, cpus);
        });
    }

    /// Says that the running task sleeps for `duration_ns` from now on, and whether it is over: then it woke, or gave up.
    pub fn note_sleep(self, duration_ns: u64) {
        let Some(task) = self.current_task() else { return };
        self.with(|world| {
            let until_ns = world.now_ns() + duration_ns;
            world.checker.falls_asleep(task, until_ns);
        });
    }

    /// The sleep of the running task is over; `given_up`: before its time.
    pub fn note_awake(self, given_up: bool) {
        let Some(task) = self.current_task() else { return };
        self.with(|world| {
            let now_ns = world.now_ns();
            world.checker.at(now_ns);
            let broken = world.checker.wakes_up(task, given_up);
            world.note(broken);
        });
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: `future` is pinned with `self`, and nothing moves it; the other fields are not pinned.
        let this = unsafe { self.get_unchecked_mut() };
        let machine = this.machine;
        let begun = machine.with(|world| {
            let begun = world.checker.poll_begins(world.current);
            begun.map_err(|broken| world.note(Err(broken)))
        });
        if let Ok(task) = begun {
            this.task = task;
        }
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut this.future) };
        // It may be polled on a stack of its executor's, beyond which no panic goes.
        let polled = catch_unwind(AssertUnwindSafe(|| future.poll(context)));
        let polled = polled.unwrap_or_else(|panic| {
            machine.fail(Kind::Panic, crate::simulation::words(&*panic));
            Poll::Pending
        });
        machine.with(|world| world.checker.poll_ends(this.task));
        polled
    }
}

impl<F> Drop for Tracked<F> {
    fn drop(&mut self) {
        if self.task != 0 {
            self.machine.with(|world| world.checker.dropped(self.task));
        }
    }
}

impl<F> fmt::Debug for Tracked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tracked").field("task", &self.task).finish_non_exhaustive()
    }
}
