//! A loop takes its CPU offline.

use super::requests::{ADOPT, LEAVE, LEFT, RESCUE};
use super::{IfPinned, OfflineError};
use crate::Step;
use crate::core_loop::Core;
use crate::cpu::Parked;
use crate::sync::Ordering;
use crate::task::{Header, Queued};
use crate::trace::Trace;
use crate::{Machine, Scheduler};

/// Tasks moved to other CPUs in one step.
const EVACUATED_AT_ONCE: usize = 64;

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Takes this CPU offline, as [`Scheduler::offline`] does, and is done when it returns: there is nothing left to do with
    /// this but to drop it.
    ///
    /// Lock-free but for the unplug lock and the wheel's. O(n) in the tasks that are ready here. On the CPU's own stack,
    /// between two steps. Does not allocate.
    ///
    /// # Errors
    ///
    /// See [`OfflineError`]; the loop goes on as before then.
    pub fn leave(&mut self, if_pinned: IfPinned) -> Result<(), OfflineError> {
        let masked = self.scheduler.masked();
        self.scheduler.decide(&masked, self.id, if_pinned)?;
        drop(masked);
        self.leave_if_asked();
        Ok(())
    }

    /// What others ask of this loop. `Some` if the step is over with that.
    #[cold]
    pub(crate) fn answer_requests(&mut self) -> Option<Step> {
        let requests = self.cpu.requests.take();
        if requests & LEFT != 0 {
            return Some(Step::Offline);
        }
        if requests & LEAVE != 0 {
            // What else it was asked for is asked of another one at the end.
            return Some(self.leave_step());
        }
        if requests & ADOPT != 0 {
            self.scheduler.adopt_orphans();
        }
        if requests & RESCUE != 0 {
            self.scheduler.rescue(self.id);
        }
        None
    }

    /// All steps of leaving, if that was asked for.
    pub(crate) fn leave_if_asked(&mut self) {
        let is_leaving = self.cpu.requests.is_closing() && !self.scheduler.has_left(self.id);
        while is_leaving && self.leave_step() != Step::Offline {}
    }

    /// A part of leaving, whose first is O(n) in what waits in the inboxes, two touches each.
    fn leave_step(&mut self) -> Step {
        // A poll that was preempted ends here, or is preempted again.
        #[cfg(feature = "threads")]
        if self.go_on_with_poll() {
            return Step::Leaving;
        }
        if !self.is_leaving {
            // LO4.
            self.end_local_tasks();
            self.is_leaving = true;
            self.begin_to_leave();
        }
        for _ in 0..EVACUATED_AT_ONCE {
            let Some(task) = self.take_any() else {
                self.end_of_leave();
                return Step::Offline;
            };
            self.evacuate(task);
        }
        Step::Leaving
    }

    /// From here on nothing comes to this CPU any more.
    fn begin_to_leave(&mut self) {
        self.resume_from_halt();
        self.end_pause();
        self.pass_on();
        // Ordering: Relaxed; what thieves find in the deques is theirs all the same.
        self.cpu.ready.store(0, Ordering::Relaxed);
        // Ordering: Release pairs with the Acquire in `adopt_wheel`, which sees what this CPU had adopted.
        self.scheduler.online.remove(self.id, Ordering::Release);
        self.scheduler.machine.interleave();
        // Before the inboxes close: those that sleep in the queue are woken by way of these as long as they are in it.
        #[cfg(feature = "threads")]
        self.take_all_threads();
        // U1, OW2.
        let mut woken = {
            let masked = self.scheduler.masked();
            // SAFETY: the loop is on its CPU.
            unsafe { self.cpu.woken.close(&masked) }
        };
        self.cpu.stats.wakes_drained.add((self.woken.len() + woken.len()) as u64);
        self.arrived.append(&mut self.woken);
        self.arrived.append(&mut woken);
        for inbox in [&mut self.critical_inbox, &mut self.normal_inbox] {
            let mut came = inbox.close();
            self.cpu.stats.wakes_drained.add(came.len() as u64);
            self.arrived.append(&mut came);
            self.scheduler.machine.interleave();
        }
        #[cfg(feature = "threads")]
        self.close_changes();
    }

    /// A task that is ready here, the oldest of its kind.
    fn take_any(&mut self) -> Option<Queued> {
        let queued = self.critical.pop_front().or_else(|| self.normal.take());
        queued.or_else(|| self.background.take()).or_else(|| self.arrived.pop_front())
    }

    fn evacuate(&mut self, task: Queued) {
        let Some(task) = self.free_if_unreferenced(task) else { return };
        let masked = self.scheduler.masked();
        self.cpu.stats.evacuated.add(1);
        let first = Scheduler::<M, T, CPUS>::spread(&task);
        self.scheduler.place_elsewhere(&masked, task, first);
    }

    /// Nothing is left here but the wheel.
    fn end_of_leave(&mut self) {
        let scheduler = self.scheduler;
        let masked = scheduler.masked();
        scheduler.quiet_timer(&masked, self.id);
        // Ordering: Release pairs with the Acquire in `adopt_orphans`.
        scheduler.hotplug.orphans.insert(self.id, Ordering::Release);
        // Also what this CPU itself may have been asked for, and has not answered (U5).
        scheduler.ask_any(&masked, ADOPT | RESCUE);
        // Ordering: Release, in `ask`, pairs with the Acquire of `has_left`.
        self.cpu.requests.ask(LEFT);
    }

    /// The last reference of a task may go where nothing can be freed: then the task comes here for that.
    pub(crate) fn free_if_unreferenced(&self, task: Queued) -> Option<Queued> {
        let header = task.header();
        if !header.state.is_unreferenced() {
            return Some(task);
        }
        if !header.state.is_complete() {
            self.cpu.stats.unreachable.add(1);
            task.with_affinity(|allowed| self.scheduler.forget_pinned(allowed));
        }
        #[cfg(feature = "threads")]
        self.forget_thread(&task, crate::class::Dequeue::Exit);
        // SAFETY: no reference is left, and this was the one `Queued` of it.
        unsafe { Header::free(task.into_header()) };
        None
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Drop for Core<M, T, CPUS> {
    fn drop(&mut self) {
        // Whatever destructors of local futures do, the CPU is left as it should be.
        crate::local::Leaving(self).0.end_local_tasks();
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Leaves everything in place for the next loop, or, if the CPU was asked to leave, for the others.
    pub(crate) fn go(&mut self) {
        self.resume_from_halt();
        self.end_pause();
        self.pass_on();
        if !self.scheduler.go_in_place(self.id) {
            self.leave_if_asked();
        }
        self.scheduler.machine.interleave();
        // The last look at the lists is over; the next loop finds them here.
        let masked = self.scheduler.masked();
        let parked = Parked {
            woken: core::mem::take(&mut self.woken),
            arrived: core::mem::take(&mut self.arrived),
            critical: core::mem::take(&mut self.critical),
            normal: self.normal.take_lanes(),
            background: self.background.take_lanes(),
            next_stamp: self.next_stamp,
        };
        *self.cpu.parked.lock(&masked) = Some(parked);
        if !self.scheduler.has_left(self.id) {
            self.scheduler.end_slice(&masked, self.id);
        }
    }
}
