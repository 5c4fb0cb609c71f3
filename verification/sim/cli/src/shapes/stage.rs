//! What all tasks of a load share, and the thread outside that begins and ends it.

use super::load::{self, Load};
use sched::{CpuId, CpuSet, JoinHandle, Machine, yield_now};
use sched_sim::{Simulated, Virtual, Workload};
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

/// Counts rings, and lets one task wait for one.
#[derive(Default)]
pub(crate) struct Gate {
    rings: AtomicU64,
    waiter: Mutex<Option<Waker>>,
}

impl Gate {
    pub(crate) fn ring(&self) {
        self.rings.fetch_add(1, SeqCst);
        let waiter = self.waiter.lock().expect("no panic").take();
        if let Some(waker) = waiter {
            waker.wake();
        }
    }

    /// Waits for a ring, or the end.
    pub(crate) fn wait(&self, machine: Virtual) -> impl Future<Output = ()> + Send {
        poll_fn(move |context| {
            let before = self.waiter.lock().expect("no panic").replace(context.waker().clone());
            drop(before);
            let rung =
                self.rings.fetch_update(SeqCst, SeqCst, |rings| rings.checked_sub(1)).is_ok();
            if !rung && !machine.is_closing() {
                return Poll::Pending;
            }
            let mine = self.waiter.lock().expect("no panic").take();
            drop(mine);
            Poll::Ready(())
        })
    }
}

/// A load on its scheduler.
pub(crate) struct Stage<const CPUS: usize> {
    pub(crate) machine: Virtual,
    pub(crate) scheduler: &'static Simulated<CPUS>,
    load: Load,
    gates: Arc<Mutex<Vec<Arc<Gate>>>>,
    /// Tasks that only a cancel ends.
    endless: Mutex<Vec<JoinHandle<()>>>,
}

impl<const CPUS: usize> Stage<CPUS> {
    pub(crate) fn new(machine: Virtual, scheduler: &'static Simulated<CPUS>, load: &Load) -> Self {
        Self {
            machine,
            scheduler,
            load: load.clone(),
            gates: Arc::default(),
            endless: Mutex::default(),
        }
    }

    pub(crate) fn load(&self) -> &Load {
        &self.load
    }

    /// A gate that is rung when the end begins.
    pub(crate) fn gate(&self) -> Arc<Gate> {
        let gate = Arc::new(Gate::default());
        self.gates.lock().expect("no panic").push(gate.clone());
        gate
    }

    pub(crate) fn spawn(
        &self,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        drop(self.scheduler.task(name).spawn(self.machine.tracked(future)));
    }

    /// Spawns a task that the end cancels, where it waits for something else than a gate.
    pub(crate) fn spawn_endless(
        &self,
        name: &'static str,
        tier: sched::Tier,
        cpus: Option<CpuSet>,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.scheduler.task(name).tier(tier);
        let task = match cpus.and_then(|cpus| {
            Some((cpus, self.scheduler.task(name).tier(tier).affinity(cpus).ok()?))
        }) {
            Some((cpus, pinned)) => {
                self.machine.note_affinity(cpus);
                pinned
            }
            None => task,
        };
        let handle = task.spawn(self.machine.tracked(future));
        self.endless.lock().expect("no panic").push(handle);
    }

    /// Spawns a task for one CPU; none if the scheduler is as large as the set.
    pub(crate) fn spawn_on(
        &self,
        cpu: u32,
        name: &'static str,
        future: impl Future<Output = ()> + Send + 'static,
    ) {
        let only = CpuSet::EMPTY.with(CpuId::new(cpu));
        let task = self.scheduler.task(name).affinity(only).expect("a CPU that there is");
        self.machine.note_affinity(only);
        drop(task.spawn(self.machine.tracked(future)));
    }
}

impl<const CPUS: usize> Workload for Stage<CPUS> {
    fn outside(&self, machine: Virtual) {
        load::begin(self);
        while !machine.is_closing() {
            machine.rest_ns(100_000);
        }
        let endless = std::mem::take(&mut *self.endless.lock().expect("no panic"));
        for task in endless {
            task.cancel();
        }
        let gates = std::mem::take(&mut *self.gates.lock().expect("no panic"));
        for gate in gates {
            gate.ring();
        }
    }
}

/// Computes on the CPU, and yields when asked to.
pub(crate) async fn compute<const CPUS: usize>(
    machine: Virtual,
    scheduler: &'static Simulated<CPUS>,
    duration_ns: u64,
) {
    let mut left_ns = duration_ns;
    while left_ns > 0 {
        left_ns = machine.compute_ns(left_ns);
        if scheduler.should_yield() {
            yield_now().await;
        }
    }
}

/// Sleeps until the clock of the CPU says so.
pub(crate) async fn sleep_until<const CPUS: usize>(
    machine: Virtual,
    scheduler: &'static Simulated<CPUS>,
    clock_ns: u64,
) {
    machine.note_sleep(clock_ns.saturating_sub(scheduler.machine().now_ns()));
    scheduler.sleep_until(clock_ns).await;
    machine.note_awake(false);
}
