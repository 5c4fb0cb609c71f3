//! Taking work by hand, for kernels that decide themselves when, from whom, and how much: out of the injector, which all CPUs of
//! a scheduler share, or from another CPU. And the loop's own way of taking several.
//!
//! The loop does without: it looks into the injector, and steals when it has nothing to do.

use crate::core_loop::Core;
use crate::cpu::Cpu;
use crate::sync::Ordering;
use crate::task::{Header, Queued};
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Machine};
use arrayvec::ArrayVec;
use core::fmt;
use mpsc_inbox::Owner;
use steal_deque::Steal;

/// Lost races before a thief gives up: others are at work there.
const STEAL_TRIES: usize = 4;

/// The most that the loop takes in one steal: what bounds the step.
const LOOT_TASKS: usize = 32;

/// Nodes of the injector touched between two looks whether it is empty.
const INJECTOR_BUDGET_NODES: usize = 16;

/// Why nothing can be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StealError {
    /// Others are taking from there. There may be something: try again, or elsewhere.
    Busy,
    /// There is nothing to be had: no task, or none that its CPU would not run next itself, or no such CPU.
    Empty,
}

impl fmt::Display for StealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Busy => "others are stealing there",
            Self::Empty => "there is nothing to steal",
        })
    }
}

impl core::error::Error for StealError {}

enum Source {
    /// Nobody else takes from it meanwhile.
    Injector(Owner<'static, Header>),
    /// Others may.
    Cpu(CpuId, &'static Cpu),
    /// The end.
    Left,
}

/// The right to take tasks for a CPU; see [`Core::try_steal`] and [`Core::try_steal_injected`].
///
/// While it takes from the injector nobody else does; dropping it wakes another CPU for what is left there.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`spawn_one`](Self::spawn_one) from a CPU | wait-free | the CPU's own stack | no | 4 tries at each of two deques |
/// | the same from the injector | wait-free | the CPU's own stack | no | each task in it is touched twice, in all |
/// | [`spawn_n`](Self::spawn_n), [`spawn_half`](Self::spawn_half) | as above | the CPU's own stack | no | so many times that |
#[must_use = "it takes nothing until it is told to"]
pub struct Stealer<'a, M: Machine + 'static, T: Trace + 'static = (), const CPUS: usize = 64> {
    core: &'a mut Core<M, T, CPUS>,
    source: Source,
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Prepares to take tasks from `victim`, another CPU of the scheduler: those that it would run last, Normal ones first.
    ///
    /// Wait-free; the CPU's own stack.
    ///
    /// # Errors
    ///
    /// [`StealError::Empty`], also if `victim` is this CPU or none with a loop.
    pub fn try_steal(&mut self, victim: CpuId) -> Result<Stealer<'_, M, T, CPUS>, StealError> {
        let scheduler = self.scheduler;
        // Ordering: Relaxed; a thief that comes early or late finds a deque all the same.
        let is_there = victim != self.id && scheduler.online.contains(victim, Ordering::Relaxed);
        let cpu = scheduler.cpu(victim).filter(|cpu| is_there && cpu.has_to_spare());
        match cpu {
            Some(cpu) if published(cpu) > 0 => {
                Ok(Stealer { core: self, source: Source::Cpu(victim, cpu) })
            }
            _ => Err(StealError::Empty),
        }
    }

