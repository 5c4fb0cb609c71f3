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
    /// Tasks that had their turn: each was polled once, or, if it was cancelled, its future was dropped.
    pub polled: usize,
    /// Tasks whose future finished; cancelled ones are not among them.
    pub completed: usize,
    /// Tasks that were made on this CPU.
    pub spawned: usize,
    /// Tasks that another CPU, or a thread that is none, made runnable here, by a wake or a spawn; and all that came from the
    /// injector, whoever put it there. Counted when they come into a run queue. What was stolen was counted where it was woken.
    pub woken_external: usize,
    /// Tasks that were made runnable here by what runs on this CPU, by a wake or a spawn: a task, an interrupt handler, the
    /// kernel between ticks. Counted when they come into a run queue; a task that goes on at once, as after a yield, counts each
    /// time.
    pub woken_internal: usize,
    /// There is something to do at once. Not on a CPU that is paused, whatever waits there: it goes on when it is resumed.
    pub has_remaining: bool,
}

impl Tick {
    /// Times that tasks became runnable here.
    pub fn woken(&self) -> usize {
        self.woken_external.wrapping_add(self.woken_internal)
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
    /// told that this CPU wants to be kicked. On a CPU that is paused a tick does nothing but say so to others, and that nothing
    /// remains; a step then halts until it is resumed.
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
                None if !self.has_remaining() => {
                    // The kernel goes about its other business, and does not look again.
                    self.pass_on();
                    break;
                }
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
            has_remaining: !self.is_paused && self.has_remaining(),
        }
    }

    fn has_remaining(&self) -> bool {
        #[cfg(feature = "threads")]
        if self.cpu.threads.has_work() {
            return true;
        }
        self.queued() > 0
            || self.scheduler.has_injected()
            || !self.has_drained_all()
            // Ordering: Relaxed, written on this CPU only.
            || self.cpu.timers_due.load(Ordering::Relaxed)
    }
}
