//! Data of tasks: seen within its scope, and nowhere else.

mod common;

use common::{Notes, Sched, Test, as_cpu};
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use sched::{TaskLocal, yield_now};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Waker};

static KEY: TaskLocal<u64> = TaskLocal::new();
static OTHER: TaskLocal<u64> = TaskLocal::new();

#[test]
fn tasks_see_their_own_value_in_every_poll_on_whatever_cpu() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let cpus = Arc::new(AtomicU64::new(0));
    for value in 0..20 {
        let cpus = cpus.clone();
        let task = KEY.scope(scheduler, value, async move {
            for _ in 0..8 {
                assert_eq!(KEY.get(scheduler), Some(value));
                assert_eq!(OTHER.get(scheduler), None);
                let cpu = sched::Machine::cpu(scheduler.machine()).unwrap();
                cpus.fetch_or(1 << cpu.get(), SeqCst);
                yield_now().await;
            }
        });
        drop(as_cpu(0, || scheduler.spawn(task)));
    }
    for round in 0..400 {
        let _ = test.step(round % 2);
    }
    assert_eq!(cpus.load(SeqCst), 0b11, "some were polled on both");
    test.settle(0);
    test.settle(1);
    assert!(test.scheduler().totals().steals_won > 0);
    test.finish();
}

#[test]
fn scopes_nest_and_end() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.spawn(async move {
        assert_eq!(KEY.get(scheduler), None);
        let inner = async move {
            assert_eq!((KEY.get(scheduler), OTHER.get(scheduler)), (Some(2), Some(9)));
            yield_now().await;
            assert_eq!((KEY.get(scheduler), OTHER.get(scheduler)), (Some(2), Some(9)));
        };
        let outer = async move {
            OTHER.scope(scheduler, 9, KEY.scope(scheduler, 2, inner)).await;
            assert_eq!((KEY.get(scheduler), OTHER.get(scheduler)), (Some(1), None));
        };
        KEY.scope(scheduler, 1, outer).await;
        assert_eq!(KEY.get(scheduler), None);
    }));
    test.settle(0);
    assert_eq!(test.scheduler().totals().completed, 1);
    test.finish();
}

#[test]
fn scopes_side_by_side_do_not_mix_under_wakers_of_others() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.spawn(async move {
        let look = |value| {
            KEY.scope(scheduler, value, async move {
                yield_now().await;
                KEY.get(scheduler) == Some(value)
            })
        };
        let mut all = (0..10).map(look).collect::<FuturesUnordered<_>>();
        while let Some(right) = all.next().await {
            assert!(right && KEY.get(scheduler).is_none());
        }
    }));
    test.settle(0);
    assert_eq!(test.scheduler().totals().completed, 1);
    test.finish();
}

#[test]
fn a_panic_in_a_scope_leaves_it() {
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.spawn(async move {
        let outer = async move {
            let mut panics =
                pin!(KEY.scope(scheduler, 2, async { panic!("as the test wants it") }));
            let context = &mut Context::from_waker(Waker::noop());
            assert!(catch_unwind(AssertUnwindSafe(|| panics.as_mut().poll(context))).is_err());
            assert_eq!(KEY.get(scheduler), Some(1));
        };
        KEY.scope(scheduler, 1, outer).await;
    }));
    test.settle(0);
    assert_eq!(test.scheduler().totals().completed, 1);
    test.finish();
}

#[test]
fn outside_of_polls_there_is_nothing_to_see_and_nothing_breaks() {
    fn poll(scheduler: &'static Sched) {
        let mut scope = pin!(KEY.scope(scheduler, 1, async move { KEY.get(scheduler) }));
        let poll = scope.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(poll, std::task::Poll::Ready(None));
    }
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    poll(scheduler);
    as_cpu(0, || poll(scheduler));
    // Within a poll, the scope of another scheduler is not seen by this one.
    let other = Test::new(1);
    let of_other = other.scheduler();
    drop(scheduler.spawn(async move {
        KEY.scope(scheduler, 1, async move {
            poll(of_other);
            assert_eq!((KEY.get(of_other), KEY.get(scheduler)), (None, Some(1)));
        })
        .await;
    }));
    test.settle(0);
    assert_eq!(test.scheduler().totals().completed, 1);
    test.finish();
    other.finish();
}

#[test]
fn the_value_is_borrowed_in_place_and_dropped_once_after_the_future() {
    struct Says(Notes, u64);
    impl Drop for Says {
        fn drop(&mut self) {
            self.0.push(self.1);
        }
    }
    static SAYS: TaskLocal<Says> = TaskLocal::new();
    let mut test = Test::new(1);
    let (scheduler, notes) = (test.scheduler(), Notes::default());
    let of_future = Says(notes.clone(), 2);
    let task = SAYS.scope(scheduler, Says(notes.clone(), 3), async move {
        let of_future = of_future;
        SAYS.with(scheduler, |says| says.0.push(1)).unwrap();
        std::future::pending::<()>().await;
        drop(of_future);
    });
    let handle = scheduler.spawn(task);
    test.settle(0);
    handle.cancel();
    drop(handle);
    test.settle(0);
    assert_eq!(notes.take(), [1, 2, 3]);
    test.finish();
}

/// Constants may share their address whatever their types are.
#[test]
fn keys_of_one_address_and_two_types_are_two_keys() {
    static NUMBER: TaskLocal<u64> = TaskLocal::new();
    // SAFETY: keys are `repr(C)`, and no value of the type stands in them.
    let signed: &TaskLocal<i64> = unsafe { &*(&raw const NUMBER).cast() };
    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    drop(scheduler.spawn(NUMBER.scope(scheduler, u64::MAX, async move {
        assert_eq!(signed.get(scheduler), None);
        signed
            .scope(scheduler, -2, async move {
                assert_eq!(
                    (NUMBER.get(scheduler), signed.get(scheduler)),
                    (Some(u64::MAX), Some(-2))
                );
            })
            .await;
    })));
    test.settle(0);
    assert_eq!(test.scheduler().totals().completed, 1);
    test.finish();
}
