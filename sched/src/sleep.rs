//! Sleeping: the future that arms a CPU's wheel, and what it needs of the scheduler.
//!
//! The invariants are those of [`time`](crate::time).

#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicBool, Ordering, UnsafeCell};
use crate::time::TICK_NS;
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use timer_wheel::{Entry, Linked};

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Completes when the machine's clock reads at least `deadline_ns`; at once if it does already.
    ///
    /// `u64::MAX` sleeps as long as any other deadline that far away: for ever, for all that matters.
    pub fn sleep_until(&'static self, deadline_ns: u64) -> Sleep {
        Sleep {
            clock: self,
            deadline_ns,
            armed_on: Cell::new(None),
            entry: SleepEntry {
                link: Entry::new(),
                waker: UnsafeCell::new(None),
                fired: AtomicBool::new(false),
            },
            _pinned: PhantomPinned,
        }
    }

    /// Completes `duration_ns` from now, or up to [`TICK_NS`] after; never early.
    pub fn sleep_ns(&'static self, duration_ns: u64) -> Sleep {
        self.sleep_until(self.machine.now_ns().saturating_add(duration_ns))
    }

    /// Completes `duration_ms` from now, or up to [`TICK_NS`] after; never early.
    pub fn sleep_ms(&'static self, duration_ms: u64) -> Sleep {
        self.sleep_ns(duration_ms.saturating_mul(1_000_000))
    }
}

/// What a sleep needs of its scheduler, whatever machine that is on.
trait Clock: Sync {
    fn now_ns(&self) -> u64;
    /// Arms the caller's CPU's wheel, and says which; `None` on a thread that is no CPU.
    fn arm(&self, entry: NonNull<SleepEntry>, deadline_tick: u64, waker: &Waker) -> Option<CpuId>;
    /// Replaces the waker of an entry that was armed on `cpu`, unless it fired.
    fn rearm(&self, cpu: CpuId, entry: &SleepEntry, waker: &Waker);
    /// Unlinks an entry that was armed on `cpu`, and is not freed meanwhile, unless it fired. Afterwards it may be freed.
    fn disarm(&self, cpu: CpuId, entry: NonNull<SleepEntry>) -> Cancel;
}

impl<M: Machine, T: Trace, const CPUS: usize> Clock for Scheduler<M, T, CPUS> {
    fn now_ns(&self) -> u64 {
        self.machine.now_ns()
    }

    fn arm(&self, entry: NonNull<SleepEntry>, deadline_tick: u64, waker: &Waker) -> Option<CpuId> {
        let waker = waker.clone();
        // PA4: the CPU stays ours until its wheel is armed.
        let masked = self.masked();
        let (id, cpu) = self.here(&masked)?;
        let mut timers = cpu.timers.lock(&masked);
        // SAFETY: the entry is live, and linked nowhere: nobody else touches it (T1).
        unsafe { entry.as_ref().waker.with_mut(|stored| *stored = Some(waker)) }
        let armed = timers.wheel.arm(entry, deadline_tick);
        debug_assert!(armed.is_ok(), "a sleep arms its entry once");
        timers.program_next(&self.machine);
        Some(id)
    }

    fn rearm(&self, cpu: CpuId, entry: &SleepEntry, waker: &Waker) {
        let Some(cpu) = self.cpu(cpu) else { return };
        let mut waker = Some(waker.clone());
        {
            let masked = self.masked();
            let _timers = cpu.timers.lock(&masked);
            // Ordering: Relaxed; set under this lock.
            if !entry.fired.load(Ordering::Relaxed) {
                // SAFETY: the lock is held (T1).
                entry.waker.with_mut(|stored| core::mem::swap(unsafe { &mut *stored }, &mut waker));
            }
        }
        // The one that is not needed is dropped here, with no lock held.
    }

    fn disarm(&self, cpu: CpuId, entry: NonNull<SleepEntry>) -> Cancel {
        // An entry that was armed has a CPU.
        let Some(cpu) = self.cpu(cpu) else { return Cancel::AlreadyFiring };
        let waker = {
            let masked = self.masked();
            let mut timers = cpu.timers.lock(&masked);
            // The interrupt stays asked for: it comes early for what is left, which costs one turn.
            // SAFETY: the entry is live, and was armed in this wheel and no other. Fired entries are not linked (T2).
            match unsafe { timers.wheel.cancel(entry) } {
                // SAFETY: the entry is live, and the lock is held (T1).
                Some(_) => unsafe { entry.as_ref().waker.with_mut(|waker| (*waker).take()) },
                // Not linked under the lock: it has fired, and was not touched after that (T2).
                None => return Cancel::AlreadyFiring,
            }
        };
        // With no lock held.
        drop(waker);
        Cancel::Cancelled
    }
}

