//! The interrupt controller, as far as the scheduler's interrupts need it.
//!
//! Setting it up is the kernel's, with a driver of its choice; this is what happens at each interrupt.

use aarch64_cpu::asm::barrier;
use aarch64_cpu::registers::{MPIDR_EL1, Readable};
use core::arch::asm;

// Registers of a GICv2.
const DISTRIBUTOR_TARGETS: usize = 0x800;
const DISTRIBUTOR_SGI: usize = 0xf00;
const INTERFACE_ACKNOWLEDGE: usize = 0x0c;
const INTERFACE_END: usize = 0x10;

/// Interrupts from here on are none at all, but say why.
const FIRST_SPECIAL_INTID: u32 = 1020;

/// How interrupts are sent and answered. Every CPU uses the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gic {
    /// Through memory: the addresses of the distributor and of the CPU interface.
    V2 {
        /// Where the distributor is.
        distributor: usize,
        /// Where the CPU interface is.
        interface: usize,
    },
    /// Through system registers.
    V3,
}

/// A CPU, as an SGI names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SgiTarget(u64);

impl SgiTarget {
    /// As one number, which is not 0.
    pub const fn to_word(self) -> u64 {
        self.0
    }

    /// From [`to_word`](Self::to_word); `None` from 0.
    pub const fn from_word(word: u64) -> Option<Self> {
        if word == 0 { None } else { Some(Self(word)) }
    }
}

/// An interrupt that was taken, and must be ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an interrupt that is not ended keeps out all others"]
pub struct Acknowledged(u32);

impl Acknowledged {
    /// Which one it is.
    pub const fn intid(self) -> u32 {
        // A GICv2 has the sender's number above it.
        self.0 & 0xff_ffff & if self.0 & 0xff_ffff < 8192 { 0x3ff } else { 0xff_ffff }
    }
}

impl Gic {
    /// How others send to the caller's CPU.
    ///
    /// # Safety
    ///
    /// EL1, on a CPU that stays; the registers of a `V2` are mapped, as device memory, for good.
    pub unsafe fn own_target(self) -> SgiTarget {
        SgiTarget(match self {
            Self::V2 { distributor, .. } => {
                // SAFETY: mapped. The first targets register names the CPU that reads it, and reads 0 where there is one only.
                let targets = unsafe { read(distributor + DISTRIBUTOR_TARGETS) } & 0xff;
                u64::from(if targets == 0 { 1 } else { targets }) << 16
            }
            Self::V3 => {
                let affinity = MPIDR_EL1.get();
                let [level_0, level_1, level_2] = [0, 8, 16].map(|shift| affinity >> shift & 0xff);
                let level_3 = affinity >> 32 & 0xff;
                // Sixteen neighbours are named by bits, within a range.
                let (range, bit) = (level_0 / 16, level_0 % 16);
                level_3 << 48 | range << 44 | level_2 << 32 | level_1 << 16 | 1 << bit
            }
        })
    }

    /// Sends an SGI (0 to 15) to `target`, the caller's CPU included. What was written before is visible to its handler (A1).
    ///
    /// # Safety
    ///
    /// EL1; the registers of a `V2` are mapped; the target has a handler for the interrupt.
    // Not inlined, so that its code can be looked at.
    #[inline(never)]
    pub unsafe fn send_sgi(self, target: SgiTarget, intid: u8) {
        barrier::dsb(barrier::ISHST);
        let intid = intid & 0xf;
        match self {
            // SAFETY: mapped (the caller's promise).
            Self::V2 { distributor, .. } => unsafe {
                write(distributor + DISTRIBUTOR_SGI, target.0 as u32 | u32::from(intid));
            },
            Self::V3 => {
                let word = target.0 | u64::from(intid) << 24;
                // SAFETY: a GICv3's `ICC_SGI1R_EL1`. No `nomem`: it publishes what was written. `isb` so that it is sent
                // now, and not when the CPU next synchronises.
                unsafe {
                    asm!("msr s3_0_c12_c11_5, {}", "isb", in(reg) word, options(nostack, preserves_flags));
                }
            }
        }
    }

    /// Takes the interrupt that is signalled to this CPU; `None` if it is gone. With IRQs masked, in their handler.
    ///
    /// # Safety
    ///
    /// EL1; the registers of a `V2` are mapped, the CPU interface is enabled.
    #[inline]
    pub unsafe fn acknowledge(self) -> Option<Acknowledged> {
        let word = match self {
            // SAFETY: mapped (the caller's promise).
            Self::V2 { interface, .. } => unsafe { read(interface + INTERFACE_ACKNOWLEDGE) },
            Self::V3 => {
                let word: u64;
                // SAFETY: a GICv3's `ICC_IAR1_EL1`. `dsb` so that what the sender wrote is read after it.
                unsafe {
                    asm!("mrs {}, s3_0_c12_c12_0", "dsb sy", out(reg) word, options(nostack, preserves_flags));
                }
                word as u32
            }
        };
        let acknowledged = Acknowledged(word);
        let special = FIRST_SPECIAL_INTID..FIRST_SPECIAL_INTID + 4;
        (!special.contains(&acknowledged.intid())).then_some(acknowledged)
    }

    /// Ends an interrupt: the next one may come once they are unmasked.
    ///
    /// # Safety
    ///
    /// On the CPU that acknowledged it, once, in the reverse order; and as for [`acknowledge`](Self::acknowledge).
    #[inline]
    pub unsafe fn end(self, interrupt: Acknowledged) {
        match self {
            // SAFETY: mapped (the caller's promise).
            Self::V2 { interface, .. } => unsafe { write(interface + INTERFACE_END, interrupt.0) },
            Self::V3 => {
                let word = u64::from(interrupt.0);
                // SAFETY: a GICv3's `ICC_EOIR1_EL1`.
                unsafe {
                    asm!("msr s3_0_c12_c12_1, {}", "isb", in(reg) word, options(nostack, preserves_flags));
                }
            }
        }
    }
}

/// # Safety
///
/// `address` is that of a register of 32 bits, mapped as device memory.
#[inline]
unsafe fn read(address: usize) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { core::ptr::with_exposed_provenance::<u32>(address).read_volatile() }
}

/// # Safety
///
/// As for [`read`], and the caller wants what writing this does.
#[inline]
unsafe fn write(address: usize, value: u32) {
    // SAFETY: the caller's promise.
    unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(value) }
}
