//! What threads of this kernel may have besides: page tables of their own. Vector registers they all have, by the switch.

use core::ptr;
use sched_arch::aarch64::address_space;

/// Where a thread with an attachment has it. It outlives the thread.
#[derive(Debug)]
pub(crate) struct Attached {
    space: usize,
}

impl Attached {
    /// With the tables that `space` names, a value of `TTBR0_EL1`; 0: those of the kernel.
    pub(crate) const fn new(space: usize) -> Self {
        Self { space }
    }
}

unsafe extern "C" {
    /// The first table, from `boot.s`.
    static translation_table: u8;
}

/// The tables that map the kernel, and nothing else.
pub(crate) fn kernel_space() -> usize {
    (&raw const translation_table).expose_provenance()
}

/// Before a thread's turn.
pub(crate) fn load(attachment: *mut ()) {
    // SAFETY: whoever spawns a thread with an attachment gives it one that outlives it, whose tables map the kernel.
    if let Some(attached) = unsafe { attachment.cast::<Attached>().as_ref() } {
        // SAFETY: as above.
        unsafe { address_space::load(attached.space) }
    }
}

/// After it. A thread's tables are loaded nowhere but while it runs, so that they can be freed.
pub(crate) fn save(attachment: *mut ()) {
    if !attachment.is_null() {
        // SAFETY: they map the kernel.
        unsafe { address_space::load(kernel_space()) }
    }
}

/// As a thread's builder wants it.
pub(crate) fn attachment(attached: &'static Attached) -> *mut () {
    ptr::from_ref(attached).cast_mut().cast()
}
