//! How registers are reached, so that a test can stand in for the hardware.

use core::arch::asm;
use x86_64::registers::model_specific::Msr;

/// Reads and writes of registers, in order.
///
/// # Safety
///
/// An implementation for hardware makes each call one access of just that width, in the order of the calls.
pub unsafe trait Bus: Copy {
    /// Reads a register in memory.
    ///
    /// # Safety
    ///
    /// The register is mapped at `address`, uncached, and reading it does no harm.
    unsafe fn read(self, address: usize) -> u32;

    /// Writes a register in memory.
    ///
    /// # Safety
    ///
    /// As for [`read`](Self::read), and of writing this value.
    unsafe fn write(self, address: usize, value: u32);

    /// Reads a model-specific register.
    ///
    /// # Safety
    ///
    /// Ring 0; the CPU has the register.
    unsafe fn read_msr(self, register: u32) -> u64;

    /// Writes a model-specific register.
    ///
    /// # Safety
    ///
    /// Ring 0; the CPU has the register, takes the value, and the caller wants what that does.
    unsafe fn write_msr(self, register: u32, value: u64);

    /// All earlier stores are visible to all before anything later happens: `mfence; lfence` (X1).
    fn fence(self);
}

/// The real thing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hardware;

// SAFETY: volatile accesses and asm that is not `pure` stay in order and are single.
unsafe impl Bus for Hardware {
    #[inline]
    unsafe fn read(self, address: usize) -> u32 {
        // SAFETY: mapped (the caller's promise).
        unsafe { core::ptr::with_exposed_provenance::<u32>(address).read_volatile() }
    }

    #[inline]
    unsafe fn write(self, address: usize, value: u32) {
        // SAFETY: mapped (the caller's promise).
        unsafe { core::ptr::with_exposed_provenance_mut::<u32>(address).write_volatile(value) }
    }

    #[inline]
    unsafe fn read_msr(self, register: u32) -> u64 {
        // SAFETY: the caller's promise.
        unsafe { Msr::new(register).read() }
    }

    #[inline]
    unsafe fn write_msr(self, register: u32, value: u64) {
        // SAFETY: the caller's promise.
        unsafe { Msr::new(register).write(value) }
    }

    // Not inlined, so that its code can be looked at.
    #[inline(never)]
    fn fence(self) {
        // `mfence` orders the stores; only `lfence` after it holds back a register write that is not serialising. Not the
        // intrinsics: they are calls where the target has no vector registers.
        // SAFETY: every x86_64 has both. No `nomem`: stores may not move down.
        unsafe { asm!("mfence", "lfence", options(nostack, preserves_flags)) }
    }
}
