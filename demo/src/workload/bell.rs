//! A bell: one task waits, anyone rings. What the built-in shapes pass messages with.

use atomic_waker::AtomicWaker;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

/// Remembers how often it was rung; wakes the one task that waits.
#[derive(Debug, Default)]
pub struct Bell {
    rung: AtomicU64,
    waiter: AtomicWaker,
}

impl Bell {
    /// Rings once. Lock-free.
    pub fn ring(&self) {
        // Ordering: Release pairs with the Acquire in `wait`: what was written before is seen there.
        self.rung.fetch_add(1, Ordering::Release);
        self.waiter.wake();
    }

    /// Waits until it has been rung, and forgets all rings so far. For one task at a time.
    pub async fn wait(&self) {
        poll_fn(|context| {
            if self.take() {
                return Poll::Ready(());
            }
            self.waiter.register(context.waker());
            // A ring may have come before the waker was there to be woken.
            if self.take() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn take(&self) -> bool {
        // Ordering: Relaxed to look, which keeps the line clean; Acquire pairs with the Release in `ring`.
        self.rung.load(Ordering::Relaxed) > 0 && self.rung.swap(0, Ordering::Acquire) > 0
    }
}

/// Room for one message between two tasks, each way round taking turns: a number and the time it was sent.
#[derive(Debug, Default)]
pub struct Mailbox {
    number: AtomicU64,
    sent_ns: AtomicU64,
    bell: Bell,
}

/// A message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's.
    pub number: u64,
    /// On the scheduler's clock.
    pub sent_ns: u64,
}

impl Mailbox {
    /// Puts a message in. The one before it was taken out, by the rules of the game that the two tasks play.
    pub fn send(&self, message: Message) {
        // Ordering: Relaxed; the bell carries both.
        self.number.store(message.number, Ordering::Relaxed);
        self.sent_ns.store(message.sent_ns, Ordering::Relaxed);
        self.bell.ring();
    }

    /// Waits for a message.
    pub async fn receive(&self) -> Message {
        self.bell.wait().await;
        // Ordering: Relaxed; the bell carries both.
        let number = self.number.load(Ordering::Relaxed);
        Message { number, sent_ns: self.sent_ns.load(Ordering::Relaxed) }
    }
}
