//! Tasks that wait in line: what rt-app's conditions, locks, barriers and semaphores are made of.
//!
//! A lock-free queue of tickets. Whoever calls pops tickets until one answers; a ticket whose owner has left does not.
//!
//! # Invariants
//!
//! - **WL1** A ticket is answered once: the caller's and the leaver's change of its state are one exchange each.
//! - **WL2** A call that was answered by somebody who left without taking it is passed on to the next in line.
//! - **WL3** Who gets a ticket, then looks at what it waits for, and one who changes that, then calls, cannot miss each
//!   other: a SeqCst fence lies between the two steps on either side.

use atomic_waker::AtomicWaker;
use crossbeam_queue::SegQueue;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::task::Poll;

const WAITS: u8 = 0;
const CALLED: u8 = 1;
const LEFT: u8 = 2;

/// A line of waiting tasks, first come, first served.
#[derive(Debug, Default)]
pub struct WaitList(SegQueue<Arc<Ticket>>);

#[derive(Debug, Default)]
struct Ticket {
    state: AtomicU8,
    waiter: AtomicWaker,
}

/// A place in the line; given up when it is dropped.
#[derive(Debug)]
#[must_use = "a place in the line is to be waited for"]
pub struct Place<'a> {
    list: &'a WaitList,
    ticket: Arc<Ticket>,
    taken: bool,
}

impl WaitList {
    /// Gets in line: calls from now on count.
    pub fn enter(&self) -> Place<'_> {
        let ticket = Arc::<Ticket>::default();
        self.0.push(ticket.clone());
        // Ordering: SeqCst fence, pairs with the one in `call_one` and `call_all` (WL3).
        fence(Ordering::SeqCst);
        Place { list: self, ticket, taken: false }
    }

    /// Calls the first in line; `false` if nobody waits.
    pub fn call_one(&self) -> bool {
        // Ordering: SeqCst fence, pairs with the one in `enter` (WL3).
        fence(Ordering::SeqCst);
        while let Some(ticket) = self.0.pop() {
            if ticket.call() {
                return true;
            }
        }
        false
    }

    /// Calls everyone in line at this moment, and nobody who comes later.
    pub fn call_all(&self) {
        // Ordering: SeqCst fence, pairs with the one in `enter` (WL3).
        fence(Ordering::SeqCst);
        for _ in 0..self.0.len() {
            let Some(ticket) = self.0.pop() else { return };
            ticket.call();
        }
    }
}

impl Ticket {
    fn call(&self) -> bool {
        // Ordering: AcqRel; Release pairs with the Acquire in `Place::wait`: what was done before the call is seen.
        let called =
            self.state.compare_exchange(WAITS, CALLED, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if called {
            self.waiter.wake();
        }
        called
    }

    fn is_called(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `call`.
        self.state.load(Ordering::Acquire) == CALLED
    }
}

impl Place<'_> {
    /// Waits to be called.
    pub async fn wait(mut self) {
        poll_fn(|context| {
            if self.ticket.is_called() {
                return Poll::Ready(());
            }
            self.ticket.waiter.register(context.waker());
            // The call may have come before the waker was there to be woken.
            if self.ticket.is_called() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.taken = true;
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // Ordering: AcqRel; as in `call` (WL1).
        if !self.taken && self.ticket.state.swap(LEFT, Ordering::AcqRel) == CALLED {
            // WL2.
            self.list.call_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::task::{Context, Waker};

    fn is_called(place: Place<'_>) -> bool {
        pin!(place.wait()).poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn calls_go_to_the_longest_waiting_and_are_not_remembered() {
        let list = WaitList::default();
        assert!(!list.call_one());
        let (first, second) = (list.enter(), list.enter());
        assert!(list.call_one());
        assert!(is_called(first));
        assert!(!is_called(second));
    }

    #[test]
    fn a_call_for_all_reaches_all_there_are() {
        let list = WaitList::default();
        let places = [list.enter(), list.enter(), list.enter()];
        list.call_all();
        assert!(places.into_iter().all(is_called));
        assert!(!is_called(list.enter()));
    }

    #[test]
    fn who_left_is_passed_over_and_a_call_not_taken_is_passed_on() {
        let list = WaitList::default();
        let (first, second, third) = (list.enter(), list.enter(), list.enter());
        drop(first);
        assert!(list.call_one());
        drop(second);
        assert!(is_called(third));
    }
}
