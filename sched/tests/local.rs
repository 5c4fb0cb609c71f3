//! Local tasks: of futures that are not `Send`, polled and dropped on their CPU alone (row C2).

mod common;

use common::{Bell, Test, as_cpu, poll_once};
use sched::{
    CpuId, IfPinned, JoinError, LocalError, LocalFuture, LocalSpawner, Machine as _, OfflineError,
    Step, TaskMemory, Tier, yield_now,
};
use std::cell::{Cell, RefCell};
use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::Poll;

type Spawner = LocalSpawner<common::Virtual, common::Log, { common::CPUS }>;

fn spawner(test: &mut Test, cpu: usize) -> Spawner {
    test.on(cpu, |core| core.local_spawner())
}

#[test]
fn c2_local_tasks_share_what_is_not_send_and_are_never_stolen() {
    let mut test = Test::new(2);
    let scheduler = test.scheduler();
    let spawner = spawner(&mut test, 0);
    let (turns, cpus) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(Vec::new())));
    let handles: Vec<_> = (0..20)
        .map(|number| {
            let (turns, cpus) = (turns.clone(), cpus.clone());
            let future = async move {
                for _ in 0..5 {
                    turns.set(turns.get() + 1);
                    cpus.borrow_mut().push(scheduler.machine().cpu().unwrap().index());
                    yield_now().await;
                }
                Rc::new(number)
            };
            as_cpu(0, || spawner.spawn(future).unwrap())
        })
        .collect();
    for _ in 0..60 {
        let _ = test.step(0);
        assert_ne!(test.step(1), Step::Stole);
    }
    test.settle(0);
    assert_eq!((turns.get(), cpus.borrow().iter().all(|cpu| *cpu == 0)), (100, true));
    assert_eq!(Rc::strong_count(&turns), 1, "the futures are gone");
    for (number, mut handle) in handles.into_iter().enumerate() {
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(Rc::new(number))));
    }
    test.settle(0);
    test.finish();
}

#[test]
fn c2_a_local_task_may_spawn_others_and_has_name_and_tier() {
    let mut test = Test::new(1);
    let (scheduler, spawner) = (test.scheduler(), spawner(&mut test, 0));
    let sum = Rc::new(Cell::new(0));
    let (inner, mine) = (spawner.clone(), sum.clone());
    let parent = async move {
        let child = |number| {
            let sum = mine.clone();
            inner.spawn(async move { sum.set(sum.get() + number) }).unwrap()
        };
        for handle in [child(1), child(2)] {
            handle.await.unwrap();
        }
    };
    let task = scheduler.task("parent").tier(Tier::Critical);
    let handle = as_cpu(0, || task.spawn_local(&spawner, parent).unwrap());
    let info = handle.task_ref().info();
    assert_eq!((info.name, info.tier, info.location.file()), ("parent", Tier::Critical, file!()));
    drop(handle);
    test.settle(0);
    assert_eq!((sum.get(), Rc::strong_count(&sum)), (3, 1));
    test.finish();
}

#[test]
fn c2_wakes_cancels_and_handles_come_from_anywhere_and_the_future_stays() {
    let mut test = Test::new(2);
    let spawner = spawner(&mut test, 0);
    let (held, bell) = (Rc::new(()), Bell::new());
    let spawn = |output: u32| {
        let (held, listens) = (held.clone(), bell.listen());
        let future = async move {
            let _held = held;
            listens.await;
            output
        };
        as_cpu(0, || spawner.spawn(future).unwrap())
    };
    let mut handle = spawn(7);
    test.settle(0);
    // Another thread wakes it, another CPU's loop finds nothing of it.
    bell.done.store(true, SeqCst);
    let waker = bell.waker();
    std::thread::spawn(move || waker.wake()).join().unwrap();
    test.settle(1);
    assert_eq!((bell.polls(), Rc::strong_count(&held)), (1, 2));
    test.settle(0);
    assert_eq!((bell.polls(), Rc::strong_count(&held)), (2, 1));
    // The output is `Send`, and so the handle.
    handle = std::thread::spawn(move || {
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(7)));
        handle
    })
    .join()
    .unwrap();
    drop(handle);
    bell.done.store(false, SeqCst);
    let handle = spawn(8);
    test.settle(0);
    std::thread::spawn(move || handle.cancel()).join().unwrap();
    test.settle(1);
    assert_eq!(Rc::strong_count(&held), 2, "not by another CPU");
    test.settle(0);
    assert_eq!(Rc::strong_count(&held), 1);
    *bell.waker.lock().unwrap() = None;
    test.settle(0);
    test.finish();
}

