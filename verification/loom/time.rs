//! Models of timers across CPUs (PF1, PF2): the real wheel's lock, expiry, cancel and adoption, beside a thread that frees
//! the entry as soon as it may.
//!
//! Under loom freeing an entry counts as a write to it, so whoever touches it without being ordered before fails the model.
//! At most three preemptions. Two or three sleeps.

use crate::machine::Stepped;
use crate::step::{model, model_of, spawn};
use sched::time::{Cancel, Sleep};
use sched::{CpuId, Interrupts, Scheduler};
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

pub(crate) const DUE_NS: u64 = 10_000;

/// A waker that counts, and orders nothing.
#[derive(Default)]
pub(crate) struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Wakes {
    pub(crate) fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

/// A sleep in memory that is given back only when this is dropped: what touches a freed one finds what loom knows.
pub(crate) struct Sleeper {
    memory: Box<MaybeUninit<Sleep>>,
    pub(crate) wakes: Arc<Wakes>,
}

// SAFETY: as `Sleep`, which it owns.
unsafe impl Send for Sleeper {}

impl Sleeper {
    /// Armed in the wheel of the CPU that the caller is, for `DUE_NS`.
    pub(crate) fn new<const CPUS: usize>(scheduler: &'static Scheduler<Stepped, (), CPUS>) -> Self {
        let memory = Box::new(MaybeUninit::new(scheduler.sleep_until(DUE_NS)));
        let mut sleeper = Self { memory, wakes: Arc::default() };
        assert!(sleeper.poll().is_pending());
        sleeper
    }

    fn sleep(&mut self) -> Pin<&mut Sleep> {
        // SAFETY: initialised until `free`, and it stays in its box.
        unsafe { Pin::new_unchecked(self.memory.assume_init_mut()) }
    }

    fn poll(&mut self) -> Poll<()> {
        let waker = Waker::from(self.wakes.clone());
        self.sleep().poll(&mut Context::from_waker(&waker))
    }

    /// Drops the sleep, and keeps the memory.
    pub(crate) fn free(&mut self) {
        // SAFETY: initialised, and not used after this by whoever keeps to the rules.
        unsafe { self.memory.assume_init_drop() };
    }
}

/// A CPU that has left behind what is armed in its wheel by `arm`.
fn left_by<R, const CPUS: usize>(
    scheduler: &'static Scheduler<Stepped, (), CPUS>,
    cpu: u32,
    arm: impl FnOnce() -> R,
) -> R {
    Stepped::become_cpu(cpu);
    let core = scheduler.enter().expect("it is new");
    let armed = arm();
    drop(core);
    armed
}

/// One of two sleeps that are due in one batch is dropped elsewhere, beside the interrupt: it is woken or not, and nobody
/// touches it afterwards; the other one is woken.
#[test]
fn a_dropped_sleep_is_never_touched_again() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut first = Sleeper::new(scheduler);
        let mut second = Sleeper::new(scheduler);
        scheduler.machine().set_now_ns(DUE_NS);
        let other = spawn(move || {
            first.free();
            first
        });
        scheduler.on_timer();
        let first = other.join().unwrap();
        assert!(first.wakes.count() <= 1);
        assert_eq!(second.wakes.count(), 1);
        second.free();
    });
}

/// A sleep is polled elsewhere beside the interrupt, with the same waker, and freed at once if it is over: a wake comes in
/// any case.
#[test]
fn a_sleep_that_has_fired_may_be_freed_at_once() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut sleeper = Sleeper::new(scheduler);
        scheduler.machine().set_now_ns(DUE_NS);
        let other = spawn(move || {
            let over = sleeper.poll().is_ready();
            if over {
                sleeper.free();
            }
            (sleeper, over)
        });
        scheduler.on_timer();
        let (mut sleeper, over) = other.join().unwrap();
        assert_eq!(sleeper.wakes.count(), 1, "the waker is lost");
        if !over {
            assert!(sleeper.poll().is_ready());
            sleeper.free();
        }
    });
}

