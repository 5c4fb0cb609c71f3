//! Full barriers, at the price of the machine at hand.
//!
//! The algorithm stands on sequentially consistent fences between an access of one end and an access of the other
//! (`claim`, C2; `stealer`, S1). The models, Miri and most machines get just these. On x86-64 a fence is a locked
//! instruction, as dear as a compare-and-swap, and two of the three do nothing there that is not done already:
//!
//! - **B1** A compare-and-swap is a locked instruction, which is a full barrier: a fence behind it is there already
//!   (Intel SDM 3A §9.2.3.9, AMD APM 2 §7.4.2). Linux calls it `smp_mb__after_atomic`.
//! - **B2** All processors see all stores in one order, and a load never passes an earlier load: the thief that saw `top`
//!   in one state sees `bottom` in the same or a later one, which is all that its fence is for. Linux: `smp_rmb`.
//!
//! In both cases the compiler must not do what the processor will not: that is what `compiler_fence` is for. The third,
//! between a store and a load, is a fence everywhere. (An exchange instead of the store, Linux's `smp_store_mb`, was
//! tried and is slower: what follows waits for the line of `bottom`, not just for the barrier.)

use crate::sync::Ordering;
#[cfg(not(all(target_arch = "x86_64", not(any(loom, shuttle, miri)))))]
use crate::sync::fence;
#[cfg(all(target_arch = "x86_64", not(any(loom, shuttle, miri))))]
use core::sync::atomic::compiler_fence as fence;

/// Orders everything before, and the compare-and-swap that comes just before this, before all loads that follow.
#[inline(always)]
pub(crate) fn after_update() {
    // Ordering: SeqCst pairs with the fence in `Owner::lower` (`stealer`, S1); for the compiler alone by B1.
    fence(Ordering::SeqCst);
}

/// Orders a load of `top` before a load of `bottom`, against an owner that stores `bottom` and loads `top`.
#[inline(always)]
pub(crate) fn between_loads() {
    // Ordering: SeqCst pairs with the fence in `Owner::lower` (`stealer`, S1); for the compiler alone by B2.
    fence(Ordering::SeqCst);
}
