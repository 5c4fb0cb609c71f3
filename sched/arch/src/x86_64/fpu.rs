//! The x87 and SSE registers of a thread, for kernels whose own code does not use them.

use core::arch::asm;
use core::cell::UnsafeCell;

/// Room for the registers of one thread.
#[derive(Debug)]
#[repr(C, align(16))]
pub struct FpuState(UnsafeCell<[u8; 512]>);

// SAFETY: touched by [`save`](FpuState::save) and [`restore`](FpuState::restore) alone, whose callers see to the rest.
unsafe impl Sync for FpuState {}

impl FpuState {
    /// All registers empty, the control words as the ABI wants them at the start of a program.
    pub const fn new() -> Self {
        let mut image = [0; 512];
        // FCW: all exceptions masked, double extended precision.
        image[0] = 0x7f;
        image[1] = 0x03;
        // MXCSR: all exceptions masked, round to nearest.
        image[24] = 0x80;
        image[25] = 0x1f;
        Self(UnsafeCell::new(image))
    }

    /// Saves the CPU's registers here. Wait-free.
    ///
    /// # Safety
    ///
    /// The CPU has SSE enabled (CR4.OSFXSR), and nobody else touches this state meanwhile.
    pub unsafe fn save(&self) {
        // SAFETY: 512 bytes, aligned to 16; the caller's promise.
        unsafe { asm!("fxsave64 [{}]", in(reg) self.0.get(), options(nostack, preserves_flags)) }
    }

    /// Loads the CPU's registers from here. Wait-free.
    ///
    /// # Safety
    ///
    /// As for [`save`](Self::save); and no code that runs until the next `save` has anything in them.
    pub unsafe fn restore(&self) {
        // SAFETY: 512 bytes, aligned to 16, saved by `save` or made by `new`, so no reserved bit is set.
        unsafe { asm!("fxrstor64 [{}]", in(reg) self.0.get(), options(nostack, preserves_flags)) }
    }
}

impl Default for FpuState {
    fn default() -> Self {
        Self::new()
    }
}
