//! The time-stamp counter, and how fast it counts.

use super::bus::Hardware;
use super::{LocalApic, TimerMode};
use crate::{Clock, Rate};
use core::arch::asm;
use core::arch::x86_64::{__cpuid_count, CpuidResult};
use x86_64::instructions::port::Port;

/// The counter now, after all that stands before in the program. Wait-free, any context.
#[inline]
pub fn ticks() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: every x86_64 has both; `lfence` keeps the reading from moving up. No `nomem`: it stays where it stands.
    unsafe {
        asm!("lfence", "rdtsc", out("eax") low, out("edx") high, options(nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// What the CPU says of itself. The intrinsic became safe after the oldest compiler that builds this.
#[allow(unused_unsafe, reason = "unsafe to older compilers")]
fn cpuid(leaf: u32) -> CpuidResult {
    // SAFETY: every x86_64 has the instruction.
    unsafe { __cpuid_count(leaf, 0) }
}

/// Whether the CPU has the APIC's mode with registers.
pub fn has_x2apic() -> bool {
    cpuid(1).ecx & 1 << 21 != 0
}

/// The best timer mode that the CPU has.
pub fn timer_mode() -> TimerMode {
    if cpuid(1).ecx & 1 << 24 != 0 { TimerMode::TscDeadline } else { TimerMode::OneShot }
}

/// The counter's frequency, where the CPU says it; `None` where it must be measured.
pub fn frequency_hz() -> Option<u64> {
    const FREQUENCIES: u32 = 0x15;
    if cpuid(0).eax < FREQUENCIES {
        return None;
    }
    let answer = cpuid(FREQUENCIES);
    let [denominator, numerator, crystal_hz] = [answer.eax, answer.ebx, answer.ecx].map(u64::from);
    let hz = (crystal_hz * numerator).checked_div(denominator)?;
    (hz != 0).then_some(hz)
}

/// What a measurement found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Of the time-stamp counter.
    pub tsc_hz: u64,
    /// Of the APIC's timer.
    pub apic_timer_hz: u64,
}

impl Measured {
    /// The clock that begins now.
    pub fn clock(self) -> Clock {
        Clock::new(Rate::from_hz(self.tsc_hz), ticks())
    }
}

/// Counts of the PIT in a second, and in one measurement.
const PIT_HZ: u64 = 1_193_182;
const PIT_COUNT: u16 = 11_932;

/// Measurements, the shortest of which counts: what delays the reading makes a measurement longer.
const TRIES: usize = 5;

/// Measures both frequencies against the PIT's second channel, for some 50 ms, with interrupts masked.
///
/// # Safety
///
/// Ring 0, on a PC, by one CPU, while nobody else uses the PIT's channel 2 or the speaker; the APIC is enabled.
pub unsafe fn measure(apic: &LocalApic<Hardware>) -> Measured {
    let mut best = (u64::MAX, u32::MAX);
    for _ in 0..TRIES {
        let mut tsc = 0;
        let counts = apic.counts_during(|| {
            // SAFETY: passed on.
            tsc = unsafe { ticks_in_one_pit_count() };
        });
        best = (best.0.min(tsc), best.1.min(counts));
    }
    let hz = |ticks: u64| (u128::from(ticks) * u128::from(PIT_HZ) / u128::from(PIT_COUNT)) as u64;
    Measured { tsc_hz: hz(best.0), apic_timer_hz: hz(best.1.into()) }
}

/// Lets channel 2 count down once, gate and output by port 0x61.
///
/// # Safety
///
/// As for [`measure`].
unsafe fn ticks_in_one_pit_count() -> u64 {
    let (mut control, mut count, mut gate) =
        (Port::<u8>::new(0x43), Port::<u8>::new(0x42), Port::<u8>::new(0x61));
    let [low, high] = PIT_COUNT.to_le_bytes();
    // SAFETY: the PIT's ports (the caller's promise). Channel 2, both bytes, mode 0: the output goes high when the count is
    // over, which begins with the second byte.
    unsafe {
        let without_speaker = gate.read() & 0b1111_1100;
        gate.write(without_speaker | 1);
        control.write(0b1011_0000);
        count.write(low);
        count.write(high);
        let start = ticks();
        while gate.read() & 1 << 5 == 0 {
            core::hint::spin_loop();
        }
        let end = ticks();
        gate.write(without_speaker);
        end - start
    }
}