#[test]
fn c2_with_nobody_to_wake_it_a_local_task_is_kept_until_its_loop_ends() {
    let mut test = Test::new(1);
    let spawner = spawner(&mut test, 0);
    let held = Rc::new(());
    let mine = held.clone();
    let future = async move {
        let _mine = mine;
        pending::<()>().await;
    };
    as_cpu(0, || drop(spawner.spawn(future).unwrap()));
    test.settle(0);
    assert_eq!(Rc::strong_count(&held), 2);
    test.leave();
    assert_eq!(Rc::strong_count(&held), 1);
    test.enter(1);
    test.settle(0);
    assert_eq!(test.scheduler().totals().cancelled, 1);
    test.finish();
}

#[test]
fn c2_the_end_of_the_loop_drops_every_local_future_in_whatever_state_and_closes_spawners() {
    let mut test = Test::new(1);
    let (scheduler, spawner) = (test.scheduler(), spawner(&mut test, 0));
    let (held, bell) = (Rc::new(()), Bell::new());
    let future = |listens: bool, output: Option<u32>| {
        let (held, bell) = (held.clone(), bell.listen());
        async move {
            let _held = held;
            if listens {
                bell.await;
            }
            match output {
                Some(output) => output,
                None => pending().await,
            }
        }
    };
    let spawn = |future| as_cpu(0, || spawner.spawn(future).unwrap());
    let mut complete = spawn(future(false, Some(3)));
    let mut idle = spawn(future(true, None));
    test.settle(0);
    let mut woken = spawn(future(false, None));
    test.settle(0);
    woken.task_ref().wake();
    let mut never_polled = spawn(future(false, None));
    let cancelled = spawn(future(false, None));
    cancelled.cancel();
    assert_eq!(Rc::strong_count(&held), 5);
    test.leave();
    assert_eq!(Rc::strong_count(&held), 1, "on the stack of their loop");
    assert!(!spawner.is_open());
    let refused = as_cpu(0, || spawner.spawn(future(false, Some(9)))).unwrap_err().0;
    assert_eq!(poll_once(&mut Box::pin(refused)), Poll::Ready(9), "the future comes back");
    // A waker that comes late does no harm; and the next loop says what became of them.
    bell.waker().wake();
    *bell.waker.lock().unwrap() = None;
    test.enter(1);
    test.settle(0);
    assert!(as_cpu(0, || spawner.spawn(future(false, None))).is_err(), "another stay");
    assert_eq!(poll_once(&mut complete), Poll::Ready(Ok(3)));
    for handle in [&mut idle, &mut woken, &mut never_polled] {
        assert_eq!(poll_once(handle), Poll::Ready(Err(JoinError::Shutdown)));
    }
    drop((complete, idle, woken, never_polled, cancelled));
    test.settle(0);
    assert_eq!(scheduler.totals().cancelled, 4);
    test.finish();
}

#[test]
fn c2_a_spawner_of_another_scheduler_is_refused() {
    let (mut test, mut other) = (Test::new(1), Test::new(1));
    let foreign = spawner(&mut other, 0);
    let refused = as_cpu(0, || test.scheduler().task("").spawn_local(&foreign, async {}));
    assert!(refused.is_err() && foreign.is_open());
    test.settle(0);
    other.settle(0);
    test.finish();
    other.finish();
}

