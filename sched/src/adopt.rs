//! Adoption: a CPU looks after the wheels of CPUs that are gone (T4 in [`time`](crate::time), PF2).
//!
//! Nothing is moved. Entries stay linked in the wheel in which they were armed, so whoever cancels one, from whatever CPU
//! and at whatever moment of an adoption, finds it under the lock that it was always under. The new keeper turns that
//! wheel besides its own, and asks for its timer interrupt early enough for both.

use crate::cpu::Cpu;
use crate::cpu_set::AtomicCpuSet;
use crate::sync::{AtomicUsize, Ordering, const_fn};
use crate::time::{BATCH, Timers, Wakers};
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::fmt;
use sched_arch::Masked;

/// The wheels that a CPU has adopted.
pub(crate) struct Adopted {
    wheels: AtomicCpuSet,
    /// The one to begin with next time, so that none has to wait for the others for ever.
    next: AtomicUsize,
}

impl Adopted {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self { wheels: AtomicCpuSet::new(), next: AtomicUsize::new(0) }
        }
    }
}

/// What turning the adopted wheels has come to.
pub(crate) struct Expired {
    pub(crate) fired: usize,
    /// What is left of a batch, for the CPU's own wheel: at least half of it.
    pub(crate) budget_nodes: usize,
    pub(crate) more: bool,
    /// The next event of any of them; `u64::MAX` for never.
    pub(crate) event_ns: u64,
}

/// Why a wheel cannot be adopted. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdoptError {
    /// The caller is no CPU, or has no loop that would turn the wheel.
    NotOnline,
    /// The CPU's index is not below the scheduler's number of CPUs.
    OutOfRange(CpuId),
    /// The CPU has a loop, which looks after its wheel.
    StillOnline(CpuId),
    /// Another CPU, which is online, has adopted the wheel.
    AdoptedBy(CpuId),
}

impl fmt::Display for AdoptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOnline => f.write_str("the caller is no CPU with a loop"),
            Self::OutOfRange(cpu) => write!(f, "{cpu} is out of the scheduler's range"),
            Self::StillOnline(cpu) => write!(f, "{cpu} looks after its own wheel"),
            Self::AdoptedBy(cpu) => write!(f, "{cpu} has adopted the wheel already"),
        }
    }
}

impl core::error::Error for AdoptError {}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Makes the caller's CPU look after the timers of `gone`, whose loop has ended, and after those of the CPUs that
    /// `gone` itself had adopted: what sleeps there is woken in time, whoever may cancel it meanwhile.
    ///
    /// If `gone` comes back by [`enter`](Self::enter), it takes its own wheel back. Adopting what one has adopted already
    /// changes nothing.
    ///
    /// Blocking: one spin lock after the other, with interrupts masked. At most one lock for each CPU; no entry is
    /// touched. Callable on a CPU's loop (from a task, say) and in its interrupts but NMI. Does not allocate.
    ///
    /// # Errors
    ///
    /// See [`AdoptError`].
    pub fn adopt_timers(&self, gone: CpuId) -> Result<(), AdoptError> {
        let masked = self.masked();
        let (id, cpu) = self.here(&masked).ok_or(AdoptError::NotOnline)?;
        // Ordering: Relaxed; written on this CPU only.
        if !self.online.contains(id, Ordering::Relaxed) {
            return Err(AdoptError::NotOnline);
        }
        let wheel = self.cpu(gone).ok_or(AdoptError::OutOfRange(gone))?;
        self.adopt_wheel(&masked, id, gone)?;
        // Ordering: Relaxed; a wheel that comes or goes meanwhile is checked under its lock.
        for wheel in wheel.adopted.wheels.iter_from(0, CPUS, Ordering::Relaxed) {
            // One that is not to be had, its CPU being back or another one having been faster, is looked after.
            let _ = self.adopt_wheel(&masked, id, wheel);
        }
        // The loop turns the wheels next, and asks for the interrupt then (T3).
        // Ordering: Relaxed; written and read on this CPU only.
        cpu.timers_due.store(true, Ordering::Relaxed);
        // Ordering: Relaxed, as above.
        cpu.need_resched.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// T4, for one wheel.
    fn adopt_wheel(
        &self,
        masked: &Masked<'_, M>,
        id: CpuId,
        gone: CpuId,
    ) -> Result<(), AdoptError> {
        let wheel = self.cpu(gone).ok_or(AdoptError::OutOfRange(gone))?;
        let mut timers = wheel.timers.lock(masked);
        // A CPU that comes back is online before it takes this lock to have its wheel back, so either it is seen here, or
        // it finds its keeper there.
        // Ordering: Acquire pairs with the Release in `Core`'s drop: its adoptions are seen by the walk that follows.
        if self.online.contains(gone, Ordering::Acquire) {
            return Err(AdoptError::StillOnline(gone));
        }
        if let Some(keeper) = timers.keeper {
            // Ordering: Relaxed; if it goes just now, its own adopter comes by here.
            if keeper != id && self.online.contains(keeper, Ordering::Relaxed) {
                return Err(AdoptError::AdoptedBy(keeper));
            }
        }
        self.release_wheel(gone, &mut timers);
        timers.keeper = Some(id);
        if let Some(cpu) = self.cpu(id) {
            // Ordering: Relaxed; read on this CPU, and by who adopts from it, which is checked under the wheel's lock.
            cpu.adopted.wheels.insert(gone, Ordering::Relaxed);
        }
        Ok(())
    }

    /// T4: nobody keeps `of`'s wheel, whose `timers` these are, any more.
    pub(crate) fn release_wheel(&self, of: CpuId, timers: &mut Timers) {
        if let Some(keeper) = timers.keeper.take().and_then(|keeper| self.cpu(keeper)) {
            // Ordering: Relaxed; a keeper that sees it late turns a wheel that is not its own, which the lock allows.
            keeper.adopted.wheels.remove(of, Ordering::Relaxed);
        }
    }

    /// Turns the wheels that `cpu`, the caller's, has adopted: half a batch, so that its own wheel has the other half.
    pub(crate) fn expire_adopted(
        &self,
        masked: &Masked<'_, M>,
        cpu: &Cpu,
        now_ns: u64,
        wakers: &mut Wakers,
    ) -> Expired {
        let mut expired =
            Expired { fired: 0, budget_nodes: BATCH, more: false, event_ns: u64::MAX };
        // Ordering: Relaxed, as below. Nearly always so, and this is in every timer interrupt.
        if cpu.adopted.wheels.is_empty(CPUS, Ordering::Relaxed) {
            return expired;
        }
        // Ordering: Relaxed; written on this CPU only, and a hint.
        let first = cpu.adopted.next.load(Ordering::Relaxed);
        // Ordering: Relaxed; this CPU's own adoptions are seen, and one that is taken back may be seen late.
        for of in cpu.adopted.wheels.iter_from(first, CPUS, Ordering::Relaxed) {
            let Some(wheel) = self.cpu(of) else { continue };
            if expired.budget_nodes == BATCH / 2 {
                expired.more = true;
                // Ordering: Relaxed, as above.
                cpu.adopted.next.store(of.index(), Ordering::Relaxed);
                break;
            }
            let mut timers = wheel.timers.lock(masked);
            let turn = timers.expire(now_ns, expired.budget_nodes - BATCH / 2, wakers);
            expired.budget_nodes -= turn.touched();
            expired.fired += turn.fired;
            expired.more |= turn.more;
            expired.event_ns = expired.event_ns.min(timers.event_ns());
        }
        expired
    }
}
