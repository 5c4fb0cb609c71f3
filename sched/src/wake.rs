//! Placing a runnable task: the inbox it goes to, and the kick it may owe.
//!
//! Any context but NMI (PB3): a push from NMI between the halting CPU's arming and its halt would need an
//! interrupt to itself. The push and its kick are one piece with interrupts masked: a handler in between would
//! hold up everybody who saw the inbox not empty and left the kick to this pusher.

use crate::sync::Ordering;
use crate::task::{FOREIGN, Header, Home, LOCAL, Queued, Tier};
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Machine, Scheduler};
use core::ptr::NonNull;
use mpsc_inbox::{Closed, Pushed};
use sched_arch::Masked;

impl<M: Machine, T: Trace, const CPUS: usize> Home for Scheduler<M, T, CPUS> {
    fn place(&self, task: Queued) {
        self.place_task(task);
    }

    fn lost(&self, task: NonNull<Header>) {
        // SAFETY: the task is live, as the queue's reference, which it still has, was the dropped `Queued`'s.
        debug_assert!(false, "{} was lost", unsafe { task.as_ref() }.id());
    }

    #[cfg(feature = "alloc")]
    fn keep(&self) -> Option<crate::shared::Keep> {
        crate::shared::Keep::new(self)
    }

    #[cfg(feature = "alloc")]
    fn settle(&self) {
        self.bury_if_closed();
    }

    #[cfg(feature = "alloc")]
    unsafe fn take_keep(&self) -> Option<crate::shared::Keep> {
        // SAFETY: `Builder::announce` has left it behind, and the caller frees the task.
        unsafe { crate::shared::Keep::take(self) }
    }

    fn is_shut_down(&self) -> bool {
        self.is_shut_down()
    }

    #[cfg(feature = "registry")]
    unsafe fn unlist(&self, task: NonNull<Header>) {
        // SAFETY: the caller's promise.
        unsafe { self.unlist_task(task) }
    }

    #[cfg(feature = "threads")]
    fn change(&self, thread: crate::thread::ThreadRef) {
        self.send_change(thread);
    }

    #[cfg(feature = "threads")]
    fn affinity(&self, thread: &crate::thread::ThreadRef) -> Option<crate::CpuSet> {
        self.affinity_of(thread)
    }

