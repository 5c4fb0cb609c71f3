//! The life of a run: CPUs up, tasks out, time passes, books closed, CPUs down.

use crate::Sched;
use crate::books::{Auditor, Books, Stall, Verdict, Watchdog, close_books};
use crate::hosted::{CpuThread, Hosted};
use crate::report::{Progress, note};
use crate::rtapp;
use crate::timeline::{self, Moments, Timeline};
use crate::workload::work::Work;
use crate::workload::{self, Context, Latencies, Latency, Name, Share};
use crossbeam_queue::SegQueue;
use sched::{CpuId, CpuStats, Scheduler, Settings};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// How long a CPU may take to come up, and to go.
const PATIENCE: Duration = Duration::from_secs(10);
/// Time between two looks of the main thread.
const INTERVAL: Duration = Duration::from_millis(20);

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Number of CPUs.
    pub cpus: u32,
    /// For how long.
    pub duration: Duration,
    /// What.
    pub name: Name,
    /// rt-app's part of it.
    pub workload: rtapp::Workload,
    /// All random choices follow from it.
    pub seed: u64,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Time from the first task to the freeze.
    pub ran: Duration,
    /// The counters of each CPU.
    pub cpus: Vec<CpuStats>,
    /// Time in which they were counted.
    pub counted: Duration,
    /// By kind.
    pub latencies: Vec<Latency>,
    /// What greedy threads had of their CPUs.
    pub shares: Vec<Share>,
    /// The books.
    pub verdict: Verdict,
    /// Its last eventful moments.
    pub timeline: Timeline,
    /// It was interrupted.
    pub interrupted: bool,
}

/// Runs `plan`, until its time is up, all its tasks are over, or `interrupted` is set.
///
/// # Errors
///
/// When the operating system has no more threads, or a CPU does not come up.
pub fn run(plan: Plan, interrupted: &AtomicBool) -> io::Result<Outcome> {
    let work = Work::calibrated();
    let machine = Hosted::new(plan.cpus as usize, plan.seed);
    let scheduler: &'static Sched =
        Box::leak(Box::new(Scheduler::new(machine, timeline::rings(plan.cpus), Settings::DEFAULT)));
    scheduler.machine().set_handlers(scheduler);
    let context: &'static Context = Box::leak(Box::new(Context {
        scheduler,
        cpus: plan.cpus,
        books: Box::leak(Box::new(Books::new())),
        latencies: Latencies::default(),
        work,
        seed: plan.seed,
        shares: SegQueue::new(),
        faults: SegQueue::new(),
    }));

    let up = Instant::now();
    let threads = start_cpus(scheduler, plan.cpus)?;
    let watchdog = Watchdog::start(scheduler, plan.cpus, context.books, bark)?;

    let start = Instant::now();
    let roots = workload::launch(context, plan.name, plan.workload);
    let mut moments = Moments::new(scheduler.trace());
    let mut progress = Progress::new(scheduler, plan.cpus, plan.duration);
    // Ordering: Relaxed; a request, which carries nothing else.
    while start.elapsed() < plan.duration && !interrupted.load(Ordering::Relaxed) {
        let totals = scheduler.totals();
        if totals.spawned == totals.completed + totals.cancelled + totals.unreachable {
            break;
        }
        progress.show(&totals);
        moments.look(totals.steals_won);
        std::thread::sleep(INTERVAL.min(plan.duration.saturating_sub(start.elapsed())));
    }
    let ran = start.elapsed();
    // Before the books are closed, which nobody wants to look at.
    let timeline = moments.end();
    progress.end(&scheduler.totals());

    let audited = watchdog.stop();
    let watched = audited.is_some();
    let auditor = audited.unwrap_or_else(|| Auditor::new(context.books));
    let mut verdict = close_books(scheduler, plan.cpus, context.books, auditor, &roots, bark);
    if !watched {
        verdict.fault("the watchdog panicked");
    }
    drop(roots);
    for fault in stop_cpus(scheduler, threads) {
        verdict.fault(fault);
    }
    while let Some(fault) = context.faults.pop() {
        verdict.fault(fault);
    }
    let stats = |cpu| scheduler.cpu_stats(CpuId::new(cpu)).unwrap_or_default();
    Ok(Outcome {
        ran,
        cpus: (0..plan.cpus).map(stats).collect(),
        counted: up.elapsed(),
        latencies: context.latencies.take(),
        shares: std::iter::from_fn(|| context.shares.pop()).collect(),
        verdict,
        timeline,
        // Ordering: Relaxed; see above.
        interrupted: interrupted.load(Ordering::Relaxed),
    })
}

/// What the watchdog says.
fn bark(stall: &Stall) {
    note(&format!("watchdog: {stall}"));
}

/// Starts all CPUs, and waits until they are up: so that no task finds its CPU missing.
fn start_cpus(scheduler: &'static Sched, cpus: u32) -> io::Result<Vec<CpuThread>> {
    let threads: Vec<CpuThread> =
        (0..cpus).map(|cpu| CpuThread::start(scheduler, cpu)).collect::<io::Result<_>>()?;
    let start = Instant::now();
    while scheduler.online().count() < threads.len() {
        if start.elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "not every CPU came up"));
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    Ok(threads)
}

/// Stops all CPUs; what went wrong with it.
fn stop_cpus(scheduler: &'static Sched, threads: Vec<CpuThread>) -> Vec<String> {
    scheduler.stop();
    let start = Instant::now();
    while scheduler.online().next().is_some() {
        if start.elapsed() > PATIENCE {
            // Not joined: that would be for ever.
            return scheduler.online().map(|cpu| format!("{cpu} does not stop")).collect();
        }
        std::thread::sleep(Duration::from_micros(100));
    }
    let joined = threads.into_iter().map(CpuThread::join);
    (0..)
        .zip(joined)
        .filter(|(_, ok)| !ok)
        .map(|(cpu, _): (u32, _)| format!("cpu{cpu} panicked"))
        .collect()
}
