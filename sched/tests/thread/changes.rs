use crate::bench::{spawn, stack, timer_interrupt};
use crate::common::{Notes, Test, here, poll_once};
use sched::class::Nice;
use sched::thread::Policy;
use sched::{CpuId, CpuSet, EmptyAffinity, Step};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

fn only(cpu: u32) -> CpuSet {
    CpuSet::EMPTY.with(CpuId::new(cpu))
}

#[test]
fn a_queued_thread_moves_at_once() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    test.on(0, |_| {
        let pinned = scheduler.thread("first").pinned_to(CpuId::new(0)).unwrap();
        drop(pinned.spawn(stack(), move || timer_interrupt(scheduler, 1)).unwrap());
    });
    let handle = spawn(&mut test, 0, Policy::DEFAULT, move || seen.push(u64::from(here())));
    let thread = handle.thread().unwrap();
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(thread.affinity(), None);
    thread.set_affinity(only(1)).unwrap();
    assert_eq!(thread.affinity(), Some(only(1)));
    test.settle(0);
    assert!(test.is_kicked(1));
    test.settle(1);
    assert_eq!(notes.take(), [1]);
    drop((thread, handle));
    test.settle(1);
    test.settle(0);
    test.finish();
}

#[test]
fn a_running_thread_moves_at_its_next_reschedule_point() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    let handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        let me = scheduler.current_thread().unwrap();
        me.set_affinity(only(1)).unwrap();
        seen.push(u64::from(here()));
        scheduler.resched_point();
        seen.push(u64::from(here()));
    });
    test.settle(0);
    test.settle(1);
    assert_eq!(notes.take(), [0, 1]);
    assert_eq!(handle.thread().unwrap().stats().migrations, 1);
    drop(handle);
    test.settle(1);
    test.settle(0);
    test.finish();
}

#[test]
fn a_thread_that_waits_moves_when_it_is_woken() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let seen = notes.clone();
    let handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        // Owes service when it goes to sleep, so that it sleeps on in the queue.
        timer_interrupt(scheduler, 3_000_000);
        scheduler.park().unwrap();
        seen.push(u64::from(here()));
    });
    let other = spawn(&mut test, 0, Policy::DEFAULT, move || {
        for _ in 0..4 {
            timer_interrupt(scheduler, 1_000_000);
        }
    });
    test.settle(0);
    let thread = handle.thread().unwrap();
    thread.set_affinity(only(1)).unwrap();
    test.settle(0);
    thread.unpark();
    test.settle(0);
    test.settle(1);
    assert_eq!(notes.take(), [1]);
    drop((thread, handle, other));
    test.settle(1);
    test.settle(0);
    test.finish();
}

#[test]
fn an_affinity_without_a_cpu_that_is_there_is_refused() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let handle = spawn(&mut test, 0, Policy::DEFAULT, move || scheduler.park());
    test.settle(0);
    let thread = handle.thread().unwrap();
    for set in [CpuSet::EMPTY, only(3), only(900)] {
        assert_eq!(thread.set_affinity(set), Err(EmptyAffinity));
    }
    assert_eq!(thread.affinity(), None);
    assert_eq!(thread.set_affinity(CpuSet::ALL), Ok(()));
    assert_eq!(thread.affinity(), None);
    thread.unpark();
    test.settle(0);
    drop((thread, handle));
    test.settle(0);
    test.finish();
}

#[test]
#[cfg_attr(miri, ignore = "long, or it leaves threads behind")]
fn a_new_policy_counts_from_the_next_choice_on() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let served: Arc<[AtomicU64; 2]> = Arc::new([const { AtomicU64::new(0) }; 2]);
    let threads: Vec<_> = (0..2)
        .map(|which: usize| {
            let served = served.clone();
            let handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
                loop {
                    served[which].fetch_add(1, SeqCst);
                    timer_interrupt(scheduler, 500_000);
                }
            });
            handle.thread().unwrap()
        })
        .collect();
    let mut shares = || {
        served.iter().for_each(|served| served.store(0, SeqCst));
        for _ in 0..6_000 {
            test.step(0);
        }
        let [a, b] = [0, 1].map(|which: usize| served[which].load(SeqCst) as f64);
        a / (a + b)
    };
    assert!((shares() - 0.5).abs() < 0.01);
    threads[0].set_policy(Policy::fair(Nice::new(5)));
    let due = f64::from(Nice::new(5).weight()) / f64::from(Nice::new(5).weight() + 1024);
    let share = shares();
    assert!((share - due).abs() < 0.01, "{share} of {due}");
    threads[1].set_policy(Policy::Realtime { priority: 1 });
    assert!(shares() < 0.001);
    assert_eq!(threads[1].policy(), Policy::Realtime { priority: 1 });
    threads[1].set_policy(Policy::DEFAULT);
    threads[0].set_policy(Policy::DEFAULT);
    assert!((shares() - 0.5).abs() < 0.01);
    test.leave();
}

#[test]
fn a_restricted_thread_is_stolen_by_those_it_may_run_on_only() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    let stop = Arc::new(AtomicBool::new(false));
    test.on(0, |_| {
        for _ in 0..2 {
            let stop = stop.clone();
            let two = scheduler.thread("two").affinity(only(0).with(CpuId::new(2))).unwrap();
            let run = move || {
                while !stop.load(SeqCst) {
                    timer_interrupt(scheduler, 1);
                }
            };
            drop(two.spawn(stack(), run).unwrap());
        }
    });
    test.step(0);
    // There is nothing for CPU 1, which comes to rest; CPU 2 takes one.
    test.settle(1);
    assert_eq!(test.step(2), Step::Stole);
    assert_eq!(scheduler.totals().steals_won, 1);
    stop.store(true, SeqCst);
    for cpu in [0, 2] {
        test.settle(cpu);
    }
    test.finish();
}

#[test]
fn what_a_thread_had_is_counted() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let mut handle = spawn(&mut test, 0, Policy::DEFAULT, move || {
        timer_interrupt(scheduler, 5_000);
        scheduler.park().unwrap();
        timer_interrupt(scheduler, 7_000);
    });
    let thread = handle.thread().unwrap();
    assert_eq!(thread.name(), "thread");
    assert_eq!(thread.id(), handle.id());
    test.advance_to(1_000);
    test.settle(0);
    test.advance_to(100_000);
    thread.unpark();
    test.settle(0);
    let stats = thread.stats();
    assert_eq!((stats.run_ns, stats.wakes, stats.runs, stats.preempted), (12_000, 1, 4, 2));
    assert_eq!(poll_once(&mut handle), std::task::Poll::Ready(Ok(())));
    drop((thread, handle));
    test.settle(0);
    test.finish();
}
