//! Threads of several nicenesses that never have enough of the CPU, beside a task that is as greedy: on each CPU they count
//! their own work, and the shares are compared with the weights.

use super::{Context, Spec};
use crate::books::Booked;
use sched::class::Nice;
use sched::thread::Policy;
use sched::{CpuId, CpuSet};
use serde::Serialize;

/// The nicenesses of the threads of a CPU.
const NICES: [i8; 3] = [-5, 0, 5];

/// What one of them did.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// Where.
    pub cpu: u32,
    /// Which.
    pub name: &'static str,
    /// Its weight: 1024 is nice 0.
    pub weight: u32,
    /// Pieces of work that it counted.
    pub work: u64,
    /// Nanoseconds that it had the CPU, by the scheduler's count; 0 for futures, which have none of their own.
    pub run_ns: u64,
}

pub(super) fn launch(context: &'static Context) -> Vec<Booked> {
    let mut roots = Vec::new();
    for cpu in 0..context.cpus {
        let here = CpuSet::EMPTY.with(CpuId::new(cpu));
        for (index, nice) in NICES.into_iter().enumerate() {
            let name = ["nice -5", "nice 0", "nice 5"][index];
            let spec = Spec::new(name, cpu).on(here);
            let nice = Nice::new(nice);
            let work = work(context, cpu, name, nice.weight());
            roots.extend(context.spawn_thread(spec, Policy::fair(nice), work));
        }
        // All futures of a CPU have the weight of one thread of nice 0.
        let futures = futures(context, cpu, Nice::DEFAULT.weight());
        roots.push(context.spawn(Spec::new("futures", cpu).on(here), futures));
    }
    roots
}

/// Tells what was done when the run is over.
struct Count {
    context: &'static Context,
    share: Share,
}

impl Drop for Count {
    fn drop(&mut self) {
        if let Some(thread) = self.context.scheduler.current_thread() {
            self.share.run_ns = thread.stats().run_ns;
        }
        self.context.shares.push(self.share.clone());
    }
}

/// Work between two chances to give way.
const PIECE_NS: u64 = 20_000;

async fn work(context: &'static Context, cpu: u32, name: &'static str, weight: u32) {
    let mut count = Count { context, share: Share { cpu, name, weight, work: 0, run_ns: 0 } };
    loop {
        while context.books.is_open() {
            context.work_in_thread(PIECE_NS);
            count.share.work += 1;
        }
        sched::yield_now().await;
    }
}

async fn futures(context: &'static Context, cpu: u32, weight: u32) {
    let mut count =
        Count { context, share: Share { cpu, name: "futures", weight, work: 0, run_ns: 0 } };
    loop {
        context.work.run(context, PIECE_NS).await;
        count.share.work += 1;
    }
}
