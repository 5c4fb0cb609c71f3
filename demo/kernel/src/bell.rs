//! A bell: one task waits, anyone rings.

use atomic_waker::AtomicWaker;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};

/// Remembers how often it was rung; wakes the one task that waits.
pub(crate) struct Bell {
    rung: AtomicU64,
    waiter: AtomicWaker,
}

impl Bell {
    pub(crate) const fn new() -> Self {
        Self { rung: AtomicU64::new(0), waiter: AtomicWaker::new() }
    }

    /// Rings once. Lock-free.
    pub(crate) fn ring(&self) {
        // Ordering: Release pairs with the Acquire in `take`: what was written before is seen there.
        self.rung.fetch_add(1, Ordering::Release);
        self.waiter.wake();
    }

    /// Ready once it has been rung, with how often; forgets all rings so far.
    pub(crate) fn poll(&self, context: &mut Context<'_>) -> Poll<u64> {
        if let Some(rung) = self.take() {
            return Poll::Ready(rung);
        }
        self.waiter.register(context.waker());
        // A ring may have come before the waker was there to be woken.
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    /// Waits until it has been rung, see [`poll`](Self::poll).
    #[cfg(feature = "alloc")]
    pub(crate) async fn wait(&self) -> u64 {
        core::future::poll_fn(|context| self.poll(context)).await
    }

    fn take(&self) -> Option<u64> {
        // Ordering: Acquire pairs with the Release in `ring`.
        let rung = self.rung.swap(0, Ordering::Acquire);
        (rung != 0).then_some(rung)
    }
}
