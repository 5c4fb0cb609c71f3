//! Strict books on eight CPUs: every task that was spawned ends once, every future is dropped once, no wake is lost.
//!
//! How many tasks there are, `ACCOUNTING_TASKS` says; the rest follows from it.

use demo::hosted::{CpuThread, Hosted};
use sched::{JoinHandle, Scheduler, Settings, yield_now};
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::{Duration, Instant};

type Sched = Scheduler<Hosted, (), 8>;

static FOR_EVER: Mutex<Vec<&'static Sched>> = Mutex::new(Vec::new());

/// Tasks that there are at a time, so that memory stays the same however many come one after the other.
const AT_ONCE: u64 = 1_000;

/// Parents of tasks: more than CPUs, so that they move.
const PARENTS: u64 = 16;

fn tasks() -> u64 {
    let default = if cfg!(debug_assertions) { 20_000 } else { 200_000 };
    std::env::var("ACCOUNTING_TASKS").map_or(default, |tasks| tasks.parse().unwrap())
}

/// Futures made, and futures dropped.
#[derive(Default)]
struct Books {
    made: AtomicU64,
    dropped: AtomicU64,
    done: AtomicU64,
    yields: AtomicU64,
}

/// Part of a future, so that the two are dropped together.
struct Counted(Arc<Books>);

