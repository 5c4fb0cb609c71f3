//! Models of waiting: a wake beside a waiter that comes, looks, or goes. The real queue and its real lock; a waker that counts
//! and orders nothing.
//!
//! Two threads, at most three waiters, one wake.

use crate::machine::Stepped;
use loom::sync::atomic::{AtomicBool, Ordering::Relaxed};
use loom::thread;
use sched::wait::{Completion, Notify, WaitQueue};
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// Polls by a waker of its own, and keeps count of its wakes.
struct Task<F> {
    future: F,
    wakes: Arc<Wakes>,
}

impl<F: Future> Task<Pin<&mut F>> {
    fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(self.wakes.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(SeqCst)
    }
}

fn task<F: Future>(future: Pin<&mut F>) -> Task<Pin<&mut F>> {
    Task { future, wakes: Arc::default() }
}

fn machine() -> Arc<Stepped> {
    Arc::new(Stepped::new())
}

/// A wake of one, beside the first poll: the poll sees it, or the waiter is woken.
#[test]
fn a_wake_of_one_beside_a_first_poll_is_not_lost() {
    loom::model(|| {
        let (notify, machine) = (Arc::new(Notify::new()), machine());
        let other = {
            let (notify, machine) = (notify.clone(), machine.clone());
            thread::spawn(move || notify.notify_one(&*machine))
        };
        let future = pin!(notify.wait(&*machine));
        let mut waiter = task(future);
        let first = waiter.poll();
        let waited = other.join().unwrap();
        if first.is_pending() {
            assert!(waited, "the notifier found the waiter");
            assert_eq!(waiter.wakes(), 1, "a waiter sleeps on a wake");
            assert!(waiter.poll().is_ready());
        }
    });
}

/// A condition is set, and one is woken, beside the first poll of one who waits for it: no test-then-block (Q4).
#[test]
fn a_condition_that_is_set_beside_the_look_is_not_missed() {
    loom::model(|| {
        let (queue, machine) = (Arc::new(WaitQueue::new()), machine());
        let flag = Arc::new(AtomicBool::new(false));
        let other = {
            let (queue, machine, flag) = (queue.clone(), machine.clone(), flag.clone());
            thread::spawn(move || {
                // The queue's lock orders it.
                flag.store(true, Relaxed);
                queue.wake_one(&*machine);
            })
        };
        let condition = || flag.load(Relaxed).then_some(());
        let future = pin!(queue.wait_until(&*machine, condition));
        let mut waiter = task(future);
        let first = waiter.poll();
        other.join().unwrap();
        if first.is_pending() {
            assert_eq!(waiter.wakes(), 1, "a waiter sleeps beside its condition");
            assert!(waiter.poll().is_ready());
        }
    });
}

/// The first of two waiters is dropped beside a wake of one: the second one has it (Q3).
#[test]
fn a_wake_of_one_who_goes_is_passed_on() {
    loom::model(|| {
        let (notify, machine) = (Arc::new(Notify::new()), machine());
        let mut first = Box::pin(notify.wait(&*machine));
        assert!(task(first.as_mut()).poll().is_pending());
        let future = pin!(notify.wait(&*machine));
        let mut second = task(future);
        assert!(second.poll().is_pending());
        let other = {
            let (notify, machine) = (notify.clone(), machine.clone());
            thread::spawn(move || notify.notify_one(&*machine))
        };
        drop(first);
        assert!(other.join().unwrap());
        assert_eq!(second.wakes(), 1, "the wake went with the one who went");
        assert!(second.poll().is_ready());
    });
}

/// Something happens beside one who waits already and one who comes: both go on.
#[test]
fn a_completion_reaches_who_waits_and_who_comes() {
    loom::model(|| {
        let (done, machine) = (Arc::new(Completion::new()), machine());
        let future = pin!(done.wait(&*machine));
        let mut early = task(future);
        assert!(early.poll().is_pending());
        let other = {
            let (done, machine) = (done.clone(), machine.clone());
            thread::spawn(move || done.complete(&*machine))
        };
        let future = pin!(done.wait(&*machine));
        let mut late = task(future);
        let first = late.poll();
        let woken = other.join().unwrap();
        assert_eq!(early.wakes(), 1, "who waited was not woken");
        assert!(early.poll().is_ready());
        assert_eq!(woken, 1 + usize::from(first.is_pending()));
        if first.is_pending() {
            assert_eq!(late.wakes(), 1, "who came was not woken");
            assert!(late.poll().is_ready());
        }
        assert!(done.is_complete(&*machine));
    });
}
