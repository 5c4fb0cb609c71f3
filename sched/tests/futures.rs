//! Futures in futures: time limits, beats, both of two, the first of two; and those of other crates, unchanged.

mod common;

use common::{Test, as_cpu};
use futures_util::FutureExt as _;
use futures_util::future::{join_all, select_all};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sched::time::{TICK_NS, TimedOut};
use sched::{Either, join, select, yield_now};
use std::future::{Future, pending, ready};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

const MS: u64 = 1_000_000;

/// What tasks said, in order.
struct Notes<T>(Arc<Mutex<Vec<T>>>);

impl<T> Notes<T> {
    fn new() -> (Self, Self) {
        let notes = Arc::default();
        (Self(Arc::clone(&notes)), Self(notes))
    }

    fn push(&self, note: T) {
        self.0.lock().unwrap().push(note);
    }

    fn take(&self) -> Vec<T> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

impl<T> Clone for Notes<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts its drops.
#[derive(Clone, Default)]
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn join_gives_both_outputs_whichever_comes_first() {
    let mut test = Test::new(1);
    let ((notes, mine), scheduler) = (Notes::new(), test.scheduler());
    for (first_ms, second_ms) in [(1, 2), (2, 1), (0, 0)] {
        let notes = mine.clone();
        drop(scheduler.spawn(async move {
            let first = async {
                scheduler.sleep_ms(first_ms).await;
                first_ms
            };
            let second = async {
                scheduler.sleep_ms(second_ms).await;
                second_ms
            };
            notes.push(sched::join(first, second).await);
        }));
    }
    test.settle(0);
    assert_eq!(notes.take(), [(0, 0)]);
    test.advance_to(3 * MS);
    test.settle(0);
    assert_eq!(notes.take(), [(1, 2), (2, 1)]);
    test.finish();
}

#[test]
fn a_future_that_is_done_is_not_polled_again_and_dropped_at_once() {
    let dropped = Dropped::default();
    let count = dropped.0.clone();
    let first = async move {
        let _held = dropped;
    };
    let mut both = pin!(join(first, pending::<()>()));
    assert!(poll_once(both.as_mut()).is_pending());
    assert_eq!(count.load(SeqCst), 1);
    assert!(poll_once(both).is_pending());
}

#[test]
fn select_gives_the_first_and_drops_the_other() {
    let dropped = Dropped::default();
    let count = dropped.0.clone();
    let loser = async move {
        let _held = dropped;
        pending::<()>().await;
    };
    let mut first = pin!(sched::select(loser, async {
        yield_now().await;
        7
    }));
    assert!(poll_once(first.as_mut()).is_pending());
    assert_eq!(count.load(SeqCst), 0);
    assert_eq!(poll_once(first.as_mut()), Poll::Ready(Either::Second(7)));
    assert_eq!(count.load(SeqCst), 1, "the loser is gone, though the future of both is not");
    assert!(poll_once(first).is_pending(), "polled again it never is ready");
    let both_ready = pin!(select(ready(1), ready(2)));
    assert_eq!(poll_once(both_ready), Poll::Ready(Either::First(1)));
}

#[test]
fn a_timeout_gives_the_output_or_says_that_time_is_up() {
    let mut test = Test::new(1);
    let ((notes, mine), scheduler) = (Notes::new(), test.scheduler());
    let dropped = Dropped::default();
    let count = dropped.0.clone();
    drop(scheduler.spawn(async move {
        let quick = async {
            scheduler.sleep_ms(1).await;
            "quick"
        };
        mine.push(scheduler.timeout(2 * MS, quick).await);
        let slow = async move {
            let _held = dropped;
            pending().await
        };
        mine.push(scheduler.timeout(2 * MS, slow).await);
        // Ready, and out of time: ready counts.
        mine.push(scheduler.timeout(0, ready("ready")).await);
        mine.push(scheduler.timeout(0, pending()).await);
        assert_eq!(TimedOut.to_string(), "the time was up before the future was done");
    }));
    for (now_ns, expected) in [
        (0, vec![]),
        (MS, vec![Ok("quick")]),
        (3 * MS - 1, vec![]),
        (3 * MS, vec![Err(TimedOut), Ok("ready"), Err(TimedOut)]),
    ] {
        test.advance_to(now_ns);
        test.settle(0);
        assert_eq!(notes.take(), expected, "at {now_ns}");
    }
    assert_eq!(count.load(SeqCst), 1, "what took too long is dropped");
    test.finish();
}

#[test]
fn an_interval_keeps_its_beats_however_late_they_are_found() {
    let mut test = Test::new(1);
    let ((notes, mine), scheduler) = (Notes::new(), test.scheduler());
    drop(scheduler.spawn(async move {
        let mut interval = scheduler.interval(10 * MS);
        for _ in 0..4 {
            let missed = interval.tick().await;
            mine.push((missed, interval.next_ns() / MS));
        }
    }));
    for (now_ns, expected) in [
        (0, vec![]),
        (10 * MS - 1, vec![]),
        // 7 ms late, and no drift.
        (17 * MS, vec![(0, 20)]),
        (20 * MS, vec![(0, 30)]),
        // The beats at 40 and 50 are over as well.
        (55 * MS, vec![(2, 60)]),
        (60 * MS, vec![(0, 70)]),
    ] {
        test.advance_to(now_ns);
        test.settle(0);
        assert_eq!(notes.take(), expected, "at {now_ns}");
    }
    test.finish();
}

#[test]
fn a_wait_for_a_beat_that_is_given_up_is_as_if_it_had_not_been() {
    let test = Test::new(1);
    let scheduler = test.scheduler();
    let mut interval = scheduler.interval(10 * MS);
    as_cpu(0, || assert!(poll_once(pin!(interval.tick())).is_pending()));
    assert_eq!(interval.next_ns(), 10 * MS);
    assert!(format!("{interval:?}").contains("period_ns: 10000000"));
    test.advance_to(10 * MS);
    assert_eq!(as_cpu(0, || poll_once(pin!(interval.tick()))), Poll::Ready(0));
    // A period of nothing is one tick; one that ends never, never ends.
    let shortest = scheduler.interval(0);
    assert_eq!(shortest.next_ns(), 10 * MS + TICK_NS);
    let mut longest = scheduler.interval(u64::MAX);
    assert_eq!(longest.next_ns(), u64::MAX);
    as_cpu(0, || assert!(poll_once(pin!(longest.tick())).is_pending()));
    test.finish();
}

#[test]
fn sleeps_are_told_in_ticks_and_durations_too() {
    let mut test = Test::new(1);
    let ((notes, mine), scheduler) = (Notes::new(), test.scheduler());
    let sleeper = scheduler.spawn(async move {
        scheduler.sleep_ticks(5).await;
        mine.push(5);
        scheduler.sleep(Duration::from_micros(3)).await;
        mine.push(8);
        scheduler.sleep(Duration::MAX).await;
        mine.push(0);
    });
    for (now_ns, expected) in
        [(0, vec![]), (4_999, vec![]), (5_000, vec![5]), (8_000, vec![8]), (u64::MAX / 2, vec![])]
    {
        test.advance_to(now_ns);
        test.settle(0);
        assert_eq!(notes.take(), expected, "at {now_ns}");
    }
    sleeper.cancel();
    test.settle(0);
    drop(sleeper);
    test.settle(0);
    test.finish();
}

#[test]
fn block_on_runs_the_loop_until_its_future_is_done() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let child = scheduler.task("child").spawn(async { 6 });
    let output = test.on(0, |core| {
        core.block_on(async move {
            yield_now().await;
            child.await.unwrap() * 7
        })
    });
    assert_eq!(output, 42);
    (0..2).for_each(|cpu| test.settle(cpu));
    test.finish();
}

