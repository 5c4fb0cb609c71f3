use crate::bench::{spawn, stack_for_good, timer_interrupt};
use crate::common::{Notes, Test};
use sched::thread::Policy;
use sched::{Step, Tier, yield_now};

#[test]
fn a_poll_on_a_stack_of_its_own_is_preempted_and_goes_on() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |core| core.lend_stack(stack_for_good()).unwrap());
    assert!(test.on(0, |core| core.lend_stack(stack_for_good()).is_err()));
    let notes = Notes::default();
    let seen = notes.clone();
    test.on(0, |_| {
        drop(scheduler.spawn(async move {
            seen.push(1);
            timer_interrupt(scheduler, 1);
            seen.push(3);
            yield_now().await;
            seen.push(4);
        }))
    });
    assert_eq!(test.step(0), Step::Ran);
    notes.push(2);
    test.settle(0);
    assert_eq!(notes.take(), [1, 2, 3, 4]);
    assert_eq!(scheduler.totals().preempted, 1);
    test.finish();
}

#[test]
#[cfg_attr(miri, ignore = "long, or it leaves threads behind")]
fn a_thread_that_wakes_preempts_a_long_poll() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |core| core.lend_stack(stack_for_good()).unwrap());
    let notes = Notes::default();
    let (future, thread) = (notes.clone(), notes.clone());
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 5 }, move || {
        thread.push(1);
        scheduler.park().unwrap();
        thread.push(3);
    }));
    test.settle(0);
    let waker = std::sync::Arc::new(std::sync::Mutex::new(None));
    let place = waker.clone();
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 5 }, move || {
        *place.lock().unwrap() = scheduler.thread_waker();
        scheduler.park().unwrap();
        notes.push(3);
    }));
    test.settle(0);
    test.on(0, |_| {
        drop(scheduler.spawn(async move {
            future.push(2);
            waker.lock().unwrap().take().unwrap().wake();
            scheduler.resched_point();
            future.push(4);
            assert_eq!(future.take(), [1, 2, 3, 4]);
        }))
    });
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 2);
    test.leave();
}

#[test]
fn a_critical_poll_comes_first_and_is_not_preempted() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |core| core.lend_stack(stack_for_good()).unwrap());
    let notes = Notes::default();
    let (a, b) = (notes.clone(), notes.clone());
    drop(spawn(&mut test, 0, Policy::Realtime { priority: 99 }, move || a.push(2)));
    test.on(0, |_| {
        let critical = scheduler.task("critical").tier(Tier::Critical);
        drop(critical.spawn(async move {
            timer_interrupt(scheduler, 1);
            b.push(1);
        }));
    });
    test.settle(0);
    assert_eq!(notes.take(), [1, 2]);
    test.finish();
}

/// G1: the futures of a CPU are one member of its fair class.
#[test]
#[cfg_attr(miri, ignore = "long, or it leaves threads behind")]
fn futures_and_threads_share_the_cpu_by_weight() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.on(0, |core| core.lend_stack(stack_for_good()).unwrap());
    let served = std::sync::Arc::new([const { std::sync::atomic::AtomicU64::new(0) }; 2]);
    let (by_thread, by_future) = (served.clone(), served.clone());
    drop(spawn(&mut test, 0, Policy::DEFAULT, move || {
        loop {
            by_thread[0].fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            timer_interrupt(scheduler, 1_000_000);
        }
    }));
    test.on(0, |_| {
        for _ in 0..2 {
            let by_future = by_future.clone();
            drop(scheduler.spawn(async move {
                loop {
                    by_future[1].fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    timer_interrupt(scheduler, 1_000_000);
                    yield_now().await;
                }
            }));
        }
    });
    for _ in 0..2_000 {
        test.step(0);
    }
    let [thread, futures] =
        [0, 1].map(|which: usize| served[which].load(std::sync::atomic::Ordering::SeqCst) as f64);
    assert!((thread / futures - 1.0).abs() < 0.02, "{thread} and {futures}");
    test.leave();
}
