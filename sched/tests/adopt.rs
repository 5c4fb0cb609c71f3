//! Adoption: what sleeps in the wheel of a CPU that is gone is woken by another one (PF2), and cancelled from anywhere.

mod common;

use common::{CountingWaker, Sched, Test, as_cpu};
use sched::time::{AdoptError, Cancel, Sleep};
use sched::{CpuId, Step};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};

const MS: u64 = 1_000_000;

/// A sleep and the count of its wakes.
struct Sleeper {
    sleep: Pin<Box<Sleep>>,
    wakes: Arc<CountingWaker>,
}

impl Sleeper {
    /// Armed in the wheel of the CPU that the caller is.
    fn new(scheduler: &'static Sched, deadline_ns: u64) -> Self {
        let sleep = Box::pin(scheduler.sleep_until(deadline_ns));
        let mut sleeper = Self { sleep, wakes: Arc::default() };
        assert!(sleeper.poll().is_pending());
        sleeper
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(self.wakes.clone());
        self.sleep.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wakes(&self) -> usize {
        self.wakes.0.load(SeqCst)
    }
}

fn cpu(index: u32) -> CpuId {
    CpuId::new(index)
}

/// Two CPUs with `sleepers` on each, due at 10 ms and after, and the second one's loop gone.
fn half_gone(sleepers: u64) -> (Test, Vec<Sleeper>, Vec<Sleeper>) {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let mut arm = |on| {
        test.on(on, |_| {
            (0..sleepers).map(|at| Sleeper::new(scheduler, 10 * MS + at)).collect::<Vec<_>>()
        })
    };
    let (kept, left) = (arm(0), arm(1));
    test.leave_one(1);
    test.settle(0);
    (test, kept, left)
}

#[test]
fn a_survivor_wakes_what_sleeps_in_an_adopted_wheel() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let mut left = test.on(1, |_| Sleeper::new(scheduler, 10 * MS));
    test.leave_one(1);
    test.settle(0);
    let timer = || scheduler.machine().timer_ns[0].load(SeqCst);
    assert_eq!(timer(), u64::MAX, "nothing of its own");
    test.on(0, |_| scheduler.adopt_timers(cpu(1))).unwrap();
    test.settle(0);
    // From event to event of that wheel, by its own timer alone.
    while left.wakes() == 0 {
        assert_ne!(timer(), u64::MAX, "the survivor does not ask for the adopted wheel's event");
        test.advance_to(timer());
        test.settle(0);
    }
    assert_eq!(scheduler.machine().now_ns.load(SeqCst), 10 * MS);
    assert_eq!((left.wakes(), timer()), (1, u64::MAX));
    assert!(left.poll().is_ready());
    drop(left);
    test.finish();
}

#[test]
fn batches_are_bounded_and_neither_wheel_waits_for_the_other() {
    let (mut test, kept, left) = half_gone(200);
    let scheduler = test.scheduler();
    test.on(0, |_| scheduler.adopt_timers(cpu(1))).unwrap();
    test.settle(0);
    test.advance_to(20 * MS);
    let woken = |sleepers: &[Sleeper]| sleepers.iter().map(Sleeper::wakes).sum::<usize>();
    let (mut before, mut both) = ((0, 0), false);
    loop {
        let step = test.step(0);
        let now = (woken(&kept), woken(&left));
        // A step is an interrupt's batch and one of the loop's.
        assert!(now.0 + now.1 - before.0 - before.1 <= 64, "{before:?} {now:?}");
        both |= now.0 > before.0 && now.1 > before.1 && now.0 < 200 && now.1 < 200;
        before = now;
        if step == Step::Halted {
            break;
        }
    }
    assert_eq!(before, (200, 200));
    assert!(both, "one wheel had to wait for the other");
    assert_eq!(scheduler.totals().timers_fired, 400);
    drop((kept, left));
    test.finish();
}

#[test]
fn what_sleeps_in_an_adopted_wheel_can_be_cancelled_and_polled_from_anywhere() {
    let (mut test, kept, mut left) = half_gone(4);
    let scheduler = test.scheduler();
    test.on(0, |_| scheduler.adopt_timers(cpu(1))).unwrap();
    assert_eq!(left[0].sleep.as_mut().cancel(), Cancel::Cancelled);
    // On another CPU, which has no loop.
    assert_eq!(as_cpu(1, || left[1].sleep.as_mut().cancel()), Cancel::Cancelled);
    let moved = left[2].wakes.clone();
    left[2].wakes = Arc::default();
    assert!(left[2].poll().is_pending());
    test.advance_to(20 * MS);
    test.settle(0);
    assert_eq!(left.iter().map(Sleeper::wakes).collect::<Vec<_>>(), [0, 0, 1, 1]);
    assert_eq!(moved.0.load(SeqCst), 0, "the waker was replaced");
    for fired in &mut left[2..] {
        assert_eq!(fired.sleep.as_mut().cancel(), Cancel::AlreadyFiring);
        assert!(fired.poll().is_ready());
    }
    drop((kept, left));
    test.finish();
}