/// What a cancel answers is true: no wake comes, or one does. Either way the sleep is freed at once.
#[test]
fn a_cancel_says_whether_a_wake_comes() {
    model(|scheduler| {
        Stepped::become_cpu(0);
        let mut sleeper = Sleeper::new(scheduler);
        scheduler.machine().set_now_ns(DUE_NS);
        let other = spawn(move || {
            let cancel = sleeper.sleep().cancel();
            sleeper.free();
            (sleeper, cancel)
        });
        scheduler.on_timer();
        let (sleeper, cancel) = other.join().unwrap();
        let expected = usize::from(cancel == Cancel::AlreadyFiring);
        assert_eq!(sleeper.wakes.count(), expected, "{cancel:?} is not true");
    });
}

/// A survivor adopts a wheel and its interrupt comes, while a sleep in it is cancelled elsewhere and freed at once.
#[test]
fn a_cancel_beside_an_adoption_is_true() {
    model(|scheduler| {
        let (mut cancelled, kept) =
            left_by(scheduler, 1, || (Sleeper::new(scheduler), Sleeper::new(scheduler)));
        Stepped::become_cpu(0);
        let core = scheduler.enter().expect("it is new");
        scheduler.machine().set_now_ns(DUE_NS);
        let other = spawn(move || {
            let cancel = cancelled.sleep().cancel();
            cancelled.free();
            (cancelled, cancel)
        });
        assert_eq!(scheduler.adopt_timers(CpuId::new(1)), Ok(()));
        scheduler.on_timer();
        let (cancelled, cancel) = other.join().unwrap();
        let expected = usize::from(cancel == Cancel::AlreadyFiring);
        assert_eq!(cancelled.wakes.count(), expected, "{cancel:?} is not true");
        assert_eq!(kept.wakes.count(), 1, "what sleeps in the adopted wheel is lost");
        let mut kept = kept;
        kept.free();
        drop(core);
    });
}

/// The CPU comes back while a survivor adopts its wheel: one of them looks after it.
#[test]
fn a_wheel_has_a_keeper_whoever_comes_first() {
    model(|scheduler| {
        let mut sleeper = left_by(scheduler, 1, || Sleeper::new(scheduler));
        Stepped::become_cpu(0);
        let core = scheduler.enter().expect("it is new");
        scheduler.machine().set_now_ns(DUE_NS);
        let back = spawn(move || {
            Stepped::become_cpu(1);
            let core = scheduler.enter().expect("its loop has ended");
            std::mem::forget(core);
        });
        let adopted = scheduler.adopt_timers(CpuId::new(1));
        back.join().unwrap();
        // It is back: whatever came first, it has its wheel, and the survivor turns it no more.
        scheduler.on_timer();
        assert_eq!(sleeper.wakes.count(), 0, "kept from a CPU that is back: {adopted:?}");
        Stepped::become_cpu(1);
        scheduler.on_timer();
        assert_eq!(sleeper.wakes.count(), 1);
        sleeper.free();
        Stepped::become_cpu(0);
        drop(core);
    });
}

/// A CPU adopts a wheel and leaves; a survivor that sees that it has gone adopts all that it kept.
#[test]
fn who_adopts_a_keeper_adopts_what_it_kept() {
    model_of::<3>(|scheduler| {
        let mut sleeper = left_by(scheduler, 2, || Sleeper::new(scheduler));
        Stepped::become_cpu(0);
        let core = scheduler.enter().expect("it is new");
        scheduler.machine().set_now_ns(DUE_NS);
        // Loom's, so that it sees that what follows depends on it; Relaxed, so that it orders nothing.
        let came = Arc::new(loom::sync::atomic::AtomicBool::new(false));
        let has_come = came.clone();
        let keeper = spawn(move || {
            Stepped::become_cpu(1);
            let core = scheduler.enter().expect("it is new");
            came.store(true, Relaxed);
            assert_eq!(scheduler.adopt_timers(CpuId::new(2)), Ok(()));
            drop(core);
        });
        let has_come = has_come.load(Relaxed);
        if has_come && scheduler.adopt_timers(CpuId::new(1)).is_ok() {
            scheduler.on_timer();
            assert_eq!(sleeper.wakes.count(), 1, "the keeper has gone, and what it kept is lost");
            keeper.join().unwrap();
        } else {
            keeper.join().unwrap();
            assert_eq!(scheduler.adopt_timers(CpuId::new(1)), Ok(()));
            scheduler.on_timer();
            assert_eq!(sleeper.wakes.count(), 1);
        }
        sleeper.free();
        drop(core);
    });
}
