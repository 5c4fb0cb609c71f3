//! The one door to atomics and shared cells: core's, `portable-atomic`'s, loom's or shuttle's.
//!
//! `mpsc-inbox`, `steal-deque` and `sched` carry this file letter for letter; a test keeps the copies identical.
//!
//! - The swap hangs on plain `cfg(loom)` / `cfg(shuttle)`, never on `cfg(test)`: a model in another crate links
//!   this library without `cfg(test)`, and would check nothing.
//! - Outside loom the cell is core's, with loom's `with`/`with_mut` added by [`CellExt`], so that constructors
//!   stay `const`. Under loom it is loom's own, which sees every unsynchronised access.
//! - Shuttle has no cell of its own: it explores interleavings, not data races.
#![allow(
    unused_imports,
    unused_macros,
    dead_code,
    reason = "shared file: no crate needs all of it"
)]

#[cfg(all(loom, not(feature = "loom")))]
compile_error!("`--cfg loom` needs this crate's feature `loom` as well");
#[cfg(all(shuttle, not(feature = "shuttle")))]
compile_error!("`--cfg shuttle` needs this crate's feature `shuttle` as well");

#[cfg(loom)]
mod arm {
    pub(crate) use loom::cell::UnsafeCell;
    pub(crate) use loom::hint::spin_loop;
    pub(crate) use loom::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

#[cfg(all(shuttle, not(loom)))]
mod arm {
    pub(crate) use core::cell::UnsafeCell;
    pub(crate) use shuttle::hint::spin_loop;
    pub(crate) use shuttle::sync::atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

#[cfg(not(any(loom, shuttle)))]
mod arm {
    pub(crate) use core::cell::UnsafeCell;
    pub(crate) use core::hint::spin_loop;
    #[cfg(not(feature = "portable-atomic"))]
    pub(crate) use core::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize};
    pub(crate) use core::sync::atomic::{Ordering, fence};
    #[cfg(feature = "portable-atomic")]
    pub(crate) use portable_atomic::{
        AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize,
    };

    #[cfg(all(not(feature = "portable-atomic"), target_has_atomic = "64"))]
    pub(crate) use core::sync::atomic::AtomicU64;
}

pub(crate) use arm::*;

/// Loom's way into a cell, for core's: the pointer lives as long as the closure.
pub(crate) trait CellExt<T> {
    /// Calls `f` with a pointer for reading.
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R;
    /// Calls `f` with a pointer for writing.
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R;
}

impl<T> CellExt<T> for core::cell::UnsafeCell<T> {
    #[inline(always)]
    fn with<R>(&self, f: impl FnOnce(*const T) -> R) -> R {
        f(self.get())
    }

    #[inline(always)]
    fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
        f(self.get())
    }
}

/// Declares a `const fn` that is a plain `fn` under loom, whose constructors are not const.
macro_rules! const_fn {
    ($(#[$attribute:meta])* $visibility:vis const fn $($rest:tt)*) => {
        #[cfg(not(loom))]
        $(#[$attribute])*
        $visibility const fn $($rest)*

        #[cfg(loom)]
        $(#[$attribute])*
        $visibility fn $($rest)*
    };
}
pub(crate) use const_fn;