impl Counted {
    fn new(books: &Arc<Books>) -> Self {
        books.made.fetch_add(1, Relaxed);
        Self(books.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dropped.fetch_add(1, Relaxed);
    }
}

/// Eight CPUs; `parent` runs on them so many times at once. Checks the books when all have ended.
fn run<F, P>(parent: impl Fn(&'static Sched, u64, Arc<Books>) -> F) -> Arc<Books>
where
    F: Future<Output = P> + Send + 'static,
    P: Send + 'static,
{
    let scheduler: &'static Sched =
        Box::leak(Box::new(Scheduler::new(Hosted::new(8, 1), (), Settings::DEFAULT)));
    // It lives for ever, with what its loops leave behind: who looks for leaks finds it here.
    FOR_EVER.lock().unwrap().push(scheduler);
    scheduler.machine().set_handlers(scheduler);
    let cpus: Vec<_> = (0..8).map(|cpu| CpuThread::start(scheduler, cpu).unwrap()).collect();
    let books = Arc::new(Books::default());
    let start = Instant::now();
    let parents: Vec<JoinHandle<P>> = (0..PARENTS)
        .map(|number| scheduler.spawn(parent(scheduler, number, books.clone())))
        .collect();
    // No end in sight is a lost wake: nothing here waits for a clock.
    let (mut seen, mut since) = (u64::MAX, Instant::now());
    while !parents.iter().all(JoinHandle::is_complete) {
        let polls = scheduler.totals().polls;
        if polls != seen {
            (seen, since) = (polls, Instant::now());
        }
        assert!(since.elapsed() < Duration::from_secs(30), "a wake was lost: {polls} polls");
        std::thread::sleep(Duration::from_millis(1));
    }
    drop(parents);
    // What the last handles and wakers left is freed by the loops.
    let all_ended = || {
        let totals = scheduler.totals();
        totals.spawned == totals.completed + totals.cancelled + totals.unreachable
            && Arc::strong_count(&books) == 1
    };
    let waits = Instant::now();
    while !all_ended() && waits.elapsed() < Duration::from_secs(30) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let totals = scheduler.totals();
    scheduler.stop();
    assert!(cpus.into_iter().all(CpuThread::join));
    println!("{} tasks, {} polls in {:.1?}", totals.spawned, totals.polls, start.elapsed());
    assert_eq!(totals.spawned, books.made.load(Relaxed) + PARENTS, "spawned");
    assert_eq!(totals.unreachable, 0, "unreachable");
    assert_eq!(totals.completed + totals.cancelled, totals.spawned, "ended");
    assert_eq!(books.dropped.load(Relaxed), books.made.load(Relaxed), "dropped once each");
    assert_eq!(Arc::strong_count(&books), 1, "freed");
    assert_eq!(totals.cancelled + books.done.load(Relaxed), books.made.load(Relaxed), "all told");
    books
}

#[test]
fn every_task_that_is_spawned_completes_once_and_every_yield_comes_back() {
    let (tasks, yields) = (tasks() / PARENTS, 10);
    let books = run(|scheduler, _, books| async move {
        let mut left = tasks;
        while left > 0 {
            let batch = left.min(AT_ONCE / PARENTS);
            left -= batch;
            let spawn = |_| {
                let counted = Counted::new(&books);
                scheduler.spawn(async move {
                    for _ in 0..yields {
                        yield_now().await;
                        counted.0.yields.fetch_add(1, Relaxed);
                    }
                    counted.0.done.fetch_add(1, Relaxed);
                })
            };
            let handles: Vec<_> = (0..batch).map(spawn).collect();
            for handle in handles {
                handle.await.unwrap();
            }
        }
    });
    assert_eq!(books.done.load(Relaxed), tasks * PARENTS);
    assert_eq!(books.yields.load(Relaxed), tasks * PARENTS * yields);
}

/// Waits until its waker was called, `turns` times, by whichever task has it then.
async fn turn(slot: Arc<atomic_waker::AtomicWaker>, asked: Arc<AtomicU64>, turns: u64) {
    poll_fn(|context| {
        slot.register(context.waker());
        if asked.load(std::sync::atomic::Ordering::Acquire) >= turns {
            return Poll::Ready(());
        }
        Poll::Pending
    })
    .await;
}

/// Half of the tasks are cancelled, at random moments of their lives: by a task that is, mostly, on another CPU; the other half is
/// woken at the same time.
#[test]
fn half_of_the_tasks_are_cancelled_at_random_moments_and_the_books_balance() {
    let tasks = tasks() / PARENTS;
    let books = run(|scheduler, number, books| async move {
        let mut random = fastrand::Rng::with_seed(number);
        let mut left = tasks;
        while left > 0 {
            let batch = left.min(AT_ONCE / PARENTS);
            left -= batch;
            let mut killed = Vec::new();
            let mut spared = Vec::new();
            for index in 0..batch {
                let counted = Counted::new(&books);
                let slot = Arc::new(atomic_waker::AtomicWaker::new());
                let asked = Arc::new(AtomicU64::new(0));
                let (yields, waits) = (random.u64(..4), turn(slot.clone(), asked.clone(), 1));
                let handle = scheduler.task("").injected().spawn(async move {
                    for _ in 0..yields {
                        yield_now().await;
                    }
                    waits.await;
                    counted.0.done.fetch_add(1, Relaxed);
                });
                let wake = (slot, asked);
                if index % 2 == 0 {
                    killed.push((handle, wake));
                } else {
                    spared.push((handle, wake));
                }
            }
            random.shuffle(&mut killed);
            let pauses: Vec<_> = killed.iter().map(|_| random.u8(..4)).collect();
            // Any CPU's: whoever is free first.
            let killer = scheduler.task("killer").injected();
            let killer = {
                let counted = Counted::new(&books);
                killer.spawn(async move {
                    for ((handle, (slot, asked)), pause) in killed.iter().zip(pauses) {
                        if pause == 0 {
                            yield_now().await;
                        }
                        // Now and then beside a wake.
                        if pause == 1 {
                            asked.store(1, std::sync::atomic::Ordering::Release);
                            slot.wake();
                        }
                        handle.cancel();
                    }
                    for (handle, _) in killed {
                        // It may have been done before.
                        let _ = handle.await;
                    }
                    counted.0.done.fetch_add(1, Relaxed);
                })
            };
            for (handle, (slot, asked)) in spared {
                asked.store(1, std::sync::atomic::Ordering::Release);
                slot.wake();
                handle.await.unwrap();
            }
            killer.await.unwrap();
        }
    });
    let made = books.made.load(Relaxed);
    let cancelled = made - books.done.load(Relaxed);
    println!("{cancelled} of {made} were cancelled in time");
    assert!(cancelled > made / 5, "hardly any was cancelled in time: {cancelled} of {made}");
}
