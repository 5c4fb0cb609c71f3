//! Interrupts masked for as long as a value lives.

use crate::{CpuId, Machine};
use core::{fmt, marker::PhantomData, mem::ManuallyDrop};

/// Interrupts are masked on this CPU while this lives.
///
/// `!Send`: the mask is the CPU's.
pub struct Masked<'a, M: Machine> {
    machine: &'a M,
    saved: M::Saved,
    _not_send: PhantomData<*mut ()>,
}

impl<'a, M: Machine> Masked<'a, M> {
    /// Masks interrupts on this CPU.
    ///
    /// # Safety
    ///
    /// Guards of one CPU are dropped in the reverse order of their making, and [`halt`](Self::halt) is called on the
    /// only one there is, in a context whose interrupts were not masked before.
    #[inline]
    pub unsafe fn new(machine: &'a M) -> Self {
        Self { machine, saved: machine.mask(), _not_send: PhantomData }
    }

    /// The CPU, which stays the caller's for as long as `self` lives.
    #[inline]
    pub fn cpu(&self) -> Option<CpuId> {
        self.machine.cpu()
    }

    /// Unmasks and halts in one step, see [`Machine::halt`].
    #[inline]
    pub fn halt(self) {
        let this = ManuallyDrop::new(self);
        // SAFETY: interrupts are masked by this guard alone (the promise of `new`), which is not dropped, so its mask is
        // not restored.
        unsafe { this.machine.halt() }
    }
}

impl<M: Machine> Drop for Masked<'_, M> {
    #[inline]
    fn drop(&mut self) {
        // SAFETY: `saved` is from this guard's own `mask`; the guard is `!Send`, and guards nest (the promise of `new`).
        unsafe { self.machine.restore(self.saved) }
    }
}

impl<M: Machine> fmt::Debug for Masked<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Masked").field("cpu", &self.cpu()).finish()
    }
}
