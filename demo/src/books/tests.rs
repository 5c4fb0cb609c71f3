//! The books catch what they are there for.

use super::*;
use std::sync::atomic::AtomicUsize;
use std::task::Wake;
use std::time::{Duration, Instant};

/// Stands in for the scheduler: counts the wakes that reach it.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

struct Task {
    books: &'static Books,
    auditor: Auditor,
    record: Arc<Record>,
    woken: Arc<Woken>,
    future: std::pin::Pin<Box<dyn Future<Output = ()> + Send>>,
    inner_waker: Arc<std::sync::Mutex<Option<Waker>>>,
}

impl Task {
    /// A booked task that waits for ever, and shows the waker it was polled with.
    fn new(cpus: Option<CpuSet>) -> Self {
        let books: &'static Books = Box::leak(Box::default());
        let record = books.open("waiter", 7, cpus);
        let inner_waker = Arc::new(std::sync::Mutex::new(None));
        let shown = inner_waker.clone();
        let inner = poll_fn(move |context| {
            *shown.lock().unwrap() = Some(context.waker().clone());
            Poll::Pending
        });
        let future = Box::pin(books.book(record.clone(), inner));
        let auditor = Auditor::new(books);
        Self { books, auditor, record, woken: Arc::default(), future, inner_waker }
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(self.woken.clone());
        self.future.as_mut().poll(&mut Context::from_waker(&waker))
    }

    fn wake(&self) {
        self.inner_waker.lock().unwrap().as_ref().unwrap().wake_by_ref();
    }

    fn account(&mut self) -> Account {
        self.auditor.collect();
        self.auditor.account()
    }
}

#[test]
fn a_wake_is_sent_to_the_scheduler_and_balanced_by_the_next_poll() {
    let mut task = Task::new(None);
    assert!(task.poll().is_pending());
    task.wake();
    task.wake();
    assert_eq!(task.woken.0.load(Ordering::SeqCst), 2);
    let account = task.account();
    assert_eq!((account.sent, account.seen, account.behind), (2, 0, 1));
    assert!(task.poll().is_pending());
    let account = task.account();
    assert_eq!((account.sent, account.seen, account.behind), (2, 2, 0));
}

#[test]
fn a_lost_wake_is_named() {
    let mut task = Task::new(None);
    assert!(task.poll().is_pending());
    task.wake();
    assert!(task.poll().is_pending());
    // Counted, and then never passed on.
    task.record.count_wake();
    let account = task.account();
    let verdict = Verdict::at_quiescence(&account, &task.auditor.behind(8));
    assert!(!verdict.ok);
    assert_eq!((verdict.wakes_sent, verdict.wakes_seen), (2, 1));
    assert!(verdict.faults[0].contains("waiter #7: 2 wakes sent, 1 seen"), "{verdict:?}");
}

#[test]
fn a_lost_task_is_counted() {
    let mut verdict = Verdict::at_quiescence(&Account::default(), &[]);
    assert!(verdict.ok);
    let mut totals = sched::Totals::default();
    totals.spawned = 3;
    totals.completed = 1;
    totals.cancelled = 1;
    verdict.at_end(&Account::default(), &totals, &[]);
    assert!(!verdict.ok);
    assert_eq!(verdict.left_queued, 1);
    assert!(verdict.faults[0].contains("3 tasks spawned, but 1 completed and 1 cancelled"));
}

#[test]
fn the_watchdog_reports_a_wait_beside_an_idle_cpu_and_no_other() {
    let only_cpu_1 = CpuSet::EMPTY.with(sched::CpuId::new(1));
    let start = Instant::now();
    let reports = |cpus: Option<CpuSet>, idle_cpu: Option<u32>, lost: bool| {
        let mut task = Task::new(cpus);
        assert!(task.poll().is_pending());
        if lost {
            task.record.count_wake();
        }
        let mut stalls = Vec::new();
        for tenth in 0..20 {
            let now = start + Duration::from_millis(100 * tenth);
            stalls.extend(task.auditor.look(now, |cpu| Some(cpu.get()) == idle_cpu, 2));
        }
        assert_eq!(stalls.len() as u64, task.auditor.stalls());
        stalls
    };
    let stalls = reports(None, Some(0), true);
    assert_eq!(stalls.len(), 1, "reported once: {stalls:?}");
    let text = stalls[0].to_string();
    assert!(
        text.starts_with("waiter #7 has waited 1.1 s") && text.contains("1 wakes sent, 0 seen")
    );
    assert!(reports(None, None, true).is_empty(), "no CPU idled");
    assert!(reports(None, Some(0), false).is_empty(), "nothing is lost");
    assert!(reports(Some(only_cpu_1), Some(0), true).is_empty(), "may not run on the idle CPU");
    assert_eq!(reports(Some(only_cpu_1), Some(1), true).len(), 1);
}

#[test]
fn a_frozen_task_notes_its_wakes_and_a_finished_one_is_closed() {
    let mut task = Task::new(None);
    assert!(task.poll().is_pending());
    *task.inner_waker.lock().unwrap() = None;
    task.books.set_phase(Phase::Frozen);
    task.record.wake_by_ref();
    assert!(task.poll().is_pending());
    assert!(task.inner_waker.lock().unwrap().is_none(), "the future itself was not polled");
    assert_eq!(task.account().seen, 1);
    task.books.set_phase(Phase::Finish);
    task.auditor.tell_to_finish();
    assert_eq!(task.woken.0.load(Ordering::SeqCst), 2);
    assert!(task.poll().is_ready());
    // A wake after the end is none.
    task.record.wake_by_ref();
    let account = task.account();
    assert_eq!((account.sent, account.seen), (2, 2));
    assert_eq!((account.open_tasks, account.closed_tasks), (0, 1));
}

#[test]
fn a_task_dropped_before_its_first_poll_is_closed() {
    let Task { future, mut auditor, .. } = Task::new(None);
    drop(future);
    auditor.collect();
    assert_eq!(auditor.account().closed_tasks, 1);
}
