//! Models of the whole real loop, `sched::Scheduler`, on a machine of shuttle threads.
//!
//! There are no ticks: a slice never ends, so no timer comes to the rescue of a lost wake. A lost one is a deadlock, a CPU
//! that goes round in circles runs out of steps, and at the end the books must balance.

use crate::machine::Virtual;
use sched::{Core, CpuId, CpuSet, JoinHandle, Scheduler, Settings, Step, Tier, yield_now};
use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;
use shuttle::thread;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use verification::sampled::{pct, random};

pub(crate) type Sched<const CPUS: usize> = Scheduler<Virtual, (), CPUS>;
pub(crate) type Loop<const CPUS: usize> = Core<Virtual, (), CPUS>;

/// No ticks, and budgets so small that every drain of several leaves something. After `limit_polls` of one tier in a row
/// a lower one has its turn.
pub(crate) fn tickless(limit_polls: u32) -> Settings {
    let mut settings = Settings::DEFAULT;
    settings.slice_ns = u64::MAX;
    settings.inbox_budget_nodes = 2;
    settings.background_limit_polls = limit_polls;
    settings.critical_limit_polls = limit_polls;
    settings
}

pub(crate) fn only(cpu: u32) -> CpuSet {
    CpuSet::EMPTY.with(CpuId::new(cpu))
}

