//! The parts put together: a machine with a GIC and the generic timer.

use super::{CpuLocal, Gic, SgiTarget, interrupts, timer};
use crate::set_once::SetOnce;
use crate::{Clock, CpuId, Interrupts, Machine, Switch};
use core::sync::atomic::{AtomicU64, Ordering};

/// What is learned at start-up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// The interrupt controller.
    pub gic: Gic,
    /// The clock, on the counter of the generic timer.
    pub clock: Clock,
    /// The interrupt of the virtual timer.
    pub timer_intid: u32,
}

/// A machine with `CPUS` CPUs at the most.
///
/// Its IRQ handler is yours, and calls [`interrupted`](Self::interrupted). Until [`set_up`](Self::set_up) its clock stands
/// at 0 and nothing is sent; until a CPU's [`enter`](Self::enter) kicks to it are dropped, as the contract allows.
#[derive(Debug)]
pub struct GicMachine<const CPUS: usize> {
    kick_sgi: u8,
    setup: SetOnce<Setup>,
    /// How each CPU is named by SGIs; 0 before it entered.
    targets: [AtomicU64; CPUS],
    activate: fn(*mut ()),
    deactivate: fn(*mut ()),
}

/// What [`GicMachine::interrupted`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interrupted {
    /// One of the machine's own, which was handled.
    Own,
    /// The kernel's, which it handles now. It is ended already.
    Other(u32),
    /// It is gone.
    Spurious,
}

impl<const CPUS: usize> GicMachine<CPUS> {
    /// The machine, before anything is known of it; its kicks are the SGI `kick_sgi` (0 to 15).
    ///
    /// # Safety
    ///
    /// It is used at EL1 only, on CPUs whose `TPIDR_EL1` is by then 0 or points to a [`CpuLocal`].
    pub const unsafe fn new(kick_sgi: u8) -> Self {
        Self {
            kick_sgi: kick_sgi & 0xf,
            setup: SetOnce::new(),
            targets: [const { AtomicU64::new(0) }; CPUS],
            activate: |_| (),
            deactivate: |_| (),
        }
    }

    /// With the hooks [`Switch::activate`] and [`Switch::deactivate`]; without this they do nothing.
    #[must_use]
    pub const fn with_hooks(mut self, activate: fn(*mut ()), deactivate: fn(*mut ())) -> Self {
        self.activate = activate;
        self.deactivate = deactivate;
        self
    }

    /// Says what was learned; `false` if that was said before, and nothing changes.
    ///
    /// # Safety
    ///
    /// The controller is of this version, and the registers of a GICv2 are mapped as device memory on every CPU, for good.
    pub unsafe fn set_up(&self, setup: Setup) -> bool {
        self.setup.set(setup)
    }

    /// What was learned.
    pub fn setup(&self) -> Option<Setup> {
        self.setup.get()
    }

    /// The caller's CPU is `cpu` from now on. Nothing happens before [`set_up`](Self::set_up), or when the index is out of
    /// range.
    ///
    /// # Safety
    ///
    /// EL1, interrupts masked, once on each CPU, whose CPU interface is set up with the kick and the timer enabled; and what
    /// [`CpuLocal::install`] asks for.
    pub unsafe fn enter(&self, cpu: CpuId, local: &'static CpuLocal) -> bool {
        let (Some(setup), Some(target)) = (self.setup.get(), self.targets.get(cpu.index())) else {
            return false;
        };
        timer::set(None);
        // SAFETY: passed on to the caller, and the promise of `set_up`.
        unsafe {
            local.install(cpu);
            // Ordering: Relaxed; who reads 0 drops the kick, and the CPU looks at everything before it first halts.
            target.store(setup.gic.own_target().to_word(), Ordering::Relaxed);
        }
        true
    }

    /// How SGIs name a CPU that has entered.
    pub fn target(&self, cpu: CpuId) -> Option<SgiTarget> {
        // Ordering: Relaxed, as in `enter`.
        SgiTarget::from_word(self.targets.get(cpu.index())?.load(Ordering::Relaxed))
    }

