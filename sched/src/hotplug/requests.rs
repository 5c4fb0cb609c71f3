//! What CPUs ask of each other's loops where one of them goes or comes (U5).

use crate::sync::{AtomicU8, Ordering, const_fn, fence};
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use sched_arch::Masked;

/// What a CPU's loop is asked to do at its next step, and how far it has come with leaving.
pub(crate) struct Requests(AtomicU8);

/// To leave: the CPU is closing.
pub(super) const LEAVE: u8 = 1;
/// To look after wheels that nobody looks after.
pub(super) const ADOPT: u8 = 1 << 1;
/// To see which of the stranded tasks may run now.
pub(super) const RESCUE: u8 = 1 << 2;
/// It has left.
pub(super) const LEFT: u8 = 1 << 3;

impl Requests {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self(AtomicU8::new(0))
        }
    }

    /// Whether there is anything to be answered.
    #[inline]
    pub(crate) fn any(&self) -> bool {
        // Ordering: Relaxed; what is asked now and not seen is seen in the next step, for which the kick asks.
        self.0.load(Ordering::Relaxed) != 0
    }

    pub(super) fn is_closing(&self) -> bool {
        // Ordering: Relaxed; a hint (U1), or ordered by the unplug lock.
        self.0.load(Ordering::Relaxed) & LEAVE != 0
    }

    pub(super) fn ask(&self, what: u8) {
        // Ordering: Release pairs with the Acquire of `take`: the loop sees what the request is about.
        self.0.fetch_or(what, Ordering::Release);
    }

    /// Takes what is asked for once; what stays is told as well.
    pub(super) fn take(&self) -> u8 {
        // Ordering: Acquire pairs with the Release of `ask`, of every one so far.
        self.0.fetch_and(!(ADOPT | RESCUE), Ordering::Acquire)
    }

    pub(super) fn has_left(&self) -> bool {
        // Ordering: Acquire pairs with the Release by which the loop says so: its last touch of what it had is over.
        self.0.load(Ordering::Acquire) & LEFT != 0
    }

    /// The CPU is about to come, and nobody asks it for anything yet.
    pub(super) fn forget(&self) {
        // Ordering: Relaxed; seen by whoever sees the CPU online.
        self.0.store(0, Ordering::Relaxed);
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Asks some CPU. If there is none, the first that enters looks by itself.
    pub(super) fn ask_any(&self, masked: &Masked<'_, M>, what: u8) {
        // Ordering: SeqCst fence, pairs with itself, and with those of `enter` and `strand` (U4, U5): what the request is about,
        // and that this CPU is not online, come before the look at who is.
        fence(Ordering::SeqCst);
        self.ask_one_of(masked, what, |_| true);
    }

    /// Asks a CPU of which `fits` says so, if one is there. A fence came before.
    pub(super) fn ask_one_of(
        &self,
        masked: &Masked<'_, M>,
        what: u8,
        fits: impl Fn(CpuId) -> bool,
    ) {
        // Ordering: Acquire; as in `place_elsewhere`.
        let mut cpus = self.online.iter_from(0, CPUS, Ordering::Acquire);
        let asked = cpus.find(|&cpu| self.is_available(cpu) && fits(cpu));
        if let Some(cpu) = asked {
            self.ask(masked, cpu, what);
        }
    }

    /// Asks `id`. Should it go before it answers, it asks another one (U5).
    pub(super) fn ask(&self, masked: &Masked<'_, M>, id: CpuId, what: u8) {
        if let Some(cpu) = self.cpu(id) {
            cpu.requests.ask(what);
            self.machine.interleave();
            self.kick(masked, id);
        }
    }
}
