//! Which CPU this is: the word that `TPIDR_EL1` points to.

use crate::CpuId;
use aarch64_cpu::registers::{Readable, TPIDR_EL1, Writeable};
use core::sync::atomic::{AtomicU32, Ordering};

/// What `TPIDR_EL1` points to on a CPU. A kernel with per-CPU data of its own makes this the first field of it, in a
/// `repr(C)` struct.
#[repr(C)]
#[derive(Debug, Default)]
pub struct CpuLocal {
    index: AtomicU32,
}

impl CpuLocal {
    /// That of a CPU without an index.
    pub const fn new() -> Self {
        Self { index: AtomicU32::new(0) }
    }

    /// `TPIDR_EL1` points here on this CPU from now on, and [`current`](Self::current) tells `cpu`.
    ///
    /// # Safety
    ///
    /// EL1; the register stays as it is, for good. No other CPU uses `self`, and no other has this index.
    pub unsafe fn install(&'static self, cpu: CpuId) {
        // Ordering: Relaxed; read on this CPU only.
        self.index.store(cpu.get(), Ordering::Relaxed);
        TPIDR_EL1.set((&raw const *self).expose_provenance() as u64);
    }

    /// [`current`](Self::current) tells "no CPU". Each CPU calls this, or [`install`](Self::install), before anything of
    /// the machine.
    ///
    /// # Safety
    ///
    /// As for [`install`](Self::install).
    pub unsafe fn install_none() {
        TPIDR_EL1.set(0);
    }

    /// The CPU that the caller runs on. Wait-free: a register and one load.
    ///
    /// # Safety
    ///
    /// EL1; `TPIDR_EL1` is 0 or points to a `CpuLocal`, see [`install_none`](Self::install_none).
    #[inline]
    pub unsafe fn current() -> Option<CpuId> {
        let local = core::ptr::with_exposed_provenance::<Self>(TPIDR_EL1.get() as usize);
        // SAFETY: null, or a `CpuLocal` that lives for ever (the caller's promise). A caller that comes to another CPU in
        // between reads that of the former: the answer is stale, as it may be.
        let local = unsafe { local.as_ref() }?;
        // Ordering: Relaxed; it does not change.
        Some(CpuId::new(local.index.load(Ordering::Relaxed)))
    }
}
