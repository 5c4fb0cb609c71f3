//! Time: one wheel per CPU, and the sleep that arms it.
//!
//! # Invariants
//!
//! - **T1** An entry is linked in at most one wheel, the one of the CPU that armed it, and is touched under that
//!   wheel's lock only, but for `fired`.
//! - **T2** (PF1) Under the lock, expiry takes the waker out by value; setting `fired` is the last touch of the
//!   entry. Wakers are called after the lock is released. No fired entry is left in the wheel when the lock is.
//! - **T3** The timer interrupt is asked for at the wheel's next event or at the end of the slice, whichever is
//!   earlier; with more due than a batch the loop, which comes back by itself, turns the wheel on.

#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicBool, Ordering, UnsafeCell};
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Machine, Scheduler};
use arrayvec::ArrayVec;
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::marker::PhantomPinned;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll, Waker};
use sched_arch::Masked;
use timer_wheel::{Entry, Linked, Wheel};

/// Nanoseconds in a tick of the wheel: the grain of [`Sleep`].
pub const TICK_NS: u64 = 1_000;

/// Wheel nodes touched under one hold of the lock, so the most wakers of one batch.
const BATCH: usize = 32;

/// A slice is no shorter than this, lest the timer leave no time for anything else.
const SHORTEST_SLICE_NS: u64 = 10_000;

/// A CPU's wheel, and what its timer interrupt was asked for.
pub(crate) struct Timers {
    wheel: Wheel<SleepEntry>,
    /// What the machine was asked for last.
    programmed_ns: u64,
    /// The end of the slice of what runs; `u64::MAX` while the CPU is idle.
    slice_end_ns: u64,
}

// SAFETY: the entries it points to are `Send` parts of `Send` sleeps, and are touched under its lock only (T1).
unsafe impl Send for Timers {}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self { wheel: Wheel::new(), programmed_ns: u64::MAX, slice_end_ns: u64::MAX }
    }

    /// Asks for the interrupt at `at_ns`, if that is not what was asked for last.
    fn program<M: Machine>(&mut self, machine: &M, at_ns: u64) {
        if at_ns != self.programmed_ns {
            self.programmed_ns = at_ns;
            machine.set_timer(at_ns);
        }
    }

    /// T3, when nothing due is left over.
    fn program_next<M: Machine>(&mut self, machine: &M) {
        let event_ns =
            self.wheel.next_event().map_or(u64::MAX, |tick| tick.saturating_mul(TICK_NS));
        self.program(machine, event_ns.min(self.slice_end_ns));
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Wakes at most a batch of what is due on `id`, which is the caller's CPU; tells whether more is due.
    /// `interrupted`: the timer interrupt that was asked for has come.
    ///
    /// Bounded: [`BATCH`] nodes under the lock, then as many wakes.
    pub(crate) fn expire_timers(&self, id: CpuId, interrupted: bool) -> bool {
        let Some(cpu) = self.cpu(id) else { return false };
        let mut wakers = ArrayVec::<Waker, BATCH>::new();
        let mut fired = 0;
        let more = {
            let masked = self.masked();
            let now_ns = self.machine.now_ns();
            let mut timers = cpu.timers.lock(&masked);
            if interrupted {
                timers.programmed_ns = u64::MAX;
                if timers.slice_end_ns != u64::MAX {
                    timers.slice_end_ns =
                        now_ns.saturating_add(self.settings.slice_ns.max(SHORTEST_SLICE_NS));
                }
            }
            let more = timers.wheel.turn(now_ns / TICK_NS, BATCH).more;
            while let Some(entry) = timers.wheel.pop_fired() {
                fired += 1;
                // SAFETY: an entry stays live until it has fired or was cancelled under this lock (T1, and
                // `Sleep`'s drop); this one has not fired yet.
                let entry = unsafe { entry.as_ref() };
                // SAFETY: the lock is held (T1).
                if let Some(waker) = entry.waker.with_mut(|waker| unsafe { (*waker).take() }) {
                    // The turn touched no more nodes than fit, so this does not fail.
                    let _ = wakers.try_push(waker);
                }
                // Ordering: Release pairs with the Acquire in `Sleep`: who sees it may free the entry (T2).
                entry.fired.store(true, Ordering::Release);
            }
            if more {
                let slice_end_ns = timers.slice_end_ns;
                timers.program(&self.machine, slice_end_ns);
            } else {
                timers.program_next(&self.machine);
            }
            cpu.stats.timers_fired.add(fired);
            more
        };
        if fired > 0 {
            trace!(self, Event::Timers { fired: fired as usize });
        }
        for waker in wakers {
            waker.wake();
        }
        more
    }

    /// The CPU may have been off: what its timer was asked for does not count any more.
    pub(crate) fn forget_timer(&self, masked: &Masked<'_, M>, id: CpuId) {
        if let Some(cpu) = self.cpu(id) {
            cpu.timers.lock(masked).programmed_ns = u64::MAX;
        }
    }

    /// The CPU goes on after a halt: its slice begins. `now_ns` is now.
    pub(crate) fn begin_slice(&self, masked: &Masked<'_, M>, id: CpuId, now_ns: u64) {
        self.set_slice_end(
            masked,
            id,
            now_ns.saturating_add(self.settings.slice_ns.max(SHORTEST_SLICE_NS)),
        );
    }

    /// The CPU is about to halt: only a timer shall wake it.
    pub(crate) fn end_slice(&self, masked: &Masked<'_, M>, id: CpuId) {
        self.set_slice_end(masked, id, u64::MAX);
    }

    fn set_slice_end(&self, masked: &Masked<'_, M>, id: CpuId, slice_end_ns: u64) {
        if let Some(cpu) = self.cpu(id) {
            let mut timers = cpu.timers.lock(masked);
            timers.slice_end_ns = slice_end_ns;
            timers.program_next(&self.machine);
        }
    }

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
    /// Unlinks an entry that was armed on `cpu`, unless it fired. Afterwards it may be freed.
    fn disarm(&self, cpu: CpuId, entry: NonNull<SleepEntry>);
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

    fn disarm(&self, cpu: CpuId, entry: NonNull<SleepEntry>) {
        let Some(cpu) = self.cpu(cpu) else { return };
        let masked = self.masked();
        let mut timers = cpu.timers.lock(&masked);
        // SAFETY: the entry is live, and was armed in this wheel and no other. Fired entries are not linked (T2).
        let _handle = unsafe { timers.wheel.cancel(entry) };
        // The interrupt stays asked for: it comes early for what is left, which costs one turn.
    }
}

struct SleepEntry {
    link: Entry<SleepEntry>,
    waker: UnsafeCell<Option<Waker>>,
    fired: AtomicBool,
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
/// | drop | the same, unless it fired or was never polled | task, thread, loop | no | O(1) |
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

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.as_ref().get_ref();
        // Ordering: Acquire pairs with the Release in `expire_timers` (T2).
        if this.entry.fired.load(Ordering::Acquire) {
            return Poll::Ready(());
        }
        if let Some(cpu) = this.armed_on.get() {
            this.clock.rearm(cpu, &this.entry, context.waker());
            // Ordering: Acquire pairs with the Release in `expire_timers`: it may have fired with the old waker.
            return if this.entry.fired.load(Ordering::Acquire) {
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
        if let Some(cpu) = self.armed_on.get() {
            // Ordering: Acquire pairs with the Release in `expire_timers`: that was the last touch (T2).
            if !self.entry.fired.load(Ordering::Acquire) {
                self.clock.disarm(cpu, NonNull::from(&self.entry));
            }
        }
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
