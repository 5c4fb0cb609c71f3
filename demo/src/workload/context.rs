//! What every workload needs: the scheduler, the books, a seed.

use super::latency::{Latencies, Recorder};
use super::work::Work;
use crate::Sched;
use crate::books::{Booked, Books};
use crossbeam_queue::SegQueue;
use fastrand::Rng;
use sched::{CpuSet, Machine, Tier, yield_now};

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
