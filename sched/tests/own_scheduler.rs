//! C6: tasks over a scheduler of the user's own.

use mpsc_inbox::Inbox;
use sched::kit::{Builder, Ran, Runnable, Schedule, TaskHeader, TaskIds};
use sched::{CpuId, CpuSet, JoinError, JoinHandle, RunState, TaskMemory, TaskRef, Tier, yield_now};
use std::future::{Future, Ready, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

fn poll_once<T>(handle: &mut JoinHandle<T>) -> Poll<Result<T, JoinError>> {
    Pin::new(handle).poll(&mut Context::from_waker(Waker::noop()))
}

/// Keeps what it is given, in order, and says what it was.
struct Own {
    ids: TaskIds,
    queue: Mutex<Vec<Runnable>>,
    scheduled: AtomicUsize,
    is_shut_down: AtomicBool,
}

impl Schedule for Own {
    fn ids(&self) -> &TaskIds {
        &self.ids
    }

    fn schedule(&self, task: Runnable) {
        self.scheduled.fetch_add(1, SeqCst);
        self.queue.lock().unwrap().push(task);
    }

    fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(SeqCst)
    }
}

impl Own {
    const fn new() -> Self {
        Self {
            ids: TaskIds::new(),
            queue: Mutex::new(Vec::new()),
            scheduled: AtomicUsize::new(0),
            is_shut_down: AtomicBool::new(false),
        }
    }

    fn take(&self) -> Runnable {
        self.queue.lock().unwrap().remove(0)
    }

    fn ready(&self) -> usize {
        self.queue.lock().unwrap().len()
    }

    /// Runs what there is, until nothing is.
    fn run(&self) {
        while self.ready() > 0 {
            if let Ran::Again(task) = self.take().run() {
                self.schedule(task);
            }
        }
    }
}

#[test]
fn c6_the_scheduler_decides_where_a_woken_task_goes() {
    static OWN: Own = Own::new();
    let own = &OWN;
    let stored: Arc<Mutex<Option<Waker>>> = Arc::default();
    let store = stored.clone();
    let mut handle = Builder::new(own, "waits").tier(Tier::Critical).kind("driver").spawn({
        let mut polls = 0;
        poll_fn(move |context| {
            polls += 1;
            *store.lock().unwrap() = Some(context.waker().clone());
            if polls == 2 { Poll::Ready(5) } else { Poll::Pending }
        })
    });
    let mut task = own.take();
    let info = task.info();
    assert_eq!((info.name, info.kind, info.tier), ("waits", "driver", Tier::Critical));
    assert_eq!((info.location.file(), task.id()), (file!(), handle.id()));
    assert_eq!((task.last_cpu(), task.allowed_cpus()), (None, None));
    task.set_last_cpu(CpuId::new(3));
    assert!(matches!(task.run(), Ran::Waiting));
    assert!(poll_once(&mut handle).is_pending());
    let waker = stored.lock().unwrap().take().unwrap();
    waker.wake_by_ref();
    waker.wake_by_ref();
    assert_eq!((own.scheduled.load(SeqCst), own.ready()), (2, 1), "many wakes, one placement");
    let task = own.take();
    assert_eq!(task.last_cpu(), Some(CpuId::new(3)), "for who places it");
    assert!(matches!(task.run(), Ran::Over));
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(5)));
    waker.wake();
    drop((handle, stored.lock().unwrap().take()));
    assert_eq!(own.ready(), 1, "the last reference is gone: it is to be freed where tasks are run");
    assert!(own.queue.lock().unwrap()[0].task_ref().is_none());
    own.run();
}

#[test]
fn c6_a_yield_gives_the_task_back_and_a_cancel_drops_its_future() {
    static OWN: Own = Own::new();
    let own = &OWN;
    let cpus = CpuSet::EMPTY.with(CpuId::new(1));
    let mut handle = Builder::new(own, "").affinity(cpus).spawn(async { yield_now().await });
    let Ran::Again(task) = own.take().run() else { panic!("it yielded") };
    assert_eq!(task.allowed_cpus(), Some(cpus));
    assert_eq!(task.task_ref().map(|task| task.run_state()), Some(RunState::Queued));
    assert!(matches!(task.run(), Ran::Over));
    assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(())));

    let counted = Arc::new(());
    let held = counted.clone();
    let mut handle = Builder::new(own, "").spawn(async move {
        pending::<()>().await;
        drop(held);
    });
    own.run();
    let task: TaskRef = handle.task_ref();
    task.cancel();
    assert_eq!((own.ready(), Arc::strong_count(&counted)), (1, 2), "it is run to be dropped");
    own.run();
    assert_eq!(Arc::strong_count(&counted), 1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Cancelled)));
}