/// A join of many, a selection of many, and a stream of futures, by the crate that most people use for it.
#[test]
fn combinators_of_another_crate_run_unchanged() {
    let mut test = Test::new(2);
    let ((notes, mine), scheduler) = (Notes::new(), test.scheduler());
    drop(scheduler.spawn(async move {
        let children: Vec<_> = (0..20).map(|n| scheduler.spawn(async move { n })).collect();
        let outputs = join_all(children).await;
        mine.push(outputs.into_iter().map(Result::unwrap).sum::<u64>());
        let sleeps = [3, 1, 2].map(|ms| scheduler.sleep_ms(ms).map(move |()| ms).boxed());
        mine.push(select_all(sleeps).await.0);
        let mut stream: FuturesUnordered<_> =
            [30, 10, 20].into_iter().map(|ms| scheduler.sleep_ms(ms).map(move |()| ms)).collect();
        while let Some(ms) = stream.next().await {
            mine.push(ms);
        }
    }));
    for now_ns in 0..40 {
        test.advance_to(now_ns * MS);
        (0..2).for_each(|cpu| test.settle(cpu));
    }
    assert_eq!(notes.take(), [190, 1, 10, 20, 30]);
    test.finish();
}

/// A bounded channel and a mutex, which know no executor: producers on two CPUs, a consumer, all through one lock.
#[test]
fn a_channel_and_a_mutex_of_other_crates_run_unchanged() {
    const EACH: u64 = 200;
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let (sender, receiver) = async_channel::bounded(4);
    let sum = Arc::new(async_lock::Mutex::new(0));
    for first in [0, EACH] {
        let (sender, sum) = (sender.clone(), sum.clone());
        drop(scheduler.spawn(async move {
            for n in first..first + EACH {
                *sum.lock().await += n;
                sender.send(n).await.unwrap();
            }
        }));
    }
    drop(sender);
    let mut received = scheduler.spawn(async move {
        let mut received = 0;
        while let Ok(n) = receiver.recv().await {
            received += n;
        }
        received
    });
    while !received.is_complete() {
        (0..2).for_each(|cpu| test.settle(cpu));
    }
    let total = (0..2 * EACH).sum::<u64>();
    assert_eq!(poll_once(Pin::new(&mut received)), Poll::Ready(Ok(total)));
    assert_eq!(sum.try_lock().map(|sum| *sum), Some(total));
    test.finish();
}
