//! The generic timer: its counter, and the virtual timer.

use crate::{Clock, Rate};
use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{
    CNTFRQ_EL0, CNTV_CTL_EL0, CNTV_CVAL_EL0, CNTVCT_EL0, Readable, Writeable,
};

/// The interrupt of the virtual timer on all that follow Arm's base system architecture.
pub const VIRTUAL_TIMER_INTID: u32 = 27;

/// The counter now, after all that stands before in the program. Wait-free, any context.
#[inline]
pub fn ticks() -> u64 {
    // Keeps the reading from moving up.
    barrier::isb(barrier::SY);
    CNTVCT_EL0.get()
}

/// The counter's frequency, as firmware said.
pub fn frequency_hz() -> u64 {
    CNTFRQ_EL0.get()
}

/// The clock that begins now.
pub fn clock() -> Clock {
    Clock::new(Rate::from_hz(frequency_hz()), ticks())
}

/// This CPU's timer fires when the counter reads `at_ticks`; `None` switches it off.
#[inline]
pub fn set(at_ticks: Option<u64>) {
    match at_ticks {
        Some(ticks) => {
            CNTV_CVAL_EL0.set(ticks);
            CNTV_CTL_EL0.write(CNTV_CTL_EL0::ENABLE::SET);
        }
        None => CNTV_CTL_EL0.set(0),
    }
    // It is so from here on, not some time later.
    barrier::isb(barrier::SY);
}
