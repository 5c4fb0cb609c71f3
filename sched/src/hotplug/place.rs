//! Where tasks go whose CPU is not there: to another one, or to those that wait for theirs.

use super::requests::RESCUE;
use crate::cpu_set::CpuSet;
use crate::sync::{Ordering, fence};
use crate::task::{FOREIGN, Queued};
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Machine, Scheduler};
use mpsc_inbox::Closed;
use sched_arch::Masked;

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Pushes a task to a CPU that takes it, looking from `first` on and around. If there is none: into the injector, or, if
    /// the task is restricted, to the stranded ones.
    ///
    /// Lock-free; at most one push tried for each CPU.
    pub(crate) fn place_elsewhere(&self, masked: &Masked<'_, M>, task: Queued, first: usize) {
        // To be freed it may go anywhere.
        let affinity = if task.header().state.is_unreferenced() { None } else { task.affinity() };
        let mut task = task;
        // Ordering: Acquire pairs with the Release in `enter`: whoever is seen online has open inboxes (U6).
        for cpu in self.online.iter_from(first % CPUS, CPUS, Ordering::Acquire) {
            if self.is_available(cpu) && self.admits(affinity.as_ref(), cpu) {
                match self.try_push(masked, cpu, task) {
                    Ok(()) => return,
                    // U1: it has gone meanwhile.
                    Err(refused) => task = refused,
                }
            }
        }
        match affinity {
            None => self.inject(task),
            Some(affinity) => self.strand(masked, task, &affinity),
        }
    }

    /// Where [`place_elsewhere`](Self::place_elsewhere) begins for a task that has no better place: the tasks of a CPU that
    /// went spread over the others.
    pub(crate) fn spread(task: &Queued) -> usize {
        task.header().id().get() as usize
    }

    /// Whether tasks of this affinity may run on `cpu`.
    #[inline]
    pub(crate) fn admits(&self, affinity: Option<&CpuSet>, cpu: CpuId) -> bool {
        affinity.is_none_or(|allowed| allowed.contains(cpu) || self.is_widened(allowed))
    }

    /// Whether one of these CPUs has been given up, and none of them is there.
    fn is_widened(&self, affinity: &CpuSet) -> bool {
        // Ordering: Acquire pairs with the Release in `decide`; what is seen late is put right where the task is enqueued.
        self.hotplug.widened.meets(affinity, CPUS, Ordering::Acquire)
            && !self
                .online
                .iter_from(0, CPUS, Ordering::Acquire)
                .any(|cpu| affinity.contains(cpu) && self.is_available(cpu))
    }

    /// U4: a task of this affinity waits for a CPU that may run it.
    fn strand(&self, masked: &Masked<'_, M>, task: Queued, affinity: &CpuSet) {
        trace!(self, Event::Wake { task: task.header().id(), target: None });
        task.header().set_stamp(FOREIGN);
        if let Err(Closed(task)) = self.hotplug.stranded.push(task) {
            debug_assert!(false, "nobody closes it");
            task.into_header();
            return;
        }
        self.machine.interleave();
        // Ordering: SeqCst fence, pairs with the one in `enter`, and with that in `ask_any` (U4, U5).
        fence(Ordering::SeqCst);
        self.ask_one_of(masked, RESCUE, |cpu| self.admits(Some(affinity), cpu));
    }

    /// Places all stranded tasks anew, on the CPU whose loop this is: those that still have no CPU are stranded again. If
    /// another CPU is at it, the loop comes back to it.
    ///
    /// O(n) in the tasks that are stranded. A fence came before, here or at whoever asked.
    pub(super) fn rescue(&self, id: CpuId) {
        if self.hotplug.stranded.is_empty() {
            return;
        }
        let Some(mut owner) = self.hotplug.stranded.take_owner() else {
            let masked = self.masked();
            // It has perhaps passed by what is for this CPU.
            self.ask(&masked, id, RESCUE);
            return;
        };
        let mut tasks = owner.take_all();
        drop(owner);
        while let Some(task) = tasks.pop_front() {
            let masked = self.masked();
            let first = Self::spread(&task);
            self.place_elsewhere(&masked, task, first);
        }
    }
}
