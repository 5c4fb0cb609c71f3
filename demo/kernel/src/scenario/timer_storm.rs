//! Thousands of timers that are due at once: each fires, none early, and no interrupt fires more than a batch.

use super::runner::{Found, cpus, ensure, ensure_in_time, now_ns, pinned};
use crate::options::Options;
use crate::{SCHEDULER, handlers};
use alloc::format;
use alloc::vec::Vec;

const TIMERS_PER_CPU: u64 = 200;
const LONG: u64 = 10;

/// How long a task does not yield, around the deadline: an interrupt for each slice, which goes through 32 nodes. Each
/// timer is moved twice, and then fires.
const HOLD_NS: u64 = 60_000_000;

/// What one interrupt may fire, by the scheduler's word.
const BATCH: u64 = 32;

pub(super) async fn run(options: Options) -> Found {
    let times = if options.long { LONG } else { 1 };
    let (timers, hold_ns) = (TIMERS_PER_CPU * times, HOLD_NS * times);
    let fired_before = SCHEDULER.totals().timers_fired;
    let deadline_ns = now_ns() + hold_ns;
    let mut tasks = Vec::new();
    let mut hogs = Vec::new();
    for cpu in cpus(options) {
        // While it holds the CPU all that fires fires in interrupts.
        hogs.push(pinned("hog", cpu).spawn(async move {
            SCHEDULER.sleep_until(deadline_ns - hold_ns / 2).await;
            while now_ns() < deadline_ns + hold_ns / 2 {
                core::hint::spin_loop();
            }
        }));
        for number in 0..timers {
            // Half of them at the same moment, the others a few ticks apart.
            let deadline_ns = deadline_ns + (number % 2) * number * 1_000;
            tasks.push(pinned("storm", cpu).spawn(async move {
                let polled_before = now_ns() < deadline_ns;
                SCHEDULER.sleep_until(deadline_ns).await;
                (polled_before, now_ns() >= deadline_ns)
            }));
        }
    }
    let all = tasks.len() as u64;
    let mut slept = 0;
    for task in tasks {
        let Ok((polled_before, true)) = task.await else {
            return Err("a timer fired early, or not at all".into());
        };
        slept += u64::from(polled_before);
    }
    for hog in hogs {
        ensure!(hog.await.is_ok(), "a hog was lost");
    }
    let fired = SCHEDULER.totals().timers_fired - fired_before;
    // A task that is first polled behind its deadline needs no timer, and the last one before it may not either.
    ensure!(fired + options.cpus as u64 >= slept, "{fired} of {slept} timers fired");
    let (most, interrupts) = handlers::timer_interrupts();
    ensure!(most <= BATCH, "{most} timers in one interrupt");
    // More CPUs get too few interrupts from the host for that.
    ensure_in_time!(options, most > 1, "there was no storm: {most} timers in one interrupt");
    Ok(format!("{all} timers, at most {most} in one of {interrupts} interrupts"))
}
