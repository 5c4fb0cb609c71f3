//! The contract of those who run threads: a context on a stack, and the switch from one to another.
//!
//! # Invariants
//!
//! - **W1** A context that does not run is its stack pointer: all that the next switch to it puts back lies on its stack.
//! - **W2** A context is switched to at most once for each time that it was prepared or switched away from.
//! - **W3** Both sides of a switch have interrupts masked. Each puts its own mask back later; a new context begins by
//!   [`Switch::begin`].

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as isa;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as isa;

/// Elsewhere a machine has to switch by means of its own.
#[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
mod isa {
    use super::{Context, Entry};
    use core::ptr::NonNull;

    pub(super) unsafe fn prepare(_: NonNull<[u8]>, _: Entry, _: *mut ()) -> Context {
        panic!("this architecture has no switch")
    }

    pub(super) unsafe fn switch(_: *mut Context, _: Context) {
        panic!("this architecture has no switch")
    }
}

use crate::Machine;
use core::ptr::{self, NonNull};

/// What a new context runs. It has nowhere to return to.
pub type Entry = unsafe extern "C" fn(*mut ()) -> !;

/// A context that does not run (W1).
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub struct Context(*mut ());

// SAFETY: it is an address; who switches to it answers for the rest.
unsafe impl Send for Context {}

impl Context {
    /// None yet: somewhere for the first switch to save to.
    pub const EMPTY: Self = Self(ptr::null_mut());

    /// A context of a machine that switches by means of its own.
    pub const fn from_raw(stack_pointer: *mut ()) -> Self {
        Self(stack_pointer)
    }

    /// The stack pointer, or whatever [`from_raw`](Self::from_raw) was given.
    pub const fn into_raw(self) -> *mut () {
        self.0
    }
}

/// What a machine gives besides, for those who run threads. On x86_64 and aarch64 only `begin` has to be written; elsewhere
/// `prepare` and `switch` as well, which panic there.
///
/// # Safety
///
/// 1. [`switch`](Self::switch) returns in the context that it saved, when that is switched to, on whatever CPU; memory and
///    all registers that the ABI preserves over a call are as they were.
/// 2. A context that was [prepared](Self::prepare) begins with a call of its entry, on its stack.
/// 3. [`begin`](Self::begin) unmasks interrupts.
pub unsafe trait Switch: Machine {
    /// Lays the first frame of a context on a stack, which then waits to be switched to. Wait-free; any context.
    ///
    /// # Safety
    ///
    /// `stack` is valid for reads and writes, big enough for what `entry` does, and nobody else's until the context is
    /// given up.
    unsafe fn prepare(&self, stack: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
        // SAFETY: the caller's promise.
        unsafe { isa::prepare(stack, entry, argument) }
    }

    /// Saves the running context to `from`, and goes on with `to`. Returns when somebody switches to what was saved.
    ///
    /// Wait-free; interrupts masked (W3).
    ///
    /// # Safety
    ///
    /// W2 and W3; `from` is valid for writes. No lock is held that what runs next may want.
    unsafe fn switch(&self, from: *mut Context, to: Context) {
        // SAFETY: the caller's promise.
        unsafe { isa::switch(from, to) }
    }

    /// The first thing that a new context does: it unmasks interrupts, which the switch to it left masked (W3).
    ///
    /// # Safety
    ///
    /// Called once in a context, at its beginning.
    unsafe fn begin(&self);

    /// A hook, called with interrupts masked, on the loop's stack, before a thread goes on. `attachment` is what its builder was told,
    /// null if nothing: where the kernel keeps what belongs to the thread. A kernel loads its page tables here (`cr3`, `TTBR0_EL1`)
    /// if they are not loaded yet, and what the switch leaves alone: the FPU state that its own code does not use, the
    /// thread pointer.
    #[inline(always)]
    fn activate(&self, attachment: *mut ()) {
        let _ = attachment;
    }

    /// The counterpart, after the thread has come back: what [`activate`](Self::activate) loaded is saved here, as the
    /// thread may go on on another CPU.
    #[inline(always)]
    fn deactivate(&self, attachment: *mut ()) {
        let _ = attachment;
    }

    /// A hook, called with interrupts masked, on the loop's stack: the lowest word of a stack was overwritten, and so
    /// perhaps what lies below. By default a panic; a kernel that goes on in spite of it returns.
    #[cold]
    fn stack_overflowed(&self) {
        panic!("a thread's stack has overflowed");
    }
}
