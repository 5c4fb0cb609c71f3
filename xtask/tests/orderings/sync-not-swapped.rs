//! The swap as it must not be: a model in another crate links this one without `cfg(test)`.

#[cfg(all(test, loom))]
pub(crate) use checker::{Atomic, Ordering, fence};
#[cfg(not(all(test, loom)))]
pub(crate) use core::sync::atomic::{AtomicUsize as Atomic, Ordering, fence};
