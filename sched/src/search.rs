//! Who goes round over other CPUs in search of work: at most half of those online at a time, and one at least.
//!
//! More would only stand in each other's way at the same deques. Who finds the places taken halts without a look of its own,
//! and relies on those who have them:
//!
//! ```text
//!   a CPU that is turned away                a searcher
//!   -------------------------                ----------
//!   idle.publish(me)                         a round over the others
//!     insert; fence(SeqCst)  ── I1 ──┐       searchers.end()
//!   searchers.are_enough?  ◄─────────┼──┐      one less; was it the last one?
//!   yes → halt                       │  └─ if so: fence(SeqCst)   (I1 of its own halt, or I2)
//!                                    └──►  look once more: work → stay awake for it, or wake one that is idle
//! ```
//!
//! # Invariants
//!
//! - **S1** While the count is not 0 there is a CPU in a round. Nothing of the user's runs in a round, so that it ends.
//! - **S2** The last searcher answers for what is left, as one that was claimed for it: it halts after a look, or, with work in
//!   hand, looks and wakes another one, which is a searcher then and does the same.
//!
//! Who is turned away has read a count that the last end comes after; so the fence of that searcher comes after its own, and the
//! look behind it sees all that was there when the other one halted. A fence missing, the count lowered after the look, or no
//! look by the last: work waits beside a CPU that sleeps. The price: where a searcher stands still, as a hypervisor may let it,
//! those who rely on it wait.
//!
//! This module is public so that kernels can put the protocol into models of their own.

use crate::Machine;
use crate::core_loop::Core;
use crate::sync::{AtomicUsize, Ordering, const_fn};
use crate::task::Queued;
use crate::trace::Trace;
use crate::{CpuId, Scheduler};

/// How many CPUs are in a round over the others.
#[derive(Debug)]
pub struct Searchers(AtomicUsize);

impl Searchers {
    const_fn! {
        /// Nobody searches.
        pub const fn new() -> Self {
            Self(AtomicUsize::new(0))
        }
    }

    /// How many of `online` CPUs may search at a time: half of them, rounded down, and one at least.
    const fn limit(online: usize) -> usize {
        if online < 4 { 1 } else { online / 2 }
    }

    /// Takes a place, if one of those for `online` CPUs is free; [`end`](Self::end) gives it back.
    ///
    /// Lock-free; the CPU itself, which does nothing else meanwhile.
    #[must_use = "a place that was taken must be given back"]
    pub fn try_begin(&self, online: usize) -> bool {
        // Ordering: Relaxed; only the value for the exchange below, which decides.
        let mut searching = self.0.load(Ordering::Relaxed);
        while searching < Self::limit(online) {
            // Ordering: Relaxed; a count. What is found is acquired where it is taken.
            match self.0.compare_exchange_weak(
                searching,
                searching + 1,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => searching = now,
            }
        }
        false
    }

    /// Gives the place back; whether it was the last one in use. Then the caller answers for what is left (S2): its fence, and
    /// its look, come after this.
    ///
    /// Wait-free; whoever has a place.
    #[must_use = "the last searcher looks once more"]
    pub fn end(&self) -> bool {
        // Ordering: Relaxed; the fence of `IdleSet::publish` or `publish_work`, which the last one goes on with, orders it.
        self.0.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// Whether all places for `online` CPUs are taken. Behind [`IdleSet::publish`](crate::idle::IdleSet::publish) of the caller, who
    /// may halt then without a look of its own.
    ///
    /// Wait-free: one load.
    pub fn are_enough(&self, online: usize) -> bool {
        // Ordering: Relaxed; the fence of `publish` orders it.
        self.0.load(Ordering::Relaxed) >= Self::limit(online)
    }
}

impl Default for Searchers {
    fn default() -> Self {
        Self::new()
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Whether others look for work in the place of a CPU that has published that it is idle.
    pub(crate) fn others_search(&self) -> bool {
        self.searchers.are_enough(self.online_count())
    }

    fn online_count(&self) -> usize {
        // Ordering: Relaxed; a hint: one that is out of date makes the limit another one, and is never 0 places.
        self.online.count(CPUS, Ordering::Relaxed)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Takes work of another CPU, if there is any and not too many others are at it.
    pub(crate) fn search(&mut self) -> bool {
        let scheduler = self.scheduler;
        let online = scheduler.online_count();
        let cooldown_ns = scheduler.settings.steal_cooldown_ns;
        if online < 2
            || !self.cooldown.is_over(cooldown_ns, || scheduler.machine.now_ns())
            || !scheduler.searchers.try_begin(online)
        {
            return false;
        }
        scheduler.machine.interleave();
        let found = self.search_round();
        // S2, and before anything of the user's may run.
        let was_last = scheduler.searchers.end();
        self.claimed |= was_last;
        let Some(found) = found else {
            if cooldown_ns > 0 {
                self.cooldown.begin(scheduler.machine.now_ns());
            }
            return false;
        };
        match found {
            Found::Future(victim, task) => self.take_loot(victim, task),
            #[cfg(feature = "threads")]
            Found::Thread(victim, task) => self.take_stolen(victim, task),
        }
        if was_last {
            self.pass_on();
        }
        true
    }

    fn search_round(&mut self) -> Option<Found> {
        self.cpu.stats.steals_tried.add(1);
        let first = self.next_victim;
        self.next_victim = (first + 1) % CPUS;
        if let Some((victim, task)) = self.scheduler.steal(self.id, first) {
            return Some(Found::Future(victim, task));
        }
        #[cfg(feature = "threads")]
        if let crate::thread::Theft::Taken(victim, task) =
            self.scheduler.steal_thread(self.id, first)
        {
            return Some(Found::Thread(victim, task));
        }
        self.scheduler.machine.interleave();
        None
    }
}

/// What a round brought, and whose it was.
enum Found {
    Future(CpuId, Queued),
    #[cfg(feature = "threads")]
    Thread(CpuId, Queued),
}