/// Brings up `CPUS` CPUs, before or after `scenario` spawns from a thread that is none; waits for the tasks that it
/// answers with, having run `meanwhile`; stops, and checks that nothing is left behind.
pub(crate) fn on_cpus<const CPUS: usize>(
    settings: Settings,
    scenario: impl FnOnce(&'static Sched<CPUS>) -> Vec<JoinHandle<()>>,
    meanwhile: impl FnOnce(&'static Sched<CPUS>),
) {
    on_cpus_that(|_| {}, settings, scenario, meanwhile);
}

/// The same, with something done on each CPU first.
pub(crate) fn on_cpus_that<const CPUS: usize>(
    begin: fn(&mut Loop<CPUS>),
    settings: Settings,
    scenario: impl FnOnce(&'static Sched<CPUS>) -> Vec<JoinHandle<()>>,
    meanwhile: impl FnOnce(&'static Sched<CPUS>),
) {
    let machine = Virtual::new(CPUS);
    let raw = Box::into_raw(Box::new(Sched::<CPUS>::new(machine, (), settings)));
    // SAFETY: it is freed below, after all that uses it is gone; a failed execution leaks it.
    let scheduler: &'static Sched<CPUS> = unsafe { &*raw };
    scheduler.machine().set_handlers(scheduler);
    let bring_up =
        || (0..CPUS as u32).map(|cpu| bring_up(scheduler, begin, cpu)).collect::<Vec<_>>();
    let (cpus, handles) = if thread_rng().gen_bool(0.5) {
        let cpus = bring_up();
        (cpus, scenario(scheduler))
    } else {
        let handles = scenario(scheduler);
        (bring_up(), handles)
    };
    meanwhile(scheduler);
    for handle in handles {
        assert_eq!(block_on(handle), Ok(()), "a task was cancelled");
    }
    scheduler.machine().stop();
    scheduler.stop();
    for cpu in cpus {
        cpu.join().unwrap();
    }
    settle(scheduler);
    scheduler.machine().end();
    // SAFETY: from `into_raw` above; every CPU, handle and task is gone.
    drop(unsafe { Box::from_raw(raw) });
}

/// Starts the thread that is the CPU.
fn bring_up<const CPUS: usize>(
    scheduler: &'static Sched<CPUS>,
    begin: fn(&mut Loop<CPUS>),
    cpu: u32,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        scheduler.machine().become_cpu(Some(CpuId::new(cpu)));
        while !scheduler.machine().is_stopped() {
            let mut core = scheduler.enter().expect("a CPU enters when it has left");
            begin(&mut core);
            stay(scheduler, &mut core);
            drop(core);
            scheduler.machine().count_departure();
            thread::yield_now();
        }
    })
}

/// As `run`, but a CPU that waits for another one lets it go on: PCT would never.
fn stay<const CPUS: usize>(scheduler: &'static Sched<CPUS>, core: &mut Loop<CPUS>) {
    while !scheduler.machine().is_stopped() {
        match core.step() {
            Step::Offline => return,
            Step::Undone => thread::yield_now(),
            _ => {}
        }
    }
}

/// Enters each CPU once more, until it has nothing to do: what is left is tasks to be freed, at most. Then the books.
fn settle<const CPUS: usize>(scheduler: &'static Sched<CPUS>) {
    for cpu in (0..CPUS as u32).map(CpuId::new) {
        scheduler.machine().become_cpu(Some(cpu));
        let mut core = scheduler.enter().expect("its loop has ended");
        while core.step() != Step::Halted {}
        assert_eq!(core.queued(), 0, "{cpu} leaves a task behind");
    }
    scheduler.machine().become_cpu(None);
    let totals = scheduler.totals();
    let ended = totals.completed + totals.cancelled + totals.unreachable;
    assert_eq!(totals.spawned, ended, "spawned = completed + cancelled + unreachable");
}

/// Counts its clones that are alive: futures that were not dropped.
#[derive(Clone, Default)]
pub(crate) struct Alive(Arc<()>);

impl Alive {
    #[track_caller]
    pub(crate) fn assert_none(self) {
        assert_eq!(Arc::strong_count(&self.0), 1, "a future was not dropped");
    }
}

/// Numbered messages to one task: what a wake carries, and the books of it.
#[derive(Clone, Default)]
pub(crate) struct Mailbox(Arc<Mutex<Letters>>);

#[derive(Default)]
struct Letters {
    sent: u64,
    seen: u64,
    waker: Option<Waker>,
}

impl Mailbox {
    /// Sends the next number, and wakes, with no lock held.
    pub(crate) fn send(&self) {
        let waker = {
            let mut letters = self.0.lock().unwrap();
            letters.sent += 1;
            letters.waker.clone()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Waits until number `upto` was sent, and takes all that were.
    pub(crate) async fn receive(&self, upto: u64) {
        poll_fn(|context| {
            let mut letters = self.0.lock().unwrap();
            letters.seen = letters.sent;
            if letters.seen >= upto {
                letters.waker = None;
                return Poll::Ready(());
            }
            letters.waker = Some(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    #[track_caller]
    pub(crate) fn assert_balanced(&self) {
        let letters = self.0.lock().unwrap();
        assert_eq!(letters.sent, letters.seen, "wakes sent = wakes seen");
    }
}

/// Computes until `done`, and gives way whenever it is asked to. Whoever makes it true announces it.
async fn compute_until<const CPUS: usize>(
    scheduler: &'static Sched<CPUS>,
    done: impl Fn() -> bool,
) {
    while !done() {
        let interrupts = scheduler.machine().interrupts();
        if scheduler.should_yield() {
            yield_now().await;
        } else {
            scheduler.machine().compute(interrupts, &done);
        }
    }
}

const ROUNDS: u64 = 2;

/// Everything at once on 3 CPUs: a ring of four tasks (two pinned, one of them Critical, one Background) that wake each
/// other across CPUs, yield, and spawn and join a child; a sleeper; one that is cancelled while it waits, and one that
/// nobody can wake.
pub(crate) fn traffic(meanwhile: impl FnOnce(&'static Sched<3>)) {
    let alive = Alive::default();
    let boxes: [Mailbox; 4] = Default::default();
    let scenario = |scheduler: &'static Sched<3>| {
        let mut handles = Vec::new();
        for place in 0..4 {
            let (mine, next) = (boxes[place].clone(), boxes[(place + 1) % 4].clone());
            let alive = alive.clone();
            let task = scheduler.task("ring");
            let task = match place {
                0 => task.affinity(only(1)).unwrap(),
                1 => task.affinity(only(2)).unwrap().tier(Tier::Critical),
                2 => task.tier(Tier::Background),
                _ => task,
            };
            handles.push(task.spawn(async move {
                for round in 1..=ROUNDS {
                    next.send();
                    mine.receive(round).await;
                    yield_now().await;
                }
                let child = scheduler.spawn(async move {
                    let _alive = alive;
                    yield_now().await;
                    place
                });
                assert_eq!(child.await, Ok(place));
            }));
        }
        let sleeper = alive.clone();
        handles.push(scheduler.spawn(async move {
            let _alive = sleeper;
            scheduler.sleep_ns(5_000).await;
        }));
        let waiting = alive.clone();
        let waits = scheduler.spawn(async move {
            let _alive = waiting;
            std::future::pending::<()>().await;
        });
        let lost = alive.clone();
        drop(scheduler.spawn(async move {
            let _alive = lost;
            std::future::pending::<()>().await;
        }));
        handles.push(scheduler.spawn(async move {
            yield_now().await;
            waits.cancel();
            assert_eq!(waits.await, Err(sched::JoinError::Cancelled));
        }));
        handles
    };
    on_cpus(tickless(4), scenario, meanwhile);
    boxes.iter().for_each(Mailbox::assert_balanced);
    alive.assert_none();
}

/// 2 000 random schedules.
#[test]
fn traffic_random() {
    random(2_000, || traffic(|_| {}));
}

/// 2 000 PCT schedules of depth 4.
#[test]
fn traffic_pct() {
    pct(2_000, 4, || traffic(|_| {}));
}

/// Pauses each CPU in turn, the first included, and resumes it.
fn pause_each(scheduler: &'static Sched<3>) {
    for cpu in (0..3).map(CpuId::new) {
        assert!(scheduler.pause(cpu));
        while !scheduler.is_paused(cpu) {
            thread::yield_now();
        }
        assert!(scheduler.resume(cpu));
    }
}

/// The same while each CPU is paused and resumed in turn: 2 000 random schedules.
#[test]
fn traffic_while_cpus_pause() {
    random(2_000, || traffic(pause_each));
}

const CHILDREN: usize = 10;

/// 2 CPUs. A task pinned to the first spawns more children than its deque holds, and computes until all are done, three
/// times: the other CPU must be woken to steal them, of whatever tier, and, when it has stolen all that was published,
/// must make the first publish more (PD2).
fn burst() {
    let alive = Alive::default();
    let scenario = |scheduler: &'static Sched<2>| {
        let parents = alive.clone();
        let parent = scheduler.task("parent").affinity(only(0)).unwrap().spawn(async move {
            for tier in [Tier::Normal, Tier::Normal, Tier::Background] {
                let done = Arc::new(AtomicUsize::new(0));
                for _ in 0..CHILDREN {
                    let (done, alive) = (done.clone(), parents.clone());
                    drop(scheduler.task("child").tier(tier).spawn(async move {
                        let _alive = alive;
                        done.fetch_add(1, SeqCst);
                        scheduler.machine().announce();
                    }));
                }
                // To the back of the queue, and to the loop, which takes the children from the inbox.
                yield_now().await;
                compute_until(scheduler, || done.load(SeqCst) == CHILDREN).await;
            }
        });
        vec![parent]
    };
    // Strictly by tier: no turn of Background publishes what the parent's picks do not.
    on_cpus(tickless(u32::MAX), scenario, |_| {});
    alive.assert_none();
}

/// 2 000 random schedules.
#[test]
fn burst_random() {
    random(2_000, burst);
}

/// 2 000 PCT schedules of depth 3.
#[test]
fn burst_pct() {
    pct(2_000, 3, burst);
}

/// 2 CPUs. A task pinned to the first has spawned more children than its deque holds, and the first CPU is paused: the
/// other one gets them all, however often the paused one must publish more.
fn paused_with_work() {
    let alive = Alive::default();
    let done = Arc::new(AtomicUsize::new(0));
    let [enqueued, finished]: [Mailbox; 2] = Default::default();
    let scenario = |scheduler: &'static Sched<2>| {
        let (alive, done) = (alive.clone(), done.clone());
        let (enqueued, finished) = (enqueued.clone(), finished.clone());
        let parent = scheduler.task("parent").affinity(only(0)).unwrap().spawn(async move {
            for _ in 0..CHILDREN {
                let (done, alive, finished) = (done.clone(), alive.clone(), finished.clone());
                drop(scheduler.spawn(async move {
                    let _alive = alive;
                    done.fetch_add(1, SeqCst);
                    scheduler.machine().announce();
                    finished.send();
                }));
            }
            // To the back of the queue, and to the loop, which takes the children from the inbox.
            yield_now().await;
            enqueued.send();
            compute_until(scheduler, || done.load(SeqCst) == CHILDREN).await;
        });
        vec![parent]
    };
    let meanwhile = |scheduler: &'static Sched<2>| {
        block_on(enqueued.receive(1));
        assert!(scheduler.pause(CpuId::new(0)));
        block_on(finished.receive(CHILDREN as u64));
        assert!(scheduler.resume(CpuId::new(0)));
    };
    let mut settings = tickless(4);
    settings.inbox_budget_nodes = 4 * CHILDREN;
    on_cpus(settings, scenario, meanwhile);
    alive.assert_none();
}

/// 2 000 random schedules.
#[test]
fn paused_with_work_random() {
    random(2_000, paused_with_work);
}

/// 2 CPUs, and at once more tasks from outside than a drain of the injector takes. Then one after the other, each when
/// the last one is over, so that the CPUs are about to halt when it comes.
fn injected() {
    const AT_ONCE: usize = 10;
    const ONE_BY_ONE: usize = 10;
    let alive = Alive::default();
    let spawn = |scheduler: &'static Sched<2>| {
        let alive = alive.clone();
        scheduler.spawn(async move { drop(alive) })
    };
    let scenario = |scheduler: &'static Sched<2>| (0..AT_ONCE).map(|_| spawn(scheduler)).collect();
    let meanwhile = |scheduler: &'static Sched<2>| {
        for _ in 0..ONE_BY_ONE {
            assert_eq!(block_on(spawn(scheduler)), Ok(()));
        }
    };
    on_cpus(tickless(4), scenario, meanwhile);
    alive.assert_none();
}

/// 2 000 random schedules.
#[test]
fn injected_random() {
    random(2_000, injected);
}

/// 2 000 PCT schedules of depth 3.
#[test]
fn injected_pct() {
    pct(2_000, 3, injected);
}

/// 2 CPUs; on the first a Background task that computes until all that is more urgent is over. The
/// second sends, twice: to a Background task there, to a Normal one, which computes until both Critical ones came, and to
/// these two. Each must preempt what runs there, on a CPU without a tick (PC1), whose drains are cut short (PC4).
fn preempt() {
    let [background, normal, sender]: [Mailbox; 3] = Default::default();
    let critical: [Mailbox; 3] = Default::default();
    let boxes = [&[background.clone(), normal.clone(), sender.clone()], &critical[..]].concat();
    let seen = Arc::new(AtomicUsize::new(0));
    let finished = Arc::new(AtomicUsize::new(0));
    let scenario = |scheduler: &'static Sched<2>| {
        let here = |tier| scheduler.task("").affinity(only(0)).unwrap().tier(tier);
        let mut handles = Vec::new();
        let end = finished.clone();
        handles.push(here(Tier::Background).spawn(async move {
            compute_until(scheduler, || end.load(SeqCst) == 4).await;
        }));
        let letters = background.clone();
        handles.push(here(Tier::Background).spawn(async move {
            letters.receive(ROUNDS).await;
        }));
        for letters in critical.clone() {
            let (seen, end) = (seen.clone(), finished.clone());
            handles.push(here(Tier::Critical).spawn(async move {
                for round in 1..=ROUNDS {
                    letters.receive(round).await;
                    seen.fetch_add(1, SeqCst);
                }
                end.fetch_add(1, SeqCst);
            }));
        }
        let (end, letters, answers) = (finished.clone(), normal.clone(), sender.clone());
        handles.push(here(Tier::Normal).spawn(async move {
            for round in 1..=ROUNDS {
                letters.receive(round).await;
                answers.send();
                compute_until(scheduler, || seen.load(SeqCst) >= 3 * round as usize).await;
                answers.send();
            }
            end.fetch_add(1, SeqCst);
        }));
        handles.push(scheduler.task("sender").affinity(only(1)).unwrap().spawn(async move {
            for round in 1..=ROUNDS {
                background.send();
                normal.send();
                sender.receive(2 * round - 1).await;
                critical.iter().for_each(Mailbox::send);
                sender.receive(2 * round).await;
            }
        }));
        handles
    };
    // Strictly by tier: a lower one's turn would compute on, with nobody to interrupt it.
    on_cpus(tickless(u32::MAX), scenario, |_| {});
    boxes.iter().for_each(Mailbox::assert_balanced);
}

/// 2 000 random schedules.
#[test]
fn preempt_random() {
    random(2_000, preempt);
}

/// 2 000 PCT schedules of depth 3.
#[test]
fn preempt_pct() {
    pct(2_000, 3, preempt);
}

/// 2 CPUs. A task arms 70 sleeps that end at once, more than two batches, on the first CPU's wheel, with the waker of
/// another task, which is pinned to the second: so nothing but the timers themselves keeps the first CPU from halting.
/// They all fire, though no tick comes.
fn many_timers() {
    const SLEEPS: usize = 70;
    let sleeps = Arc::new(Mutex::new(Vec::new()));
    let (waker, armed) = (Arc::new(Mutex::new(None)), Mailbox::default());
    let scenario = |scheduler: &'static Sched<2>| {
        let on = |cpu| scheduler.task("").affinity(only(cpu)).unwrap();
        let (mine, is_armed, all) = (waker.clone(), armed.clone(), sleeps.clone());
        let sleeper = on(1).spawn(async move {
            let leave_waker = poll_fn(|context| {
                *mine.lock().unwrap() = Some(context.waker().clone());
                Poll::Ready(())
            });
            leave_waker.await;
            is_armed.receive(1).await;
            let sleeps: Vec<_> = std::mem::take(&mut *all.lock().unwrap());
            for sleep in sleeps {
                sleep.await;
            }
        });
        let arming = on(0).spawn(async move {
            let waker: Waker = loop {
                if let Some(waker) = waker.lock().unwrap().take() {
                    break waker;
                }
                yield_now().await;
            };
            for _ in 0..SLEEPS {
                let mut sleep = Box::pin(scheduler.sleep_until(10_000_000));
                assert!(sleep.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
                sleeps.lock().unwrap().push(sleep);
            }
            armed.send();
        });
        vec![sleeper, arming]
    };
    on_cpus(tickless(4), scenario, |_| {});
}

/// 100 random schedules.
#[test]
fn many_timers_random() {
    random(100, many_timers);
}
