//! The end: of the loops alone, or of the tasks with them.
//!
//! # Invariants
//!
//! - **SD1** Once a scheduler is shut down, no handle that is polled waits: it has the output, or a [`JoinError`].
//! - **SD2** A task has one reason why it ended without an output, the first (S5 in [`state`](crate::state)).
//! - **SD3** The future of a task that is shut down is dropped by a loop, as that of a cancelled one is.
//!
//! [`JoinError`]: crate::JoinError

use crate::core_loop::Core;
use crate::sync::{Ordering, fence};
use crate::trace::Trace;
use crate::{Machine, Scheduler};

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Asks every loop to end, for good: [`Core::run`](crate::Core::run) returns after its step, and at once on a CPU
    /// that enters later. Nothing is lost by it: what is queued stays queued, here as after any wake that comes later,
    /// and who steps a [`Core`](crate::Core) by hand goes on with it.
    pub fn stop(&self) {
        // Ordering: Release; pairs with the Acquire in `Core::run`. The kick carries it to a halted CPU.
        self.stopping.store(true, Ordering::Release);
        // Ordering: SeqCst fence, pairs with the one of `RunningLevel::lower` in `enter`: either the CPU is seen online
        // here, and kicked, or it sees that it should not run.
        fence(Ordering::SeqCst);
        let masked = self.masked();
        for cpu in self.online() {
            self.machine.kick(cpu);
        }
        drop(masked);
    }

    /// [Stops](Self::stop) the scheduler and ends its tasks: each loop ends with [`Core::end_tasks`], which drops the futures that
    /// are ready there, and join handles say [`JoinError::Shutdown`](crate::JoinError::Shutdown): those of tasks that end so, and
    /// all that are polled from now on without an output.
    ///
    /// A future that waits is not found by a loop, but in the list of all tasks (feature `registry`): those that are listed are
    /// woken for their end, and with them who waits for their handles. One that is not ends, and wakes who waits, when it is
    /// woken and a loop is there. Threads are asked to end, as by [`cancel`](crate::TaskRef::cancel), if they are listed.
    ///
    /// Lock-free, but for the locks of the lists; O(n) in the tasks that are listed. Any context but NMI.
    pub fn shut_down(&self) {
        // Ordering: Release; pairs with the Acquire in `is_shut_down`. Before the store that ends the loops.
        self.shut_down.store(true, Ordering::Release);
        #[cfg(feature = "registry")]
        self.walk(crate::registry::Walk::ShutDown, |task| task.shut_down());
        self.stop();
    }

    /// Whether the scheduler was [shut down](Self::shut_down). Wait-free; any context.
    pub fn is_shut_down(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `shut_down`.
        self.shut_down.load(Ordering::Acquire)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Ends all futures that are ready on this CPU or in the injector, instead of polling them, and those that become ready here by
    /// that; tells how many. Their handles say [`JoinError::Shutdown`](crate::JoinError::Shutdown). [`run`](Self::run) does so as it
    /// returns from a scheduler that was [shut down](Scheduler::shut_down); who steps by hand calls it.
    ///
    /// Lock-free. O(n) in the tasks, and the destructors of their futures: not a bounded step. On the CPU's own stack.
    pub fn end_tasks(&mut self) -> usize {
        self.resume_from_halt();
        let mut ended = 0;
        loop {
            #[cfg(feature = "threads")]
            while self.go_on_with_poll() {}
            self.drain_inboxes();
            let queued = self.critical.pop_front().or_else(|| self.normal.take());
            if let Some(task) = queued.or_else(|| self.background.take()) {
                let _ = task.header().state.shut_down();
                let tier = task.header().meta().tier;
                self.run_task(task, tier);
                ended += 1;
            } else if self.has_drained_all() && !self.take_injected() {
                return ended;
            }
        }
    }
}