    #[cfg(feature = "threads")]
    fn set_affinity(
        &self,
        thread: &crate::thread::ThreadRef,
        cpus: crate::CpuSet,
    ) -> Result<(), crate::EmptyAffinity> {
        self.set_affinity_of(thread, cpus)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Pushes a task that became runnable to the inbox of its home, or of a CPU chosen for it. Lock-free.
    pub(crate) fn place_task(&self, task: Queued) {
        let masked = self.masked();
        self.machine.interleave();
        self.count(&masked, |stats| &stats.wakes_placed);
        let home = task.header().home();
        match home.or_else(|| self.first_home(&masked, &task)) {
            Some(cpu) => self.push(&masked, cpu, task),
            None if task.with_affinity(|allowed| allowed.is_none()) => self.inject(task),
            None => self.place_elsewhere(&masked, task, 0),
        }
    }

    /// The CPU for a task that has not run yet: the caller's, if a loop is there that stays and the task may run there.
    /// `None`: any that is free, or the first of its affinity.
    fn first_home(&self, masked: &Masked<'_, M>, task: &Queued) -> Option<CpuId> {
        let (id, _) = self.here(masked)?;
        let stays = self.is_available(id);
        (stays && task.with_affinity(|allowed| self.admits(allowed, id))).then_some(id)
    }

    /// Pushes to the inbox of `target`, and kicks if that is owed; if the CPU has gone, to another one's.
    pub(crate) fn push(&self, masked: &Masked<'_, M>, target: CpuId, task: Queued) {
        if let Err(task) = self.try_push(masked, target, task) {
            let first = Self::spread(&task);
            self.place_elsewhere(masked, task, first);
        }
    }

    /// Pushes to the inbox of `target`, and kicks if that is owed; gives the task back if the CPU has gone.
    pub(crate) fn try_push(
        &self,
        masked: &Masked<'_, M>,
        target: CpuId,
        task: Queued,
    ) -> Result<(), Queued> {
        let Some(cpu) = self.cpu(target) else { return Err(task) };
        let (id, tier) = (task.header().id(), task.header().meta().tier);
        let level = task.push_level();
        trace!(self, Event::Wake { task: id, target: Some(target) });
        let is_here = masked.cpu() == Some(target);
        // What it is until a run queue gives it a number (K2).
        task.header().set_stamp(if is_here { LOCAL } else { FOREIGN });
        let owes_kick = if is_here && tier != Tier::Critical {
            // SAFETY: this is that CPU.
            unsafe { cpu.woken.push(masked, task) }?;
            self.machine.interleave();
            cpu.level.is_below_here(level)
        } else {
            let inbox = if tier == Tier::Critical { &cpu.critical } else { &cpu.normal };
            let pushed = inbox.push(task).map_err(|Closed(task)| task)?;
            self.machine.interleave();
            // PC1: every pusher compares, also one that joined a list.
            pushed == Pushed::KickOwed || cpu.level.is_below(level)
        };
        if owes_kick {
            self.kick(masked, target);
        } else {
            self.count(masked, |stats| &stats.kicks_saved);
        }
        Ok(())
    }

    /// Offers a task to whichever CPU is free first.
    pub(crate) fn inject(&self, task: Queued) {
        trace!(self, Event::Wake { task: task.header().id(), target: None });
        task.header().set_stamp(FOREIGN);
        // Before the task can be taken. Ordering: Relaxed; only a number.
        self.injected.fetch_add(1, Ordering::Relaxed);
        if let Err(Closed(task)) = self.injector.push(task) {
            debug_assert!(false, "the injector is never closed");
            task.into_header();
            return;
        }
        self.machine.interleave();
        self.idle.publish_work();
        self.wake_idle(0, 1);
    }

    /// Whether the injector has something to take.
    pub(crate) fn has_injected(&self) -> bool {
        // Ordering: Relaxed; a hint, or ordered by the caller's fence (PB1).
        !self.injector.is_empty() || self.injector_has_rest.load(Ordering::Relaxed)
    }

    /// Kicks up to `count` idle CPUs, looking from `from` on. The work for them is published, and
    /// `publish_work`'s or a deque pop's fence lies between (PB1, PD2).
    pub(crate) fn wake_idle(&self, from: usize, count: usize) {
        if !self.idle.any(CPUS) {
            return;
        }
        // A claimed CPU is nobody else's to wake: no handler comes between the claim and its kick.
        let masked = self.masked();
        for _ in 0..count {
            let Some(cpu) = self.idle.claim(from, CPUS) else { break };
            self.machine.interleave();
            self.kick(&masked, cpu);
        }
    }

    /// Sends the reschedule interrupt to `target`, unless one is under way that it has not answered yet (PC5).
    pub(crate) fn kick(&self, masked: &Masked<'_, M>, target: CpuId) {
        let Some(cpu) = self.cpu(target) else { return };
        if masked.cpu() == Some(target) {
            // The loop is what the kick is for, and comes next on this CPU: a flag will do.
            // Ordering: Relaxed; read on this CPU only.
            cpu.need_resched.store(true, Ordering::Relaxed);
            #[cfg(feature = "threads")]
            if cpu.threads.local.current.get().is_some() {
                // What runs has to be interrupted, once it can be.
                self.machine.kick(target);
            }
            return;
        }
        // Ordering: Release, after the push; pairs with the Acquire swap of `on_kick`: its drain sees the push, whether
        // this sender's interrupt or an earlier one brings it, as each sender's swap goes on with what it replaces.
        if cpu.kick_pending.swap(true, Ordering::Release) {
            self.count(masked, |stats| &stats.kicks_saved);
            return;
        }
        self.count(masked, |stats| &stats.kicks_sent);
        self.machine.interleave();
        trace!(self, Event::Kick { target });
        self.machine.kick(target);
    }
}
