//! Sleeping: never early, never lost, bounded.

mod common;

use common::{Notes, Test, poll_once};
use sched::time::TICK_NS;
use sched::{Step, yield_now};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::Poll;

const MS: u64 = 1_000_000;

#[test]
fn sleepers_wake_in_order_of_deadline_and_never_early() {
    let mut test = Test::new(1);
    let (notes, scheduler) = (Notes::default(), test.scheduler());
    for ms in [30, 10, 20, 10] {
        let notes = notes.clone();
        drop(scheduler.spawn(async move {
            scheduler.sleep_ms(ms).await;
            notes.push(ms);
        }));
    }
    test.settle(0);
    for (now_ns, expected) in
        [(10 * MS - 1, vec![]), (10 * MS, vec![10, 10]), (29 * MS, vec![20]), (31 * MS, vec![30])]
    {
        test.advance_to(now_ns);
        test.settle(0);
        assert_eq!(notes.take(), expected, "at {now_ns}");
    }
    test.finish();
}

#[test]
fn a_halted_cpu_asks_for_its_next_timer_and_for_nothing_else() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let timer = || scheduler.machine().timer_ns[0].load(SeqCst);
    test.settle(0);
    assert_eq!(timer(), u64::MAX, "no tick while idle");
    drop(scheduler.spawn(async move { scheduler.sleep_ms(5).await }));
    test.settle(0);
    assert!(timer() <= 5 * MS);
    let mut wakes = 0;
    while timer() != u64::MAX {
        test.advance_to(timer());
        test.settle(0);
        wakes += 1;
    }
    assert_eq!(scheduler.totals().completed, 1);
    assert!(wakes <= 6, "at most one early wake for each level: {wakes}");
    test.finish();
}

#[test]
fn a_busy_cpu_is_interrupted_at_the_end_of_each_slice() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.spawn(async {
        for _ in 0..10 {
            yield_now().await;
        }
    }));
    assert_eq!(test.step(0), Step::Injected);
    for slice in 1..=5 {
        assert_eq!(test.step(0), Step::Ran);
        let timer = scheduler.machine().timer_ns[0].load(SeqCst);
        assert_eq!(timer, slice * MS);
        test.advance_to(timer);
    }
    test.settle(0);
    test.finish();
}

#[test]
fn more_due_than_a_batch_is_worked_off_in_bounded_steps() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    for _ in 0..1_000 {
        drop(scheduler.spawn(async move { scheduler.sleep_ms(1).await }));
    }
    test.settle(0);
    test.advance_to(2 * MS);
    let mut before = scheduler.totals();
    while test.step(0) != Step::Halted {
        let now = scheduler.totals();
        assert!(now.timers_fired - before.timers_fired <= 64, "an interrupt's batch and a step's");
        before = now;
    }
    assert_eq!(scheduler.totals().timers_fired, 1_000);
    assert_eq!(scheduler.totals().completed, 1_000);
    test.finish();
}

#[test]
fn deadlines_in_the_past_and_at_the_end_of_time_are_answered() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    test.advance_to(100 * MS);
    let notes = Notes::default();
    let log = notes.clone();
    drop(scheduler.spawn(async move {
        scheduler.sleep_until(0).await;
        scheduler.sleep_until(100 * MS).await;
        scheduler.sleep_ns(0).await;
        log.push(1);
        scheduler.sleep_ns(1).await;
        log.push(2);
    }));
    let forever = scheduler.spawn(async move {
        scheduler.sleep_ns(u64::MAX).await;
    });
    test.settle(0);
    assert_eq!(notes.take(), [1]);
    test.advance_to(100 * MS + TICK_NS);
    test.settle(0);
    assert_eq!(notes.take(), [2]);
    test.advance_to(u64::MAX / 2);
    test.settle(0);
    assert!(!forever.is_complete());
    forever.cancel();
    drop(forever);
    test.settle(0);
    test.finish();
}

#[test]
fn a_clock_that_stands_still_or_steps_back_makes_sleep_late_and_nothing_worse() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let spawn = |ms| drop(scheduler.spawn(async move { scheduler.sleep_ms(ms).await }));
    test.advance_to(50 * MS);
    spawn(10);
    test.settle(0);
    test.advance_to(20 * MS);
    spawn(10);
    test.settle(0);
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 0);
    test.advance_to(60 * MS);
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 2);
    test.finish();
}

