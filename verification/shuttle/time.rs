//! Models of timers across CPUs (PF1, PF2): CPUs that arm, cancel what others armed, leave and come back, and a survivor that
//! adopts what they leave.
//!
//! Shuttle sees no data race, so what it looks for is in the books: each sleep is woken once or was cancelled, and one that
//! was cancelled is not woken. A wheel that nobody looks after is a deadlock: the survivor halts for good.

use crate::machine::Virtual;
use sched::time::{AdoptError, Cancel, Sleep};
use sched::{Core, CpuId, Machine, Scheduler, Settings};
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use shuttle::thread;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Wake, Waker};
use verification::sampled::{pct, random};

const CPUS: usize = 3;
const SLEEPS_OF_EACH: usize = 4;

type Sched = Scheduler<Virtual, (), CPUS>;

/// A waker that counts, and settles with the scenario.
struct Wakes {
    count: AtomicUsize,
    open: Open,
}

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        if self.count.fetch_add(1, SeqCst) == 0 {
            self.open.close();
        }
    }
}

/// What the survivor must wait for: itself, until it has adopted all, and each sleep until it is woken or cancelled. With
/// the last one halts end, which nothing else would then. Shuttle does not see it.
#[derive(Clone)]
struct Open {
    count: Arc<AtomicUsize>,
    scheduler: &'static Sched,
}

impl Open {
    fn another(&self) -> Self {
        self.count.fetch_add(1, SeqCst);
        self.clone()
    }

    fn close(&self) {
        if self.count.fetch_sub(1, SeqCst) == 1 {
            self.scheduler.machine().stop();
        }
    }
}

struct Sleeper {
    sleep: Pin<Box<Sleep>>,
    wakes: Arc<Wakes>,
}

impl Sleeper {
    fn new(deadline_ns: u64, open: &Open) -> Self {
        let sleep = Box::pin(open.scheduler.sleep_until(deadline_ns));
        Self { sleep, wakes: Arc::new(Wakes { count: AtomicUsize::new(0), open: open.another() }) }
    }

    fn poll(&mut self) -> bool {
        let waker = Waker::from(self.wakes.clone());
        self.sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_ready()
    }

    fn wakes(&self) -> usize {
        self.wakes.count.load(SeqCst)
    }
}

/// All sleeps that were armed, and neither cancelled nor found to be over.
type Pool = Mutex<Vec<Sleeper>>;

/// Arms a sleep here, and polls, cancels or leaves alone one that somebody armed.
fn act(open: &Open, pool: &Pool) {
    let now_ns = open.scheduler.machine().now_ns();
    let mut sleeper = Sleeper::new(now_ns + thread_rng().gen_range(10_000..60_000), open);
    if sleeper.poll() {
        // It took as long as that to come here: it was never armed.
        sleeper.wakes.open.close();
        return;
    }
    let mut other = {
        let mut pool = pool.lock().unwrap();
        pool.push(sleeper);
        let at = thread_rng().gen_range(0..pool.len());
        pool.swap_remove(at)
    };
    match thread_rng().gen_range(0..3) {
        0 => {
            let wakes = other.wakes.clone();
            let cancel = other.sleep.as_mut().cancel();
            // Freed at once, whatever the answer.
            drop(other.sleep);
            if cancel == Cancel::Cancelled {
                assert_eq!(wakes.count.load(SeqCst), 0, "cancelled, and woken");
                wakes.open.close();
            }
        }
        1 if other.poll() => {}
        _ => pool.lock().unwrap().push(other),
    }
}

fn enter(scheduler: &'static Sched, cpu: u32) -> Core<Virtual, (), CPUS> {
    scheduler.machine().become_cpu(Some(CpuId::new(cpu)));
    scheduler.enter().expect("nobody else is this CPU")
}

/// CPUs 1 and 2 come, arm, go, come back perhaps, and go for good; CPU 0 adopts what they leave, and halts for its timers
/// until all is over.
fn comings_and_goings() {
    let mut settings = Settings::DEFAULT;
    settings.slice_ns = u64::MAX;
    let raw = Box::into_raw(Box::new(Sched::new(Virtual::new(CPUS), (), settings)));
    // SAFETY: freed below, after all that uses it is gone; a failed execution leaks it.
    let scheduler: &'static Sched = unsafe { &*raw };
    scheduler.machine().set_handlers(scheduler);
    let pool = Arc::new(Pool::default());
    let open = Open { count: Arc::new(AtomicUsize::new(1)), scheduler };
    let goers: Vec<_> = (1..CPUS as u32)
        .map(|cpu| {
            let (open, pool) = (open.clone(), pool.clone());
            thread::spawn(move || {
                for _ in 0..SLEEPS_OF_EACH / 2 {
                    let core = enter(scheduler, cpu);
                    (0..2).for_each(|_| act(&open, &pool));
                    // Whoever comes first adopts the other one's wheel, and then goes itself, with both.
                    let _ = scheduler.adopt_timers(CpuId::new(3 - cpu));
                    drop(core);
                }
            })
        })
        .collect();
    let mut core = enter(scheduler, 0);
    for _ in 0..SLEEPS_OF_EACH {
        act(&open, &pool);
        let _ = scheduler.adopt_timers(CpuId::new(thread_rng().gen_range(1..3)));
    }
    for goer in goers {
        goer.join().unwrap();
    }
    for cpu in (1..CPUS as u32).map(CpuId::new) {
        match scheduler.adopt_timers(cpu) {
            Ok(()) => {}
            Err(error @ (AdoptError::NotOnline | AdoptError::OutOfRange(_))) => panic!("{error}"),
            Err(error) => panic!("{error}, though nobody is left"),
        }
    }
    open.close();
    // Only its timer ends a halt, so a wheel that nobody looks after is a deadlock.
    while !scheduler.machine().is_stopped() {
        core.step();
    }
    for mut sleeper in pool.lock().unwrap().drain(..) {
        assert!(sleeper.poll(), "woken too early");
        assert_eq!(sleeper.wakes(), 1, "woken more than once");
    }
    drop(core);
    scheduler.machine().become_cpu(None);
    // SAFETY: from `into_raw` above; every CPU and sleep is gone.
    drop(unsafe { Box::from_raw(raw) });
}

/// 2 000 random schedules.
#[test]
fn comings_and_goings_random() {
    random(2_000, comings_and_goings);
}

/// 2 000 schedules with at most two changes of priority.
#[test]
fn comings_and_goings_pct() {
    pct(2_000, 3, comings_and_goings);
}
