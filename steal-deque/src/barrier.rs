//! Full barriers, at the price of the machine at hand.
//!
//! The algorithm stands on sequentially consistent fences between an access of one end and an access of the other
//! (`owner`, O3; `stealer`, S1). The models, Miri and most machines get just these. On x86-64 a fence of its own is
//! dear, and what is around it does its work:
//!
//! - **B1** A locked instruction is a full barrier: loads behind it wait for the stores before it (Intel SDM 3A §9.2.3.9,
//!   AMD APM 2 §7.4.2). So the store before a fence may be an exchange, and no fence stands behind it; Linux calls this
//!   `smp_store_mb`. And a fence behind a read-modify-write is there already: `smp_mb__after_atomic`.
//! - **B2** All processors see all stores in one order, and a load never passes an earlier load: the thief that saw `top`
//!   in one state sees `bottom` in the same or a later one, which is all that its fence is for.
//!
//! In both cases the compiler must not do what the processor will not: that is what `compiler_fence` is for.

pub(crate) use arm::{after_update, between_loads, store};

#[cfg(not(all(target_arch = "x86_64", not(any(loom, shuttle, miri)))))]
mod arm {
    use crate::sync::{AtomicU64, Ordering, fence};

    /// Stores with release, and orders everything before and the store itself before all loads that follow.
    #[inline]
    pub(crate) fn store(end: &AtomicU64, position: u64) {
        // Ordering: Release pairs with the acquire in `Stealer::look`, as every store of `bottom` does (`owner`, O2).
        end.store(position, Ordering::Release);
        // Ordering: SeqCst pairs with the fence of `between_loads` (`owner`, O3) and that of `after_update`.
        fence(Ordering::SeqCst);
    }

    /// Orders everything before, and the read-modify-write that comes just before this, before all loads that follow.
    #[inline]
    pub(crate) fn after_update() {
        // Ordering: SeqCst pairs with the fence in `store` (`stealer`, S1).
        fence(Ordering::SeqCst);
    }

    /// Orders a load of `top` before a load of `bottom`, against an owner that stores `bottom` and loads `top`.
    #[inline]
    pub(crate) fn between_loads() {
        // Ordering: SeqCst pairs with the fence in `store` (`stealer`, S1).
        fence(Ordering::SeqCst);
    }
}

#[cfg(all(target_arch = "x86_64", not(any(loom, shuttle, miri))))]
mod arm {
    use crate::sync::{AtomicU64, Ordering};
    use core::sync::atomic::compiler_fence;

    #[inline]
    pub(crate) fn store(end: &AtomicU64, position: u64) {
        // Ordering: Release for the compiler, as in the other arm; the instruction is a full barrier (B1).
        end.swap(position, Ordering::Release);
        // Ordering: SeqCst, for the compiler alone (B1).
        compiler_fence(Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn after_update() {
        // Ordering: SeqCst, for the compiler alone (B1).
        compiler_fence(Ordering::SeqCst);
    }

    #[inline]
    pub(crate) fn between_loads() {
        // Ordering: SeqCst, for the compiler alone (B2).
        compiler_fence(Ordering::SeqCst);
    }
}