#[test]
fn a_cancelled_sleep_is_armed_anew_when_it_is_polled_again() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let mut sleeper = test.on(0, |_| Sleeper::new(scheduler, 10 * MS));
    assert_eq!(sleeper.sleep.as_mut().cancel(), Cancel::Cancelled);
    assert_eq!(sleeper.sleep.as_mut().cancel(), Cancel::Cancelled, "it is not armed");
    assert_eq!(Arc::strong_count(&sleeper.wakes), 1, "the waker is gone as well");
    assert!(test.on(0, |_| sleeper.poll()).is_pending());
    test.advance_to(20 * MS);
    test.settle(0);
    assert_eq!((sleeper.wakes(), sleeper.poll()), (1, Poll::Ready(())));
    let mut unpolled = Box::pin(scheduler.sleep_until(0));
    assert_eq!(unpolled.as_mut().cancel(), Cancel::Cancelled);
    drop(unpolled);
    test.finish();
}

#[test]
fn a_cpu_that_comes_back_takes_its_wheel_back() {
    let (mut test, kept, left) = half_gone(3);
    let scheduler = test.scheduler();
    test.on(0, |_| scheduler.adopt_timers(cpu(1))).unwrap();
    test.settle(0);
    test.enter(2);
    assert_eq!(
        test.on(0, |_| scheduler.adopt_timers(cpu(1))),
        Err(AdoptError::StillOnline(cpu(1)))
    );
    test.settle(1);
    test.advance_to(20 * MS);
    test.settle(0);
    let woken = |sleepers: &[Sleeper]| sleepers.iter().map(Sleeper::wakes).sum::<usize>();
    assert_eq!((woken(&kept), woken(&left)), (3, 0), "not the survivor's business any more");
    test.settle(1);
    assert_eq!(woken(&left), 3);
    drop((kept, left));
    test.finish();
}

#[test]
fn who_adopts_a_keeper_adopts_what_it_kept() {
    let mut test = Test::new(4);
    let scheduler = test.scheduler();
    let sleepers: Vec<_> =
        (0..4).map(|on| test.on(on, |_| Sleeper::new(scheduler, 10 * MS))).collect();
    test.leave_one(3);
    test.on(2, |_| scheduler.adopt_timers(cpu(3))).unwrap();
    assert_eq!(test.on(1, |_| scheduler.adopt_timers(cpu(3))), Err(AdoptError::AdoptedBy(cpu(2))));
    assert_eq!(test.on(2, |_| scheduler.adopt_timers(cpu(3))), Ok(()), "again");
    test.leave_one(2);
    test.on(1, |_| scheduler.adopt_timers(cpu(2))).unwrap();
    assert_eq!(test.on(0, |_| scheduler.adopt_timers(cpu(3))), Err(AdoptError::AdoptedBy(cpu(1))));
    // A keeper that is gone keeps nothing: each wheel can be had by itself as well.
    test.leave_one(1);
    test.on(0, |_| scheduler.adopt_timers(cpu(3))).unwrap();
    test.on(0, |_| scheduler.adopt_timers(cpu(1))).unwrap();
    test.advance_to(20 * MS);
    test.settle(0);
    assert_eq!(sleepers.iter().map(Sleeper::wakes).collect::<Vec<_>>(), [1, 1, 1, 1]);
    drop(sleepers);
    test.finish();
}

#[test]
fn only_the_wheels_of_cpus_that_are_gone_can_be_adopted_and_only_by_those_that_are_there() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let adopt = |by: Option<u32>, gone| match by {
        Some(by) => as_cpu(by, || scheduler.adopt_timers(cpu(gone))),
        None => scheduler.adopt_timers(cpu(gone)),
    };
    assert_eq!(adopt(None, 1), Err(AdoptError::NotOnline));
    assert_eq!(adopt(Some(0), 1), Err(AdoptError::StillOnline(cpu(1))));
    assert_eq!(adopt(Some(0), 0), Err(AdoptError::StillOnline(cpu(0))));
    assert_eq!(adopt(Some(0), 5_000), Err(AdoptError::OutOfRange(cpu(5_000))));
    test.leave_one(1);
    assert_eq!(adopt(Some(1), 1), Err(AdoptError::NotOnline));
    assert_eq!(adopt(Some(0), 1), Ok(()));
    // One that never came, and has nothing.
    assert_eq!(adopt(Some(0), 3), Ok(()));
    for error in [
        AdoptError::NotOnline,
        AdoptError::OutOfRange(cpu(9)),
        AdoptError::StillOnline(cpu(1)),
        AdoptError::AdoptedBy(cpu(2)),
    ] {
        assert!(!error.to_string().is_empty());
        let _: &dyn core::error::Error = &error;
    }
    test.settle(0);
    test.finish();
}
