//! What comes at a bad moment, and what is left behind.

use crate::bench::{spawn, stack, timer_interrupt};
use crate::common::{Notes, Test};
use sched::thread::Policy;
use sched::{CpuId, CpuSet, Step, Tier};
use std::sync::{Arc, Mutex};

/// PC1: between the drain and the choice of a future a thread is woken that comes before it, and that owed no kick while
/// the CPU was at something more urgent.
#[test]
fn a_thread_that_comes_while_the_level_falls_goes_before_futures() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let (place, seen) = (Arc::new(Mutex::new(None)), notes.clone());
    let waker = place.clone();
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 1 }, move || {
        *place.lock().unwrap() = scheduler.thread_waker();
        scheduler.park().unwrap();
        seen.push(1);
    }));
    test.settle(0);
    test.on(0, |_| drop(scheduler.task("urgent").tier(Tier::Critical).spawn(async {})));
    assert_eq!(test.step(0), Step::Ran);
    let seen = notes.clone();
    test.on(0, |_| drop(scheduler.spawn(async move { seen.push(2) })));
    // Behind the drain of the second inbox, before the level falls.
    let mut places_left = 2;
    *scheduler.machine().meanwhile.lock().unwrap() = Some(Box::new(move || {
        places_left -= 1;
        if places_left == 0 {
            waker.lock().unwrap().take().unwrap().wake();
        }
        places_left == 0
    }));
    test.step(0);
    test.step(0);
    assert_eq!(notes.take(), [1]);
    test.settle(0);
    assert_eq!(notes.take(), [2]);
    test.finish();
}

#[test]
fn a_guard_that_is_forgotten_ends_with_its_thread() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    test.on(0, |core| core.lend_stack(stack()).unwrap());
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        std::mem::forget(scheduler.no_reschedule());
        assert!(scheduler.park().is_err());
    }));
    test.settle(0);
    test.on(0, |_| {
        drop(scheduler.spawn(async move { std::mem::forget(scheduler.no_reschedule()) }))
    });
    test.settle(0);
    // One of the caller's, outside of any thread.
    let outside = test.on(0, |_| scheduler.no_reschedule());
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        timer_interrupt(scheduler, 1);
        seen.push(2);
    }));
    assert_eq!(test.step(0), Step::Ran);
    notes.push(1);
    test.on(0, |_| drop(outside));
    test.settle(0);
    assert_eq!(notes.take(), [1, 2]);
    test.finish();
}

#[test]
fn a_paused_cpu_gives_away_the_thread_that_it_preempted() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    test.settle(1);
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        timer_interrupt(scheduler, 1);
        seen.push(u64::from(crate::common::here()));
    }));
    assert_eq!(test.step(0), Step::Ran);
    scheduler.pause(CpuId::new(0));
    assert_eq!(test.step(0), Step::Paused);
    assert!(test.is_kicked(1), "there is one to take");
    test.settle(1);
    assert_eq!(notes.take(), [1]);
    scheduler.resume(CpuId::new(0));
    test.settle(0);
    test.finish();
}

/// A thief looks at eight: where none of them is for it, it halts, and is woken when the queue has changed.
#[test]
fn a_thief_that_finds_nothing_for_it_comes_to_rest() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    test.on(0, |_| {
        drop(scheduler.thread("free").spawn(stack(), || {}).unwrap());
        for _ in 0..9 {
            let pinned = scheduler.thread("pinned").pinned_to(CpuId::new(0)).unwrap();
            drop(pinned.spawn(stack(), move || timer_interrupt(scheduler, 10_000_000)).unwrap());
        }
        // Runs now, so that the free one waits.
        let first = scheduler.thread("first").policy(Policy::Realtime { priority: 1 });
        let first = first.pinned_to(CpuId::new(0)).unwrap();
        drop(first.spawn(stack(), || {}).unwrap());
    });
    assert_eq!(test.step(0), Step::Ran);
    test.settle(1);
    test.settle(0);
    test.settle(1);
    test.finish();
}

#[test]
fn a_tick_says_that_a_preempted_poll_remains() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |core| core.lend_stack(stack()).unwrap());
    test.on(0, |_| drop(scheduler.spawn(async move { timer_interrupt(scheduler, 1) })));
    assert!(test.on(0, |core| core.tick_n(1)).has_remaining);
    assert!(!test.on(0, |core| core.tick_n(1)).has_remaining);
    test.finish();
}

/// What a CPU took to run it is not taken from it before it does: else idle CPUs pass it round.
#[test]
fn a_stolen_thread_is_not_stolen_from_the_thief() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    for _ in 0..2 {
        drop(spawn(&mut test, 0, Policy::DEFAULT, move || timer_interrupt(scheduler, 1)));
    }
    // The thief's executor has had something to do.
    test.on(1, |_| drop(scheduler.spawn(async {})));
    assert_eq!(test.step(1), Step::Ran);
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(test.step(1), Step::Stole);
    assert_eq!(test.step(2), Step::Halted);
    assert_eq!(test.step(1), Step::Ran);
    for cpu in [0, 1, 2] {
        test.settle(cpu);
    }
    test.finish();
}

/// G2: a thief takes the thread between the look at its home and the look at its queue.
#[test]
fn a_change_leaves_alone_what_a_thief_has_taken_meanwhile() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || timer_interrupt(scheduler, 1)));
    let taken = spawn(&mut test, 0, Policy::DEFAULT, || {});
    assert_eq!(test.step(0), Step::Ran);
    taken.thread().unwrap().set_affinity(CpuSet::ALL).unwrap();
    let thief = Arc::new(Mutex::new(Some(test.lend(1))));
    let (mut core, place) = (thief.lock().unwrap().take(), thief.clone());
    // Behind the drains of two inboxes.
    let mut places_left = 3;
    *scheduler.machine().meanwhile.lock().unwrap() = Some(Box::new(move || {
        places_left -= 1;
        if places_left == 0 {
            let mut core = core.take().unwrap();
            assert_eq!(core.step(), Step::Stole);
            *place.lock().unwrap() = Some(core);
        }
        places_left == 0
    }));
    test.step(0);
    let thief = thief.lock().unwrap().take().unwrap();
    test.put_back(thief);
    drop(taken);
    test.settle(1);
    assert_eq!(scheduler.totals().completed, 2, "what a CPU stole it has");
    test.settle(0);
    test.finish();
}
