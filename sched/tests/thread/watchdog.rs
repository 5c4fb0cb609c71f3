//! H4: a loop that does not go on, a thread that hogs its CPU, and one that never gets there are told about.

use crate::bench::{spawn, timer_interrupt};
use crate::common::{CPUS, Test, as_cpu};
use sched::thread::Policy;
use sched::{Alarm, CpuId, Step, Watchdog};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex};

const LIMIT_NS: u64 = 1_000;

/// What `ticks` looks found, from CPU `cpu`.
fn look(test: &Test, dog: &Watchdog<CPUS>, cpu: u32, ticks: usize) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    as_cpu(cpu, || (0..ticks).for_each(|_| dog.tick(test.scheduler(), |alarm| alarms.push(alarm))));
    alarms
}

fn later(test: &Test, by_ns: u64) {
    test.scheduler().machine().now_ns.fetch_add(by_ns, SeqCst);
}

#[test]
fn g1_who_halts_or_goes_on_is_not_stuck_and_who_does_not_is() {
    let mut test = Test::new(3);
    let dog = Watchdog::new(LIMIT_NS);
    for cpu in 0..3 {
        test.settle(cpu);
    }
    // CPUs 0 and 1 halt; 2 is kept awake by what it has to do, and does not do it.
    let scheduler = test.scheduler();
    test.on(2, |_| drop(scheduler.spawn(async {})));
    assert!(look(&test, &dog, 0, 6).is_empty());
    later(&test, LIMIT_NS * 5);
    assert!(look(&test, &dog, 0, 6).is_empty(), "all halt");
    assert_ne!(test.step(2), Step::Halted);
    assert!(look(&test, &dog, 0, 6).is_empty(), "first seen awake");
    later(&test, LIMIT_NS - 1);
    assert!(look(&test, &dog, 0, 6).is_empty(), "not yet");
    later(&test, 1);
    let stuck = Alarm::Stuck { cpu: CpuId::new(2), task: None, name: None, for_ns: LIMIT_NS };
    assert_eq!(look(&test, &dog, 1, 6), [stuck], "told once, whoever ticks");
    later(&test, LIMIT_NS);
    assert_eq!(look(&test, &dog, 0, 6), [stuck], "and again after another limit");
    later(&test, LIMIT_NS);
    test.on(2, |_| drop(scheduler.spawn(async {})));
    assert_eq!(test.step(2), Step::Ran);
    assert!(!scheduler.is_idle(CpuId::new(2)));
    assert!(look(&test, &dog, 0, 6).is_empty(), "it went on");
    // It halts while nobody looks, and is awake again.
    while test.step(2) != Step::Halted {}
    let halts = scheduler.totals().halts;
    later(&test, LIMIT_NS);
    test.on(2, |_| drop(scheduler.spawn(async {})));
    test.step(2);
    assert!(look(&test, &dog, 0, 6).is_empty());
    assert_eq!(scheduler.totals().halts, halts);
    test.settle_all();
    test.finish();
}

#[test]
fn a_thread_that_hogs_its_cpu_is_named_by_the_cpu_itself_and_by_others() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    test.settle(1);
    let dog: &'static Watchdog<CPUS> = Box::leak(Box::new(Watchdog::new(LIMIT_NS)));
    let alarms = Arc::new(Mutex::new(Vec::new()));
    let seen = alarms.clone();
    let thread = spawn(&mut test, 0, Policy::DEFAULT, move || {
        let _stays = scheduler.no_reschedule();
        for cpu in [0, 0, 1] {
            timer_interrupt(scheduler, LIMIT_NS);
            as_cpu(cpu, || {
                (0..2).for_each(|_| dog.tick(scheduler, |alarm| seen.lock().unwrap().push(alarm)));
            });
        }
    });
    let id = thread.id();
    drop(thread);
    assert_eq!(test.step(0), Step::Ran);
    let stuck = |name| Alarm::Stuck { cpu: CpuId::new(0), task: Some(id), name, for_ns: LIMIT_NS };
    let alarms = alarms.lock().unwrap().clone();
    assert_eq!(alarms, [stuck(Some("thread")), stuck(Some("thread"))]);
    let text = alarms[0].to_string();
    assert_eq!(text, format!("cpu0 has not been in its loop for 1000 ns: it runs {id}, thread"));
    test.settle_all();
    test.finish();
}

#[test]
fn a_thread_that_never_gets_its_turn_is_named() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let dog = Watchdog::new(LIMIT_NS);
    // Two that are always more urgent.
    let stop: &'static std::sync::atomic::AtomicBool = Box::leak(Box::default());
    for _ in 0..2 {
        drop(spawn(&mut test, 0, Policy::Realtime { priority: 1 }, move || {
            while !stop.load(SeqCst) {
                scheduler.yield_thread();
            }
        }));
    }
    let meek = spawn(&mut test, 0, Policy::DEFAULT, || ());
    let id = meek.id();
    drop(meek);
    test.step(0);
    assert!(look(&test, &dog, 0, 2).is_empty());
    for round in 0..3 {
        later(&test, LIMIT_NS);
        for _ in 0..4 {
            test.step(0);
        }
        let for_ns = LIMIT_NS * (round + 1);
        let (cpu, name) = (CpuId::new(0), "thread");
        let starved = Alarm::Starved { cpu, task: id, name, for_ns };
        assert_eq!(look(&test, &dog, 0, 3), [starved], "told once in each limit");
        assert_eq!(
            starved.to_string(),
            format!("{id}, thread, has waited on cpu0 for {for_ns} ns")
        );
    }
    stop.store(true, SeqCst);
    test.settle(0);
    later(&test, LIMIT_NS);
    assert!(look(&test, &dog, 0, 2).is_empty());
    test.finish();
}