#[test]
fn c2_a_local_task_in_static_memory_needs_no_allocation() {
    struct NotSend(u32, *const ());
    type Output = std::future::Ready<u32>;
    type Future = std::pin::Pin<Box<dyn std::future::Future<Output = u32>>>;
    static SENDS: TaskMemory<LocalFuture<Output>> = TaskMemory::new();
    static MEMORY: TaskMemory<LocalFuture<Future>> = TaskMemory::new();
    let mut test = Test::new(1);
    let (scheduler, spawner) = (test.scheduler(), spawner(&mut test, 0));
    let spawn = |number| {
        let not_send = NotSend(number, std::ptr::null());
        let future: Future = Box::pin(async move {
            yield_now().await;
            assert!(not_send.1.is_null());
            not_send.0
        });
        as_cpu(0, || scheduler.task("static").spawn_local_in(&spawner, &MEMORY, future))
    };
    for round in 0..3 {
        let mut handle = spawn(round).unwrap();
        match spawn(99) {
            Err(LocalError::MemoryInUse { future, storage }) => {
                assert!(storage.is_in_use());
                drop(future);
            }
            other => panic!("{other:?}"),
        }
        test.settle(0);
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(round)));
        drop(handle);
        test.settle(0);
        assert!(!MEMORY.is_in_use());
    }
    // The end of the loop frees the future; the next loop frees the memory.
    drop(spawn(1).unwrap());
    test.leave();
    let refused = as_cpu(0, || {
        let task = scheduler.task("static");
        task.spawn_local_in(&spawner, &SENDS, std::future::ready(5)).unwrap_err()
    });
    let LocalError::NotLocal { mut future, storage } = refused else { panic!("{refused:?}") };
    assert_eq!((poll_once(&mut future), storage.is_in_use()), (Poll::Ready(5), false));
    test.enter(1);
    test.settle(0);
    assert!(!MEMORY.is_in_use());
    test.finish();
}

#[test]
fn c2_a_cpu_that_leaves_ends_its_local_tasks_first_if_it_may() {
    let mut test = Test::new(2);
    let (scheduler, spawner) = (test.scheduler(), spawner(&mut test, 0));
    let held = Rc::new(());
    let spawn = || {
        let mine = held.clone();
        let future = async move {
            let _mine = mine;
            pending::<()>().await;
        };
        as_cpu(0, || spawner.spawn(future))
    };
    let mut idle = spawn().unwrap();
    test.settle(0);
    let mut queued = spawn().unwrap();
    let offline = |if_pinned| as_cpu(1, || scheduler.offline(CpuId::new(0), if_pinned));
    assert_eq!(offline(IfPinned::Refuse), Err(OfflineError::Pinned(2)));
    assert!(spawner.is_open());
    offline(IfPinned::Widen).unwrap();
    assert_eq!(Rc::strong_count(&held), 3, "in its own loop");
    while test.step(0) != Step::Offline {}
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(spawn().is_err());
    let again = test.on(0, |core| core.local_spawner());
    assert!(!again.is_open(), "it has left");
    // What is left of the tasks ends on another CPU.
    test.settle(1);
    assert_eq!(poll_once(&mut idle), Poll::Ready(Err(JoinError::Shutdown)));
    assert_eq!(poll_once(&mut queued), Poll::Ready(Err(JoinError::Shutdown)));
    drop((idle, queued));
    test.leave_one(0);
    assert!(!again.is_open());
    test.settle(1);
    test.finish();
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("in a destructor");
    }
}

#[test]
fn c2_a_destructor_that_panics_keeps_no_other_future_beyond_the_loop() {
    let mut test = Test::new(1);
    let (scheduler, spawner) = (test.scheduler(), spawner(&mut test, 0));
    let held = Rc::new(());
    for number in 0..5 {
        let (mine, inner) = (held.clone(), spawner.clone());
        let future = async move {
            let _mine = mine;
            let _bomb = (number == 2).then(|| Bomb);
            // Kept by the future, so that it is dropped with it.
            let _inner = inner;
            pending::<()>().await;
        };
        as_cpu(0, || drop(spawner.spawn(future).unwrap()));
    }
    test.settle(0);
    assert_eq!(Rc::strong_count(&held), 6);
    let core = test.take(0);
    as_cpu(0, || assert!(catch_unwind(AssertUnwindSafe(|| drop(core))).is_err()));
    assert_eq!(Rc::strong_count(&held), 1);
    assert_eq!(scheduler.online().count(), 0, "and the CPU is left as it should be");
    test.enter(1);
    test.settle(0);
    assert_eq!(scheduler.totals().cancelled, 5);
    test.finish();
}
