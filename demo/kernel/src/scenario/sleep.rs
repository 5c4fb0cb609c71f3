//! Sleeps end after their time, never before, and not long after.

use super::runner::{Found, cpus, ensure, ensure_in_time, median, now_ns, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::vec::Vec;

const SLEEPS: u64 = 40;

/// With the host's cores for itself it is some 50 µs.
const MOST_LATE_NS: u64 = 3_000_000;

pub(super) async fn run(options: Options) -> Found {
    let sleepers: Vec<_> = cpus(options)
        .map(|cpu| {
            pinned("sleeper", cpu).spawn(async move {
                let mut late = Vec::new();
                for number in 0..SLEEPS {
                    // From less than the grain of the wheel to some milliseconds, none a multiple of another.
                    let duration_ns = 700 + number * number * 1_337;
                    let deadline_ns = now_ns() + duration_ns;
                    SCHEDULER.sleep_ns(duration_ns).await;
                    late.push(now_ns().checked_sub(deadline_ns));
                }
                late
            })
        })
        .collect();
    let mut all = Vec::new();
    for sleeper in sleepers {
        let late = sleeper.await.map_err(|error| format!("{error:?}"))?;
        ensure!(late.iter().all(Option::is_some), "a sleep ended early");
        all.extend(late.into_iter().flatten());
    }
    let (middle, worst) = (median(&mut all), all.last().copied().unwrap_or(0));
    ensure_in_time!(options, middle < MOST_LATE_NS, "half of the sleeps end {middle} ns late");
    Ok(format!(
        "{} sleeps, late by {} µs, {} µs at the most",
        all.len(),
        middle / 1_000,
        worst / 1_000
    ))
}