    /// Prepares to take tasks from the injector, the oldest first.
    ///
    /// Wait-free; the CPU's own stack.
    ///
    /// # Errors
    ///
    /// [`StealError::Busy`] while another CPU takes from it, [`StealError::Empty`] if nothing is there.
    pub fn try_steal_injected(&mut self) -> Result<Stealer<'_, M, T, CPUS>, StealError> {
        let scheduler = self.scheduler;
        if !scheduler.has_injected() {
            return Err(StealError::Empty);
        }
        let injector = scheduler.injector.take_owner().ok_or(StealError::Busy)?;
        Ok(Stealer { core: self, source: Source::Injector(injector) })
    }

    /// What the loop does with the newest task of `victim`: it takes it, and with [`steal_half`](crate::Settings::steal_half)
    /// some of those behind it, the oldest first, so that they keep their order.
    pub(crate) fn take_loot(&mut self, victim: CpuId, newest: Queued) {
        let mut loot = ArrayVec::<_, LOOT_TASKS>::new();
        let tier = newest.header().meta().tier;
        loot.push(newest);
        if let (true, Some(cpu)) = (self.scheduler.settings.steal_half, self.scheduler.cpu(victim))
        {
            let deque = if tier == crate::Tier::Background {
                cpu.background_deque.stealer()
            } else {
                cpu.normal_deque.stealer()
            };
            // The one in hand is of the half that goes.
            let more = (deque.len_hint() / 2).min(LOOT_TASKS - 1);
            while loot.len() <= more {
                let Steal::Taken(task) = deque.steal_within(STEAL_TRIES) else { break };
                loot.push(task);
            }
        }
        while let Some(oldest) = loot.pop() {
            self.take_stolen(victim, oldest);
        }
        self.note_high_water();
    }

    /// Moves what came out of the injector, after the first `before` that had arrived already, into the run queues.
    pub(crate) fn enqueue_injected(&mut self, before: usize) {
        let taken = self.arrived.len() - before;
        // Ordering: Relaxed; only a number.
        self.scheduler.injected.fetch_sub(taken, Ordering::Relaxed);
        self.cpu.stats.injected.add(taken as u64);
        self.enqueue_arrived();
    }

    /// The same for one task.
    fn take_injected_task(&mut self, task: Queued) {
        let before = self.arrived.len();
        self.arrived.push_back(task);
        self.enqueue_injected(before);
    }

    /// The right to the injector goes back; if tasks are left there, another CPU hears of them.
    pub(crate) fn leave_injector(&mut self, injector: Owner<'static, Header>) {
        let scheduler = self.scheduler;
        let rest = injector.has_remainder();
        // Ordering: Relaxed; ordered by the fence below, or, for the next taker, by the owner's hand-over.
        scheduler.injector_has_rest.store(rest, Ordering::Relaxed);
        drop(injector);
        scheduler.machine.interleave();
        if rest {
            scheduler.idle.publish_work();
            scheduler.wake_idle(self.id.index() + 1, 1);
        }
    }

    pub(crate) fn take_stolen(&mut self, victim: CpuId, task: Queued) {
        self.cpu.stats.steals_won.add(1);
        trace!(self.scheduler, Event::Steal { task: task.header().id(), victim });
        self.enqueue(task);
    }
}

/// What thieves can have, about now.
fn published(cpu: &Cpu) -> usize {
    cpu.normal_deque.stealer().len_hint() + cpu.background_deque.stealer().len_hint()
}

impl<M: Machine, T: Trace, const CPUS: usize> Stealer<'_, M, T, CPUS> {
    /// Takes one task into this CPU's run queues.
    ///
    /// # Errors
    ///
    /// [`StealError::Empty`] if none is left, [`StealError::Busy`] if others were quicker, several times in a row.
    pub fn spawn_one(&mut self) -> Result<(), StealError> {
        match &mut self.source {
            Source::Injector(injector) => {
                let task = oldest(injector).ok_or(StealError::Empty)?;
                self.core.take_injected_task(task);
            }
            Source::Left => return Err(StealError::Empty),
            Source::Cpu(victim, cpu) => {
                let victim = *victim;
                let task = match cpu.normal_deque.stealer().steal_within(STEAL_TRIES) {
                    Steal::Empty => cpu.background_deque.stealer().steal_within(STEAL_TRIES),
                    normal => normal,
                };
                match task {
                    Steal::Taken(task) => self.core.take_stolen(victim, task),
                    Steal::Empty => return Err(StealError::Empty),
                    Steal::Retry => return Err(StealError::Busy),
                }
            }
        }
        Ok(())
    }

    /// Takes up to `tasks` tasks, never more; tells how many. Fewer only if no more are left, or others are quicker.
    pub fn spawn_n(&mut self, tasks: usize) -> usize {
        (0..tasks).take_while(|_| self.spawn_one().is_ok()).count()
    }

    /// Takes half of what is there at the call, rounded up; tells how many.
    pub fn spawn_half(&mut self) -> usize {
        let there = match &self.source {
            // Ordering: Relaxed; a number that others change meanwhile.
            Source::Injector(_) => self.core.scheduler.injected.load(Ordering::Relaxed),
            Source::Cpu(_, cpu) => published(cpu),
            Source::Left => 0,
        };
        self.spawn_n(there.div_ceil(2))
    }
}

/// The oldest task in the injector.
fn oldest(injector: &mut Owner<'static, Header>) -> Option<Queued> {
    while !injector.is_empty() {
        // A budget may be spent on putting a long list in order; the next drain goes on there.
        if let Some(task) = injector.drain(INJECTOR_BUDGET_NODES).next() {
            return Some(task);
        }
    }
    None
}

impl<M: Machine, T: Trace, const CPUS: usize> Drop for Stealer<'_, M, T, CPUS> {
    fn drop(&mut self) {
        if let Source::Injector(injector) = core::mem::replace(&mut self.source, Source::Left) {
            self.core.leave_injector(injector);
        }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> fmt::Debug for Stealer<'_, M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let from = match &self.source {
            Source::Cpu(victim, _) => Some(victim),
            Source::Injector(_) | Source::Left => None,
        };
        f.debug_struct("Stealer").field("from", &from).finish_non_exhaustive()
    }
}
