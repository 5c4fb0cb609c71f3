//! Critical before Normal before Background, first come first served within each, on every CPU; and Background is not
//! starved.

use super::runner::{Fault, Found, TIERS, cpus, ensure, here, pinned};
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;
use sched::{Tier, yield_now};
use spin::Mutex;

const TASKS: usize = 16;

/// Polls of the Normal tasks that Background must get through.
const FLOOD_POLLS: u64 = 1_000;

pub(super) async fn run(options: Options) -> Found {
    for cpu in cpus(options) {
        // Normal polls that came before count for Background's turn: it has it now.
        let turn = pinned("turn", cpu).tier(Tier::Background).spawn(async {}).await;
        ensure!(turn.is_ok(), "{cpu}: Background has no turn");
        // From a task on that very CPU, which does not yield: all are there before the first runs.
        let spawner = pinned("spawner", cpu).tier(Tier::Critical).spawn(async move {
            let order = Arc::new(Mutex::new(Vec::new()));
            let mut tasks = Vec::new();
            for number in 0..TASKS {
                for tier in TIERS.into_iter().rev() {
                    let order = order.clone();
                    let task = pinned("tier", cpu).tier(tier);
                    tasks
                        .push(task.spawn(async move { order.lock().push((tier, number, here())) }));
                }
            }
            (order, tasks)
        });
        let Ok((order, tasks)) = spawner.await else {
            return Err(format!("{cpu}: no spawner").into());
        };
        for task in tasks {
            ensure!(task.await.is_ok(), "{cpu}: a task did not finish");
        }
        let expected: Vec<_> = TIERS
            .into_iter()
            .flat_map(|tier| (0..TASKS).map(move |number| (tier, number, cpu)))
            .collect();
        let order = order.lock();
        ensure!(*order == expected, "{cpu}: the order was {order:?}");
    }
    let [polls, limit] = flood(options).await?;
    Ok(format!(
        "in order on each CPU; Background ran after {polls} of at most {limit} Normal polls"
    ))
}

/// Normal polls before a Background task ran, while there was always a Normal one; and how many there may be.
async fn flood(options: Options) -> Result<[u64; 2], Fault> {
    let Some(cpu) = cpus(options).last() else { return Ok([0, 0]) };
    let limit = u64::from(sched::Settings::DEFAULT.background_limit_polls);
    let spawner = pinned("spawner", cpu).tier(Tier::Critical).spawn(async move {
        let seen = Arc::new(Mutex::new(0));
        let polls = seen.clone();
        let flood = pinned("flood", cpu).spawn(async move {
            for _ in 0..FLOOD_POLLS {
                *polls.lock() += 1;
                yield_now().await;
            }
        });
        let background = pinned("background", cpu).tier(Tier::Background);
        (flood, background.spawn(async move { *seen.lock() }))
    });
    let Ok((flood, background)) = spawner.await else { return Err("no spawner".into()) };
    let polls = background.await.unwrap_or(u64::MAX);
    ensure!(polls <= limit, "Background waited for {polls} Normal polls");
    ensure!(flood.await.is_ok(), "the flood did not finish");
    Ok([polls, limit])
}
