//! The queue that all kinds of waiting share: futures in the order in which they came, and what was given in advance.
//!
//! # Invariants
//!
//! - **Q1** Everything in [`Waiters`] and in each [`Waiter`] is touched under the one lock, which is held with interrupts masked, for
//!   a bounded number of nodes. Wakers are cloned, called and dropped with it released.
//! - **Q2** A waiter is linked exactly while its phase is `Queued`; then it is pinned, and its drop unlinks it.
//! - **Q3** A waiter that was chosen and goes away unseen, or panics when it looks, passes on what it was chosen for: a wake of
//!   one is never lost.
//! - **Q4** Who looks at its condition is queued before: a wake that follows the change finds it (no test-then-block).

use crate::lock::Lock;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::UnsafeCell;
use crate::time::{BATCH, Wakers};
use core::marker::PhantomPinned;
use core::mem;
use core::ptr::NonNull;
use core::task::{Poll, Waker};
use sched_arch::{Machine, Masked};

/// What was given while nobody waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gift {
    None,
    /// For the next one who comes.
    One,
    /// For everybody, from now on.
    All,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Not waiting.
    Idle,
    Queued,
    /// Woken, it alone.
    Chosen,
    /// Woken together with all.
    Released,
}

/// The place of one future in the queue.
pub(super) struct Waiter {
    fields: UnsafeCell<Fields>,
    _pinned: PhantomPinned,
}

struct Fields {
    phase: Phase,
    /// Larger than those of all who came before.
    number: u64,
    prev: Option<NonNull<Waiter>>,
    next: Option<NonNull<Waiter>>,
    waker: Option<Waker>,
}

// SAFETY: touched under the lock alone, by whichever thread (Q1).
unsafe impl Send for Waiter {}
// SAFETY: as above.
unsafe impl Sync for Waiter {}

impl Waiter {
    pub(super) fn new() -> Self {
        let fields = Fields { phase: Phase::Idle, number: 0, prev: None, next: None, waker: None };
        Self { fields: UnsafeCell::new(fields), _pinned: PhantomPinned }
    }
}

/// The fields of a waiter, for as long as `f` runs.
///
/// # Safety
///
/// The waiter is live, and the lock is held (Q1); `f` reaches for no other field of the same waiter.
unsafe fn fields<R>(waiter: NonNull<Waiter>, f: impl FnOnce(&mut Fields) -> R) -> R {
    // SAFETY: live by contract, and a shared reference to it is all that is made.
    let cell = unsafe { &waiter.as_ref().fields };
    // SAFETY: the lock keeps everybody else away.
    cell.with_mut(|fields| f(unsafe { &mut *fields }))
}

pub(super) struct Waiters {
    first: Option<NonNull<Waiter>>,
    last: Option<NonNull<Waiter>>,
    next_number: u64,
    gift: Gift,
}

// SAFETY: what it points to is `Send`, and stays where it is while it is linked (Q2).
unsafe impl Send for Waiters {}

impl Waiters {
    pub(super) const fn new() -> Self {
        Self { first: None, last: None, next_number: 0, gift: Gift::None }
    }

    fn push_back(&mut self, waiter: NonNull<Waiter>, waker: Option<Waker>) {
        let (number, prev) = (self.next_number, self.last);
        self.next_number += 1;
        // SAFETY: the caller's own waiter, which is pinned; `prev` is linked, hence live (Q2); the lock is held by who has
        // `self`.
        unsafe {
            fields(waiter, |fields| {
                *fields = Fields { phase: Phase::Queued, number, prev, next: None, waker };
            });
            match prev {
                Some(prev) => fields(prev, |fields| fields.next = Some(waiter)),
                None => self.first = Some(waiter),
            }
        }
        self.last = Some(waiter);
    }

    /// Takes a linked waiter out, and its waker.
    fn unlink(&mut self, waiter: NonNull<Waiter>, phase: Phase) -> Option<Waker> {
        // SAFETY: `waiter` and its neighbours are linked, hence live (Q2); the lock is held by who has `self`.
        unsafe {
            let (prev, next, waker) = fields(waiter, |fields| {
                fields.phase = phase;
                (fields.prev.take(), fields.next.take(), fields.waker.take())
            });
            match prev {
                Some(prev) => fields(prev, |fields| fields.next = next),
                None => self.first = next,
            }
            match next {
                Some(next) => fields(next, |fields| fields.prev = prev),
                None => self.last = prev,
            }
            waker
        }
    }

    /// Chooses the one who has waited longest; its waker. `None`: nobody waits.
    fn choose(&mut self) -> Option<Option<Waker>> {
        let first = self.first?;
        Some(self.unlink(first, Phase::Chosen))
    }
}

/// The queue and its lock.
pub(super) struct Queue(Lock<Waiters>);

impl Queue {
    crate::sync::const_fn! {
        pub(super) const fn new() -> Self {
            Self(Lock::new(Waiters::new()))
        }
    }

