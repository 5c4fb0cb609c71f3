use crate::bench::{spawn, stack, timer_interrupt};
use crate::common::{Notes, Test};
use sched::thread::Policy;
use sched::{CpuId, Step};

#[test]
fn an_idle_cpu_takes_a_thread_that_waits_for_its_turn() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    test.settle(1);
    let notes = Notes::default();
    for _ in 0..2 {
        let notes = notes.clone();
        drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
            for _ in 0..3 {
                notes.push(u64::from(crate::common::here()));
                timer_interrupt(scheduler, 1);
            }
        }));
    }
    assert_eq!(test.step(0), Step::Ran);
    assert!(test.is_kicked(1), "there is one to take");
    assert_eq!(test.step(1), Step::Stole);
    assert_eq!(test.step(1), Step::Ran);
    test.settle(0);
    test.settle(1);
    let mut notes = notes.take();
    notes.sort_unstable();
    assert_eq!(notes, [0, 0, 0, 1, 1, 1]);
    assert_eq!(scheduler.totals().steals_won, 1);
    test.finish();
}

#[test]
fn what_runs_is_not_taken_and_what_is_pinned_neither() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    test.on(0, |_| {
        for _ in 0..2 {
            let pinned = scheduler.thread("pinned").pinned_to(CpuId::new(0)).unwrap();
            drop(pinned.spawn(stack(), move || timer_interrupt(scheduler, 1)).unwrap());
        }
        drop(scheduler.thread("free").spawn(stack(), move || timer_interrupt(scheduler, 1)));
    });
    while scheduler.totals().preempted < 3 {
        test.step(0);
    }
    // All three are queued; the free one is what a thief can have, unless it is the one that ran last.
    for _ in 0..10 {
        test.step(1);
    }
    assert!(scheduler.totals().steals_won <= 1);
    test.settle(0);
    test.settle(1);
    test.finish();
}

#[test]
fn a_thread_for_another_cpu_goes_there() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    test.on(0, |_| {
        let pinned = scheduler.thread("there").pinned_to(CpuId::new(1)).unwrap();
        drop(pinned.spawn(stack(), move || seen.push(u64::from(crate::common::here()))).unwrap());
    });
    test.settle(0);
    test.settle(1);
    assert_eq!(notes.take(), [1]);
    test.finish();
}
