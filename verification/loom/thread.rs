//! Models of threads: steps of the real loop, whose contexts are loom threads of their own.
//!
//! What a switch saves is a cell that loom watches, and a context that is not saved is not there to be switched to
//! ([`crate::machine`]). At most two CPUs, two contexts and three preemptions: loom has five threads.

use crate::machine::Stepped;
use crate::step::{Sched, model, run_out, spawn};
use loom::sync::atomic::{AtomicUsize, Ordering};
use sched::class::Nice;
use sched::thread::{Policy, Stack};
use sched::{Core, CpuSet, Interrupts, JoinHandle, Step};
use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use verification::exhaustive::Exclusive;

type Loop = Core<Stepped, (), 2>;

fn stack() -> Stack {
    Stack::new(4096).expect("there is memory")
}

fn thread(
    scheduler: &'static Sched,
    policy: Policy,
    body: impl FnOnce() + Send + 'static,
) -> JoinHandle<()> {
    scheduler.thread("").policy(policy).spawn(stack(), body).expect("the stack is big enough")
}

/// A reschedule interrupt, in the midst of what runs.
fn interrupt(scheduler: &'static Sched) {
    scheduler.on_kick();
    scheduler.preempt();
}

/// Steps a few times beside `outside`, which wakes. The wake is answered; and by a CPU that had halted it is answered for a kick.
fn answers_the_wake(
    scheduler: &'static Sched,
    mut core: Loop,
    handle: JoinHandle<()>,
    outside: loom::thread::JoinHandle<()>,
) {
    let halted = (0..4).any(|_| core.step() == Step::Halted);
    let is_over = handle.is_complete();
    outside.join().unwrap();
    let is_kicked = scheduler.machine().was_kicked(0);
    while core.step() != Step::Halted {}
    assert!(handle.is_complete(), "the wake was lost");
    assert!(!halted || is_over || is_kicked, "halted, unkicked");
    drop(handle);
    run_out(core);
}

/// A thread that waits until it finds something written, being preempted `preemptions` times between each look and the park,
/// and a waker that writes it: it is found, whatever comes first (PA1).
fn waits_for_what_is_written(preemptions: usize, scheduler: &'static Sched) {
    Stepped::become_cpu(0);
    let mut core = scheduler.enter().expect("it is new");
    let written = Arc::new(AtomicUsize::new(0));
    let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
    let (seen, place) = (written.clone(), waker.clone());
    let handle = thread(scheduler, Policy::DEFAULT, move || {
        *place.lock().unwrap() = scheduler.thread_waker();
        scheduler.yield_thread();
        // Ordering: Relaxed; the wake must publish it.
        while seen.load(Ordering::Relaxed) == 0 {
            for _ in 0..preemptions {
                interrupt(scheduler);
            }
            scheduler.park().expect("it is a thread");
        }
    });
    assert_eq!(core.step(), Step::Ran);
    let waker = waker.lock().unwrap().take().expect("it has run");
    let outside = spawn(move || {
        // Ordering: Relaxed; the wake must publish it.
        written.store(1, Ordering::Relaxed);
        waker.wake();
    });
    answers_the_wake(scheduler, core, handle, outside);
}

#[test]
fn a_wake_beside_a_block_is_not_lost() {
    model(|scheduler| waits_for_what_is_written(0, scheduler));
}

#[test]
fn a_wake_beside_a_preemption_and_a_block_is_not_lost() {
    model(|scheduler| waits_for_what_is_written(1, scheduler));
}

/// A thread that gives way, and is preempted, on one CPU; another one wakes it, and takes it when it waits for its turn. It is
/// never on both, and goes on where it was saved.
#[test]
fn a_thread_is_taken_when_it_is_saved_and_runs_on_one_cpu() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let place = waker.clone();
        let runs = Exclusive::new();
        let handle = thread(scheduler, Policy::DEFAULT, move || {
            let leave = |how: &dyn Fn()| {
                runs.leave();
                how();
                runs.enter("a thread on two CPUs");
            };
            runs.enter("a thread on two CPUs");
            *place.lock().unwrap() = scheduler.thread_waker();
            leave(&|| interrupt(scheduler));
            leave(&|| scheduler.yield_thread());
            runs.leave();
        });
        assert_eq!(core.step(), Step::Ran);
        let waker = waker.lock().unwrap().take().expect("it has run");
        let other = spawn(move || {
            Stepped::become_cpu(1);
            let mut core = scheduler.enter().expect("it is new");
            waker.wake();
            if core.step() == Step::Stole {
                core.step();
            }
        });
        core.step();
        other.join().unwrap();
        finish(scheduler, core, [handle]);
    });
}

/// A CPU answers a message about a thread while another one, which sent it, takes that thread: it leaves alone what is not its
/// own any more (G2).
#[test]
fn a_change_beside_a_theft_leaves_the_thread_to_the_thief() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let first = thread(scheduler, Policy::DEFAULT, move || interrupt(scheduler));
        let taken = thread(scheduler, Policy::fair(Nice::MAX), || {});
        assert_eq!(core.step(), Step::Ran);
        let changed = taken.thread().expect("it is one");
        let other = spawn(move || {
            Stepped::become_cpu(1);
            let mut core = scheduler.enter().expect("it is new");
            changed.set_affinity(CpuSet::ALL).expect("there are CPUs");
            core.step();
        });
        core.step();
        other.join().unwrap();
        finish(scheduler, core, [first, taken]);
        assert_eq!(scheduler.totals().completed, 2);
    });
}

