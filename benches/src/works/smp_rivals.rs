//! Executors on two CPUs, behind one trait. Each is started once and stays: its threads sleep while others are measured.

use crate::machine::{TwoCpuScheduler, TwoCpus};
use crate::pair;
use sched::{CpuId, CpuSet};
use std::future::{Future, pending};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CPUS: usize = 2;

pub(super) trait Smp: 'static {
    const NAME: &'static str;

    /// For whichever CPU is free.
    fn spawn<R: Send + 'static>(
        future: impl Future<Output = R> + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static;
    /// For one of the two, where the executor can be told.
    fn spawn_on(cpu: usize, future: impl Future<Output = ()> + Send + 'static);
}

/// Runs `body` on a thread that is pinned to one of the two CPUs.
fn on_cpu<R: Send + 'static>(
    cpu: usize,
    body: impl FnOnce() -> R + Send + 'static,
) -> thread::JoinHandle<R> {
    thread::spawn(move || {
        pair::pin(cpu);
        body()
    })
}

/// A CPU that has nothing to do sleeps, unless it looks this often before.
pub(super) struct Ours<const SPIN_STEPS: u32>;

/// Much longer than the other CPU takes to answer, and much shorter than a sample.
pub(super) type OursSpinning = Ours<300>;
pub(super) type OursSleeping = Ours<0>;

impl<const SPIN_STEPS: u32> Ours<SPIN_STEPS> {
    fn scheduler() -> &'static TwoCpuScheduler {
        static SLEEPING: OnceLock<&'static TwoCpuScheduler> = OnceLock::new();
        static SPINNING: OnceLock<&'static TwoCpuScheduler> = OnceLock::new();
        let scheduler = if SPIN_STEPS == 0 { &SLEEPING } else { &SPINNING };
        scheduler.get_or_init(|| TwoCpus::start(SPIN_STEPS))
    }
}

impl<const SPIN_STEPS: u32> Smp for Ours<SPIN_STEPS> {
    const NAME: &'static str = if SPIN_STEPS == 0 { crate::work::OURS } else { "ours, spinning" };

    fn spawn<R: Send + 'static>(
        future: impl Future<Output = R> + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        let handle = Self::scheduler().spawn(future);
        async { handle.await.expect("nobody cancels it") }
    }

    fn spawn_on(cpu: usize, future: impl Future<Output = ()> + Send + 'static) {
        let only = CpuSet::EMPTY.with(CpuId::new(cpu as u32));
        drop(Self::scheduler().task("").affinity(only).expect("it is one of two").spawn(future));
    }
}

/// tokio's runtime of two workers.
pub(super) struct Tokio;

impl Tokio {
    fn runtime() -> &'static tokio::runtime::Runtime {
        static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
        static STARTED: AtomicUsize = AtomicUsize::new(0);
        RUNTIME.get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(CPUS)
                .on_thread_start(|| pair::pin(STARTED.fetch_add(1, Ordering::Relaxed) % CPUS))
                .build()
                .expect("a runtime")
        })
    }
}

impl Smp for Tokio {
    const NAME: &'static str = "tokio";

    fn spawn<R: Send + 'static>(
        future: impl Future<Output = R> + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        let handle = Self::runtime().spawn(future);
        async { handle.await.expect("nobody cancels it") }
    }

    fn spawn_on(_: usize, future: impl Future<Output = ()> + Send + 'static) {
        drop(Self::runtime().spawn(future));
    }
}

/// tokio's runtime of one thread, twice.
pub(super) struct TwoTokios;

impl Smp for TwoTokios {
    const NAME: &'static str = "two tokios";

    fn spawn<R: Send + 'static>(
        future: impl Future<Output = R> + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        Tokio::spawn(future)
    }

    fn spawn_on(cpu: usize, future: impl Future<Output = ()> + Send + 'static) {
        static RUNTIMES: OnceLock<[tokio::runtime::Handle; CPUS]> = OnceLock::new();
        let runtimes = RUNTIMES.get_or_init(|| {
            [0, 1].map(|cpu| {
                let runtime =
                    tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
                let handle = runtime.handle().clone();
                drop(on_cpu(cpu, move || runtime.block_on(pending::<()>())));
                handle
            })
        });
        drop(runtimes[cpu].spawn(future));
    }
}

/// async-executor: one for both CPUs, and one for each.
pub(super) struct Smol;

type SmolExecutor = async_executor::Executor<'static>;

impl Smp for Smol {
    const NAME: &'static str = "async-executor";

    fn spawn<R: Send + 'static>(
        future: impl Future<Output = R> + Send + 'static,
    ) -> impl Future<Output = R> + Send + 'static {
        static EXECUTOR: OnceLock<&'static SmolExecutor> = OnceLock::new();
        let executor = EXECUTOR.get_or_init(|| {
            let executor: &'static SmolExecutor = Box::leak(Box::default());
            for cpu in 0..CPUS {
                drop(on_cpu(cpu, || futures_lite::future::block_on(executor.run(pending::<()>()))));
            }
            executor
        });
        executor.spawn(future)
    }

    fn spawn_on(cpu: usize, future: impl Future<Output = ()> + Send + 'static) {
        static EXECUTORS: OnceLock<[&'static SmolExecutor; CPUS]> = OnceLock::new();
        let executors = EXECUTORS.get_or_init(|| {
            [0, 1].map(|cpu| {
                let executor: &'static SmolExecutor = Box::leak(Box::default());
                drop(on_cpu(cpu, || futures_lite::future::block_on(executor.run(pending::<()>()))));
                executor
            })
        });
        executors[cpu].spawn(future).detach();
    }
}

/// rayon's pool of two threads, which has no tasks, but joins.
pub(super) fn rayon() -> &'static rayon::ThreadPool {
    static POOL: OnceLock<rayon::ThreadPool> = OnceLock::new();
    POOL.get_or_init(|| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(CPUS)
            .start_handler(pair::pin)
            .build()
            .expect("a pool")
    })
}
