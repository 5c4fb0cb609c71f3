//! Everything at once, at random, for as long as is wanted: threads that spin, yield, sleep, wait, change their policy and their
//! CPUs, and make other threads and futures. None is stuck, and in the end the books balance.

use super::hog::{STACK_BYTES, spawn, spin_ns};
use super::runner::{Fault, Found, cpus, ensure, now_ns};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use sched::class::Nice;
use sched::thread::{Policy, Stack};
use sched::{CpuId, CpuSet, Machine as _, Tier};

/// Threads for each CPU.
const WORKERS: usize = 4;

/// How long one is not seen to do anything, at the most.
const STUCK_NS: u64 = 20_000_000_000;

/// How often is looked.
const LOOK_MS: u64 = 100;

/// Seconds, where nothing else is said.
const SECONDS: u64 = 2;
const LONG_SECONDS: u64 = 600;

/// A number that looks like chance: xorshift64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % limit
    }
}

/// How long what is left at the end may take.
const PATIENCE_NS: u64 = 10_000_000_000;

struct Shared {
    over: AtomicBool,
    cpus: u64,
    /// What each has done.
    acts: Vec<AtomicU64>,
}

pub(super) async fn run(options: Options) -> Found {
    let seconds = match options.seconds {
        0 if options.long => LONG_SECONDS,
        0 => SECONDS,
        seconds => seconds,
    };
    let seed = SCHEDULER.machine().seed() | 1;
    let begun = under_way();
    let workers = WORKERS * options.cpus;
    let shared = Arc::new(Shared {
        over: AtomicBool::new(false),
        cpus: options.cpus as u64,
        acts: (0..workers).map(|_| AtomicU64::new(0)).collect(),
    });
    let threads = (0..workers).map(|number| {
        let shared = shared.clone();
        let random = Random(seed.wrapping_mul(2 * number as u64 + 3));
        spawn(SCHEDULER.thread("worker"), move || work(&shared, number, random))
    });
    let threads: Vec<_> = threads.collect();
    let watched = watch(&shared, now_ns() + seconds * 1_000_000_000).await;
    shared.over.store(true, Ordering::Relaxed);
    watched.map_err(|why| format!("{why:?}, seed {seed:#x}"))?;
    for thread in threads {
        thread.await.map_err(|error| format!("a worker: {error:?}, seed {seed:#x}"))?;
    }
    // What the workers left to itself ends in its own time.
    let limit_ns = now_ns() + PATIENCE_NS;
    while under_way() != begun && now_ns() < limit_ns {
        SCHEDULER.sleep_ms(1).await;
    }
    let left = under_way();
    ensure!(left == begun, "{left} tasks are under way, and not {begun}; seed {seed:#x}");
    let acts: u64 = shared.acts.iter().map(|acts| acts.load(Ordering::Relaxed)).sum();
    let totals = SCHEDULER.totals();
    ensure!(totals.preempted > 0 && acts > 0, "nothing happened");
    let migrations = if cpus(options).count() > 1 { totals.steals_won } else { 0 };
    Ok(format!(
        "{seconds} s: {acts} acts of {workers} threads, {} tasks made, {} preemptions, {migrations} thefts so far",
        totals.spawned, totals.preempted
    ))
}

/// Tasks that were made and have not come to an end.
fn under_way() -> u64 {
    let totals = SCHEDULER.totals();
    totals.spawned - totals.completed - totals.cancelled - totals.unreachable
}

/// Whether each goes on, until it is over.
async fn watch(shared: &Shared, end_ns: u64) -> Result<(), Fault> {
    let now = || shared.acts.iter().map(|acts| acts.load(Ordering::Relaxed));
    let mut seen: Vec<_> = now().map(|acts| (acts, now_ns())).collect();
    while now_ns() < end_ns {
        SCHEDULER.sleep_ms(LOOK_MS).await;
        for (number, (acts, seen)) in now().zip(&mut seen).enumerate() {
            if acts != seen.0 {
                *seen = (acts, now_ns());
            }
            ensure!(now_ns() - seen.1 < STUCK_NS, "worker {number} is stuck after {acts} acts");
        }
    }
    Ok(())
}

fn work(shared: &Shared, number: usize, mut random: Random) {
    while !shared.over.load(Ordering::Relaxed) {
        act(shared, &mut random);
        shared.acts[number].fetch_add(1, Ordering::Relaxed);
    }
}

fn act(shared: &Shared, random: &mut Random) {
    let Some(me) = SCHEDULER.current_thread() else { panic!("a worker is no thread") };
    match random.below(10) {
        0 => SCHEDULER.yield_thread(),
        1 => drop(SCHEDULER.wait(SCHEDULER.sleep_ns(random.below(2_000_000)))),
        2 => me.set_policy(Policy::fair(Nice::new(random.below(40) as i8 - 20))),
        3 => {
            // Fair again after a while, lest it starves the others.
            me.set_policy(Policy::Realtime { priority: random.below(100) as u8 });
            spin_ns(random.below(100_000));
            me.set_policy(Policy::DEFAULT);
        }
        4 => {
            let cpu = CpuId::new(random.below(shared.cpus) as u32);
            assert!(me.set_affinity(CpuSet::EMPTY.with(cpu)).is_ok(), "{cpu} is online");
        }
        5 => assert!(me.set_affinity(CpuSet::ALL).is_ok(), "a CPU is online"),
        6 => {
            let _stays = SCHEDULER.no_reschedule();
            let before = SCHEDULER.machine().cpu();
            spin_ns(random.below(50_000));
            assert_eq!(SCHEDULER.machine().cpu(), before, "moved while it may not be");
        }
        7 => {
            let spin = random.below(100_000);
            let Some(stack) = Stack::new(STACK_BYTES) else { return };
            if let Ok(child) = SCHEDULER.thread("child").spawn(stack, move || spin_ns(spin)) {
                let _ = SCHEDULER.wait(child);
            }
        }
        8 => {
            let tiers = [Tier::Critical, Tier::Normal, Tier::Background];
            let sleep_ns = random.below(500_000);
            let task = SCHEDULER.task("future").tier(tiers[random.below(3) as usize]);
            let task = task.spawn(async move { SCHEDULER.sleep_ns(sleep_ns).await });
            // Now and then nobody waits for it, or it is cancelled.
            match random.below(4) {
                0 => task.cancel(),
                1 => drop(task),
                _ => drop(SCHEDULER.wait(task)),
            }
        }
        _ => spin_ns(random.below(1_000_000)),
    }
}
