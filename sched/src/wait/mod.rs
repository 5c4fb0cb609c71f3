//! Waiting for something to happen: for one wake among many ([`Notify`]), for good ([`Completion`]), until a condition holds
//! ([`WaitQueue`]).
//!
//! The waking side may be called from interrupt handlers. All three are statics if you like, know no scheduler, and ask for a
//! [`Machine`] only to mask interrupts while they hold their lock: [`Scheduler::machine`](crate::Scheduler::machine) has it.
//!
//! | Operation | Progress | Callable from | Allocates | Worst case |
//! |---|---|---|---|---|
//! | `notify_one`, `wake_one` | a spin lock, interrupts masked | anywhere but NMI | no | O(1), one wake |
//! | `notify_all`, `wake_all`, `complete` | the same, for 32 waiters at a time | anywhere but NMI | no | O(waiters): in a handler, keep them few |
//! | `wait`, `wait_until`: poll, drop | a spin lock, interrupts masked | tasks, threads | no | O(1), the condition, at most one wake |
//! | `is_complete`, `reset` | a spin lock, interrupts masked | anywhere but NMI | no | O(1) |
//!
//! Waiters are woken in the order in which they came.
//!
//! ```
//! use sched::wait::Completion;
//! # use sched::{CpuId, Machine};
//! # struct OneCpu;
//! # // SAFETY: one thread, no handlers, nobody halts.
//! # unsafe impl Machine for OneCpu {
//! #     type Saved = ();
//! #     fn cpu(&self) -> Option<CpuId> { None }
//! #     fn now_ns(&self) -> u64 { 0 }
//! #     fn mask(&self) {}
//! #     unsafe fn restore(&self, (): ()) {}
//! #     fn kick(&self, _: CpuId) {}
//! #     unsafe fn halt(&self) {}
//! #     fn set_timer(&self, _: u64) {}
//! #     fn seed(&self) -> u64 { 0 }
//! # }
//! # static MACHINE: OneCpu = OneCpu;
//! static DISK_READY: Completion = Completion::new();
//!
//! async fn read() -> &'static str {
//!     DISK_READY.wait(&MACHINE).await;
//!     "data"
//! }
//!
//! fn disk_interrupt() {
//!     DISK_READY.complete(&MACHINE);
//! }
//! # use std::future::Future;
//! # use std::task::{Context, Poll, Waker};
//! let mut read = std::pin::pin!(read());
//! let context = &mut Context::from_waker(Waker::noop());
//! assert_eq!(read.as_mut().poll(context), Poll::Pending);
//! disk_interrupt();
//! assert_eq!(read.as_mut().poll(context), Poll::Ready("data"));
//! ```

mod waiters;

use crate::sync::const_fn;
use core::cell::Cell;
use core::fmt;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use sched_arch::Machine;
use waiters::{Gift, Queue, Waiter};

/// Wakes one waiter, or all. A wake of one that finds nobody is kept for whoever comes next; there is at most one such.
pub struct Notify(Queue);

/// Something that happens once: everybody who waits, before or after, goes on.
pub struct Completion(Queue);

/// Those who wait for a condition of their own. Whoever changes what it looks at wakes them, and they look again.
pub struct WaitQueue(Queue);

impl Notify {
    const_fn! {
        /// Nobody waits, and nothing is kept.
        pub const fn new() -> Self {
            Self(Queue::new())
        }
    }

    /// Wakes the one who has waited longest, or keeps the wake for whoever comes next. Whether somebody waited.
    pub fn notify_one<M: Machine>(&self, machine: &M) -> bool {
        self.0.wake_one(machine, Gift::One)
    }

    /// Wakes all who wait now, and keeps nothing for those who come later. How many they were.
    pub fn notify_all<M: Machine>(&self, machine: &M) -> usize {
        self.0.wake_all(machine, Gift::None)
    }

    /// Waits for a wake. Who is dropped after it was woken as the one, and before it saw that, passes the wake on.
    pub fn wait<'a, M: Machine>(&'a self, machine: &'a M) -> Wait<'a, M> {
        Wait::on(&self.0, machine, Gift::One)
    }
}

impl Completion {
    const_fn! {
        /// It has not happened.
        pub const fn new() -> Self {
            Self(Queue::new())
        }
    }

    /// It has happened. How many waited for it.
    pub fn complete<M: Machine>(&self, machine: &M) -> usize {
        self.0.wake_all(machine, Gift::All)
    }

    /// Whether it has happened.
    pub fn is_complete<M: Machine>(&self, machine: &M) -> bool {
        self.0.gift(machine) == Gift::All
    }

    /// It has not happened any more. Who was woken goes on all the same.
    pub fn reset<M: Machine>(&self, machine: &M) {
        self.0.take_back(machine);
    }

