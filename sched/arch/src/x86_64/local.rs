//! Which CPU this is: the word that GS points to.

use crate::CpuId;
use core::arch::asm;
use core::mem::offset_of;
use core::sync::atomic::{AtomicU32, Ordering};
use x86_64::VirtAddr;
use x86_64::registers::model_specific::GsBase;

/// No CPU, or not yet.
const NO_CPU: u32 = u32::MAX;

/// What GS points to on a CPU. A kernel with per-CPU data of its own makes this the first field of it, in a `repr(C)`
/// struct.
#[repr(C)]
#[derive(Debug)]
pub struct CpuLocal {
    index: AtomicU32,
}

/// What GS points to before the CPU has an index.
static NOWHERE: CpuLocal = CpuLocal::new();

impl CpuLocal {
    /// That of a CPU without an index.
    pub const fn new() -> Self {
        Self { index: AtomicU32::new(NO_CPU) }
    }

    /// GS points here on this CPU from now on, and [`current`](Self::current) tells `cpu`.
    ///
    /// # Safety
    ///
    /// Ring 0, with the kernel's GS in place (where there is a user mode, after `swapgs`), and it stays: whoever changes GS
    /// puts it back before interrupts are unmasked and before anything of the machine is called. No other CPU uses `self`,
    /// and no other has this index.
    pub unsafe fn install(&'static self, cpu: CpuId) {
        // Ordering: Relaxed; read on this CPU only.
        self.index.store(cpu.get(), Ordering::Relaxed);
        GsBase::write(VirtAddr::from_ptr(self));
    }

    /// GS points to something that says "no CPU". Each CPU calls this, or [`install`](Self::install), before anything of
    /// the machine.
    ///
    /// # Safety
    ///
    /// As for [`install`](Self::install).
    pub unsafe fn install_none() {
        GsBase::write(VirtAddr::from_ptr(&NOWHERE));
    }

    /// The CPU that the caller runs on. Wait-free: one load.
    ///
    /// # Safety
    ///
    /// GS points to a `CpuLocal`, see [`install_none`](Self::install_none).
    #[inline]
    pub unsafe fn current() -> Option<CpuId> {
        let index: u32;
        // SAFETY: GS points to a `CpuLocal` (the caller's promise), whose index is at this offset. The block reads memory,
        // and is not `pure`: between two calls the caller may have come to another CPU.
        unsafe {
            asm!(
                "mov {index:e}, gs:[{offset}]",
                index = out(reg) index,
                offset = const offset_of!(CpuLocal, index),
                options(nostack, readonly, preserves_flags),
            );
        }
        (index != NO_CPU).then(|| CpuId::new(index))
    }
}

impl Default for CpuLocal {
    fn default() -> Self {
        Self::new()
    }
}
