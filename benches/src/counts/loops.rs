//! What interrupts and the loop do.

use super::{CALLS, counted_call};
use crate::machine::OneCpu;
use sched::{Core, Interrupts as _, Scheduler, Settings, Step, TaskMemory, yield_now};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};

type Machine = OneCpu<AtomicU64>;

/// 64 slots of a tick each.
const LOWEST_LEVEL_NS: u64 = 64 * sched::time::TICK_NS;
const START_NS: u64 = 16 * LOWEST_LEVEL_NS;

fn one_cpu() -> (&'static Scheduler<Machine>, Core<Machine>) {
    let machine = OneCpu(AtomicU64::new(START_NS));
    // Leaked: a scheduler lives for ever.
    let scheduler: &'static _ = Box::leak(Box::new(Scheduler::new(machine, (), Settings::DEFAULT)));
    (scheduler, scheduler.enter().expect("the first to enter"))
}

/// Runs what is ready.
fn settle(core: &mut Core<Machine>) {
    while core.step() != Step::Halted {}
}

pub(super) fn wake() {
    let (scheduler, mut core) = one_cpu();
    let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
    let sleeper = slot.clone();
    let _task = scheduler.spawn(poll_fn(move |context| {
        *sleeper.lock().expect("nobody panics") = Some(context.waker().clone());
        Poll::<()>::Pending
    }));
    for _ in 0..CALLS {
        settle(&mut core);
        let waker = slot.lock().expect("nobody panics").take().expect("polled");
        counted_call(|| waker.wake_by_ref());
    }
}

pub(super) fn step_yield() {
    let (scheduler, mut core) = one_cpu();
    let _task = scheduler.spawn(async {
        loop {
            yield_now().await;
        }
    });
    for _ in 0..CALLS {
        assert_eq!(counted_call(|| core.step()), Step::Ran);
    }
}

/// A task's life, its memory apart: spawned, drained, polled, freed.
pub(super) fn spawn_and_run() {
    let (scheduler, mut core) = one_cpu();
    static MEMORY: TaskMemory<std::future::Ready<()>> = TaskMemory::new();
    for _ in 0..CALLS {
        let step = counted_call(|| {
            drop(scheduler.task("").spawn_in(&MEMORY, std::future::ready(())).expect("free"));
            core.step()
        });
        assert_eq!(step, Step::Ran);
    }
}

pub(super) fn on_kick() {
    let (scheduler, mut core) = one_cpu();
    for _ in 0..CALLS {
        counted_call(|| scheduler.on_kick());
        settle(&mut core);
    }
}

/// The sleepers lie in the lowest level of the wheel, and all are due at once: what is counted is their firing, and
/// not their way down.
fn on_timer(sleepers: usize) {
    const SLEEP_NS: u64 = 10_000;
    let (scheduler, mut core) = one_cpu();
    let _far = scheduler.spawn(scheduler.sleep_until(u64::MAX / 2));
    for turn in 0..u64::from(CALLS) {
        let now_ns = START_NS + turn * LOWEST_LEVEL_NS;
        scheduler.machine().0.store(now_ns, Ordering::Relaxed);
        scheduler.on_timer();
        for _ in 0..sleepers {
            drop(scheduler.spawn(scheduler.sleep_ns(SLEEP_NS)));
        }
        settle(&mut core);
        let fired = scheduler.totals().timers_fired;
        scheduler.machine().0.store(now_ns + SLEEP_NS, Ordering::Relaxed);
        counted_call(|| scheduler.on_timer());
        assert_eq!(scheduler.totals().timers_fired - fired, sleepers as u64);
        settle(&mut core);
    }
}

pub(super) fn on_timer_nothing_due() {
    on_timer(0);
}

pub(super) fn on_timer_32_due() {
    on_timer(32);
}
