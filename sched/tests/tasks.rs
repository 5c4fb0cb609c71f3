//! Wakes, handles and memory of tasks.

mod common;

use common::{Bell, CountingWaker, Notes, Test, poll_once};
use sched::{
    CpuId, CpuSet, EmptyAffinity, EnterError, JoinError, Scheduler, Step, TaskMemory, yield_now,
};
use std::future::Future;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};

#[test]
fn a_task_is_polled_only_after_a_wake_and_once_for_many() {
    let mut test = Test::new(1);
    let bell = Bell::new();
    let handle = test.scheduler().spawn(bell.listen());
    test.settle(0);
    assert_eq!(bell.polls(), 1);
    test.settle(0);
    assert_eq!(bell.polls(), 1, "no wake, no poll");
    for _ in 0..10 {
        bell.waker().wake();
        bell.waker().wake_by_ref();
    }
    test.settle(0);
    assert_eq!(bell.polls(), 2, "a burst of wakes is one poll");
    bell.done.store(true, SeqCst);
    let waker = bell.waker();
    waker.wake_by_ref();
    test.settle(0);
    assert!(handle.is_complete());
    waker.wake_by_ref();
    waker.wake();
    test.settle(0);
    assert_eq!(bell.polls(), 3, "a wake after completion does nothing");
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn a_wake_during_the_poll_is_kept() {
    let mut test = Test::new(1);
    let notes = Notes::default();
    let log = notes.clone();
    drop(test.scheduler().spawn(async move {
        log.push(1);
        std::future::poll_fn({
            let mut first = true;
            move |context: &mut Context<'_>| {
                if std::mem::take(&mut first) {
                    context.waker().wake_by_ref();
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(())
            }
        })
        .await;
        log.push(2);
    }));
    test.settle(0);
    assert_eq!(notes.take(), [1, 2]);
    test.finish();
}

#[test]
fn tasks_spawned_before_any_cpu_is_up_run_when_one_comes() {
    let mut test = Test::new(0);
    let notes = Notes::default();
    for note in 0..50 {
        let notes = notes.clone();
        drop(test.scheduler().spawn(async move { notes.push(note) }));
    }
    test.enter(1);
    test.settle(0);
    let mut seen = notes.take();
    seen.sort_unstable();
    assert_eq!(seen, (0..50).collect::<Vec<_>>());
    test.finish();
}

#[test]
fn what_is_queued_outlives_the_loop() {
    let mut test = Test::new(1);
    let bell = Bell::new();
    drop(test.scheduler().spawn(bell.listen()));
    test.settle(0);
    test.leave();
    assert_eq!(test.scheduler().online().count(), 0);
    bell.done.store(true, SeqCst);
    bell.waker().wake();
    test.enter(1);
    test.settle(0);
    assert_eq!(bell.polls(), 2, "the wake while no loop was there is answered by the next one");
    test.finish();
}

#[test]
fn a_handle_gives_the_output_once() {
    let mut test = Test::new(1);
    let mut handle = test.scheduler().spawn(async { String::from("output") });
    assert_eq!(poll_once(&mut handle), Poll::Pending);
    test.settle(0);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(String::from("output"))));
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Taken)), "documented: only once");
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn completion_wakes_who_awaits_the_handle() {
    let mut test = Test::new(1);
    let bell = Bell::new();
    let mut handle = test.scheduler().spawn(bell.listen());
    test.settle(0);
    let counter = Arc::new(CountingWaker::default());
    let waker = Waker::from(counter.clone());
    let mut context = Context::from_waker(&waker);
    assert!(std::pin::Pin::new(&mut handle).poll(&mut context).is_pending());
    bell.done.store(true, SeqCst);
    bell.waker().wake();
    test.settle(0);
    assert_eq!(counter.0.load(SeqCst), 1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(())));
    drop(handle);
    test.settle(0);
    test.finish();
}

#[test]
fn outputs_and_futures_are_dropped_once_in_every_order() {
    let held = Arc::new(());
    let output = || {
        let held = held.clone();
        async move { held }
    };
    // The handle goes before, after, or without the completion being looked at.
    let mut test = Test::new(1);
    drop(test.scheduler().spawn(output()));
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1, "detached");
    let handle = test.scheduler().spawn(output());
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 2, "kept for the handle");
    drop(handle);
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1, "not taken");
    let mut handle = test.scheduler().spawn(output());
    test.settle(0);
    let taken = poll_once(&mut handle);
    assert_eq!(Arc::strong_count(&held), 2);
    drop((taken, handle));
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1, "taken");
    test.finish();
}

