//! Halting without losing a wake, and pausing.

use crate::Machine;
use crate::Step;
use crate::core_loop::Core;
use crate::sync::{Ordering, fence};
use crate::trace::{Event, Trace, trace};

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// PB1: mask → own things → publish idleness → fence → others' things → halt, or undo.
    ///
    /// The private lists are empty, and no thread may run: the step found nothing to pick, and nobody else fills them.
    pub(crate) fn halt(&mut self) -> Step {
        let scheduler = self.scheduler;
        // Ordering: Relaxed; nothing to take here, which thieves may learn late.
        self.cpu.ready.store(0, Ordering::Relaxed);
        let masked = scheduler.masked();
        // Own things, *after* masking: a handler that ran before has said so, one that comes now ends the halt.
        // PC4 is in here twice: a remainder keeps need_resched set, and cannot be armed over.
        // Ordering: Relaxed, written on this CPU only.
        if self.cpu.need_resched.load(Ordering::Relaxed)
            || self.cpu.timers_due.load(Ordering::Relaxed)
            || !self.cpu.woken.is_empty()
        {
            return Step::Undone;
        }
        scheduler.machine.interleave();
        // The heads say that their next pusher owes a kick.
        if self.critical_inbox.arm().is_err() || self.normal_inbox.arm().is_err() {
            self.disarm();
            return Step::Undone;
        }
        scheduler.machine.interleave();
        scheduler.idle.publish(self.id);
        // S2: what is there now, those find who look.
        let others_search = scheduler.others_search();
        scheduler.machine.interleave();
        if !others_search && scheduler.others_have_work(&masked, self.id) {
            self.cooldown.end();
            self.withdraw();
            self.disarm();
            return Step::Undone;
        }
        scheduler.machine.interleave();
        // The same look at others' threads, whose queues show only who takes.
        #[cfg(feature = "threads")]
        if !others_search {
            let theft = scheduler.steal_thread(self.id, self.id.index() + 1);
            if !matches!(theft, crate::thread::Theft::Nothing) {
                self.withdraw();
                self.disarm();
                drop(masked);
                let crate::thread::Theft::Taken(victim, task) = theft else { return Step::Undone };
                self.take_stolen(victim, task);
                return Step::Stole;
            }
        }
        // Real-time threads that have had their share are there still: the end of the slice brings the loop back to them.
        #[cfg(feature = "threads")]
        let keeps_slice = self.cpu.threads.has_work();
        #[cfg(not(feature = "threads"))]
        let keeps_slice = false;
        if !keeps_slice {
            scheduler.end_slice(&masked, self.id);
        }
        // These were the looks which a claim asks for, or searchers have them before them.
        self.claimed = false;
        self.halted_at_ns = Some(scheduler.machine.now_ns());
        self.cpu.stats.halts.add(1);
        trace!(scheduler, Event::Halt);
        masked.halt();
        Step::Halted
    }

    /// Undoes what [`halt`](Self::halt) published, if that was the step before.
    #[inline]
    pub(crate) fn resume_from_halt(&mut self) {
        if let Some(halted_at_ns) = self.halted_at_ns.take() {
            self.account_for_halt(halted_at_ns);
        }
    }

    fn account_for_halt(&mut self, halted_at_ns: u64) {
        let scheduler = self.scheduler;
        self.withdraw();
        scheduler.machine.interleave();
        self.disarm();
        let masked = scheduler.masked();
        let now_ns = scheduler.machine.now_ns();
        scheduler.begin_slice(&masked, self.id, now_ns);
        self.cpu.stats.idle_ns.add(now_ns.saturating_sub(halted_at_ns));
        trace!(scheduler, Event::Resume);
    }

    /// PB2: an interrupt that pushed nothing leaves the heads armed; a push to a CPU that is awake should not pay
    /// for that. Whether a pusher was first does not matter: the inbox is drained next.
    fn disarm(&mut self) {
        self.critical_inbox.disarm();
        self.normal_inbox.disarm();
    }

    /// Says that the CPU is idle no more. A claim makes one CPU answer for work that nobody else is woken for: until it has
    /// taken some of others', has looked and halts, or has passed the claim on.
    fn withdraw(&mut self) {
        self.claimed |= !self.scheduler.idle.withdraw(self.id);
    }

    /// A CPU that was claimed, or searched as the last one (S2), and does something else instead of looking for work wakes
    /// another one for that, if there is any.
    #[inline]
    pub(crate) fn pass_on(&mut self) {
        if core::mem::take(&mut self.claimed) {
            self.wake_another();
        }
    }

    #[cold]
    fn wake_another(&self) {
        let scheduler = self.scheduler;
        scheduler.idle.publish_work();
        scheduler.machine.interleave();
        if !scheduler.idle.any(CPUS) {
            return;
        }
        let masked = scheduler.masked();
        if scheduler.others_have_work(&masked, self.id) || scheduler.others_have_threads(self.id) {
            scheduler.wake_idle(self.id.index() + 1, 1);
        }
    }

    /// A paused CPU offers all it can, and says that it is paused.
    pub(crate) fn pause(&mut self) {
        let scheduler = self.scheduler;
        // As a pick does it; a thief that finds everything taken kicks, and this step comes again (PD2).
        self.pass_on();
        self.hear_thieves();
        #[cfg(feature = "threads")]
        self.put_by();
        let published = self.publish();
        self.offer(published);
        // Ordering: Release pairs with the Acquire of `is_paused`.
        scheduler.paused.insert(self.id, Ordering::Release);
        self.is_paused = true;
        scheduler.machine.interleave();
    }

    /// The rest of a paused CPU's step: it halts.
    pub(crate) fn stay_paused(&mut self) -> Step {
        let scheduler = self.scheduler;
        let masked = scheduler.masked();
        // Looked at after masking: `resume` kicks after it, which ends the halt. Ordering: Relaxed; the next step looks
        // again, with Acquire.
        if scheduler.pausing.contains(self.id, Ordering::Relaxed) && !self.cpu.requests.any() {
            masked.halt();
        }
        Step::Paused
    }

    /// A step that is not paused takes back what one that was has said. `false`: it was paused again before that was seen, and
    /// stays so.
    #[inline]
    pub(crate) fn end_pause(&mut self) -> bool {
        !self.is_paused || self.take_pause_back()
    }

    fn take_pause_back(&mut self) -> bool {
        // Ordering: Relaxed; the fence orders it.
        self.scheduler.paused.remove(self.id, Ordering::Relaxed);
        // Ordering: SeqCst fence P2, pairs with P1 in `pause`.
        fence(Ordering::SeqCst);
        // Ordering: Acquire pairs with the Release of `resume`, which may be another one than the step has seen so far.
        self.is_paused = self.scheduler.pausing.contains(self.id, Ordering::Acquire);
        !self.is_paused
    }
}
