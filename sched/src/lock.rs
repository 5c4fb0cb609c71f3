//! The two things that are not lock-free here, and their stand-ins for the models: a spin lock that is only
//! ever held with interrupts masked, and the one-waker cell of join handles.

use sched_arch::{Machine, Masked};

#[cfg(not(any(loom, shuttle)))]
mod arm {
    pub(crate) use atomic_waker::AtomicWaker;
    pub(crate) use spin::mutex::{SpinMutex as Mutex, SpinMutexGuard as Guard};

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> Guard<'_, T> {
        mutex.lock()
    }

    pub(super) fn try_lock<T>(mutex: &Mutex<T>) -> Option<Guard<'_, T>> {
        mutex.try_lock()
    }
}

#[cfg(loom)]
mod arm {
    pub(crate) use loom::sync::{Mutex, MutexGuard as Guard};

    /// Loom's own cell for one waker, which knows the orderings; registering is by reference here.
    pub(crate) struct AtomicWaker(loom::future::AtomicWaker);

    impl AtomicWaker {
        pub(crate) fn new() -> Self {
            Self(loom::future::AtomicWaker::new())
        }

        pub(crate) fn register(&self, waker: &core::task::Waker) {
            self.0.register_by_ref(waker);
        }

        pub(crate) fn wake(&self) {
            self.0.wake();
        }
    }
}

#[cfg(all(shuttle, not(loom)))]
mod arm {
    pub(crate) use shuttle::sync::{Mutex, MutexGuard as Guard};

    /// One waker behind a lock: what `atomic-waker` promises, without its orderings, which shuttle could not
    /// see anyway.
    pub(crate) struct AtomicWaker(Mutex<Option<core::task::Waker>>);

    impl AtomicWaker {
        pub(crate) const fn new() -> Self {
            Self(Mutex::new(None))
        }

        pub(crate) fn register(&self, waker: &core::task::Waker) {
            *self.0.lock().unwrap() = Some(waker.clone());
        }

        pub(crate) fn wake(&self) {
            let waker = self.0.lock().unwrap().take();
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }
}

#[cfg(any(loom, shuttle))]
use model::{lock, try_lock};
#[cfg(any(loom, shuttle))]
mod model {
    use super::arm::{Guard, Mutex};

    pub(super) fn lock<T>(mutex: &Mutex<T>) -> Guard<'_, T> {
        mutex.lock().unwrap()
    }

    pub(super) fn try_lock<T>(mutex: &Mutex<T>) -> Option<Guard<'_, T>> {
        mutex.try_lock().ok()
    }
}

pub(crate) use arm::{AtomicWaker, Guard};
#[cfg(not(any(loom, shuttle)))]
use arm::{lock, try_lock};

/// A spin lock. Locking it demands the proof that interrupts are masked, so that no handler on the same CPU can
/// wait for what it interrupted (PA4), and so that a holder is off its CPU for no longer than its few lines.
pub(crate) struct Lock<T>(arm::Mutex<T>);

impl<T> Lock<T> {
    crate::sync::const_fn! {
        pub(crate) const fn new(value: T) -> Self {
            Self(arm::Mutex::new(value))
        }
    }

    /// Waits for the lock. Blocking; never two locks at once.
    pub(crate) fn lock<'a, M: Machine>(&'a self, _masked: &'a Masked<'_, M>) -> Guard<'a, T> {
        lock(&self.0)
    }

    /// Takes the lock if it is free.
    pub(crate) fn try_lock(&self) -> Option<Guard<'_, T>> {
        try_lock(&self.0)
    }
}