#[test]
fn a_sleep_may_be_dropped_on_another_cpu_and_frees_its_entry() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let held = Arc::new(());
    let hold = held.clone();
    let handle = test.on(0, |_| {
        scheduler.spawn(async move {
            let _held = hold;
            scheduler.sleep_ms(10).await;
        })
    });
    test.settle(0);
    // Woken by the cancellation on CPU 0, stolen, and dropped on CPU 1.
    test.on(0, |_| drop(scheduler.spawn(async {})));
    handle.cancel();
    assert_eq!(test.step(0), Step::Ran);
    assert_eq!(test.step(1), Step::Stole);
    test.settle(1);
    assert_eq!(Arc::strong_count(&held), 1);
    test.advance_to(20 * MS);
    test.settle(0);
    assert_eq!(scheduler.totals().timers_fired, 0);
    drop(handle);
    test.settle(0);
    test.settle(1);
    test.finish();
}

#[test]
fn a_sleep_that_moves_to_another_waker_wakes_that_one() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let notes = Notes::default();
    let log = notes.clone();
    let sleep = Box::pin(scheduler.sleep_ms(10));
    // Polled once by one task, handed to another through its output.
    let first = scheduler.spawn(async move {
        let mut sleep = sleep;
        assert_eq!(poll_once(&mut sleep), Poll::Pending);
        Some(sleep)
    });
    let second = scheduler.spawn(async move {
        first.await.unwrap().unwrap().await;
        log.push(1);
    });
    test.settle(0);
    assert!(!second.is_complete());
    test.advance_to(11 * MS);
    test.settle(0);
    assert_eq!(notes.take(), [1]);
    drop(second);
    test.settle(0);
    test.finish();
}

#[test]
fn a_sleep_polled_on_no_cpu_completes_by_the_clock() {
    let test = Test::new(1);
    let mut sleep = Box::pin(test.scheduler().sleep_ms(10));
    assert_eq!(poll_once(&mut sleep), Poll::Pending);
    assert_eq!(poll_once(&mut sleep), Poll::Pending);
    test.advance_to(10 * MS);
    assert_eq!(poll_once(&mut sleep), Poll::Ready(()));
    drop(sleep);
    test.finish();
}

/// A waker that is the timer interrupt, once, at a later time.
struct Interrupt(&'static common::Sched, u64, std::sync::atomic::AtomicBool);

impl std::task::Wake for Interrupt {
    fn wake(self: Arc<Self>) {
        if !self.2.swap(true, SeqCst) {
            self.0.machine().now_ns.store(self.1, SeqCst);
            sched::Interrupts::on_timer(self.0);
        }
    }
}

#[test]
fn what_an_interrupt_leaves_while_a_batch_is_woken_is_not_forgotten() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let counter = Arc::new(common::CountingWaker::default());
    let counting = std::task::Waker::from(counter.clone());
    let interrupt = Interrupt(scheduler, 20_000, false.into());
    let interrupting = std::task::Waker::from(Arc::new(interrupt));
    let mut sleeps = Vec::new();
    // The interrupt comes with the last of two batches, and finds more than a batch due itself.
    test.on(0, |_| {
        for sleep in 0..73 {
            let deadline_ns = if sleep < 33 { 10_000 } else { 20_000 };
            let waker = if sleep == 32 { &interrupting } else { &counting };
            let mut sleep = Box::pin(scheduler.sleep_until(deadline_ns));
            let mut context = std::task::Context::from_waker(waker);
            assert!(std::future::Future::poll(sleep.as_mut(), &mut context).is_pending());
            sleeps.push(sleep);
        }
        // Busy, so that no halt looks at the wheel again.
        drop(scheduler.spawn(async {
            for _ in 0..50 {
                yield_now().await;
            }
        }));
    });
    test.advance_to(10_000);
    for _ in 0..10 {
        test.step(0);
    }
    assert_eq!(counter.0.load(SeqCst), 72, "all that were due, without another interrupt");
    drop(sleeps);
    test.settle(0);
    test.finish();
}

#[test]
fn a_timer_that_was_lost_while_the_cpu_was_away_is_asked_for_again() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.spawn(async move { scheduler.sleep_ms(5).await }));
    test.settle(0);
    test.leave();
    let timer = &scheduler.machine().timer_ns[0];
    assert!(timer.load(SeqCst) <= 5 * MS, "no slice of a loop that is gone");
    timer.store(u64::MAX, SeqCst);
    test.advance_to(50 * MS);
    test.enter(1);
    assert!(timer.load(SeqCst) <= 50 * MS, "the sleeper's, which is overdue");
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 1);
    test.finish();
}
