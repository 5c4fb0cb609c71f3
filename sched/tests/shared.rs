//! C2: schedulers in counted memory, and what outlives them.

mod common;

use common::{CPUS, CountingWaker, Virtual, as_cpu, poll_once};
use sched::trace::{Event, Trace};
use sched::{CpuId, CpuSet, JoinError, JoinHandle, Settings, Shared, SharedCore, yield_now};
use std::future::{Future, pending, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, Mutex, Weak};
use std::task::{Context, Poll, Waker};

/// Goes with the memory of its scheduler.
struct Memory(#[expect(dead_code, reason = "counted")] Arc<()>);

impl Trace for Memory {
    fn record(&self, _: Option<CpuId>, _: u64, _: Event) {}
}

type Own = Shared<Virtual, Memory, CPUS>;

/// A scheduler, and what tells whether its memory is there.
fn scheduler() -> (Own, Weak<()>) {
    let memory = Arc::new(());
    let weak = Arc::downgrade(&memory);
    let machine = Virtual::default();
    (Shared::new(machine, Memory(memory), Settings::DEFAULT), weak)
}

fn enter(scheduler: &Own, cpu: u32) -> SharedCore<Virtual, Memory, CPUS> {
    as_cpu(cpu, || scheduler.enter().unwrap())
}

fn settle(core: &mut SharedCore<Virtual, Memory, CPUS>) {
    as_cpu(core.id().get(), || while core.tick().has_remaining {});
}

/// A future that waits for a waker which is kept outside, and holds something.
fn waits<H: Send + 'static>(
    holds: H,
) -> (impl Future<Output = ()> + Send, Arc<Mutex<Option<Waker>>>) {
    let stored: Arc<Mutex<Option<Waker>>> = Arc::default();
    let store = stored.clone();
    let future = poll_fn(move |context| {
        let _holds = &holds;
        *store.lock().unwrap() = Some(context.waker().clone());
        Poll::Pending
    });
    (future, stored)
}

fn take(stored: &Mutex<Option<Waker>>) -> Waker {
    stored.lock().unwrap().take().unwrap()
}

#[test]
fn c2_a_shared_scheduler_goes_with_its_last_handle() {
    let (scheduler, memory) = scheduler();
    let mut core = enter(&scheduler, 0);
    let mut handle = as_cpu(0, || scheduler.task("one").spawn(async { 1 }));
    let clone = scheduler.clone();
    drop(scheduler);
    settle(&mut core);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(1)));
    assert_eq!(core.scheduler().totals().completed, 1);
    drop(handle);
    settle(&mut core);
    drop(clone);
    assert!(memory.upgrade().is_some(), "the loop is a handle");
    as_cpu(0, || drop(core));
    assert!(memory.upgrade().is_none());
}

#[test]
fn c2_a_waker_outlives_the_scheduler_and_ends_its_task_where_it_wakes() {
    for wakes in [true, false] {
        let (scheduler, memory) = scheduler();
        let mut core = enter(&scheduler, 0);
        let held = Arc::new(());
        let (future, stored) = waits(held.clone());
        let mut handle = as_cpu(0, || scheduler.spawn(future));
        settle(&mut core);
        let heard = Arc::new(CountingWaker::default());
        let join = Waker::from(heard.clone());
        assert!(Pin::new(&mut handle).poll(&mut Context::from_waker(&join)).is_pending());
        as_cpu(0, || drop(core));
        drop(scheduler);
        assert!(memory.upgrade().is_some(), "a task is there");
        assert_eq!((heard.0.load(SeqCst), Arc::strong_count(&held)), (0, 2));
        let waker = take(&stored);
        if wakes {
            let clone = waker.clone();
            // On the CPU that had it, where it would go into the list of what that wakes itself.
            as_cpu(0, || waker.wake());
            assert_eq!(Arc::strong_count(&held), 1, "its future is dropped");
            assert_eq!(heard.0.load(SeqCst), 1);
            clone.wake_by_ref();
            assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Shutdown)));
            drop(handle);
            drop(clone);
        } else {
            assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Shutdown)));
            drop(handle);
            drop(waker);
            assert_eq!(Arc::strong_count(&held), 1, "nobody can wake it any more");
        }
        assert!(memory.upgrade().is_none(), "the last one frees it: wakes {wakes}");
    }
}

#[test]
fn c2_what_is_ready_or_sleeps_ends_with_the_last_handle() {
    let (scheduler, memory) = scheduler();
    let core = enter(&scheduler, 0);
    let held = Arc::new(());
    let hold = || {
        let held = held.clone();
        async move {
            let _held = held;
            pending::<()>().await;
        }
    };
    let mut sleeper = as_cpu(0, || {
        let (sleep, held) = (scheduler.sleep_ms(1 << 40), held.clone());
        scheduler.spawn(async move {
            sleep.await;
            drop(held);
        })
    });
    let mut core = core;
    settle(&mut core);
    assert!(poll_once(&mut sleeper).is_pending());
    let elsewhere = CpuSet::EMPTY.with(CpuId::new(3));
    let mut handles: Vec<JoinHandle<()>> = vec![
        as_cpu(0, || scheduler.spawn(hold())),
        as_cpu(0, || scheduler.spawn_critical("critical", hold())),
        as_cpu(0, || scheduler.spawn_background("background", hold())),
        scheduler.spawn(hold()),
        scheduler.task("stranded").affinity(elsewhere).unwrap().spawn(hold()),
    ];
    // Some in a run queue, some in an inbox.
    as_cpu(0, || _ = core.tick_n(1));
    handles.push(as_cpu(0, || scheduler.spawn(hold())));
    let builder = scheduler.task("late");
    as_cpu(0, || drop(core));
    drop(scheduler);
    assert_eq!(
        Arc::strong_count(&held),
        2,
        "all but the one that was polled, and waits for nobody"
    );
    handles.push(builder.spawn(hold()));
    for handle in handles.iter_mut().chain([&mut sleeper]) {
        assert_eq!(poll_once(handle), Poll::Ready(Err(JoinError::Shutdown)));
    }
    drop((handles, sleeper));
    assert_eq!(Arc::strong_count(&held), 1);
    assert!(memory.upgrade().is_none());
}

