//! Periodic sleepers, as cyclictest: a Critical task on each CPU wakes at a fixed period and measures how late it is.
//! Beside them a task that gives up waiting: it cancels a sleeper that would sleep for ever.

use super::{Context, Spec};
use crate::books::Booked;
use sched::{CpuId, CpuSet, Tier};

const NAME: &str = "sleepers";
const FIRST_PERIOD_NS: u64 = 1_000_000;
/// How much longer each next sleeper's period is.
const STEP_NS: u64 = 500_000;
const PATIENCE_NS: std::ops::Range<u64> = 1_000_000..20_000_000;

pub(super) fn launch(context: &'static Context) -> Vec<Booked> {
    let mut roots: Vec<Booked> = (0..context.cpus)
        .map(|cpu| {
            let on = CpuSet::EMPTY.with(CpuId::new(cpu));
            let spec = Spec::new("sleeper", cpu).tier(Tier::Critical).on(on);
            context.spawn(spec, sleep(context, FIRST_PERIOD_NS + STEP_NS * u64::from(cpu)))
        })
        .collect();
    roots.push(context.spawn(Spec::new("impatient", 0), give_up(context)));
    roots
}

async fn sleep(context: &'static Context, period_ns: u64) {
    let mut latency = context.recorder(NAME, "deadline to poll");
    let mut deadline_ns = context.now_ns() + period_ns;
    loop {
        context.scheduler.sleep_until(deadline_ns).await;
        let now_ns = context.now_ns();
        if now_ns < deadline_ns {
            context.faults.push(format!("a sleep ended {} ns early", deadline_ns - now_ns));
        }
        latency.record_ns(now_ns.saturating_sub(deadline_ns));
        // On the grid of the period, without those that are missed already.
        let missed = now_ns.saturating_sub(deadline_ns) / period_ns;
        deadline_ns += period_ns * (missed + 1);
    }
}

async fn give_up(context: &'static Context) {
    let mut rng = context.rng(3, 0);
    for index in 0.. {
        let sleeper = context.spawn(Spec::new("forgotten", index), async {
            context.scheduler.sleep_until(u64::MAX).await;
        });
        context.scheduler.sleep_ns(rng.u64(PATIENCE_NS)).await;
        sleeper.cancel();
        if sleeper.join().await.is_ok() && context.books.is_open() {
            context.faults.push("a sleep without end has ended".into());
        }
    }
}
