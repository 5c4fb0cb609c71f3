//! Work that is born on one CPU is done by all.

use super::runner::{Found, cpus, ensure, ensure_in_time, here, now_ns, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

const TASKS_PER_CPU: usize = 48;
const WORK_NS: u64 = 500_000;

pub(super) async fn run(options: Options) -> Found {
    let Some(birthplace) = cpus(options).last() else { return Err("no CPU".into()) };
    let spawner = pinned("spawner", birthplace).spawn(async move {
        let work = || {
            SCHEDULER.task("work").spawn(async {
                let end_ns = now_ns() + WORK_NS;
                while now_ns() < end_ns {
                    core::hint::spin_loop();
                }
                here()
            })
        };
        (0..TASKS_PER_CPU * options.cpus).map(|_| work()).collect::<Vec<_>>()
    });
    let mut done = vec![0usize; options.cpus];
    for task in spawner.await.map_err(|error| format!("{error:?}"))? {
        match task.await {
            Ok(cpu) => done[cpu.index()] += 1,
            Err(error) => return Err(format!("a task was lost: {error:?}").into()),
        }
    }
    let all: usize = done.iter().sum();
    ensure!(all == TASKS_PER_CPU * options.cpus, "{all} tasks done");
    ensure!(done.iter().all(|&done| done > 0), "a CPU did nothing: {done:?}");
    let balanced = done.iter().all(|&done| done >= TASKS_PER_CPU / 4);
    ensure_in_time!(options, balanced, "unbalanced: {done:?}");
    Ok(format!("done by each: {done:?}"))
}