#[test]
fn a_task_may_be_tied_to_its_handle() {
    let mut test = Test::new(1);
    let held = Arc::new(());
    let (mine, bell) = (held.clone(), Bell::new());
    let listens = bell.listen();
    let tied = test.scheduler().spawn(async move {
        let _held = mine;
        listens.await;
    });
    let tied = tied.cancel_on_drop();
    test.settle(0);
    assert!(!tied.is_complete());
    drop(tied);
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1, "cancelled with its handle");
    // The waker, by which it could have gone on.
    *bell.waker.lock().unwrap() = None;
    test.settle(0);
    // It is a future as well, and one that is complete stays so.
    let mut tied = test.scheduler().spawn(async { 7 }).cancel_on_drop();
    test.settle(0);
    assert_eq!(poll_once(&mut tied), Poll::Ready(Ok(7)));
    drop(tied);
    test.settle(0);
    assert_eq!(test.scheduler().totals().cancelled, 1);
    test.finish();
}

#[test]
fn cancel_drops_the_future_wherever_the_task_is() {
    let mut test = Test::new(1);
    let held = Arc::new(());
    let spawn = |test: &Test| {
        let held = held.clone();
        test.scheduler().spawn(async move {
            let _held = held;
            pending::<()>().await;
        })
    };
    // Queued, never polled.
    let mut handle = spawn(&test);
    handle.cancel();
    handle.cancel();
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Cancelled)));
    handle.cancel();
    drop(handle);
    // Waiting.
    let mut handle = spawn(&test);
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 2);
    handle.cancel();
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Cancelled)));
    drop(handle);
    // Complete: the output stands.
    let mut handle = test.scheduler().spawn(async { 7 });
    test.settle(0);
    handle.cancel();
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(7)));
    drop(handle);
    test.settle(0);
    assert_eq!(test.scheduler().totals().cancelled, 2);
    test.finish();
}

#[test]
fn a_task_that_nobody_can_wake_is_freed() {
    let mut test = Test::new(1);
    let held = Arc::new(());
    let hold = held.clone();
    drop(test.scheduler().spawn(async move {
        let _held = hold;
        pending::<()>().await;
    }));
    test.settle(0);
    assert_eq!(Arc::strong_count(&held), 1, "at the end of its run");
    // Its last reference is a waker, dropped elsewhere: it is freed by the loop, not there.
    let bell = Bell::new();
    drop(test.scheduler().spawn(bell.listen()));
    test.settle(0);
    assert_eq!(Arc::strong_count(&bell), 2);
    let waker = bell.waker.lock().unwrap().take();
    drop(waker);
    assert_eq!(Arc::strong_count(&bell), 2, "not in the context of the last drop");
    test.settle(0);
    assert_eq!(Arc::strong_count(&bell), 1, "at the next drain");
    assert_eq!(test.scheduler().totals().unreachable, 2);
    test.finish();
}

#[test]
fn static_memory_is_used_again_and_refused_while_in_use() {
    static MEMORY: TaskMemory<std::future::Ready<u32>> = TaskMemory::new();
    let mut test = Test::new(1);
    for round in 0..3 {
        let builder = test.scheduler().task("static");
        let mut handle = builder.spawn_in(&MEMORY, std::future::ready(round)).unwrap();
        assert!(MEMORY.is_in_use());
        let refused = test.scheduler().task("static").spawn_in(&MEMORY, std::future::ready(99));
        let mut future = refused.unwrap_err().future;
        assert_eq!(poll_once(&mut future), Poll::Ready(99), "the future comes back");
        test.settle(0);
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(round)));
        drop(handle);
        test.settle(0);
        assert!(!MEMORY.is_in_use());
    }
    test.finish();
}

