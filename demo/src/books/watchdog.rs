//! The watchdog: a thread of its own, outside the scheduler, that looks at the books ten times a second.

use super::{Auditor, Books, Stall};
use crate::Sched;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time from one look to the next.
const INTERVAL: Duration = Duration::from_millis(100);

/// A running watchdog.
#[derive(Debug)]
pub struct Watchdog {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Auditor>,
}

impl Watchdog {
    /// Starts one that tells `report` of each task that waits too long beside an idle CPU.
    ///
    /// # Errors
    ///
    /// When the operating system has no more threads.
    pub fn start(
        scheduler: &'static Sched,
        cpus: u32,
        books: &'static Books,
        report: impl Fn(&Stall) + Send + 'static,
    ) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::Builder::new().name("watchdog".into()).spawn(move || {
            let mut auditor = Auditor::new(books);
            // Ordering: Relaxed; the join orders what comes after.
            while !stopped.load(Ordering::Relaxed) {
                std::thread::park_timeout(INTERVAL);
                let stalls = auditor.look(Instant::now(), |cpu| scheduler.is_idle(cpu), cpus);
                stalls.iter().for_each(&report);
            }
            auditor
        })?;
        Ok(Self { stop, thread })
    }

    /// Stops it, and hands on what it knows. `None` if it panicked.
    #[must_use]
    pub fn stop(self) -> Option<Auditor> {
        // Ordering: Relaxed; see above.
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
        self.thread.join().ok()
    }
}