/// What [`Sleep::cancel`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the answer says whether a wake is to come"]
pub enum Cancel {
    /// It will not fire: no wake comes of it, unless one came before. Polled again it is armed anew.
    Cancelled,
    /// It has fired: its waker is being called, or was, on the CPU that looks after the wheel.
    AlreadyFiring,
}

pub(crate) struct SleepEntry {
    link: Entry<SleepEntry>,
    pub(crate) waker: UnsafeCell<Option<Waker>>,
    pub(crate) fired: AtomicBool,
}

/// Freeing an entry is an access to all of it that nothing may be concurrent with; the models are told, so that they see
/// whoever touches it afterwards.
#[cfg(loom)]
impl Drop for SleepEntry {
    fn drop(&mut self) {
        self.waker.with_mut(|_| ());
        // SAFETY: nobody writes it any more, or the model fails here.
        let _ = unsafe { self.fired.unsync_load() };
    }
}

// SAFETY: `entry` points to the field by raw place expressions, with the provenance of the whole node; a node does
// not move while it is linked, because `Sleep` is pinned and unlinks it when it is dropped.
unsafe impl Linked for SleepEntry {
    type Handle = NonNull<Self>;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: the caller says that `node` is live, so the field's address is in bounds and not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

/// A sleep, see [`Scheduler::sleep_until`].
///
/// It arms the wheel of the CPU that polls it first, and may be dropped on any. Polled on a thread that is no CPU of
/// its scheduler it has no wheel: it then wakes its task at once, again and again, until the time has come.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | first poll | blocking: a spin lock with interrupts masked | task | no | O(1), O(levels) for the next event |
/// | later poll | the same, unless it fired | task | no | O(1) |
/// | drop, [`cancel`](Self::cancel) | the same, unless it fired or was never polled | task, thread, loop, any CPU | no | O(1) |
#[must_use = "futures do nothing unless awaited"]
pub struct Sleep {
    clock: &'static dyn Clock,
    deadline_ns: u64,
    armed_on: Cell<Option<CpuId>>,
    entry: SleepEntry,
    _pinned: PhantomPinned,
}

// SAFETY: the entry is touched under its wheel's lock, by whichever thread (T1); the rest is `Send`.
unsafe impl Send for Sleep {}

impl Sleep {
    /// Stops the sleep, from whatever CPU, and says for certain whether it came in time: either nothing of the scheduler's
    /// touches the entry any more and no wake will come, or it has fired. Either way it may be freed at once.
    pub fn cancel(self: Pin<&mut Self>) -> Cancel {
        let this = self.as_ref().get_ref();
        // Ordering: Acquire pairs with the Release in `Timers::expire`: that was the last touch (T2).
        if this.entry.fired.load(Ordering::Acquire) {
            return Cancel::AlreadyFiring;
        }
        // Stays said if it has fired, for the next poll.
        let Some(cpu) = this.armed_on.get() else { return Cancel::Cancelled };
        let cancel = this.clock.disarm(cpu, NonNull::from(&this.entry));
        if cancel == Cancel::Cancelled {
            this.armed_on.set(None);
        }
        cancel
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.as_ref().get_ref();
        // Ordering: Relaxed; only the drop, which acquires, lets go of the entry (T2).
        if this.entry.fired.load(Ordering::Relaxed) {
            return Poll::Ready(());
        }
        if let Some(cpu) = this.armed_on.get() {
            this.clock.rearm(cpu, &this.entry, context.waker());
            // Ordering: Relaxed; as above, and set under the lock that was held just now: it may have fired with the old
            // waker.
            return if this.entry.fired.load(Ordering::Relaxed) {
                Poll::Ready(())
            } else {
                Poll::Pending
            };
        }
        if this.clock.now_ns() >= this.deadline_ns {
            return Poll::Ready(());
        }
        let tick = this.deadline_ns.div_ceil(TICK_NS);
        this.armed_on.set(this.clock.arm(NonNull::from(&this.entry), tick, context.waker()));
        if this.armed_on.get().is_none() {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        // SAFETY: `self` is pinned if it was ever polled, and is not moved from here on.
        let _ = unsafe { Pin::new_unchecked(self) }.cancel();
    }
}

impl fmt::Debug for Sleep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sleep")
            .field("deadline_ns", &self.deadline_ns)
            .field("armed_on", &self.armed_on.get())
            .finish_non_exhaustive()
    }
}