/// What is left, on both CPUs by turns.
fn finish<const N: usize>(scheduler: &'static Sched, mut core: Loop, handles: [JoinHandle<()>; N]) {
    Stepped::become_cpu(1);
    let mut other = scheduler.enter().expect("its loop has ended");
    for _ in 0..10 {
        if handles.iter().all(JoinHandle::is_complete) {
            break;
        }
        other.step();
        Stepped::become_cpu(0);
        core.step();
        Stepped::become_cpu(1);
    }
    assert!(handles.iter().all(JoinHandle::is_complete), "a thread was lost");
    drop(handles);
    run_out(other);
    Stepped::become_cpu(0);
    run_out(core);
}

/// A CPU runs one of two threads while another one steps with nothing to do: that one gets the second thread, or is kicked
/// (PB1).
#[test]
fn a_cpu_with_a_thread_to_spare_wakes_an_idle_one() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let handles = [0, 1].map(|_| thread(scheduler, Policy::DEFAULT, || {}));
        beside_an_idle_one(scheduler, &mut core);
        finish(scheduler, core, handles);
    });
}

/// The same with a future that it polls, beside a thread that may wait longer.
#[test]
fn a_cpu_that_polls_beside_a_thread_to_spare_wakes_an_idle_one() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let handle = thread(scheduler, Policy::fair(Nice::MAX), || {});
        let future = scheduler.spawn(async {});
        beside_an_idle_one(scheduler, &mut core);
        assert!(future.is_complete(), "the future has the earlier deadline");
        drop(future);
        finish(scheduler, core, [handle]);
    });
}

/// A loop that stops on its CPU, which another loom thread becomes.
struct SentHome(#[expect(dead_code, reason = "to be dropped")] Loop);

// SAFETY: it is touched by one thread after the other, each of which is its CPU then.
unsafe impl Send for SentHome {}

fn beside_an_idle_one(scheduler: &'static Sched, core: &mut Loop) {
    let other = spawn(move || {
        Stepped::become_cpu(1);
        let mut core = scheduler.enter().expect("it is new");
        let step = core.step();
        let core = SentHome(core);
        (step, core)
    });
    assert_eq!(core.step(), Step::Ran);
    let (step, other) = other.join().unwrap();
    assert!(step != Step::Halted || scheduler.machine().was_kicked(1), "halted, unkicked");
    // To leave the scheduler would have ended its halt.
    Stepped::become_cpu(1);
    drop(other);
    Stepped::become_cpu(0);
}

/// A task's poll is preempted on the executor's stack while it is woken: the poll goes on, once, and another one answers the
/// wake.
#[test]
fn a_wake_beside_a_preempted_poll_is_answered() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        core.lend_stack(stack()).expect("the stack is big enough");
        let written = Arc::new(AtomicUsize::new(0));
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let (seen, place) = (written.clone(), waker.clone());
        let polled = Exclusive::new();
        let handle = scheduler.spawn(poll_fn(move |context| {
            polled.enter("a task is polled beside its poll");
            *place.lock().unwrap() = Some(context.waker().clone());
            // Ordering: Relaxed; the wake must publish it.
            let is_written = seen.load(Ordering::Relaxed) == 1;
            interrupt(scheduler);
            polled.leave();
            if is_written {
                *place.lock().unwrap() = None;
                return Poll::Ready(());
            }
            Poll::Pending
        }));
        // Up to the middle of its first poll.
        assert_eq!(core.step(), Step::Ran);
        let waker = waker.lock().unwrap().clone().expect("it was polled");
        let outside = spawn(move || {
            // Ordering: Relaxed; the wake must publish it.
            written.store(1, Ordering::Relaxed);
            waker.wake();
        });
        answers_the_wake(scheduler, core, handle, outside);
    });
}

/// A CPU that has just run an urgent thread comes down to a future while the thread is woken: that runs first, or the CPU is
/// kicked (PC1).
#[test]
fn a_woken_thread_preempts_what_is_less_urgent() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let place = waker.clone();
        let urgent = thread(scheduler, Policy::Realtime { priority: 1 }, move || {
            *place.lock().unwrap() = scheduler.thread_waker();
            scheduler.park().expect("it is a thread");
        });
        assert_eq!(core.step(), Step::Ran);
        let future = scheduler.spawn(async {});
        let waker = waker.lock().unwrap().take().expect("it has run");
        let outside = spawn(move || waker.wake());
        while !future.is_complete() && !urgent.is_complete() {
            core.step();
        }
        let urgent_ran = urgent.is_complete();
        outside.join().unwrap();
        assert!(urgent_ran || scheduler.machine().was_kicked(0), "a needed preemption is lost");
        drop((urgent, future));
        run_out(core);
    });
}

/// The last reference to a thread that waits, and owes service, so that it stays in its class, goes elsewhere while the thread
/// goes to sleep. It is counted once, and its CPU goes on.
#[test]
fn the_last_reference_to_a_sleeper_goes_elsewhere() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut core = scheduler.enter().expect("it is new");
        let waker: Arc<Mutex<Option<Waker>>> = Arc::default();
        let place = waker.clone();
        drop(thread(scheduler, Policy::DEFAULT, move || {
            *place.lock().unwrap() = scheduler.thread_waker();
            scheduler.yield_thread();
            // More than its share, beside the other one.
            scheduler.machine().set_now_ns(10_000_000);
            scheduler.park().expect("it is a thread");
        }));
        let other = thread(scheduler, Policy::fair(Nice::MAX), move || scheduler.yield_thread());
        assert_eq!(core.step(), Step::Ran);
        let waker = waker.lock().unwrap().take().expect("it has run first");
        let outside = spawn(move || drop(waker));
        for _ in 0..3 {
            core.step();
        }
        outside.join().unwrap();
        while core.step() != Step::Halted {}
        assert!(other.is_complete());
        assert_eq!(scheduler.totals().unreachable, 1, "counted once");
        drop(other);
        run_out(core);
    });
}
