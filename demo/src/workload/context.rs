//! What every workload needs: the scheduler, the books, a seed.

use super::fairness::Share;
use super::latency::{Latencies, Recorder};
use super::work::{CHUNK_NS, Work};
use crate::Sched;
use crate::books::{Booked, Books};
use crossbeam_queue::SegQueue;
use fastrand::Rng;
use sched::thread::{Policy, Stack};
use sched::{CpuSet, Machine, Tier, yield_now};

/// Bytes of a thread's stack: what its code, the books and a panic's message need.
const STACK_BYTES: usize = 256 << 10;

/// The surroundings of one run. Lives for ever, as the scheduler does.
#[derive(Debug)]
pub struct Context {
    /// Where the tasks run.
    pub scheduler: &'static Sched,
    /// The CPUs are `0..cpus`.
    pub cpus: u32,
    /// Where the wakes of the tasks are counted.
    pub books: &'static Books,
    /// Where measured latencies go.
    pub latencies: Latencies,
    /// How to burn a given time.
    pub work: Work,
    /// All random choices follow from it.
    pub seed: u64,
    /// What greedy threads had of their CPUs.
    pub shares: SegQueue<Share>,
    /// What a workload found wrong with what it observed.
    pub faults: SegQueue<String>,
}

/// A task to be spawned.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Of the kind of task.
    pub name: &'static str,
    /// Which one of the kind.
    pub index: u32,
    /// How urgent.
    pub tier: Tier,
    /// Where it may run; `None`: anywhere.
    pub cpus: Option<CpuSet>,
}

impl Spec {
    /// A Normal task for any CPU.
    #[must_use]
    pub fn new(name: &'static str, index: u32) -> Self {
        Self { name, index, tier: Tier::Normal, cpus: None }
    }

    /// With another tier.
    #[must_use]
    pub fn tier(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// For these CPUs only.
    #[must_use]
    pub fn on(self, cpus: CpuSet) -> Self {
        Self { cpus: Some(cpus), ..self }
    }
}

impl Context {
    /// Spawns a task whose wakes are in the books.
    pub fn spawn(&self, spec: Spec, future: impl Future<Output = ()> + Send + 'static) -> Booked {
        let record = self.books.open(spec.name, spec.index, spec.cpus);
        let mut task = self.scheduler.task(spec.name).tier(spec.tier);
        if let Some(cpus) = spec.cpus {
            match self.scheduler.task(spec.name).tier(spec.tier).affinity(cpus) {
                Ok(pinned) => task = pinned,
                Err(error) => self.faults.push(format!("{}: {error}", spec.name)),
            }
        }
        let handle = task.spawn(self.books.book(record.clone(), future));
        Booked::new(record, handle)
    }

    /// Spawns a thread that waits for `future`: its wakes are in the books. `None`, and a fault, if that cannot be.
    pub fn spawn_thread(
        &'static self,
        spec: Spec,
        policy: Policy,
        future: impl Future<Output = ()> + Send + 'static,
    ) -> Option<Booked> {
        let record = self.books.open(spec.name, spec.index, spec.cpus);
        let mut thread = self.scheduler.thread(spec.name).policy(policy);
        if let Some(cpus) = spec.cpus {
            match self.scheduler.thread(spec.name).policy(policy).affinity(cpus) {
                Ok(pinned) => thread = pinned,
                Err(error) => self.faults.push(format!("{}: {error}", spec.name)),
            }
        }
        let booked = self.books.book(record.clone(), future);
        let run = move || {
            if self.scheduler.wait(booked).is_err() {
                self.faults.push(format!("{}: it cannot wait", spec.name));
            }
        };
        let Some(stack) = Stack::new(STACK_BYTES) else {
            self.faults.push(format!("{}: no memory for a stack", spec.name));
            return None;
        };
        match thread.spawn(stack, run) {
            Ok(handle) => Some(Booked::new(record, handle)),
            Err(error) => {
                self.faults.push(format!("{}: {error}", spec.name));
                None
            }
        }
    }

    /// Does in a thread what takes `duration_ns` undisturbed, and gives way in between where the scheduler wants it.
    pub fn work_in_thread(&self, duration_ns: u64) {
        let mut left_ns = duration_ns;
        while left_ns > 0 && self.books.is_open() {
            let chunk_ns = left_ns.min(CHUNK_NS);
            self.work.spin(chunk_ns);
            left_ns -= chunk_ns;
            self.scheduler.resched_point();
        }
    }

    /// Lets others run, if it is time to: to be awaited every some 20 µs by whatever runs long. The machine's
    /// interrupts are delivered here, as they would come by themselves to code that runs on hardware.
    pub async fn breathe(&self) {
        self.scheduler.machine().checkpoint();
        if self.scheduler.should_yield() || !self.books.is_open() {
            yield_now().await;
        }
    }

    /// Nanoseconds on the scheduler's clock.
    pub fn now_ns(&self) -> u64 {
        self.scheduler.machine().now_ns()
    }

    /// A generator for the `index`-th task of a kind.
    #[must_use]
    pub fn rng(&self, kind: u32, index: u32) -> Rng {
        // The generator mixes its seed, so that neighbours will do.
        let stream = u64::from(kind) << 32 | u64::from(index);
        Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream)
    }

    /// A recorder of latencies.
    pub fn recorder(&'static self, workload: &'static str, what: &'static str) -> Recorder {
        self.latencies.recorder(workload, what)
    }
}