    fn with<M: Machine, R>(&self, machine: &M, f: impl FnOnce(&mut Waiters) -> R) -> R {
        // SAFETY: a local, dropped before any other guard of this CPU that was there before; nothing in `f` halts.
        let masked = unsafe { Masked::new(machine) };
        f(&mut self.0.lock(&masked))
    }

    /// Wakes the one who has waited longest; `false`: nobody waits, and `gift` is kept for who comes.
    pub(super) fn wake_one<M: Machine>(&self, machine: &M, gift: Gift) -> bool {
        let chosen = self.with(machine, |waiters| {
            let chosen = waiters.choose();
            if chosen.is_none() && waiters.gift == Gift::None {
                waiters.gift = gift;
            }
            chosen
        });
        let found = chosen.is_some();
        if let Some(Some(waker)) = chosen {
            waker.wake();
        }
        found
    }

    /// Wakes all who wait now, batch by batch; `gift` is there before the first of them. How many it woke.
    pub(super) fn wake_all<M: Machine>(&self, machine: &M, gift: Gift) -> usize {
        let mut woken = 0;
        let mut until = None;
        loop {
            let mut wakers = Wakers::new();
            let more = self.with(machine, |waiters| {
                // Who comes after this call began is not its to wake.
                let until = *until.get_or_insert_with(|| {
                    if gift == Gift::All {
                        waiters.gift = gift;
                    }
                    waiters.next_number
                });
                for _ in 0..BATCH {
                    let Some(first) = waiters.first else { return false };
                    // SAFETY: linked, hence live (Q2), and the lock is held.
                    if unsafe { fields(first, |fields| fields.number) } >= until {
                        return false;
                    }
                    woken += 1;
                    if let Some(waker) = waiters.unlink(first, Phase::Released) {
                        // There is room for a batch.
                        let _ = wakers.try_push(waker);
                    }
                }
                true
            });
            wakers.into_iter().for_each(Waker::wake);
            if !more {
                return woken;
            }
        }
    }

    /// Takes back what was given to all.
    pub(super) fn take_back<M: Machine>(&self, machine: &M) {
        self.with(machine, |waiters| waiters.gift = Gift::None);
    }

    pub(super) fn gift<M: Machine>(&self, machine: &M) -> Gift {
        self.with(machine, |waiters| waiters.gift)
    }

    /// Whether the waiter, which is pinned, was woken or takes a gift; queues it otherwise.
    pub(super) fn poll<M: Machine>(
        &self,
        machine: &M,
        waiter: NonNull<Waiter>,
        waker: &Waker,
    ) -> Poll<()> {
        let mut waker = Some(waker.clone());
        let mut unlinked = None;
        let polled = self.with(machine, |waiters| {
            // SAFETY: the caller's own waiter, and the lock is held.
            let phase = unsafe { fields(waiter, |fields| fields.phase) };
            match (phase, waiters.gift) {
                (Phase::Chosen | Phase::Released, _) => {
                    // SAFETY: as above.
                    unsafe { fields(waiter, |fields| fields.phase = Phase::Idle) };
                    Poll::Ready(())
                }
                (Phase::Queued, Gift::All) => {
                    // Whose waker is still to be called, or never will be, because one before it panicked.
                    unlinked = waiters.unlink(waiter, Phase::Idle);
                    Poll::Ready(())
                }
                (Phase::Queued, _) => {
                    // SAFETY: as above.
                    unsafe { fields(waiter, |fields| mem::swap(&mut fields.waker, &mut waker)) };
                    Poll::Pending
                }
                (Phase::Idle, Gift::None) => {
                    waiters.push_back(waiter, waker.take());
                    Poll::Pending
                }
                (Phase::Idle, Gift::One) => {
                    waiters.gift = Gift::None;
                    Poll::Ready(())
                }
                (Phase::Idle, Gift::All) => Poll::Ready(()),
            }
        });
        // A waker that was replaced is dropped here as well, with no lock held (Q1).
        drop(unlinked);
        polled
    }

    /// The waiter waits no more. If it was chosen, and nobody has seen it, the next one is, or `gift` is kept (Q3).
    pub(super) fn leave<M: Machine>(&self, machine: &M, waiter: NonNull<Waiter>, gift: Gift) {
        let (dropped, chosen) = self.with(machine, |waiters| {
            // SAFETY: the caller's own waiter, and the lock is held.
            match unsafe { fields(waiter, |fields| mem::replace(&mut fields.phase, Phase::Idle)) } {
                Phase::Queued => (waiters.unlink(waiter, Phase::Idle), None),
                Phase::Chosen => {
                    let next = waiters.choose();
                    if next.is_none() && waiters.gift == Gift::None {
                        waiters.gift = gift;
                    }
                    (None, next.flatten())
                }
                Phase::Idle | Phase::Released => (None, None),
            }
        });
        drop(dropped);
        if let Some(waker) = chosen {
            waker.wake();
        }
    }
}
