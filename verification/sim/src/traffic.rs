//! The load of campaigns: tasks of all tiers that compute, yield, sleep, write to each other, fork and join, in a mixture that
//! the seed draws; letters, spawns, cancels and pauses from outside and from interrupts.
//!
//! # Invariants
//!
//! - **TF1** A fixed number of slots have one task at a time that reads the slot's letters, and another one after it until the
//!   end begins. A letter is a number and a wake (V9 looks at each wake).
//! - **TF2** When the end begins every waiting task is woken once, and ends: whoever waits looks at
//!   [`is_closing`](Virtual::is_closing) after it has told its waker.

mod outside;
mod tasks;

use crate::Workload;
use crate::machine::Virtual;
use sched::trace::Trace;
use sched::{CpuId, JoinHandle, Machine, Scheduler};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::task::Waker;

/// A place for one task after the other.
#[derive(Default)]
struct Slot {
    sent: Cell<u64>,
    seen: Cell<u64>,
    /// Who reads, and how to wake it.
    reader: RefCell<Option<(u64, Waker)>>,
    task: RefCell<Option<JoinHandle<()>>>,
}

/// What all tasks share.
struct Shared {
    machine: Virtual,
    slots: Vec<Slot>,
    /// Futures that are alive.
    alive: Cell<usize>,
    /// Weights of what tasks do, as bounds of a number below 256.
    bounds: [u64; 8],
    /// Tasks that one storm spawns.
    storm: u64,
    /// Whether CPUs are given up with the tasks that only they may run.
    widens: bool,
}

/// What a task holds: a share, counted while its future lives.
struct Held(Rc<Shared>);

// SAFETY: the scheduler wants `Send` futures, because its CPUs may be threads; here all of them are one thread.
unsafe impl Send for Held {}
// SAFETY: as above.
unsafe impl Sync for Held {}

impl Held {
    fn new(shared: &Rc<Shared>) -> Self {
        shared.alive.set(shared.alive.get() + 1);
        Self(shared.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

/// The load, on a scheduler.
pub struct Traffic<M: Machine + 'static, T: Trace + 'static, const CPUS: usize> {
    scheduler: &'static Scheduler<M, T, CPUS>,
    shared: Rc<Shared>,
}

impl<M: Machine, T: Trace, const CPUS: usize> Traffic<M, T, CPUS> {
    /// Load for `scheduler`, which runs on `machine`: two slots, and up to four for each CPU.
    #[must_use]
    pub fn new(machine: Virtual, scheduler: &'static Scheduler<M, T, CPUS>) -> Self {
        let cpus = u64::from(machine.cpus());
        let (slots, bounds, storm, widens) = machine.draw(|rng| {
            let slots = 2 + rng.below(cpus * 4);
            let mut sum = 0;
            let mut bounds = [0; 8].map(|_: u64| {
                sum += rng.below(16) * rng.below(16);
                sum
            });
            bounds.iter_mut().for_each(|bound| *bound = *bound * 256 / sum.max(1));
            (slots, bounds, rng.between(20, 300), rng.one_in(2))
        });
        let slots = (0..slots).map(|_| Slot::default()).collect();
        let shared = Shared { machine, slots, alive: Cell::new(0), bounds, storm, widens };
        Self { scheduler, shared: Rc::new(shared) }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Workload for Traffic<M, T, CPUS> {
    fn outside(&self, machine: Virtual) {
        self.act(machine);
        self.end();
    }

    fn interrupt(&self, machine: Virtual, _: CpuId) {
        let letters = machine.draw(|rng| 1 + rng.below(2));
        for _ in 0..letters {
            self.shared.send_to_any();
        }
    }

    fn settle(&self) -> Result<(), String> {
        match self.shared.alive.get() {
            0 => Ok(()),
            alive => Err(format!("{alive} futures were not dropped")),
        }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> fmt::Debug for Traffic<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traffic").field("slots", &self.shared.slots.len()).finish_non_exhaustive()
    }
}
