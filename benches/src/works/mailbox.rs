//! What two tasks hand back and forth: the same for every executor.

use atomic_waker::AtomicWaker;
use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

/// A box for one letter, with one who waits for it.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Mailbox {
    is_full: AtomicBool,
    waiting: AtomicWaker,
}

impl Mailbox {
    pub(super) fn send(&self) {
        self.is_full.store(true, Ordering::Release);
        self.waiting.wake();
    }

    pub(super) async fn receive(&self) {
        poll_fn(|context| {
            if self.take() {
                return Poll::Ready(());
            }
            self.waiting.register(context.waker());
            if self.take() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn take(&self) -> bool {
        let is_full = self.is_full.load(Ordering::Acquire);
        if is_full {
            self.is_full.store(false, Ordering::Relaxed);
        }
        is_full
    }
}
