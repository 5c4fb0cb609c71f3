//! Runs the scenarios, and ends in a verdict.

use super::{
    affinity, counts, failures, fairness, idle, mixed, parking, pause, ping_pong, registers,
    sixty_hz, sleep, soak, spaces, statics, steal, stress, tiers, timer_storm, unplug, user,
};
use crate::console::println;
use crate::options::Options;
use crate::{SCHEDULER, arch, trace};
use alloc::boxed::Box;
use alloc::string::String;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::Poll;
use sched::{Builder, CpuId, CpuSet, Machine as _, Tier};

/// What a scenario found: what it has to say, or what is wrong.
pub(super) type Found = Result<String, Fault>;

/// What is wrong.
#[derive(Debug)]
pub(super) enum Fault {
    /// What must never be.
    Wrong(String),
    /// What a host with other things to do can bring about: asserted for the best of some tries.
    Late(String),
}

impl From<String> for Fault {
    fn from(why: String) -> Self {
        Self::Wrong(why)
    }
}

impl From<&str> for Fault {
    fn from(why: &str) -> Self {
        Self::Wrong(why.into())
    }
}

/// How often a scenario is tried that was late.
const TRIES: u32 = 5;

type Running = Pin<Box<dyn Future<Output = Found> + Send>>;

struct Scenario {
    name: &'static str,
    /// CPUs without which there is nothing to see.
    least_cpus: usize,
    run: fn(Options) -> Running,
}

macro_rules! scenarios {
    ($($name:literal, $least_cpus:literal => $run:path;)*) => {
        &[$(Scenario {
            name: $name,
            least_cpus: $least_cpus,
            run: |options| Box::pin($run(options)),
        }),*]
    };
}

const ALL: &[Scenario] = scenarios! {
    "idle", 1 => idle::run;
    "statics", 1 => statics::run;
    "ping-pong", 1 => ping_pong::run;
    "tiers", 1 => tiers::run;
    "steal", 1 => steal::run;
    "sleep", 1 => sleep::run;
    "timer-storm", 1 => timer_storm::run;
    "sixty-hz", 1 => sixty_hz::run;
    "registers", 1 => registers::run;
    "preempted", 1 => registers::preempted;
    "user", 1 => user::run;
    "pause", 2 => pause::run;
    "fairness", 1 => fairness::equal;
    "nice", 1 => fairness::nice;
    "affinity", 1 => affinity::run;
    "mixed", 1 => mixed::run;
    "parking", 1 => parking::run;
    "spaces", 1 => spaces::run;
    "soak", 1 => soak::run;
    "unplug", 2 => unplug::run;
    "stress", 1 => stress::run;
    "counts", 1 => counts::run;
    "panic", 1 => failures::panic;
    "overflow", 1 => failures::overflow;
    "hang", 1 => failures::hang;
};

/// Not among `all`: one wants the emulator to count, the others are not to pass.
const BY_NAME_ONLY: [&str; 4] = ["counts", "panic", "overflow", "hang"];

/// A scenario that takes longer hangs.
const LIMIT_NS: u64 = 60_000_000_000;

/// Those of the long forms may take so much longer.
const LONG: u64 = 20;

pub(super) fn start(options: Options) {
    SCHEDULER.task("scenarios").spawn(async move {
        let success = run_all(options).await;
        trace::send(options);
        arch::exit(success)
    });
}

/// Whether all went well.
async fn run_all(options: Options) -> bool {
    let chosen = |scenario: &&Scenario| {
        options.scenario.split(',').any(|name| name == scenario.name)
            || options.scenario == "all" && !BY_NAME_ONLY.contains(&scenario.name)
    };
    let (mut passed, mut failed) = (0, 0);
    for scenario in ALL.iter().filter(chosen) {
        let name = scenario.name;
        if options.cpus < scenario.least_cpus {
            println!("skipped {name:12} it needs {} CPUs", scenario.least_cpus);
            continue;
        }
        let begin_ns = now_ns();
        let limit_ns =
            LIMIT_NS * if options.long { LONG } else { 1 } + options.seconds * 1_000_000_000;
        let mut found = within(limit_ns, (scenario.run)(options)).await;
        for _ in 1..TRIES {
            let Some(Err(Fault::Late(why))) = &found else { break };
            println!("late    {name:12} once more: {why}");
            found = within(limit_ns, (scenario.run)(options)).await;
        }
        let took_ms = (now_ns() - begin_ns) / 1_000_000;
        match found {
            Some(Ok(what)) => {
                passed += 1;
                println!("ok      {name:12} {took_ms:5} ms  {what}");
            }
            Some(Err(Fault::Wrong(why) | Fault::Late(why))) => {
                failed += 1;
                println!("FAILED  {name:12} {took_ms:5} ms  {why}");
            }
            None => panic!("{name} hangs"),
        }
    }
    println!("verdict: {passed} passed, {failed} failed");
    passed > 0 && failed == 0
}

/// What comes of `future`, if it comes in time.
async fn within<F: Future + Unpin>(limit_ns: u64, mut future: F) -> Option<F::Output> {
    let mut limit = pin!(SCHEDULER.sleep_ns(limit_ns));
    poll_fn(|context| match Pin::new(&mut future).poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => limit.as_mut().poll(context).map(|()| None),
    })
    .await
}

pub(super) fn now_ns() -> u64 {
    SCHEDULER.machine().now_ns()
}

/// The CPU that the caller runs on.
pub(super) fn here() -> CpuId {
    match SCHEDULER.machine().cpu() {
        Some(cpu) => cpu,
        None => panic!("a task runs on no CPU"),
    }
}

pub(super) fn cpus(options: Options) -> impl Iterator<Item = CpuId> + Clone {
    (0..options.cpus as u32).map(CpuId::new)
}

/// A task that stays on `cpu`.
pub(super) fn pinned(
    name: &'static str,
    cpu: CpuId,
) -> Builder<arch::Machine, crate::Tracing, { crate::MAX_CPUS }> {
    match SCHEDULER.task(name).affinity(CpuSet::from_iter([cpu])) {
        Ok(builder) => builder,
        Err(error) => panic!("{cpu}: {error}"),
    }
}

/// One of each tier, in order.
pub(super) const TIERS: [Tier; 3] = [Tier::Critical, Tier::Normal, Tier::Background];

/// The middle one.
pub(super) fn median(numbers: &mut [u64]) -> u64 {
    numbers.sort_unstable();
    numbers.get(numbers.len() / 2).copied().unwrap_or(0)
}

/// An error, unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($why:tt)*) => {
        if !$condition {
            return Err(alloc::format!($($why)*).into());
        }
    };
}
pub(super) use ensure;

/// An error that is worth another try, unless the condition holds; for one or two CPUs, as more share the host's, or where the
/// host is not seen.
macro_rules! ensure_in_time {
    ($options:expr, $condition:expr, $($why:tt)*) => {
        if ($options.cpus <= 2 || $options.exact) && !$condition {
            return Err($crate::scenario::runner::Fault::Late(alloc::format!($($why)*)));
        }
    };
}
pub(super) use ensure_in_time;