    /// Waits until it has happened.
    pub fn wait<'a, M: Machine>(&'a self, machine: &'a M) -> Wait<'a, M> {
        Wait::on(&self.0, machine, Gift::None)
    }
}

impl WaitQueue {
    const_fn! {
        /// Nobody waits.
        pub const fn new() -> Self {
            Self(Queue::new())
        }
    }

    /// Lets the one who has waited longest look at its condition. If that does not hold, nobody else looks: where conditions
    /// differ, wake all. Whether somebody waited.
    pub fn wake_one<M: Machine>(&self, machine: &M) -> bool {
        self.0.wake_one(machine, Gift::None)
    }

    /// Lets all who wait now look at their conditions. How many they are.
    pub fn wake_all<M: Machine>(&self, machine: &M) -> usize {
        self.0.wake_all(machine, Gift::None)
    }

    /// Waits until `condition` gives something, and gives that. It is looked at once at the beginning, and after each wake; each
    /// time the waiter is queued before, so that a change and the wake that follows it are not missed in between. If it panics
    /// after a wake, the next one is woken in its stead.
    pub fn wait_until<'a, M: Machine, R, F: FnMut() -> Option<R>>(
        &'a self,
        machine: &'a M,
        condition: F,
    ) -> WaitUntil<'a, M, F> {
        WaitUntil { wait: Wait::on(&self.0, machine, Gift::None), condition }
    }
}

macro_rules! plain {
    ($($name:ident),*) => {$(
        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

plain!(Notify, Completion, WaitQueue);

/// The future of [`Notify::wait`] and [`Completion::wait`].
///
/// Polled again after it was ready, it waits anew.
#[must_use = "futures do nothing unless awaited"]
pub struct Wait<'a, M: Machine> {
    queue: &'a Queue,
    machine: &'a M,
    waiter: Waiter,
    /// It may be in the queue.
    polled: Cell<bool>,
    /// What becomes of a wake that it passes on where nobody waits.
    gift: Gift,
}

impl<'a, M: Machine> Wait<'a, M> {
    fn on(queue: &'a Queue, machine: &'a M, gift: Gift) -> Self {
        Self { queue, machine, waiter: Waiter::new(), polled: Cell::new(false), gift }
    }

    fn poll_pinned(self: Pin<&Self>, context: &mut Context<'_>) -> Poll<()> {
        // Pinned: `waiter` stays where it is until the drop unlinks it.
        let this = self.get_ref();
        this.polled.set(true);
        this.queue.poll(this.machine, NonNull::from(&this.waiter), context.waker())
    }

    fn leave(&self) {
        if self.polled.take() {
            self.queue.leave(self.machine, NonNull::from(&self.waiter), self.gift);
        }
    }
}

impl<M: Machine> Future for Wait<'_, M> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.as_ref().poll_pinned(context)
    }
}

impl<M: Machine> Drop for Wait<'_, M> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<M: Machine> fmt::Debug for Wait<'_, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wait").field("polled", &self.polled.get()).finish_non_exhaustive()
    }
}

/// The future of [`WaitQueue::wait_until`].
#[must_use = "futures do nothing unless awaited"]
pub struct WaitUntil<'a, M: Machine, F> {
    wait: Wait<'a, M>,
    condition: F,
}

impl<M: Machine, R, F: FnMut() -> Option<R>> Future for WaitUntil<'_, M, F> {
    type Output = R;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        // SAFETY: nothing is moved out of it; `wait` is pinned with it, and `condition` never is.
        let this = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let wait = unsafe { Pin::new_unchecked(&this.wait) };
        let mut look = Look { wait: &this.wait, was_woken: false };
        // Queued first (Q4): once if it waits, again if it was woken.
        while wait.poll_pinned(context).is_ready() {
            look.was_woken = true;
        }
        let result = (this.condition)();
        mem::forget(look);
        if result.is_some() {
            // At once, and not when it is dropped: the next wake is for one who waits.
            wait.get_ref().leave();
        }
        result.map_or(Poll::Pending, Poll::Ready)
    }
}

/// A look at a condition that is under way. Dropped because that panics, it passes on the wake that it was for (Q3).
struct Look<'a, 'b, M: Machine> {
    wait: &'b Wait<'a, M>,
    was_woken: bool,
}

impl<M: Machine> Drop for Look<'_, '_, M> {
    fn drop(&mut self) {
        self.wait.leave();
        if self.was_woken {
            self.wait.queue.wake_one(self.wait.machine, Gift::None);
        }
    }
}

impl<M: Machine, F> fmt::Debug for WaitUntil<'_, M, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitUntil").field("wait", &self.wait).finish_non_exhaustive()
    }
}
