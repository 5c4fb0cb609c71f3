//! Executors on one thread, behind one trait.

use crate::machine::OneCpu;
use sched::{Core, Scheduler, Settings, Step};
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Poll, Waker};
use std::time::Instant;

/// Counts up to a goal, and then wakes who waits for it. Of one thread; atomic because tasks must be `Send`.
#[derive(Debug)]
pub(super) struct Progress {
    left: AtomicU64,
    waiting: std::sync::Mutex<Option<Waker>>,
}

impl Progress {
    pub(super) fn new() -> &'static Self {
        Box::leak(Box::new(Self { left: AtomicU64::new(0), waiting: std::sync::Mutex::new(None) }))
    }

    /// From here on so many are to come.
    pub(super) fn expect(&self, count: u64) {
        self.left.store(count, Ordering::Relaxed);
    }

    #[inline]
    pub(super) fn count(&self) {
        let left = self.left.load(Ordering::Relaxed).wrapping_sub(1);
        self.left.store(left, Ordering::Relaxed);
        if left == 0 {
            let waiting = self.waiting.lock().expect("nobody panics").take();
            waiting.into_iter().for_each(Waker::wake);
        }
    }

    #[inline]
    fn is_done(&self) -> bool {
        self.left.load(Ordering::Relaxed).cast_signed() <= 0
    }

    /// Until all have come.
    async fn done(&self) {
        poll_fn(|context| {
            if self.is_done() {
                return Poll::Ready(());
            }
            *self.waiting.lock().expect("nobody panics") = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

pub(super) trait Executor: 'static {
    const NAME: &'static str;

    fn new() -> Self;
    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static);
    /// Begins so many rounds one after the other, and runs tasks until each is done.
    fn run(&mut self, rounds: u64, progress: &'static Progress, begin: impl FnMut(&Self));
    fn yield_now() -> impl Future<Output = ()> + Send + 'static;
}

pub(super) struct Ours {
    scheduler: &'static Scheduler<OneCpu<Instant>>,
    core: Core<OneCpu<Instant>>,
}

impl Executor for Ours {
    const NAME: &'static str = crate::work::OURS;

    fn new() -> Self {
        // Leaked: a scheduler lives for ever.
        let scheduler: &'static _ =
            Box::leak(Box::new(Scheduler::new(OneCpu(Instant::now()), (), Settings::DEFAULT)));
        Self { scheduler, core: scheduler.enter().expect("the first to enter") }
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        drop(self.scheduler.spawn(future));
    }

    fn run(&mut self, rounds: u64, progress: &'static Progress, mut begin: impl FnMut(&Self)) {
        for _ in 0..rounds {
            begin(self);
            while !progress.is_done() {
                let step = self.core.step();
                debug_assert_ne!(step, Step::Halted, "a task was lost");
            }
        }
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        sched::yield_now()
    }
}

/// Rounds, from inside a runtime's main task.
async fn rounds<E: Executor>(
    executor: &E,
    rounds: u64,
    progress: &'static Progress,
    mut begin: impl FnMut(&E),
) {
    for _ in 0..rounds {
        begin(executor);
        progress.done().await;
    }
}

/// tokio's current-thread runtime, whose tasks yield as `$yield_now` does.
macro_rules! tokio {
    ($executor:ident, $name:literal, $yield_now:expr) => {
        pub(super) struct $executor(tokio::runtime::Runtime);

        impl Executor for $executor {
            const NAME: &'static str = $name;

            fn new() -> Self {
                Self(tokio::runtime::Builder::new_current_thread().build().expect("a runtime"))
            }

            fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
                drop(self.0.spawn(future));
            }

            fn run(&mut self, count: u64, progress: &'static Progress, begin: impl FnMut(&Self)) {
                self.0.block_on(rounds(self, count, progress, begin));
            }

            fn yield_now() -> impl Future<Output = ()> + Send + 'static {
                $yield_now
            }
        }
    };
}

// Waking oneself is quicker with few tasks, but tokio's own way, which looks at its driver first, is what one writes.
tokio!(Tokio, "tokio", futures_lite::future::yield_now());
tokio!(TokioYield, "tokio's yield_now", tokio::task::yield_now());

/// async-executor, run on the calling thread.
pub(super) struct Smol(async_executor::Executor<'static>);

impl Executor for Smol {
    const NAME: &'static str = "async-executor";

    fn new() -> Self {
        Self(async_executor::Executor::new())
    }

    fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(future).detach();
    }

    fn run(&mut self, count: u64, progress: &'static Progress, begin: impl FnMut(&Self)) {
        let main = rounds(self, count, progress, begin);
        futures_lite::future::block_on(self.0.run(main));
    }

    fn yield_now() -> impl Future<Output = ()> + Send + 'static {
        futures_lite::future::yield_now()
    }
}