#[test]
fn c2_a_local_shared_scheduler_ends_its_tasks_with_its_loop() {
    let (scheduler, memory) = scheduler();
    let mut core = enter(&scheduler, 1);
    let spawner = core.local_spawner();
    let held = Rc::new(());
    let mut handle = as_cpu(1, || {
        let held = held.clone();
        let task = scheduler.task("local").spawn_local(&spawner, async move {
            yield_now().await;
            drop(held);
            9
        });
        task.map_err(|_| "refused").unwrap()
    });
    settle(&mut core);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(9)));
    let clone = spawner.clone();
    let mut left = as_cpu(1, || {
        let held = held.clone();
        clone.spawn(async move {
            pending::<()>().await;
            drop(held);
        })
    })
    .unwrap();
    settle(&mut core);
    as_cpu(1, || drop(core));
    drop(scheduler);
    assert_eq!(Rc::strong_count(&held), 1);
    assert_eq!(poll_once(&mut left), Poll::Ready(Err(JoinError::Shutdown)));
    assert!(!spawner.is_open() && clone.spawn(async {}).is_err());
    drop((handle, left, spawner));
    assert!(memory.upgrade().is_some(), "a spawner is there");
    drop(clone);
    assert!(memory.upgrade().is_none());
}

/// AR4: a destructor that ends another task, whose destructor ends another one, and so on.
#[test]
fn c2_destructors_that_end_tasks_do_not_nest() {
    let tasks = if cfg!(miri) { 40 } else { 100_000 };
    let (scheduler, memory) = scheduler();
    let mut core = enter(&scheduler, 0);
    let mut next = None;
    let wakers = Arc::new(Mutex::new(Vec::new()));
    for _ in 0..tasks {
        let (holds, wakers) = (next.take(), wakers.clone());
        let mut is_first = true;
        let future = poll_fn(move |context| {
            let _holds = &holds;
            if std::mem::take(&mut is_first) {
                wakers.lock().unwrap().push(context.waker().clone());
            }
            Poll::<()>::Pending
        });
        next = Some(as_cpu(0, || scheduler.spawn(future)).cancel_on_drop());
    }
    settle(&mut core);
    as_cpu(0, || drop(core));
    drop(scheduler);
    drop(next);
    let last = std::mem::take(&mut *wakers.lock().unwrap());
    assert_eq!((last.len(), Arc::strong_count(&wakers)), (tasks, 1), "each ended the next");
    assert!(memory.upgrade().is_some());
    drop(last);
    assert!(memory.upgrade().is_none());
}

#[test]
fn c2_a_sleep_that_outlives_the_scheduler_is_over() {
    let (scheduler, memory) = scheduler();
    let core = enter(&scheduler, 0);
    let mut sleep = Box::pin(scheduler.sleep_ns(1_000_000_000));
    let fresh = scheduler.timeout(1_000_000_000, pending::<()>());
    let heard = Arc::new(CountingWaker::default());
    let waker = Waker::from(heard.clone());
    assert!(as_cpu(0, || sleep.as_mut().poll(&mut Context::from_waker(&waker))).is_pending());
    as_cpu(0, || drop(core));
    drop(scheduler);
    assert_eq!(heard.0.load(SeqCst), 1);
    assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_ready());
    {
        let mut fresh = pin!(fresh);
        // On a thread that is no CPU: it asks to be polled again and again.
        assert!(fresh.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert!(memory.upgrade().is_some(), "a future that needs the clock is there");
    drop(sleep);
    assert!(memory.upgrade().is_none());
}

/// AR1 to AR4, on threads: the last handle, the last waker and the last join handle go at once.
#[test]
fn c2_the_last_handle_goes_beside_wakes_and_drops() {
    for _ in 0..if cfg!(miri) { 6 } else { 300 } {
        let memory = Arc::new(());
        let weak = Arc::downgrade(&memory);
        let scheduler: Shared<Quiet, Memory, 1> =
            Shared::new(Quiet, Memory(memory), Settings::DEFAULT);
        let held = Arc::new(());
        let (first, to_wake) = waits(held.clone());
        let (second, to_drop) = waits(held.clone());
        let (first, second) = (scheduler.spawn(first), scheduler.spawn(second));
        let mut core = scheduler.enter().unwrap();
        while core.tick().has_remaining {}
        let (to_wake, to_drop) = (take(&to_wake), take(&to_drop));
        drop(core);
        std::thread::scope(|threads| {
            threads.spawn(move || drop(scheduler));
            threads.spawn(move || to_wake.wake());
            threads.spawn(move || drop((first, to_drop)));
            threads.spawn(move || drop(second));
        });
        assert_eq!(Arc::strong_count(&held), 1, "every future is dropped");
        assert!(weak.upgrade().is_none(), "and all memory given back");
    }
}

/// One CPU, which nothing interrupts: the thread of the test, which has a name as the others have not.
struct Quiet;

// SAFETY: 1. The thread of a test is the CPU, and no other one is. 2. to 4. Nothing interrupts, and a halt returns at once.
unsafe impl sched::Machine for Quiet {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        std::thread::current().name().is_some().then_some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        0
    }

    fn mask(&self) {}
    unsafe fn restore(&self, (): ()) {}
    fn kick(&self, _: CpuId) {}
    unsafe fn halt(&self) {}
    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}
