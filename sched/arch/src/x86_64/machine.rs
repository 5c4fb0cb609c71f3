//! The parts put together: a machine whose CPUs have local APICs.

use super::{Command, CpuLocal, Hardware, LocalApic, TimerMode, interrupts, tsc};
use crate::set_once::SetOnce;
use crate::{Clock, CpuId, Interrupts, Machine, Rate, Switch};
use core::sync::atomic::{AtomicU32, Ordering};

/// The vectors of the machine's interrupts: 32 or more, and different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// The reschedule IPI.
    pub kick: u8,
    /// The timer.
    pub timer: u8,
    /// What the APIC delivers when an interrupt is gone before it could be told which. The handler returns, no more.
    pub spurious: u8,
}

/// What is learned at start-up.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// How the APIC is reached.
    pub apic: LocalApic,
    /// The clock, on the time-stamp counter: invariant, and the same on all CPUs.
    pub clock: Clock,
    /// How the timer is told when.
    pub timer: TimerMode,
    /// The APIC timer's own frequency, for [`TimerMode::OneShot`].
    pub apic_timer: Rate,
}

/// A machine with `CPUS` CPUs at the most.
///
/// Its interrupt handlers are yours: two of them call [`kicked`](Self::kicked) and [`timer_fired`](Self::timer_fired).
/// Until [`set_up`](Self::set_up) its clock stands at 0 and nothing is sent; until a CPU's [`enter`](Self::enter) kicks to
/// it are dropped, as the contract allows.
#[derive(Debug)]
pub struct ApicMachine<const CPUS: usize> {
    vectors: Vectors,
    setup: SetOnce<Setup>,
    /// Each CPU's APIC id; `NOT_UP` before it entered.
    apic_ids: [AtomicU32; CPUS],
    activate: fn(*mut ()),
    deactivate: fn(*mut ()),
}

const NOT_UP: u32 = u32::MAX;

/// The longest that the one-shot timer is set to; the scheduler asks again after it.
const LONGEST_COUNT: u64 = u32::MAX as u64;

impl<const CPUS: usize> ApicMachine<CPUS> {
    /// The machine, before anything is known of it.
    ///
    /// # Safety
    ///
    /// It is used in ring 0 only, on CPUs whose GS points to a [`CpuLocal`] by then.
    pub const unsafe fn new(vectors: Vectors) -> Self {
        Self {
            vectors,
            setup: SetOnce::new(),
            apic_ids: [const { AtomicU32::new(NOT_UP) }; CPUS],
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
    pub fn set_up(&self, setup: Setup) -> bool {
        self.setup.set(setup)
    }

    /// What was learned.
    pub fn setup(&self) -> Option<Setup> {
        self.setup.get()
    }

    /// The caller's CPU is `cpu` from now on: enables its APIC and its timer. Nothing happens before
    /// [`set_up`](Self::set_up), or when the index is out of range.
    ///
    /// # Safety
    ///
    /// Ring 0, interrupts masked, once on each CPU, with handlers in place for the vectors; and what
    /// [`CpuLocal::install`] asks for.
    pub unsafe fn enter(&self, cpu: CpuId, local: &'static CpuLocal) -> bool {
        let (Some(setup), Some(apic_id)) = (self.setup.get(), self.apic_ids.get(cpu.index()))
        else {
            return false;
        };
        // SAFETY: passed on to the caller.
        unsafe {
            local.install(cpu);
            setup.apic.enable(self.vectors.spurious);
            setup.apic.enable_timer(self.vectors.timer, setup.timer);
        }
        // Ordering: Relaxed; who reads `NOT_UP` drops the kick, and the CPU looks at everything before it first halts.
        apic_id.store(setup.apic.id(), Ordering::Relaxed);
        true
    }

    /// The APIC id of a CPU that has entered.
    pub fn apic_id(&self, cpu: CpuId) -> Option<u32> {
        // Ordering: Relaxed, as in `enter`.
        let id = self.apic_ids.get(cpu.index())?.load(Ordering::Relaxed);
        (id != NOT_UP).then_some(id)
    }

    /// The kick vector's handler calls this, with interrupts masked.
    #[inline]
    pub fn kicked(&self, handlers: &impl Interrupts) {
        self.end_interrupt();
        handlers.on_kick();
    }

    /// The timer vector's handler calls this, with interrupts masked.
    #[inline]
    pub fn timer_fired(&self, handlers: &impl Interrupts) {
        self.end_interrupt();
        handlers.on_timer();
    }

    /// First, so that it is done whatever the handlers switch to.
    #[inline]
    fn end_interrupt(&self) {
        if let Some(setup) = self.setup.get() {
            setup.apic.end_interrupt();
        }
    }
}

// SAFETY: 1. `enter` gives each CPU its index, which GS names from then on. 2. The interrupt flag. 3. The APIC keeps an
// interrupt until it can be delivered, and merges those of one vector; X1. A kick to a CPU that has not entered is dropped.
// 4. X3.
unsafe impl<const CPUS: usize> Machine for ApicMachine<CPUS> {
    type Saved = bool;

    #[inline]
    fn cpu(&self) -> Option<CpuId> {
        // SAFETY: the promise of `new`.
        unsafe { CpuLocal::current() }
    }

    #[inline]
    fn now_ns(&self) -> u64 {
        self.setup.get().map_or(0, |setup| setup.clock.ns_at(tsc::ticks()))
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
        let (Some(setup), Some(target)) = (self.setup.get(), self.apic_id(cpu)) else { return };
        // SAFETY: kicks come with interrupts masked (the trait's promise), and the vector has a handler (that of `enter`).
        unsafe { setup.apic.send(target, Command::Interrupt(self.vectors.kick)) }
    }

    unsafe fn halt(&self) {
        // SAFETY: masked (passed on to the caller), and the handlers are in place (the promise of `enter`).
        unsafe { interrupts::unmask_and_halt() }
    }

    fn set_timer(&self, at_ns: u64) {
        let Some(Setup { apic, clock, timer, apic_timer }) = self.setup.get() else { return };
        match timer {
            TimerMode::OneShot => apic.set_count(match at_ns {
                u64::MAX => 0,
                // 0 would stop it: what is due already is due in one count.
                _ => {
                    let left_ns = at_ns.saturating_sub(self.now_ns());
                    apic_timer.ticks(left_ns).clamp(1, LONGEST_COUNT) as u32
                }
            }),
            TimerMode::TscDeadline => {
                let deadline_ticks = match at_ns {
                    u64::MAX => 0,
                    _ => clock.ticks_at(at_ns, tsc::ticks()).max(1),
                };
                // SAFETY: `enter` enabled the timer in this mode.
                unsafe { apic.set_deadline(deadline_ticks) }
            }
        }
    }

    fn seed(&self) -> u64 {
        // One odd multiplier spreads what differs in few bits.
        let cpu = self.cpu().map_or(0, |cpu| u64::from(cpu.get()) + 1);
        tsc::ticks().wrapping_add(cpu << 48).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    }
}

// SAFETY: the architecture's switch, and the interrupt flag.
unsafe impl<const CPUS: usize> Switch for ApicMachine<CPUS> {
    #[inline]
    unsafe fn begin(&self) {
        // SAFETY: who switched here has handlers in place, as every CPU that entered has (the promise of `enter`).
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
    shared_by_cpus::<ApicMachine<1>>();
    let _ = Hardware;
};
