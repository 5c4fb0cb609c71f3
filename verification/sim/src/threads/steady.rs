//! Fair threads that only compute: what they get is what EEVDF promises (V19).
//!
//! Theorem 1 of TR-95-22: −r < lag < max(r, q), with r the longest request of the client, and q the longest time for which
//! nobody is chosen anew: a tick, and what it is late by, the timer, the handler, the way through the loop, and rounding. There
//! requests are multiples of q; here one ends with the tick after it, so that it may be longer by one of them.

use super::{Held, Shared};
use crate::machine::Virtual;
use crate::violation::Kind;
use crate::{Simulated, Threaded, Workload};
use sched::class::Nice;
use sched::class::fair::FairMember;
use sched::thread::{Policy, Stack};
use sched::{CpuId, CpuSet, Settings};
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Between two ticks.
const TICK_NS: u64 = 50_000;
/// By what one is late on the plain machine, at most.
const LATE_NS: u64 = 5_000;

/// Nothing that breaks the theorem by design.
pub(crate) fn steady_settings() -> Settings {
    let mut settings = Settings::DEFAULT;
    settings.slice_ns = TICK_NS;
    settings.threads.fair.run_to_parity = false;
    settings
}

pub(crate) fn steady_bounds(member: &FairMember) -> Result<(), String> {
    let most_ns = member.slice_ns.saturating_add(TICK_NS + LATE_NS);
    if member.lag_ns.unsigned_abs() <= most_ns {
        return Ok(());
    }
    Err(format!("a lag of {} ns, not within {most_ns}: {:?}", member.lag_ns, member.task))
}

/// A thread's share.
struct Client {
    cpu: u32,
    nice: Nice,
    slice_ns: u64,
}

/// The load.
pub(crate) struct Steady<const CPUS: usize> {
    subject: &'static Threaded<CPUS>,
    shared: Rc<Shared>,
    clients: Vec<Client>,
}

impl<const CPUS: usize> Steady<CPUS> {
    pub(crate) fn new(machine: Virtual, subject: &'static Threaded<CPUS>) -> Self {
        let cpus = u64::from(machine.cpus());
        let clients = machine.draw(|rng| {
            let clients = cpus * rng.between(2, 6);
            let client = |number| Client {
                cpu: (number % cpus) as u32,
                nice: Nice::new(rng.below(40) as i8 - 20),
                slice_ns: [100_000, 200_000, 300_000, 600_000, 2_000_000][rng.below(5) as usize],
            };
            (0..clients).map(client).collect()
        });
        let shared = Rc::new(Shared { machine, slots: Vec::new(), alive: Cell::new(0) });
        Self { subject, shared, clients }
    }
}

impl<const CPUS: usize> Workload for Steady<CPUS> {
    fn outside(&self, machine: Virtual) {
        for client in &self.clients {
            let policy = Policy::Fair { nice: client.nice, slice_ns: client.slice_ns };
            let cpus = CpuSet::EMPTY.with(CpuId::new(client.cpu));
            let (scheduler, held) = (self.subject.scheduler(), Held::new(&self.shared));
            let builder = scheduler.thread("client").policy(policy);
            let builder = builder.affinity(cpus).expect("a CPU that there is");
            machine.note_thread(policy, Some(cpus));
            let stack = Stack::new(crate::threaded::STACK_BYTES).expect("memory for a stack");
            drop(builder.spawn(stack, move || compute(scheduler, held)).expect("it is large"));
        }
        while !machine.is_closing() {
            machine.rest_ns(100_000);
        }
    }

    fn settle(&self) -> Result<(), String> {
        match self.shared.alive.get() {
            0 => Ok(()),
            alive => Err(format!("{alive} closures were not dropped")),
        }
    }
}

fn compute<const CPUS: usize>(scheduler: &'static Simulated<CPUS>, held: Held) {
    let machine = held.0.machine;
    let computed = catch_unwind(AssertUnwindSafe(|| {
        while !machine.is_closing() {
            machine.compute_ns(machine.draw(|rng| 1 + rng.magnitude(20)));
            scheduler.resched_point();
        }
    }));
    if let Err(panic) = computed {
        machine.fail(Kind::Panic, crate::simulation::words(&*panic));
    }
}
