//! A thread that never yields, and futures that never do in a poll, share a CPU; Critical futures and real-time threads come
//! before both.

use super::super::runner::{Found, cpus, ensure, ensure_in_time, now_ns, pinned};
use super::{Work, thread};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use sched::Tier;
use sched::thread::Policy;

const TIME_NS: u64 = 100_000_000;
const WAKES: u64 = 10;

pub(in super::super) async fn run(options: Options) -> Found {
    let mut worst_ns = 0;
    for cpu in cpus(options) {
        let [by_thread, by_future] = [0; 2].map(|_: u8| Arc::new(Work::default()));
        let work = by_thread.clone();
        let spinner = thread("spinner", cpu, Policy::DEFAULT, move || work.work());
        let work = by_future.clone();
        // One poll, as long as all the rest. Futures that are not Critical wait for it, the one that runs the scenarios as well.
        let poll = pinned("long poll", cpu).spawn(async move {
            let end_ns = now_ns() + TIME_NS;
            while now_ns() < end_ns {
                work.one_piece();
            }
        });
        let urgent = thread("urgent", cpu, Policy::Realtime { priority: 1 }, || {
            let mut worst_ns = 0;
            for _ in 0..WAKES {
                let due_ns = now_ns() + TIME_NS / WAKES;
                if SCHEDULER.wait(SCHEDULER.sleep_until(due_ns)).is_err() {
                    return None;
                }
                worst_ns = u64::max(worst_ns, now_ns() - due_ns);
            }
            Some(worst_ns)
        });
        let critical = pinned("critical", cpu).tier(Tier::Critical).spawn(async move {
            SCHEDULER.sleep_ns(TIME_NS).await;
        });
        poll.await.map_err(|error| format!("{error:?}"))?;
        by_thread.over.store(true, Ordering::Relaxed);
        let came = critical.await.is_ok();
        let late_ns = urgent.await.map_err(|error| format!("{error:?}"))?;
        spinner.await.map_err(|error| format!("{error:?}"))?;
        let [thread, future] = [by_thread, by_future].map(|work| work.done.load(Ordering::Relaxed));
        ensure!(came, "the Critical task was lost on {cpu}");
        let Some(late_ns) = late_ns else { return Err(format!("no thread on {cpu}").into()) };
        ensure!(thread > 0 && future > 0, "{thread} and {future} pieces on {cpu}");
        let share = thread * 1_000 / (thread + future);
        ensure_in_time!(
            options,
            (400..=600).contains(&share),
            "the thread had {share} thousandths of {cpu}"
        );
        worst_ns = worst_ns.max(late_ns);
    }
    ensure_in_time!(options, worst_ns < 5_000_000, "an urgent thread came {worst_ns} ns late");
    Ok(format!("an urgent thread came {} µs late at the most", worst_ns / 1_000))
}
