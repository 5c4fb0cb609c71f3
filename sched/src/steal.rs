//! Taking work from other CPUs, and looking whether there is any.

use crate::cpu::Cpu;
use crate::sync::Ordering;
use crate::task::{Queued, Tier};
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use sched_arch::Masked;
use steal_deque::Steal;

/// Lost races before a thief leaves a victim: others are at work there.
const STEAL_TRIES: usize = 4;

impl Cpu {
    /// A thief may come: there is more than what this CPU is about to run by itself. A hint that is exact behind
    /// the fences of PB1: `ready` is stored before the fence that follows publication.
    pub(crate) fn has_to_spare(&self) -> bool {
        // Ordering: Relaxed; a hint, or ordered by the caller's fence.
        self.ready.load(Ordering::Relaxed) >= 2
    }

    fn steal(&self, tier: Tier) -> Option<Queued> {
        let stealer = match tier {
            Tier::Critical => return None,
            Tier::Normal => self.normal_deque.stealer(),
            Tier::Background => self.background_deque.stealer(),
        };
        for _ in 0..STEAL_TRIES {
            match stealer.steal() {
                Steal::Taken(task) => return Some(task),
                Steal::Empty => break,
                Steal::Retry => {}
            }
        }
        None
    }

    fn has_published(&self) -> bool {
        !self.normal_deque.stealer().is_empty() || !self.background_deque.stealer().is_empty()
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// The other online CPUs, from `first` upward and around.
    pub(crate) fn others(&self, me: CpuId, first: usize) -> impl Iterator<Item = (CpuId, &Cpu)> {
        // Ordering: Relaxed; see `enter`.
        self.online
            .iter_from(first % CPUS, CPUS, Ordering::Relaxed)
            .filter(move |&cpu| cpu != me)
            .filter_map(|cpu| Some((cpu, self.cpu(cpu)?)))
    }

    /// Those of the others that are `good`, the nearest first; of those equally far, from `first` upward and around.
    ///
    /// Twice as many walks as there are distances, and one.
    pub(crate) fn nearest_first(
        &self,
        me: CpuId,
        first: usize,
        good: impl Fn(&Cpu) -> bool + Copy,
    ) -> impl Iterator<Item = (CpuId, &Cpu)> {
        let distances = move || {
            let others = self.others(me, first).filter(move |(_, victim)| good(victim));
            others.map(move |(id, victim)| (self.machine.steal_distance(me, id), id, victim))
        };
        let next = move |beyond: Option<u8>| {
            let farther = |&at: &u8| beyond.is_none_or(|beyond| at > beyond);
            distances().map(|(at, ..)| at).filter(farther).min()
        };
        core::iter::successors(next(None), move |&at| next(Some(at))).flat_map(move |at| {
            let there = distances().filter(move |&(distance, ..)| distance == at);
            there.map(|(_, id, victim)| (id, victim))
        })
    }

    /// One round over the others: the newest published Normal task of any of them, else a Background one.
    ///
    /// Lock-free; at most a few tries at each of two deques of each CPU.
    pub(crate) fn steal(&self, me: CpuId, first: usize) -> Option<(CpuId, Queued)> {
        [Tier::Normal, Tier::Background].into_iter().find_map(|tier| {
            self.nearest_first(me, first, Cpu::has_to_spare).find_map(|(id, victim)| {
                self.machine.interleave();
                Some((id, victim.steal(tier)?))
            })
        })
    }

    /// Whether another CPU has a thread to spare.
    #[cfg(feature = "threads")]
    pub(crate) fn others_have_threads(&self, me: CpuId) -> bool {
        // Ordering: Relaxed; ordered by the caller's fence (PB1).
        self.others(me, 0).any(|(_, victim)| victim.threads.spare.load(Ordering::Relaxed) > 0)
    }

    /// Whether another CPU has a thread to spare: there are none.
    #[cfg(not(feature = "threads"))]
    pub(crate) fn others_have_threads(&self, _: CpuId) -> bool {
        false
    }

    /// The last look of PB1 at other CPUs' things: whether there is anything to take. A CPU that has tasks ready
    /// but none published is asked to publish (PD2): it will see this CPU idle when it does.
    pub(crate) fn others_have_work(&self, masked: &Masked<'_, M>, me: CpuId) -> bool {
        self.has_injected()
            || self.others(me, me.index() + 1).filter(|(_, victim)| victim.has_to_spare()).any(
                |(id, victim)| {
                    let published = victim.has_published();
                    self.machine.interleave();
                    // Ordering: AcqRel; pairs with the owner's swap, so that each request is answered by a
                    // publication that comes after it.
                    if !published && !victim.hungry.swap(true, Ordering::AcqRel) {
                        self.kick(masked, id);
                    }
                    published
                },
            )
    }
}
