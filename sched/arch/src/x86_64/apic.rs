//! The local APIC: IPIs, end-of-interrupt and the timer, in either of its two modes.

use super::bus::{Bus, Hardware};

// Offsets in the register page; an x2APIC has the same registers as model-specific ones.
const ID: usize = 0x20;
const END_OF_INTERRUPT: usize = 0xb0;
const SPURIOUS: usize = 0xf0;
const COMMAND_LOW: usize = 0x300;
const COMMAND_HIGH: usize = 0x310;
const TIMER: usize = 0x320;
const TIMER_INITIAL: usize = 0x380;
const TIMER_CURRENT: usize = 0x390;
const TIMER_DIVIDE: usize = 0x3e0;

const X2APIC_FIRST: u32 = 0x800;
const APIC_BASE: u32 = 0x1b;
const TSC_DEADLINE: u32 = 0x6e0;

const APIC_ON: u64 = 1 << 11;
const X2APIC_ON: u64 = 1 << 10;
const SOFTWARE_ENABLE: u32 = 1 << 8;
const SEND_PENDING: u32 = 1 << 12;
const MASKED: u32 = 1 << 16;
const DEADLINE_MODE: u32 = 1 << 18;
const DIVIDE_BY_1: u32 = 0b1011;

/// What an IPI makes the other CPU do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Take the interrupt with this vector.
    Interrupt(u8),
    /// Take a non-maskable interrupt.
    NonMaskable,
    /// Reset, and wait for `Startup`.
    Init,
    /// Begin in real mode, at the start of this 4 KiB page of the first MiB.
    Startup(u8),
}

impl Command {
    const fn low_word(self) -> u32 {
        const ASSERT: u32 = 1 << 14;
        match self {
            Self::Interrupt(vector) => ASSERT | vector as u32,
            Self::NonMaskable => ASSERT | 0b100 << 8,
            Self::Init => ASSERT | 0b101 << 8,
            Self::Startup(page) => ASSERT | 0b110 << 8 | page as u32,
        }
    }
}

/// How the timer is told when to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerMode {
    /// A count that goes down at the APIC's own frequency.
    OneShot,
    /// A value of the time-stamp counter.
    TscDeadline,
}

/// The local APIC of whichever CPU uses it: each CPU finds its own at the same place.
///
/// All is wait-free but for an IPI in xAPIC mode, which waits for the one before it to leave. Interrupts are masked around
/// each call (X2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalApic<B: Bus = Hardware> {
    bus: B,
    /// Where the registers are; `None` in x2APIC mode.
    page: Option<usize>,
}

impl<B: Bus> LocalApic<B> {
    /// In xAPIC mode.
    ///
    /// # Safety
    ///
    /// The register page is mapped at `page` on every CPU, uncached, for good, and the CPUs are in this mode.
    pub const unsafe fn xapic(bus: B, page: usize) -> Self {
        Self { bus, page: Some(page) }
    }

    /// In x2APIC mode.
    ///
    /// # Safety
    ///
    /// Every CPU has it ([`has_x2apic`]), and [`enable`](Self::enable) is the first call on each.
    ///
    /// [`has_x2apic`]: super::tsc::has_x2apic
    pub const unsafe fn x2apic(bus: B) -> Self {
        Self { bus, page: None }
    }

    #[inline]
    fn read(&self, register: usize) -> u32 {
        // SAFETY: a register of the APIC, at the place that the promise of the constructors names.
        unsafe {
            match self.page {
                Some(page) => self.bus.read(page + register),
                None => self.bus.read_msr(X2APIC_FIRST + (register >> 4) as u32) as u32,
            }
        }
    }

    #[inline]
    fn write(&self, register: usize, value: u32) {
        // SAFETY: as in `read`.
        unsafe {
            match self.page {
                Some(page) => self.bus.write(page + register, value),
                None => self.bus.write_msr(X2APIC_FIRST + (register >> 4) as u32, value.into()),
            }
        }
    }

