//! The swap as it must be: on plain `cfg(loom)`.

#[cfg(loom)]
pub(crate) use checker::{Atomic, Ordering, fence};
#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicUsize as Atomic, Ordering, fence};
