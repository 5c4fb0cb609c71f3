//! The auditor: reads all records, adds them up, and notices who waits too long.

use super::{Books, Record};
use sched::CpuId;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A task that has waited longer than this, while a CPU that may run it idled, was forgotten.
const PATIENCE: Duration = Duration::from_secs(1);

/// Reads the books of one run. There is one for each.
#[derive(Debug)]
pub struct Auditor {
    books: &'static Books,
    open: Vec<Page>,
    /// What the closed records add up to: sent, which is seen.
    closed_wakes: u64,
    closed_tasks: u64,
    stalls: u64,
}

/// A record under audit.
#[derive(Debug)]
struct Page {
    record: Arc<Record>,
    wait: Option<Wait>,
    told_to_finish: bool,
}

/// A task that was found with a wake it has not seen.
#[derive(Debug)]
struct Wait {
    since: Instant,
    seen: u64,
    looks: u32,
    idle_looks: u32,
    reported: bool,
}

/// A task that waits for its CPU too long.
#[derive(Debug)]
pub struct Stall {
    task: Arc<Record>,
    waited: Duration,
    sent: u64,
    seen: u64,
}

/// All records together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Tasks that are not over.
    pub open_tasks: u64,
    /// Tasks that are.
    pub closed_tasks: u64,
    /// Wakes sent.
    pub sent: u64,
    /// Wakes seen.
    pub seen: u64,
    /// Tasks whose wakes sent and seen differ.
    pub behind: u64,
}

impl Auditor {
    /// An auditor of `books`.
    #[must_use]
    pub fn new(books: &'static Books) -> Self {
        Self { books, open: Vec::new(), closed_wakes: 0, closed_tasks: 0, stalls: 0 }
    }

    /// Takes over new records, and files those whose tasks are over.
    pub fn collect(&mut self) {
        while let Some(record) = self.books.next_opened() {
            self.open.push(Page { record, wait: None, told_to_finish: false });
        }
        let (wakes, tasks) = (&mut self.closed_wakes, &mut self.closed_tasks);
        self.open.retain(|page| {
            let reading = page.record.read();
            if reading.closed {
                *wakes += reading.sent;
                *tasks += 1;
            }
            !reading.closed
        });
    }

    /// Adds everything up, as of the last [`collect`](Self::collect).
    #[must_use]
    pub fn account(&self) -> Account {
        let mut account = Account {
            closed_tasks: self.closed_tasks,
            sent: self.closed_wakes,
            seen: self.closed_wakes,
            ..Account::default()
        };
        for page in &self.open {
            let reading = page.record.read();
            account.open_tasks += 1;
            account.sent += reading.sent;
            account.seen += reading.seen;
            account.behind += u64::from(reading.sent != reading.seen);
        }
        account
    }

    /// Looks who has a wake that it has not seen, at the moment `now`; tells who has had it for more than
    /// a second, each wait once. A wait counts only while, at half of the looks at least, a CPU that may run the
    /// task was idle.
    pub fn look(&mut self, now: Instant, is_idle: impl Fn(CpuId) -> bool, cpus: u32) -> Vec<Stall> {
        self.collect();
        let idle: Vec<CpuId> = (0..cpus).map(CpuId::new).filter(|&cpu| is_idle(cpu)).collect();
        let mut stalls = Vec::new();
        for page in &mut self.open {
            let reading = page.record.read();
            if reading.sent == reading.seen {
                page.wait = None;
                continue;
            }
            let wait = match &mut page.wait {
                Some(wait) if wait.seen == reading.seen => wait,
                other => other.insert(Wait {
                    since: now,
                    seen: reading.seen,
                    looks: 0,
                    idle_looks: 0,
                    reported: false,
                }),
            };
            let may_run = |cpu: &CpuId| page.record.cpus().is_none_or(|set| set.contains(*cpu));
            wait.looks += 1;
            wait.idle_looks += u32::from(idle.iter().any(may_run));
            let waited = now.duration_since(wait.since);
            if waited > PATIENCE && wait.idle_looks * 2 >= wait.looks && !wait.reported {
                wait.reported = true;
                self.stalls += 1;
                let (sent, seen) = (reading.sent, reading.seen);
                stalls.push(Stall { task: page.record.clone(), waited, sent, seen });
            }
        }
        stalls
    }

    /// Waits that [`look`](Self::look) told of so far.
    #[must_use]
    pub fn stalls(&self) -> u64 {
        self.stalls
    }

    /// The tasks whose wakes sent and seen differ, in words; at most `limit`.
    #[must_use]
    pub fn behind(&self, limit: usize) -> Vec<String> {
        let page = |page: &Page| {
            let reading = page.record.read();
            (reading.sent != reading.seen).then(|| {
                format!("{}: {} wakes sent, {} seen", page.record, reading.sent, reading.seen)
            })
        };
        self.open.iter().filter_map(page).take(limit).collect()
    }

    /// The tasks that are not over; at most `limit`.
    #[must_use]
    pub fn unfinished(&self, limit: usize) -> Vec<String> {
        self.open.iter().take(limit).map(|page| page.record.to_string()).collect()
    }

    /// Wakes each task that was not told before, so that it sees that the books are finished.
    pub fn tell_to_finish(&mut self) {
        for page in self.open.iter_mut().filter(|page| !page.told_to_finish) {
            page.told_to_finish = true;
            page.record.wake_if_polled();
        }
    }
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { task, waited, sent, seen } = self;
        write!(
            f,
            "{task} has waited {:.1} s to be polled while a CPU idled: {sent} wakes sent, {seen} seen",
            waited.as_secs_f64()
        )
    }
}