    /// Switches this CPU's APIC on, with this vector for spurious interrupts.
    ///
    /// # Safety
    ///
    /// On each CPU before anything else here; the vector has a handler, which signals no end of interrupt.
    pub unsafe fn enable(&self, spurious_vector: u8) {
        // SAFETY: every x86_64 has the register, and the bits say what the mode of `self` is.
        unsafe {
            let base = self.bus.read_msr(APIC_BASE) | APIC_ON;
            let mode = if self.page.is_none() { X2APIC_ON } else { 0 };
            self.bus.write_msr(APIC_BASE, base | mode);
        }
        self.write(SPURIOUS, SOFTWARE_ENABLE | u32::from(spurious_vector));
    }

    /// This CPU's id, to which others send.
    pub fn id(&self) -> u32 {
        match self.page {
            Some(_) => self.read(ID) >> 24,
            None => self.read(ID),
        }
    }

    /// Sends an IPI to the CPU with this APIC id, the caller's own included. What was written before is visible to its
    /// handler (X1).
    ///
    /// # Safety
    ///
    /// Interrupts are masked (X2). The target has a handler for the interrupt, or, for the other commands, the caller wants
    /// what they do to it.
    #[inline]
    pub unsafe fn send(&self, target: u32, command: Command) {
        let low = command.low_word();
        // SAFETY: the registers that commands are given by.
        unsafe {
            match self.page {
                Some(page) => {
                    while self.bus.read(page + COMMAND_LOW) & SEND_PENDING != 0 {
                        core::hint::spin_loop();
                    }
                    self.bus.write(page + COMMAND_HIGH, target << 24);
                    self.bus.write(page + COMMAND_LOW, low);
                }
                None => {
                    self.bus.fence();
                    let command = u64::from(target) << 32 | u64::from(low);
                    self.bus.write_msr(X2APIC_FIRST + (COMMAND_LOW >> 4) as u32, command);
                }
            }
        }
    }

    /// The interrupt that this CPU is in is over, for the APIC: the next one may come once they are unmasked.
    #[inline]
    pub fn end_interrupt(&self) {
        self.write(END_OF_INTERRUPT, 0);
    }

    /// Makes this CPU's timer ready, with this vector, and not running.
    ///
    /// # Safety
    ///
    /// The vector has a handler. `TscDeadline` wants a CPU that has it.
    pub unsafe fn enable_timer(&self, vector: u8, mode: TimerMode) {
        self.write(TIMER_DIVIDE, DIVIDE_BY_1);
        self.write(TIMER_INITIAL, 0);
        match mode {
            TimerMode::OneShot => self.write(TIMER, u32::from(vector)),
            TimerMode::TscDeadline => {
                self.write(TIMER, DEADLINE_MODE | u32::from(vector));
                // The mode is written to memory, the deadline to a register: the one may not pass the other.
                self.bus.fence();
            }
        }
    }

    /// Lets the one-shot timer fire after `count` counts; 0 stops it.
    #[inline]
    pub fn set_count(&self, count: u32) {
        self.write(TIMER_INITIAL, count);
    }

    /// Lets the timer fire when the time-stamp counter reads `ticks`; 0 stops it.
    ///
    /// # Safety
    ///
    /// [`enable_timer`](Self::enable_timer) was called with `TscDeadline` on this CPU.
    #[inline]
    pub unsafe fn set_deadline(&self, ticks: u64) {
        // SAFETY: a CPU with the mode has the register.
        unsafe { self.bus.write_msr(TSC_DEADLINE, ticks) }
    }

    /// How many counts the timer makes while `wait` runs; for calibration, with no interrupt.
    pub fn counts_during(&self, wait: impl FnOnce()) -> u32 {
        let timer = self.read(TIMER);
        self.write(TIMER_DIVIDE, DIVIDE_BY_1);
        self.write(TIMER, MASKED);
        self.write(TIMER_INITIAL, u32::MAX);
        wait();
        let left = self.read(TIMER_CURRENT);
        self.write(TIMER_INITIAL, 0);
        self.write(TIMER, timer);
        u32::MAX - left
    }
}
