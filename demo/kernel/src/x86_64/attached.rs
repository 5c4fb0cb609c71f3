//! What threads of this kernel may have besides: page tables of their own, and the vector registers, which the kernel's code does
//! not use.

use core::ptr;
use sched_arch::x86_64::{FpuState, address_space};

/// Where a thread with an attachment has it. It outlives the thread.
#[derive(Debug)]
pub(crate) struct Attached {
    space: usize,
    vectors: FpuState,
}

impl Attached {
    /// With the tables that `space` names, a value of CR3; 0: those of the kernel.
    pub(crate) const fn new(space: usize) -> Self {
        Self { space, vectors: FpuState::new() }
    }
}

unsafe extern "C" {
    /// The top table, from `boot.s`.
    static page_root: u8;
}

/// The tables that map the kernel, and nothing else.
pub(crate) fn kernel_space() -> usize {
    (&raw const page_root).expose_provenance()
}

/// Before a thread's turn.
pub(crate) fn load(attachment: *mut ()) {
    // SAFETY: whoever spawns a thread with an attachment gives it one that outlives it, whose tables map the kernel.
    if let Some(attached) = unsafe { attachment.cast::<Attached>().as_ref() } {
        // SAFETY: as above; SSE is on, and between this and the save the thread runs.
        unsafe {
            address_space::load(attached.space);
            attached.vectors.restore();
        }
    }
}

/// After it. A thread's tables are loaded nowhere but while it runs, so that they can be freed.
pub(crate) fn save(attachment: *mut ()) {
    // SAFETY: as above.
    if let Some(attached) = unsafe { attachment.cast::<Attached>().as_ref() } {
        // SAFETY: as above.
        unsafe {
            attached.vectors.save();
            address_space::load(kernel_space());
        }
    }
}

/// As a thread's builder wants it.
pub(crate) fn attachment(attached: &'static Attached) -> *mut () {
    ptr::from_ref(attached).cast_mut().cast()
}
