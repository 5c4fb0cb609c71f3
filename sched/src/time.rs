//! Time: one wheel per CPU, and the interrupt that turns it. Who sleeps is in [`Sleep`]'s file; who looks after the
//! wheels of CPUs that are gone, in that of [`Scheduler::adopt_timers`].
//!
//! # Invariants
//!
//! - **T1** An entry is linked in at most one wheel, the one of the CPU that armed it, and is touched under that
//!   wheel's lock only, but for `fired`.
//! - **T2** (PF1) Under the lock, expiry takes the waker out by value; setting `fired` is the last touch of the
//!   entry. Wakers are called after the lock is released. No fired entry is left in the wheel when the lock is.
//! - **T3** The timer interrupt is asked for at the next event of the CPU's wheel, at that of the wheels it has adopted,
//!   or at the end of the slice, whichever is earliest; with more due than a batch the loop, which comes back by itself,
//!   turns the wheels on.
//! - **T4** (PF2) A wheel stays where it is for good, with its lock and its entries. What moves is who looks after it:
//!   `cpu` is in the set of adopted wheels of `keeper` exactly while `cpu`'s wheel names that keeper, and both change
//!   under the lock of `cpu`'s wheel.

pub use crate::adopt::AdoptError;
pub use crate::interval::{Interval, TimedOut, Timeout};
pub use crate::sleep::{Cancel, Sleep};

use crate::sleep::SleepEntry;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::Ordering;
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Machine, Scheduler};
use arrayvec::ArrayVec;
use core::task::Waker;
use sched_arch::Masked;
use timer_wheel::{Turn, Wheel};

/// Nanoseconds in a tick of the wheel: the grain of [`Sleep`].
pub const TICK_NS: u64 = 1_000;

/// Wheel nodes touched under one hold of the lock, so the most wakers of one batch.
pub(crate) const BATCH: usize = 32;

/// Wakers on their way from an entry to their call.
pub(crate) type Wakers = ArrayVec<Waker, BATCH>;

/// A slice is no shorter than this, lest the timer leave no time for anything else.
const SHORTEST_SLICE_NS: u64 = 10_000;

/// A CPU's wheel, and what its timer interrupt was asked for.
pub(crate) struct Timers {
    pub(crate) wheel: Wheel<SleepEntry>,
    /// Who looks after the wheel while its CPU is gone (T4).
    pub(crate) keeper: Option<CpuId>,
    /// No later than the next event of the wheels that this CPU has adopted. Nobody arms those, so it does not come
    /// nearer by itself.
    adopted_event_ns: u64,
    /// What the machine was asked for last.
    programmed_ns: u64,
    /// The end of the slice of what runs; `u64::MAX` while the CPU is idle.
    slice_end_ns: u64,
}

// SAFETY: the entries it points to are `Send` parts of `Send` sleeps, and are touched under its lock only (T1).
unsafe impl Send for Timers {}

impl Timers {
    pub(crate) const fn new() -> Self {
        Self {
            wheel: Wheel::new(),
            keeper: None,
            adopted_event_ns: u64::MAX,
            programmed_ns: u64::MAX,
            slice_end_ns: u64::MAX,
        }
    }

    /// When the wheel has something to do next; `u64::MAX` for never.
    pub(crate) fn event_ns(&self) -> u64 {
        self.wheel.next_event().map_or(u64::MAX, |tick| tick.saturating_mul(TICK_NS))
    }

    /// Turns the wheel, touching at most `budget_nodes`, for as many of which `wakers` has room (T2).
    pub(crate) fn expire(&mut self, now_ns: u64, budget_nodes: usize, wakers: &mut Wakers) -> Turn {
        let turn = self.wheel.turn(now_ns / TICK_NS, budget_nodes);
        for entry in self.wheel.fired() {
            // SAFETY: an entry stays live until it has fired or was cancelled under this lock (T1, and `Sleep`'s
            // drop); this one has not fired yet.
            let entry = unsafe { entry.as_ref() };
            // SAFETY: the lock is held, by who has `self` (T1).
            if let Some(waker) = entry.waker.with_mut(|waker| unsafe { (*waker).take() }) {
                // The turn touched no more nodes than fit, so this does not fail.
                let _ = wakers.try_push(waker);
            }
            // Ordering: Release pairs with the Acquire in `Sleep`: who sees it may free the entry (T2).
            entry.fired.store(true, Ordering::Release);
        }
        turn
    }