    /// The IRQ handler calls this, with IRQs masked: takes one interrupt, ends it, and handles it if it is the machine's.
    ///
    /// # Safety
    ///
    /// In the IRQ handler of a CPU that has entered.
    #[inline]
    pub unsafe fn interrupted(&self, handlers: &impl Interrupts) -> Interrupted {
        let Some(Setup { gic, timer_intid, .. }) = self.setup.get() else {
            return Interrupted::Spurious;
        };
        // SAFETY: the promise of `set_up`, and the caller's.
        let Some(acknowledged) = (unsafe { gic.acknowledge() }) else {
            return Interrupted::Spurious;
        };
        let intid = acknowledged.intid();
        if intid == timer_intid {
            // A3.
            timer::set(None);
        }
        // Ended first, so that it is done whatever the handlers switch to.
        // SAFETY: acknowledged above, on this CPU.
        unsafe { gic.end(acknowledged) };
        if intid == timer_intid {
            handlers.on_timer();
        } else if intid == self.kick_sgi.into() {
            handlers.on_kick();
        } else {
            return Interrupted::Other(intid);
        }
        Interrupted::Own
    }
}

// SAFETY: 1. `enter` gives each CPU its index, which `TPIDR_EL1` names from then on. 2. The IRQ mask. 3. The GIC keeps an
// SGI pending until it is taken, and merges those of one number; A1. A kick to a CPU that has not entered is dropped. 4. A2.
unsafe impl<const CPUS: usize> Machine for GicMachine<CPUS> {
    type Saved = bool;

    #[inline]
    fn cpu(&self) -> Option<CpuId> {
        // SAFETY: the promise of `new`.
        unsafe { CpuLocal::current() }
    }

    #[inline]
    fn now_ns(&self) -> u64 {
        self.setup.get().map_or(0, |setup| setup.clock.ns_at(timer::ticks()))
    }

    #[inline]
    fn mask(&self) -> bool {
        interrupts::mask()
    }

    #[inline]
    unsafe fn restore(&self, saved: bool) {
        // SAFETY: passed on to the caller.
        unsafe { interrupts::restore(saved) }
    }

    fn kick(&self, cpu: CpuId) {
        let (Some(setup), Some(target)) = (self.setup.get(), self.target(cpu)) else { return };
        // SAFETY: the promises of `new`, `set_up` and the target's `enter`.
        unsafe { setup.gic.send_sgi(target, self.kick_sgi) }
    }

    unsafe fn halt(&self) {
        // SAFETY: masked (passed on to the caller), and the handlers are in place (the promise of `enter`).
        unsafe { interrupts::unmask_and_halt() }
    }

    fn set_timer(&self, at_ns: u64) {
        let Some(setup) = self.setup.get() else { return };
        let at_ticks = (at_ns != u64::MAX).then(|| setup.clock.ticks_at(at_ns, timer::ticks()));
        timer::set(at_ticks);
    }

    fn seed(&self) -> u64 {
        // One odd multiplier spreads what differs in few bits.
        let cpu = self.cpu().map_or(0, |cpu| u64::from(cpu.get()) + 1);
        timer::ticks().wrapping_add(cpu << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    }
}

// SAFETY: the architecture's switch, and the IRQ mask.
unsafe impl<const CPUS: usize> Switch for GicMachine<CPUS> {
    #[inline]
    unsafe fn begin(&self) {
        // SAFETY: who switched here has a handler in place, as every CPU that entered has (the promise of `enter`).
        unsafe { interrupts::restore(true) }
    }

    #[inline]
    fn is_masked(&self) -> bool {
        !interrupts::are_unmasked()
    }

    #[inline]
    fn activate(&self, attachment: *mut ()) {
        (self.activate)(attachment);
    }

    #[inline]
    fn deactivate(&self, attachment: *mut ()) {
        (self.deactivate)(attachment);
    }
}

const _: () = {
    const fn shared_by_cpus<T: Send + Sync>() {}
    shared_by_cpus::<GicMachine<1>>();
};