#[test]
fn affinity_is_kept_and_an_impossible_one_refused() {
    let mut test = Test::new(3);
    let only = |cpu| CpuSet::EMPTY.with(CpuId::new(cpu));
    assert_eq!(test.scheduler().task("none").affinity(CpuSet::EMPTY).unwrap_err(), EmptyAffinity);
    assert_eq!(test.scheduler().task("beyond").affinity(only(4)).unwrap_err(), EmptyAffinity);
    let notes = Notes::default();
    for cpu in 0..3 {
        let (notes, scheduler) = (notes.clone(), test.scheduler());
        let task = test.scheduler().task("pinned").affinity(only(cpu)).unwrap();
        drop(task.spawn(async move {
            for _ in 0..3 {
                notes.push(u64::from(sched::Machine::cpu(scheduler.machine()).unwrap().get()));
                yield_now().await;
            }
        }));
    }
    test.settle(1);
    assert_eq!(notes.take(), [1, 1, 1], "not stolen, and nothing else taken");
    test.settle(0);
    test.settle(2);
    assert_eq!(notes.take(), [0, 0, 0, 2, 2, 2]);
    test.finish();
}

#[test]
fn entering_wrongly_is_an_error() {
    let mut test = Test::new(1);
    assert_eq!(test.scheduler().enter().unwrap_err(), EnterError::NoCpu);
    let scheduler = test.scheduler();
    test.on(0, |_| {
        assert_eq!(scheduler.enter().unwrap_err(), EnterError::AlreadyEntered(CpuId::new(0)));
    });
    let beyond = common::as_cpu(9, || scheduler.enter().unwrap_err());
    assert_eq!(beyond, EnterError::OutOfRange(CpuId::new(9)));
    assert_eq!(test.step(0), Step::Halted);
    test.finish();
}

#[test]
fn ids_differ_and_handles_tell_names() {
    let mut test = Test::new(1);
    let first = test.scheduler().task("first").spawn(async {});
    let second = test.scheduler().task("second").spawn(async {});
    let scheduler = test.scheduler();
    let third = test.on(0, |_| scheduler.spawn(async {}));
    assert_eq!((first.name(), second.name(), third.name()), ("first", "second", ""));
    assert!(first.id() != second.id() && second.id() != third.id() && first.id() != third.id());
    drop((first, second, third));
    test.settle(0);
    test.finish();
}

const _: () = {
    const fn assert_send_sync<T: Send + Sync>() {}
    assert_send_sync::<Scheduler<common::Virtual, common::Log, { common::CPUS }>>();
    assert_send_sync::<sched::JoinHandle<u32>>();
    const fn assert_send<T: Send>() {}
    assert_send::<sched::time::Sleep>();
};

#[test]
fn a_spawn_on_a_cpu_without_a_loop_is_not_stranded_there() {
    let mut test = Test::new(1);
    test.settle(0);
    let scheduler = test.scheduler();
    common::as_cpu(3, || drop(scheduler.spawn(async {})));
    assert!(test.is_kicked(0));
    test.settle(0);
    assert_eq!(scheduler.totals().completed, 1);
    test.finish();
}

#[test]
fn a_destructor_that_panics_loses_no_other_task() {
    struct Bomb(Bell);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if self.0.polls() > 0 {
                panic!("in a destructor");
            }
        }
    }

    let mut test = Test::new(1);
    let scheduler = test.scheduler();
    let (bell, notes) = (Bell::new(), Notes::default());
    let bomb = Bomb(Bell { waker: None.into(), polls: 1.into(), done: false.into() });
    let listen = bell.listen();
    drop(scheduler.spawn(async move {
        let _bomb = bomb;
        listen.await;
    }));
    test.settle(0);
    // The last waker goes: the task is freed by the next drain, and the tasks behind it come in the same drain.
    drop(bell.waker.lock().unwrap().take());
    for note in 0..3 {
        let notes = notes.clone();
        common::as_cpu(0, || drop(scheduler.spawn(async move { notes.push(note) })));
    }
    let step = std::panic::AssertUnwindSafe(|| test.step(0));
    assert!(std::panic::catch_unwind(step).is_err());
    scheduler.machine().masked.store(0, SeqCst);
    test.settle(0);
    assert_eq!(notes.take(), [0, 1, 2]);
    test.finish();
}

#[test]
fn a_cpu_that_there_cannot_be_is_in_no_set() {
    let idle = sched::idle::IdleSet::new();
    let beyond = CpuId::new(5_000);
    idle.publish(beyond);
    assert!(!idle.contains(beyond) && !idle.withdraw(beyond));
    assert_eq!(idle.claim(0, 5_000), None);
}
