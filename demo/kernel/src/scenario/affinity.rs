//! Threads run where they may and nowhere else, and those that may run anywhere spread: pinned ones stay beside idle CPUs, a
//! narrowed one moves while it runs, others are stolen, and never seen on a CPU that is not theirs.

use super::hog::{spawn, spin_ns, thread_on};
use super::runner::{Fault, Found, cpus, ensure, here, now_ns, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use sched::{CpuId, CpuSet, Machine as _};

/// How long threads look where they are.
const LOOKS_NS: u64 = 30_000_000;

/// What takes longer does not come.
const LIMIT_NS: u64 = 10_000_000_000;

pub(super) async fn run(options: Options) -> Found {
    let looked = kernel_threads(options).await?;
    let (moved, spread) =
        if options.cpus > 1 { (narrowed(options).await?, spread(options).await?) } else { (0, 1) };
    Ok(format!(
        "pinned threads stayed, over {looked} looks; one moved {moved} times; {spread} CPUs shared the rest"
    ))
}

/// Two on each CPU: they compete there, and nobody takes one, though others idle now and then.
async fn kernel_threads(options: Options) -> Result<u64, Fault> {
    let all = cpus(options).flat_map(|cpu| [cpu; 2]).map(|cpu| {
        let look = move || {
            let end_ns = now_ns() + LOOKS_NS;
            let (mut looks, mut elsewhere) = (0u64, 0u64);
            while now_ns() < end_ns {
                looks += 1;
                elsewhere += u64::from(here() != cpu);
                if looks.is_multiple_of(1_000) {
                    let _ = SCHEDULER.wait(SCHEDULER.sleep_ns(100_000));
                }
            }
            (looks, elsewhere)
        };
        let Ok(builder) = SCHEDULER.thread("kthread").pinned_to(cpu) else {
            panic!("{cpu} is out of range")
        };
        spawn(builder, look)
    });
    let all: Vec<_> = all.collect();
    let mut sum = 0;
    for thread in all {
        let (looks, elsewhere) = thread.await.map_err(|error| format!("{error:?}"))?;
        ensure!(elsewhere == 0, "a pinned thread was elsewhere {elsewhere} times");
        sum += looks;
    }
    ensure!(sum > 0, "nobody looked");
    Ok(sum)
}

/// A thread that never yields is sent from CPU to CPU by another one, and goes each time.
async fn narrowed(options: Options) -> Result<u64, Fault> {
    let place = Arc::new(AtomicU32::new(u32::MAX));
    let over = Arc::new(AtomicBool::new(false));
    let (seen, ends) = (place.clone(), over.clone());
    let wanderer = spawn(SCHEDULER.thread("wanderer"), move || {
        while !ends.load(Ordering::Relaxed) {
            // Masked, as the answer is stale once the thread was preempted.
            let machine = SCHEDULER.machine();
            let saved = machine.mask();
            seen.store(here().get(), Ordering::Relaxed);
            // SAFETY: of the `mask` above.
            unsafe { machine.restore(saved) };
        }
    });
    let Some(thread) = wanderer.thread() else { return Err("no thread".into()) };
    let mut found = Ok(());
    let mut moved = 0;
    'rounds: for cpu in cpus(options).chain(cpus(options)) {
        if thread.set_affinity(CpuSet::EMPTY.with(cpu)).is_err() {
            found = Err(format!("{cpu} is not online"));
            break;
        }
        let limit_ns = now_ns() + LIMIT_NS;
        while place.load(Ordering::Relaxed) != cpu.get() {
            if now_ns() > limit_ns {
                found = Err(format!("the thread does not come to {cpu}"));
                break 'rounds;
            }
            SCHEDULER.sleep_ns(200_000).await;
        }
        moved += 1;
    }
    over.store(true, Ordering::Relaxed);
    wanderer.await.map_err(|error| format!("{error:?}"))?;
    found?;
    Ok(moved)
}

/// As many as there are CPUs, all born on one: the others take theirs. Answers how many CPUs had some.
async fn spread(options: Options) -> Result<usize, Fault> {
    /// May have no more than their CPUs.
    const HALF: u32 = 2;
    let birthplace = CpuId::new(0);
    let had: Arc<Vec<AtomicU64>> = Arc::new(cpus(options).map(|_| AtomicU64::new(0)).collect());
    let over = Arc::new(AtomicBool::new(false));
    let even = move |cpu: &CpuId| cpu.get().is_multiple_of(HALF);
    let (theirs, ends) = (had.clone(), over.clone());
    let born = pinned("spawner", birthplace).spawn(async move {
        let one = |number: usize| {
            let (had, ends) = (theirs.clone(), ends.clone());
            let is_restricted = number.is_multiple_of(2);
            let builder = if is_restricted {
                thread_on("even", cpus(options).filter(even))
            } else {
                SCHEDULER.thread("anywhere")
            };
            spawn(builder, move || {
                let mut astray = 0u64;
                while !ends.load(Ordering::Relaxed) {
                    // Masked, as in `narrowed`.
                    let machine = SCHEDULER.machine();
                    let saved = machine.mask();
                    let cpu = here();
                    had[cpu.index()].fetch_add(1, Ordering::Relaxed);
                    astray += u64::from(is_restricted && !even(&cpu));
                    // SAFETY: of the `mask` above.
                    unsafe { machine.restore(saved) };
                    spin_ns(1_000);
                }
                astray
            })
        };
        (0..options.cpus * 2).map(one).collect::<Vec<_>>()
    });
    let born = born.await.map_err(|error| format!("{error:?}"))?;
    let limit_ns = now_ns() + LIMIT_NS;
    let busy = || had.iter().filter(|had| had.load(Ordering::Relaxed) > 0).count();
    while busy() < options.cpus && now_ns() < limit_ns {
        SCHEDULER.sleep_ms(1).await;
    }
    over.store(true, Ordering::Relaxed);
    for thread in born {
        let astray = thread.await.map_err(|error| format!("{error:?}"))?;
        ensure!(astray == 0, "a thread was {astray} times where it may not be");
    }
    ensure!(busy() == options.cpus, "{} of {} CPUs took threads", busy(), options.cpus);
    Ok(busy())
}
