//! A thread that never yields goes where it is sent, from CPU to CPU; one of the kernel's stays where it was made; threads with
//! nothing to bind them spread.

use super::super::runner::{Found, cpus, ensure, ensure_in_time, here};
use super::{Work, stack, thread};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicUsize, Ordering};
use sched::thread::Policy;
use sched::{CpuId, CpuSet};

const PATIENCE: u32 = 200;

pub(in super::super) async fn run(options: Options) -> Found {
    let Some(last) = cpus(options).last() else { return Err("no CPU".into()) };
    let place = Arc::new(AtomicUsize::new(usize::MAX));
    let (seen, work) = (place.clone(), Arc::new(Work::default()));
    let theirs = work.clone();
    let wanderer = thread("wanderer", CpuId::new(0), Policy::DEFAULT, move || {
        while !theirs.over.load(Ordering::Relaxed) {
            theirs.one_piece();
            seen.store(here().index(), Ordering::Relaxed);
        }
    });
    let stayed = Arc::new(Work::default());
    let theirs = stayed.clone();
    let kernel_thread = thread("kernel", last, Policy::DEFAULT, move || {
        let mut strayed = 0;
        while !theirs.over.load(Ordering::Relaxed) {
            theirs.one_piece();
            strayed += u64::from(here() != last);
        }
        strayed
    });
    let Some(thread) = wanderer.thread() else { return Err("it is no thread".into()) };
    for cpu in cpus(options).chain(cpus(options)) {
        if let Err(error) = thread.set_affinity(CpuSet::EMPTY.with(cpu)) {
            return Err(format!("{cpu}: {error}").into());
        }
        let mut tries = 0;
        while place.load(Ordering::Relaxed) != cpu.index() {
            tries += 1;
            ensure!(tries < PATIENCE, "it does not come to {cpu}");
            SCHEDULER.sleep_ms(5).await;
        }
    }
    for work in [&work, &stayed] {
        work.over.store(true, Ordering::Relaxed);
    }
    let moves = thread.stats().migrations;
    wanderer.await.map_err(|error| format!("{error:?}"))?;
    let strayed = kernel_thread.await.map_err(|error| format!("{error:?}"))?;
    ensure!(strayed == 0, "a pinned thread was elsewhere {strayed} times");
    let spread = spread(options).await?;
    ensure_in_time!(options, spread == options.cpus, "free threads ran on {spread} CPUs");
    Ok(format!("{moves} moves; threads of one CPU ran on {spread}"))
}

/// On how many CPUs threads run that are all made on one.
async fn spread(options: Options) -> Result<usize, super::super::runner::Fault> {
    let work = Arc::new(Work::default());
    let mut threads = Vec::new();
    for _ in 0..2 * options.cpus {
        let work = work.clone();
        let spawned = SCHEDULER.thread("free").spawn(stack(), move || {
            let mut seen = CpuSet::EMPTY;
            while !work.over.load(Ordering::Relaxed) {
                work.one_piece();
                seen = seen.with(here());
            }
            seen
        });
        match spawned {
            Ok(handle) => threads.push(handle),
            Err(error) => return Err(format!("{error}").into()),
        }
    }
    SCHEDULER.sleep_ms(100).await;
    work.over.store(true, Ordering::Relaxed);
    let mut all = CpuSet::EMPTY;
    for thread in threads {
        let seen = thread.await.map_err(|error| format!("{error:?}"))?;
        all = seen.iter().fold(all, CpuSet::with);
    }
    Ok(all.iter().count())
}
