//! The memory of a thread: one piece, the control block on top, the stack below.
//!
//! ```text
//!   low                                                                  high
//!   | canary | … free … ◄── stack grows down | thread: header, closure, … |
//! ```

use crate::sync::{AtomicBool, Ordering, UnsafeCell, const_fn};
use core::fmt;
use core::mem::{ManuallyDrop, MaybeUninit};
use core::ptr::NonNull;

/// The alignment of a stack, in bytes.
const ALIGN: usize = 16;

/// Memory for a thread to run on. Dropping it gives the memory back.
///
/// How much a thread needs is what it calls; what this crate adds to that is below [`MIN_BYTES`](Self::MIN_BYTES) (and, where
/// interrupts run on the stack of what they interrupt, what their handlers need).
pub struct Stack {
    memory: NonNull<[u8]>,
    give_back: Option<unsafe fn(NonNull<[u8]>)>,
}

// SAFETY: it owns the memory, and whoever gave it said that it may be given back from anywhere.
unsafe impl Send for Stack {}

impl Stack {
    /// The least that is accepted for the stack proper: the thread's own closure and output come on top.
    pub const MIN_BYTES: usize = 2048;

    /// Memory of the caller's. `give_back` is called with it once no thread has it any more, on a CPU's loop.
    ///
    /// For a guard page, leave the page below `memory` unmapped.
    ///
    /// # Safety
    ///
    /// `memory` is valid for reads and writes, and nobody else's until `give_back` is called; for ever if there is none.
    pub const unsafe fn from_raw(
        memory: NonNull<[u8]>,
        give_back: Option<unsafe fn(NonNull<[u8]>)>,
    ) -> Self {
        Self { memory, give_back }
    }

    /// Memory of `bytes` bytes, at least [`MIN_BYTES`](Self::MIN_BYTES), from the global allocator. `None` if there is none.
    #[cfg(feature = "alloc")]
    pub fn new(bytes: usize) -> Option<Self> {
        use alloc::alloc::{Layout, alloc, dealloc};

        unsafe fn give_back(memory: NonNull<[u8]>) {
            if let Ok(layout) = Layout::from_size_align(memory.len(), ALIGN) {
                // SAFETY: it came from `alloc` with this layout.
                unsafe { dealloc(memory.cast::<u8>().as_ptr(), layout) }
            }
        }
        let layout = Layout::from_size_align(bytes.max(Self::MIN_BYTES), ALIGN).ok()?;
        // SAFETY: the size is not 0.
        let memory = NonNull::new(unsafe { alloc(layout) })?;
        let memory = NonNull::slice_from_raw_parts(memory, layout.size());
        Some(Self { memory, give_back: Some(give_back) })
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> usize {
        self.memory.len()
    }

    /// Divides it: room for a `T` at its high end, and the rest below. `None` if the rest is less than
    /// [`MIN_BYTES`](Self::MIN_BYTES).
    pub(super) fn divide<T>(&self) -> Option<(NonNull<T>, NonNull<[u8]>)> {
        let low = self.memory.cast::<u8>();
        let skipped = low.as_ptr().align_offset(ALIGN);
        let high = self.memory.len().checked_sub(size_of::<T>())?;
        let misaligned = (low.addr().get() + high) % align_of::<T>().max(ALIGN);
        let top = high.checked_sub(misaligned)?;
        let bytes = top.checked_sub(skipped)?;
        if bytes < Self::MIN_BYTES {
            return None;
        }
        // SAFETY: both offsets are within the memory.
        let (room, rest) = unsafe { (low.add(top), low.add(skipped)) };
        Some((room.cast(), NonNull::slice_from_raw_parts(rest, bytes)))
    }

    /// The memory, which is not given back.
    pub(super) fn leak(self) {
        let _ = ManuallyDrop::new(self);
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if let Some(give_back) = self.give_back {
            // SAFETY: the memory is this stack's alone (the promise of `from_raw`), and goes with it.
            unsafe { give_back(self.memory) }
        }
    }
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack").field("bytes", &self.bytes()).finish_non_exhaustive()
    }
}

/// Memory for one thread at a time, to be put into a `static`. It can be used again after the thread.
#[repr(C, align(16))]
pub struct StackMemory<const BYTES: usize> {
    bytes: UnsafeCell<MaybeUninit<[u8; BYTES]>>,
    is_in_use: AtomicBool,
}

// SAFETY: who touches the bytes is settled by `is_in_use`: the stack that was claimed.
unsafe impl<const BYTES: usize> Sync for StackMemory<BYTES> {}

impl<const BYTES: usize> StackMemory<BYTES> {
    const_fn! {
        /// Memory without a thread.
        pub const fn new() -> Self {
            Self { bytes: UnsafeCell::new(MaybeUninit::uninit()), is_in_use: AtomicBool::new(false) }
        }
    }

    /// The memory, unless it is in use. Wait-free; any context.
    pub fn claim(&'static self) -> Option<Stack> {
        // Ordering: Acquire pairs with the Release in `give_back`: the last thread's end is over.
        if self.is_in_use.swap(true, Ordering::Acquire) {
            return None;
        }
        // The bytes are the first field of a `repr(C)` struct, so their address is the memory's.
        let memory = NonNull::slice_from_raw_parts(NonNull::from(self).cast(), BYTES);
        Some(Stack { memory, give_back: Some(Self::give_back) })
    }

    unsafe fn give_back(memory: NonNull<[u8]>) {
        // SAFETY: made by `claim` from a reference to the whole, which is static.
        let this = unsafe { memory.cast::<Self>().as_ref() };
        // Ordering: Release pairs with the Acquire in `claim`.
        this.is_in_use.store(false, Ordering::Release);
    }
}

impl<const BYTES: usize> Default for StackMemory<BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const BYTES: usize> fmt::Debug for StackMemory<BYTES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ordering: Relaxed; a snapshot for people.
        let is_in_use = self.is_in_use.load(Ordering::Relaxed);
        f.debug_struct("StackMemory").field("is_in_use", &is_in_use).finish_non_exhaustive()
    }
}
