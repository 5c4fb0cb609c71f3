//! What was woken comes to the run queues: L1 of the [loop](crate::core_loop).

use crate::Machine;
use crate::core_loop::Core;
use crate::sync::Ordering;
use crate::task::{LOCAL, Queued, Tier};
use crate::trace::{Event, Trace, trace};

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Moves what was woken into the run queues, within the budget: Critical tasks first, else the older before the newer.
    pub(crate) fn drain_inboxes(&mut self) {
        let budget = self.scheduler.settings.inbox_budget_nodes.max(2);
        let before = self.arrived.len();
        let mut has_remainder = false;
        // Mostly there is nothing, and these looks are cheaper than a drain of nothing.
        if !self.critical_inbox.is_empty() {
            for task in self.critical_inbox.drain(budget) {
                self.arrived.push_back(task);
            }
            has_remainder |= self.critical_inbox.has_remainder();
        }
        self.scheduler.machine.interleave();
        if !self.cpu.woken.is_empty() {
            let masked = self.scheduler.masked();
            // SAFETY: the loop is on its CPU.
            self.woken.append(&mut unsafe { self.cpu.woken.take(&masked) });
        }
        if !self.woken.is_empty() {
            for task in core::iter::from_fn(|| self.woken.pop_front()).take(budget) {
                self.arrived.push_back(task);
            }
            has_remainder |= !self.woken.is_empty();
        }
        self.scheduler.machine.interleave();
        if !self.normal_inbox.is_empty() {
            for task in self.normal_inbox.drain(budget) {
                self.arrived.push_back(task);
            }
            has_remainder |= self.normal_inbox.has_remainder();
        }
        self.scheduler.machine.interleave();
        if !self.arrived.is_empty() {
            self.cpu.stats.wakes_drained.add((self.arrived.len() - before) as u64);
            self.enqueue_arrived();
        }
        if has_remainder {
            // PC4. Ordering: Relaxed, read on this CPU only.
            self.cpu.need_resched.store(true, Ordering::Relaxed);
        }
    }

    /// Whether nothing that was woken waits for the loop to come for it (OW3).
    pub(crate) fn has_drained_all(&self) -> bool {
        self.critical_inbox.is_empty()
            && self.normal_inbox.is_empty()
            && self.cpu.woken.is_empty()
            && self.woken.is_empty()
    }

    /// Moves what has arrived into the run queues.
    pub(crate) fn enqueue_arrived(&mut self) {
        while let Some(task) = self.arrived.pop_front() {
            let was_local = task.header().stamp() == LOCAL;
            let stays = self.enqueue(task);
            let woken = if was_local { &mut self.woken_internal } else { &mut self.woken_external };
            *woken = woken.wrapping_add(usize::from(stays));
        }
        self.note_high_water();
    }

    /// After tasks came. One that is requeued makes no more of them than there were.
    pub(crate) fn note_high_water(&self) {
        self.cpu.stats.queue_high_water.raise_to(self.queued() as u64);
    }

    /// L1: the one place where a task enters a run queue. One that is unreferenced is freed instead, and one that
    /// may not run here goes to a CPU where it may. Whether it stays here.
    pub(crate) fn enqueue(&mut self, task: Queued) -> bool {
        let Some(task) = self.free_if_unreferenced(task) else { return false };
        let header = task.header();
        // The home first (G3 in `thread::change`).
        #[cfg(feature = "threads")]
        let former_home_of_thread = task.tcb().and_then(|tcb| {
            let former_home = header.set_home(self.id);
            self.adopt_changes(tcb);
            former_home
        });
        if !task.with_affinity(|allowed| self.scheduler.admits(allowed, self.id)) {
            #[cfg(feature = "threads")]
            self.forget_thread(&task, crate::class::Dequeue::Move);
            let masked = self.scheduler.masked();
            self.scheduler.place_elsewhere(&masked, task, 0);
            return false;
        }
        let former_home = header.set_home(self.id);
        #[cfg(feature = "threads")]
        let former_home = former_home_of_thread.or(former_home);
        header.set_stamp(self.next_stamp);
        self.next_stamp += 1;
        let id = header.id();
        if let Some(from) = former_home {
            trace!(self.scheduler, Event::Migrate { task: id, from });
        }
        trace!(self.scheduler, Event::Enqueue { task: id });
        #[cfg(feature = "threads")]
        if let Some(tcb) = task.tcb() {
            task.into_header();
            self.enqueue_thread(tcb, former_home.is_some());
            return true;
        }
        match header.meta().tier {
            Tier::Critical => self.critical.push_back(task),
            Tier::Normal => self.normal.enqueue(task),
            Tier::Background => self.background.enqueue(task),
        }
        true
    }
}
