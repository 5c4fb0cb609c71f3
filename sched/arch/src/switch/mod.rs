//! The contract of those who run threads: a context on a stack, and the switch from one to another.
//!
//! # Invariants
//!
//! - **W1** A context that does not run is its stack pointer: all that the next switch to it puts back lies on its stack.
//! - **W2** A context is switched to at most once for each time that it was prepared or switched away from.
//! - **W3** Both sides of a switch have interrupts masked. The switch itself leaves the mask alone: each side puts its own
//!   back later, and a new context begins by [`Switch::begin`].
//! - **W4** A backtrace ends where a context began: nothing above the first frame is its own.

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(target_arch = "aarch64")]
use aarch64 as isa;
#[cfg(target_arch = "x86_64")]
mod x86_64;
#[cfg(target_arch = "x86_64")]
use x86_64 as isa;

use crate::Machine;
use core::ptr::{self, NonNull};

/// What a new context runs. It has nowhere to return to.
///
/// A machine whose contexts are threads of something else may end one by unwinding it. On the stacks of this crate's switches
/// nothing lies beyond the entry: a panic that leaves it ends the program.
pub type Entry = unsafe extern "C-unwind" fn(*mut ()) -> !;

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

/// Bytes of a stack that a [prepared](Switch::prepare) context takes, at the most.
pub const FIRST_FRAME_BYTES: usize = 256;

/// The highest place on a stack for a `T` that ends where the ABI wants a stack to end: at a multiple of 16.
///
/// # Safety
///
/// `stack` is one piece of memory, of [`FIRST_FRAME_BYTES`] at least.
#[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
unsafe fn first_frame<T>(stack: NonNull<[u8]>) -> *mut T {
    const ALIGN: usize = 16;
    const {
        assert!(size_of::<T>().is_multiple_of(ALIGN) && align_of::<T>() <= ALIGN);
        assert!(size_of::<T>() + ALIGN <= FIRST_FRAME_BYTES);
    }
    debug_assert!(stack.len() >= FIRST_FRAME_BYTES, "a stack of {} bytes", stack.len());
    // SAFETY: one past the end of the memory.
    let end = unsafe { stack.cast::<u8>().as_ptr().add(stack.len()) };
    let top = end.map_addr(|end| end & !(ALIGN - 1)).cast::<T>();
    // SAFETY: less than the least size below the end.
    unsafe { top.sub(1) }
}

/// A function with the body of the architecture; elsewhere one that is to be written.
macro_rules! of_the_architecture {
    ($(#[$doc:meta])* unsafe fn $name:ident(&self $(, $argument:ident: $type:ty)*) $(-> $result:ty)?;) => {
        #[cfg(any(target_arch = "aarch64", target_arch = "x86_64"))]
        $(#[$doc])*
        #[inline]
        unsafe fn $name(&self $(, $argument: $type)*) $(-> $result)? {
            // SAFETY: the caller's promise.
            unsafe { isa::$name($($argument),*) }
        }

        #[cfg(not(any(target_arch = "aarch64", target_arch = "x86_64")))]
        $(#[$doc])*
        unsafe fn $name(&self $(, $argument: $type)*) $(-> $result)?;
    };
}

/// What a machine gives besides, for those who run threads. On x86_64 and aarch64 only `begin` has to be written; elsewhere
/// `prepare` and `switch` as well.
///
/// # Safety
///
/// 1. [`switch`](Self::switch) returns in the context that it saved, when that is switched to, on whatever CPU; memory and
///    all registers that the ABI preserves over a call are as they were.
/// 2. A context that was [prepared](Self::prepare) begins with a call of its entry, on its stack.
/// 3. [`begin`](Self::begin) unmasks interrupts.
pub unsafe trait Switch: Machine {
    of_the_architecture! {
        /// Lays the first frame of a context on a stack, which then waits to be switched to. Wait-free; any context.
        ///
        /// The stack may begin and end anywhere. Of its upper end at most [`FIRST_FRAME_BYTES`] are used; nothing below.
        ///
        /// # Safety
        ///
        /// `stack` is valid for reads and writes, and nobody else's until the context is given up. It holds
        /// [`FIRST_FRAME_BYTES`] bytes and what `entry` needs: its own frames, one switch (a frame of the same size again) and,
        /// where interrupts run on the stack of what they interrupt, those of the handlers.
        unsafe fn prepare(&self, stack: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context;
    }

    of_the_architecture! {
        /// Saves the running context to `from`, and goes on with `to`. Returns when somebody switches to what was saved.
        ///
        /// Wait-free; interrupts masked (W3). The compiler sees a call of a function that it knows nothing about: what lies in
        /// memory is written before and read after.
        ///
        /// # Safety
        ///
        /// W2 and W3; `from` is valid for writes. No lock is held that what runs next may want.
        unsafe fn switch(&self, from: *mut Context, to: Context);
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

    /// Whether interrupts are masked on this CPU: asked before a thread waits, which it should not do then. `false` where a
    /// machine cannot tell.
    #[inline(always)]
    fn is_masked(&self) -> bool {
        false
    }

    /// A hook: `thread` was about to wait with interrupts masked, or while it must not be rescheduled. It does not wait. With
    /// debug assertions a panic by default, else nothing.
    #[cold]
    fn slept_in_atomic(&self, thread: &'static str) {
        debug_assert!(false, "{thread} would sleep in atomic context");
    }

    /// A hook, called with interrupts masked, on the loop's stack: the lowest word of a stack was overwritten, and so
    /// perhaps what lies below. By default a panic; a kernel that goes on in spite of it returns.
    #[cold]
    fn stack_overflowed(&self) {
        panic!("a thread's stack has overflowed");
    }
}
