//! The construction kit (rows C1, C2, C5, C7): run loops of a kernel's own, static schedulers, work taken by hand. Rows C3, C4 and
//! C6 are in `metadata.rs`, `shared.rs`, `shutdown.rs`, `storage.rs`, `own_scheduler.rs` and `task_local.rs`; C7 is the chapter
//! `multicore` as well.

mod common;

use common::{Log, Notes, Sched, Test, Virtual, as_cpu};
use sched::{CpuId, Scheduler, Settings, StealError, Step, TaskMemory, Tier, yield_now};
use std::future::{Ready, ready};
use std::sync::atomic::Ordering::SeqCst;

fn cpu(index: u32) -> CpuId {
    CpuId::new(index)
}

/// Tasks of CPU `on` that note their number and the CPU that runs them; `injected` ones are for any.
fn noting(test: &mut Test, on: usize, injected: bool, notes: &Notes, range: std::ops::Range<u64>) {
    let scheduler = test.scheduler();
    test.on(on, |_| {
        for note in range {
            let notes = notes.clone();
            let task = scheduler.task("noting");
            let task = if injected { task.injected() } else { task };
            drop(task.spawn(async move {
                let cpu = sched::Machine::cpu(scheduler.machine()).unwrap();
                notes.push(1_000 * u64::from(cpu.get()) + note);
            }));
        }
    });
}

#[test]
fn c1_a_tick_polls_256_tasks_and_says_what_came_of_it() {
    let mut test = Test::new(1);
    noting(&mut test, 0, false, &Notes::default(), 0..300);
    let tick = test.on(0, |core| core.tick());
    assert_eq!((tick.polled, tick.completed, tick.has_remaining), (256, 256, true));
    assert_eq!(tick.woken(), tick.woken_internal + tick.woken_external);
    assert_eq!(tick.woken(), 300);
    let tick = test.on(0, |core| core.tick_n(100));
    assert_eq!((tick.polled, tick.completed, tick.has_remaining), (44, 44, false));
    test.finish();
}

#[test]
fn c2_a_static_scheduler_with_static_tasks_needs_no_allocation_and_no_stub() {
    static MEMORY: [TaskMemory<Ready<u8>>; 2] = [const { TaskMemory::new() }; 2];
    // A constant expression: what a static is made with.
    const fn constant(machine: Virtual) -> Sched {
        Scheduler::new(machine, Log(std::sync::Mutex::new(Vec::new())), Settings::DEFAULT)
    }
    let scheduler: &'static Sched = Box::leak(Box::new(constant(Virtual::default())));
    // Reachable to its end, for whoever looks for leaks.
    static KEPT: std::sync::OnceLock<&'static Sched> = std::sync::OnceLock::new();
    assert!(KEPT.set(scheduler).is_ok());
    as_cpu(0, || {
        let mut core = scheduler.enter().unwrap();
        for memory in &MEMORY {
            drop(scheduler.task("static").spawn_in(memory, ready(1)).unwrap());
        }
        let tick = core.tick();
        assert_eq!((tick.spawned, tick.completed, tick.has_remaining), (0, 2, false));
    });
}

#[test]
fn c5_tasks_of_the_injector_are_taken_one_by_one_exactly_n_or_half_of_them() {
    let mut test = Test::new(2);
    let notes = Notes::default();
    assert_eq!(test.on(0, |core| core.try_steal_injected().unwrap_err()), StealError::Empty);
    // More than one budget's worth, so that the order has to be made over several drains.
    noting(&mut test, 0, true, &notes, 0..101);
    test.on(1, |core| {
        let mut stealer = core.try_steal_injected().unwrap();
        assert_eq!(stealer.spawn_one(), Ok(()));
        assert_eq!(stealer.spawn_n(10), 10, "n, not n + 1");
        assert_eq!(stealer.spawn_half(), 45, "half of 90");
        assert_eq!(stealer.spawn_n(0), 0);
        drop(stealer);
        assert_eq!(core.queued(), 56);
    });
    test.on(0, |core| {
        let mut stealer = core.try_steal_injected().unwrap();
        assert_eq!(stealer.spawn_n(1_000), 45, "what is left");
        assert_eq!(stealer.spawn_one(), Err(StealError::Empty));
        assert_eq!(stealer.spawn_half(), 0);
        drop(stealer);
        assert_eq!(core.try_steal_injected().unwrap_err(), StealError::Empty);
        assert_eq!(core.queued(), 45);
    });
    let _ = [1, 0].map(|cpu| test.on(cpu, |core| core.tick_n(56)));
    let mut seen = notes.take();
    assert!(seen[..56].is_sorted(), "the oldest first: {seen:?}");
    seen.iter_mut().for_each(|note| *note %= 1_000);
    seen.sort_unstable();
    assert_eq!(seen, (0..101).collect::<Vec<_>>());
    assert_eq!(test.scheduler().totals().injected, 101);
    test.finish();
}

#[test]
fn c5_busy_is_told_from_empty() {
    let mut test = Test::new(2);
    noting(&mut test, 0, true, &Notes::default(), 0..3);
    let mut other = test.take(1);
    test.on(0, |core| {
        let mut first = core.try_steal_injected().unwrap();
        as_cpu(1, || assert_eq!(other.try_steal_injected().unwrap_err(), StealError::Busy));
        as_cpu(0, || assert_eq!(first.spawn_n(2), 2));
        drop(first);
        as_cpu(1, || assert_eq!(other.try_steal_injected().unwrap().spawn_n(2), 1));
        as_cpu(1, || assert_eq!(other.try_steal_injected().unwrap_err(), StealError::Empty));
    });
    as_cpu(1, || assert_eq!(other.tick().completed, 1));
    as_cpu(1, || drop(other));
    test.settle(0);
    test.finish();
}