/// RK2.
#[test]
fn c6_a_runnable_that_is_dropped_ends_its_task() {
    static OWN: Own = Own::new();
    let own = &OWN;
    let counted = Arc::new(());
    let held = counted.clone();
    let mut handle = Builder::new(own, "").spawn(async move { drop(held) });
    drop(own.take());
    assert_eq!(Arc::strong_count(&counted), 1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Shutdown)));
    drop(handle);
    // And one that is only to be freed.
    drop(own.take());
    let mut waits = Builder::new(own, "").spawn(pending::<()>());
    own.run();
    own.is_shut_down.store(true, SeqCst);
    assert_eq!(poll_once(&mut waits), Poll::Ready(Err(JoinError::Shutdown)));
    drop(waits);
    own.run();
}

#[test]
fn c6_a_panic_ends_the_task_and_comes_out_of_the_run() {
    static OWN: Own = Own::new();
    let own = &OWN;
    let counted = Arc::new(());
    let held = counted.clone();
    let mut handle = Builder::new(own, "").spawn(async move {
        let _held = held;
        yield_now().await;
        panic!("in the poll");
    });
    let Ran::Again(task) = own.take().run() else { panic!("it yielded") };
    assert!(catch_unwind(AssertUnwindSafe(|| task.run())).is_err());
    assert_eq!(Arc::strong_count(&counted), 1);
    assert_eq!(poll_once(&mut handle), Poll::Ready(Err(JoinError::Cancelled)));
}

/// A queue in a `static`, without an allocation, and without a stub task.
struct Intrusive {
    ids: TaskIds,
    queue: Inbox<TaskHeader>,
}

impl Schedule for Intrusive {
    fn ids(&self) -> &TaskIds {
        &self.ids
    }

    fn schedule(&self, task: Runnable) {
        let _ = self.queue.push(task);
    }
}

#[test]
fn c6_a_static_queue_of_task_headers_needs_no_stub_and_no_allocation() {
    static INTRUSIVE: Intrusive = Intrusive { ids: TaskIds::new(), queue: Inbox::new() };
    static MEMORY: TaskMemory<Ready<u8>> = TaskMemory::new();
    let mut queue = INTRUSIVE.queue.take_owner().unwrap();
    for round in 0..3 {
        let spawned = Builder::new(&INTRUSIVE, "static").spawn_in(&MEMORY, ready(round));
        let mut handle = spawned.expect("the memory is free again");
        assert!(Builder::new(&INTRUSIVE, "").spawn_in(&MEMORY, ready(9)).is_err());
        let mut ran = 0;
        for task in queue.drain(8) {
            ran += usize::from(matches!(task.run(), Ran::Over));
        }
        assert_eq!(ran, 1);
        assert_eq!(poll_once(&mut handle), Poll::Ready(Ok(round)));
        drop(handle);
        queue.drain(8).for_each(|task| _ = task.run());
    }
    assert!(!MEMORY.is_in_use());
}

/// Two threads run from one queue what others wake.
#[test]
fn c6_a_queue_of_ones_own_beside_wakes_of_other_threads() {
    static OWN: Own = Own::new();
    let (own, tasks, rounds) = (&OWN, if cfg!(miri) { 4 } else { 200 }, 8);
    let done = Arc::new(AtomicUsize::new(0));
    for task in 0..tasks {
        let done = done.clone();
        let task = Builder::new(own, "").spawn(async move {
            for _ in 0..rounds + task % 3 {
                yield_now().await;
            }
            done.fetch_add(1, SeqCst);
        });
        drop(task);
    }
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while done.load(SeqCst) < tasks {
                    let task = own.queue.lock().unwrap().pop();
                    match task.map(Runnable::run) {
                        Some(Ran::Again(task)) => own.queue.lock().unwrap().insert(0, task),
                        _ => std::thread::yield_now(),
                    }
                }
            });
        }
    });
    own.run();
    assert_eq!(done.load(SeqCst), tasks);
}
