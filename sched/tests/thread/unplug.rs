//! CPUs go offline under threads and preempted polls, and come back.

use crate::bench::{spawn, stack, stack_for_good, timer_interrupt};
use crate::common::{Notes, Test, here, poll_once};
use sched::class::Nice;
use sched::thread::Policy;
use sched::{CpuId, CpuSet, IfPinned, OfflineError, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::Poll;

fn only(cpu: u32) -> CpuSet {
    CpuSet::EMPTY.with(CpuId::new(cpu))
}

fn leave(test: &mut Test, cpu: usize) {
    test.on(cpu, |core| core.leave(IfPinned::Refuse)).unwrap();
    test.leave_one(cpu);
}

#[test]
fn runnable_threads_of_every_policy_go_elsewhere() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    for (name, policy) in
        [Policy::Stop, Policy::Realtime { priority: 3 }, Policy::DEFAULT].into_iter().enumerate()
    {
        let notes = notes.clone();
        drop(spawn(&mut test, 1, policy, move || {
            notes.push(u64::from(here()));
            timer_interrupt(scheduler, 10_000_000);
            notes.push(100 * name as u64 + u64::from(here()));
        }));
    }
    // The first has run, and is preempted; the others are new.
    assert_eq!(test.step(1), Step::Ran);
    leave(&mut test, 1);
    test.settle(0);
    let mut notes = notes.take();
    notes.sort_unstable();
    assert_eq!(notes, [0, 0, 0, 1, 100, 200]);
    test.finish();
}

#[test]
fn a_thread_that_sleeps_in_the_queue_is_woken_elsewhere() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    let busy = Arc::new(AtomicBool::new(true));
    let theirs = busy.clone();
    // Owes service when it parks, so that the class keeps it.
    let sleeper = spawn(&mut test, 1, Policy::DEFAULT, move || {
        timer_interrupt(scheduler, 2_900_000);
        scheduler.park().unwrap();
        seen.push(u64::from(here()));
    });
    let other = spawn(&mut test, 1, Policy::fair(Nice::new(-5)), move || {
        while theirs.load(SeqCst) {
            timer_interrupt(scheduler, 1_000);
        }
    });
    for _ in 0..6 {
        test.step(1);
    }
    leave(&mut test, 1);
    sleeper.thread().unwrap().unpark();
    busy.store(false, SeqCst);
    test.settle(0);
    assert_eq!(notes.take(), [0]);
    test.enter_one(1);
    test.settle(1);
    drop((sleeper, other));
    test.settle(0);
    test.settle(1);
    test.finish();
}

#[test]
fn a_preempted_poll_ends_before_its_cpu_goes() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    test.on(1, |core| core.lend_stack(stack_for_good()).unwrap());
    let notes = Notes::default();
    let seen = notes.clone();
    test.on(1, |_| {
        drop(scheduler.spawn(async move {
            for _ in 0..3 {
                seen.push(u64::from(here()));
                timer_interrupt(scheduler, 1);
            }
        }))
    });
    assert_eq!(test.step(1), Step::Ran);
    leave(&mut test, 1);
    assert_eq!(notes.take(), [1, 1, 1]);
    // The executor has its stack still.
    test.enter_one(1);
    assert!(test.on(1, |core| core.lend_stack(stack_for_good()).is_err()));
    test.settle(0);
    test.settle(1);
    test.finish();
}

/// G3: the message goes to a home that answers no more, and the thread is on its way.
#[test]
fn a_change_reaches_a_thread_whose_home_has_gone() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    let handle = spawn(&mut test, 2, Policy::DEFAULT, move || {
        scheduler.park().unwrap();
        seen.push(u64::from(here()));
        timer_interrupt(scheduler, 1);
        seen.push(u64::from(here()));
    });
    test.settle(2);
    leave(&mut test, 2);
    let thread = handle.thread().unwrap();
    thread.set_affinity(only(1)).unwrap();
    thread.unpark();
    test.settle(0);
    assert_eq!(test.step(1), Step::Ran);
    assert_eq!(notes.take(), [1]);
    // And it can be changed again.
    thread.set_affinity(only(0)).unwrap();
    test.settle(1);
    test.settle(0);
    assert_eq!(notes.take(), [0]);
    drop((thread, handle));
    test.settle(0);
    test.settle(1);
    test.finish();
}

#[test]
fn a_change_under_way_when_its_cpu_goes_is_not_lost() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    let handle = spawn(&mut test, 2, Policy::DEFAULT, move || {
        seen.push(u64::from(here()));
        timer_interrupt(scheduler, 1);
        seen.push(u64::from(here()));
    });
    assert_eq!(test.step(2), Step::Ran);
    let thread = handle.thread().unwrap();
    thread.set_affinity(only(1)).unwrap();
    leave(&mut test, 2);
    test.settle(0);
    test.settle(1);
    assert_eq!(notes.take(), [2, 1]);
    drop((thread, handle));
    test.settle(1);
    test.settle(0);
    test.finish();
}

/// The books of those that may run on one CPU alone follow the changes.
#[test]
fn pinned_threads_keep_their_cpu_until_they_are_let_go() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let mut handle = test.on(1, |_| {
        let pinned = scheduler.thread("pinned").pinned_to(CpuId::new(1)).unwrap();
        pinned.spawn(stack(), || scheduler.park()).unwrap()
    });
    test.settle(1);
    let refused = |test: &mut Test| test.on(1, |core| core.leave(IfPinned::Refuse));
    assert_eq!(refused(&mut test), Err(OfflineError::Pinned(1)));
    let thread = handle.thread().unwrap();
    thread.set_affinity(CpuSet::ALL).unwrap();
    // It takes notice when it next has it.
    thread.unpark();
    test.settle(1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(Ok(()))));
    assert_eq!(refused(&mut test), Ok(()));
    test.leave_one(1);
    drop((thread, handle));
    test.settle(0);
    test.finish();
}