#[test]
fn c5_what_is_left_in_the_injector_wakes_another_cpu() {
    let mut test = Test::new(2);
    test.settle(1);
    noting(&mut test, 0, true, &Notes::default(), 0..40);
    assert!(test.is_kicked(1));
    // It comes, and takes less than there is.
    test.scheduler().machine().kicked[1].store(false, SeqCst);
    test.on(0, |core| {
        let mut stealer = core.try_steal_injected().unwrap();
        assert_eq!(stealer.spawn_one(), Ok(()));
        drop(stealer);
    });
    test.settle(1);
    assert!(test.scheduler().totals().completed >= 39);
    test.settle(0);
    test.finish();
}

#[test]
fn c5_tasks_of_another_cpu_are_taken_from_the_back_normal_before_background() {
    let mut test = Test::new(2);
    let (notes, scheduler) = (Notes::default(), test.scheduler());
    test.on(0, |core| {
        assert_eq!(core.try_steal(cpu(1)).unwrap_err(), StealError::Empty, "it has nothing");
        assert_eq!(core.try_steal(cpu(0)).unwrap_err(), StealError::Empty, "oneself");
        assert_eq!(core.try_steal(cpu(3)).unwrap_err(), StealError::Empty, "not there");
        assert_eq!(core.try_steal(cpu(77)).unwrap_err(), StealError::Empty, "out of range");
    });
    noting(&mut test, 0, false, &notes, 0..9);
    test.on(0, |_| {
        let notes = notes.clone();
        let task = scheduler.task("housekeeping").tier(Tier::Background);
        drop(task.spawn(async move { notes.push(99) }));
    });
    // The first runs, eight are published.
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(notes.take(), [0]);
    test.on(1, |core| {
        let mut stealer = core.try_steal(cpu(0)).unwrap();
        assert_eq!(stealer.spawn_n(2), 2, "n, not n + 1");
        assert_eq!(stealer.spawn_half(), 4, "half of seven, rounded up");
        assert_eq!(stealer.spawn_n(9), 3, "two Normal ones, then Background");
        assert_eq!(stealer.spawn_one(), Err(StealError::Empty));
        drop(stealer);
        assert_eq!(core.queued(), 9);
    });
    test.settle(1);
    assert_eq!(notes.take(), [1_008, 1_007, 1_006, 1_005, 1_004, 1_003, 1_002, 1_001, 99]);
    assert_eq!(test.scheduler().totals().steals_won, 9);
    test.settle(0);
    test.finish();
}

#[test]
fn c7_an_injected_task_is_for_whoever_is_free_and_one_with_an_affinity_is_not_injected() {
    let mut test = Test::new(2);
    let notes = Notes::default();
    test.settle(1);
    noting(&mut test, 0, true, &notes, 7..8);
    assert!(test.is_kicked(1), "the idle one");
    test.settle(1);
    assert_eq!(notes.take(), [1_007]);
    let scheduler = test.scheduler();
    let only = sched::CpuSet::EMPTY.with(cpu(0));
    test.on(0, |_| {
        let task = scheduler.task("pinned").injected().affinity(only).unwrap();
        drop(task.spawn(async {}));
    });
    test.settle(1);
    assert_eq!(scheduler.totals().completed, 1);
    test.settle(0);
    test.finish();
}

#[test]
fn c7_half_of_what_is_published_is_stolen_where_that_is_set_and_keeps_its_order() {
    for (steal_half, stolen) in [(false, 1), (true, 10)] {
        let mut settings = Settings::DEFAULT;
        settings.steal_half = steal_half;
        let mut test = Test::with(2, settings);
        let notes = Notes::default();
        noting(&mut test, 0, false, &notes, 0..21);
        assert_eq!(test.step(0), Step::Ran);
        assert_eq!(notes.take(), [0]);
        assert_eq!(test.step(1), Step::Stole);
        assert_eq!(test.on(1, |core| core.queued()), stolen);
        for _ in 0..stolen {
            assert_eq!(test.step(1), Step::Ran);
        }
        let newest = (1_021 - stolen as u64)..1_021;
        assert_eq!(
            notes.take(),
            newest.collect::<Vec<_>>(),
            "the newest, the oldest of them first"
        );
        test.settle(0);
        test.settle(1);
        test.finish();
    }
}

#[test]
fn a_steal_of_half_is_bounded() {
    let mut settings = Settings::DEFAULT;
    settings.steal_half = true;
    let mut test = Test::with(2, settings);
    let scheduler = test.scheduler();
    test.on(0, |_| {
        for _ in 0..400 {
            drop(scheduler.spawn(async { yield_now().await }));
        }
    });
    // Several drains, until a whole refill is published.
    for _ in 0..20 {
        let _ = test.step(0);
    }
    assert_eq!(test.step(1), Step::Stole);
    assert!((2..=32).contains(&test.on(1, |core| core.queued())));
    test.settle(0);
    test.settle(1);
    test.finish();
}