    /// Asks for the interrupt at `at_ns`, if that is not what was asked for last.
    fn program<M: Machine>(&mut self, machine: &M, at_ns: u64) {
        if at_ns != self.programmed_ns {
            self.programmed_ns = at_ns;
            machine.set_timer(at_ns);
        }
    }

    /// T3, when nothing due is left over.
    pub(crate) fn program_next<M: Machine>(&mut self, machine: &M) {
        let event_ns = self.event_ns().min(self.adopted_event_ns);
        self.program(machine, event_ns.min(self.slice_end_ns));
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Wakes at most a batch of what is due on `id`, which is the caller's CPU, and in the wheels it has adopted; tells
    /// whether more is due. `interrupted`: the timer interrupt that was asked for has come.
    ///
    /// Bounded: [`BATCH`] nodes with interrupts masked, one lock for each wheel, then as many wakes.
    pub(crate) fn expire_timers(&self, id: CpuId, interrupted: bool) -> bool {
        let Some(cpu) = self.cpu(id) else { return false };
        let mut wakers = Wakers::new();
        let more = {
            let masked = self.masked();
            let now_ns = self.machine.now_ns();
            let adopted = self.expire_adopted(&masked, cpu, now_ns, &mut wakers);
            let mut timers = cpu.timers.lock(&masked);
            if interrupted {
                timers.programmed_ns = u64::MAX;
                if timers.slice_end_ns != u64::MAX {
                    timers.slice_end_ns =
                        now_ns.saturating_add(self.settings.slice_ns.max(SHORTEST_SLICE_NS));
                }
            }
            let turn = timers.expire(now_ns, adopted.budget_nodes, &mut wakers);
            timers.adopted_event_ns = adopted.event_ns;
            if turn.more || adopted.more {
                let slice_end_ns = timers.slice_end_ns;
                timers.program(&self.machine, slice_end_ns);
            } else {
                timers.program_next(&self.machine);
            }
            cpu.stats.timers_fired.add((adopted.fired + turn.fired) as u64);
            turn.more || adopted.more
        };
        if !wakers.is_empty() {
            trace!(self, Event::Timers { fired: wakers.len() });
        }
        for waker in wakers {
            waker.wake();
        }
        more
    }

    /// The CPU is back, and may have been off: what its timer was asked for does not count any more, and it looks after
    /// its wheel itself again. It is online already, so that nobody adopts the wheel from here on (T4).
    pub(crate) fn forget_timer(&self, masked: &Masked<'_, M>, id: CpuId) {
        if let Some(cpu) = self.cpu(id) {
            let mut timers = cpu.timers.lock(masked);
            timers.programmed_ns = u64::MAX;
            self.release_wheel(id, &mut timers);
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

    /// The CPU goes offline: another one looks after its wheel, and its timer shall be still.
    pub(crate) fn quiet_timer(&self, masked: &Masked<'_, M>, id: CpuId) {
        if let Some(cpu) = self.cpu(id) {
            let mut timers = cpu.timers.lock(masked);
            timers.slice_end_ns = u64::MAX;
            timers.program(&self.machine, u64::MAX);
        }
    }

    fn set_slice_end(&self, masked: &Masked<'_, M>, id: CpuId, slice_end_ns: u64) {
        if let Some(cpu) = self.cpu(id) {
            let mut timers = cpu.timers.lock(masked);
            timers.slice_end_ns = slice_end_ns;
            timers.program_next(&self.machine);
        }
    }
}
