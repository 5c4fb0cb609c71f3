//! Driving the loop from a kernel's own: so many polls at a time, and what came of them.
//!
//! # Invariants
//!
//! - **K1** A tick never halts, and takes a bounded number of steps, each bounded (L2).
//! - **K2** A task that becomes runnable on a CPU is counted there once: as woken internally, by a task or an interrupt handler of
//!   this CPU, or externally, by anybody else. On its way through an inbox its stamp says which; a task that runs again at
//!   once was woken internally.

use crate::core_loop::Core;
use crate::sync::Ordering;
use crate::trace::Trace;
use crate::{Machine, Step};

/// What a tick did; see [`Core::tick_n`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "it says whether there is more to do"]
#[non_exhaustive]
pub struct Tick {
    /// Polls.
    pub polled: usize,
    /// Tasks that finished.
    pub completed: usize,
    /// Tasks that were made on this CPU.
    pub spawned: usize,
    /// Tasks that others than this CPU made runnable, and that arrived here; what was taken from the injector counts too.
    pub woken_external: usize,
    /// Tasks that tasks or interrupt handlers of this CPU made runnable here.
    pub woken_internal: usize,
    /// There is something to do at once.
    pub has_remaining: bool,
}

impl Tick {
    /// Tasks that became runnable here.
    pub fn woken(&self) -> usize {
        self.woken_external + self.woken_internal
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Polls of one [`tick`](Self::tick).
    pub const TICK_POLLS: usize = 256;

    /// As [`tick_n`](Self::tick_n), with [`TICK_POLLS`](Self::TICK_POLLS).
    pub fn tick(&mut self) -> Tick {
        self.tick_n(Self::TICK_POLLS)
    }

    /// Takes steps until there is nothing to do, or `polls` tasks were polled; never halts.
    ///
    /// For a kernel that keeps a run loop of its own. Where nothing remains, that loop may go about its other business and come
    /// back; **to halt it calls [`step`](Self::step)**, which does so without losing a wake: after a tick nobody has been
    /// told that this CPU wants to be kicked. On a CPU that is paused a tick does nothing but say so to others.
    ///
    /// Progress and context as [`step`](Self::step). Worst case: twice `polls` steps and two.
    pub fn tick_n(&mut self, polls: usize) -> Tick {
        let stats = &self.cpu.stats;
        let count =
            || [&stats.polls, &stats.completed, &stats.spawned].map(|counter| counter.get());
        let before = count();
        (self.woken_external, self.woken_internal) = (0, 0);
        let mut steps_left = polls.saturating_mul(2).saturating_add(2);
        let mut ran = 0;
        while ran < polls && steps_left > 0 {
            steps_left -= 1;
            match self.advance() {
                Some(Step::Ran) => ran += 1,
                Some(Step::Paused | Step::Offline) => break,
                // What fires last in a step arrives in the next one.
                None if !self.has_remaining() => break,
                _ => {}
            }
        }
        let after = count();
        let [polled, completed, spawned] =
            [0, 1, 2].map(|which: usize| after[which].wrapping_sub(before[which]) as usize);
        Tick {
            polled,
            completed,
            spawned,
            woken_external: self.woken_external,
            woken_internal: self.woken_internal,
            has_remaining: self.has_remaining(),
        }
    }

    fn has_remaining(&self) -> bool {
        #[cfg(feature = "threads")]
        if self.cpu.threads.has_work() {
            return true;
        }
        self.queued() > 0
            || self.scheduler.has_injected()
            || !self.critical_inbox.is_empty()
            || !self.normal_inbox.is_empty()
            // Ordering: Relaxed, written on this CPU only.
            || self.cpu.timers_due.load(Ordering::Relaxed)
    }
}
