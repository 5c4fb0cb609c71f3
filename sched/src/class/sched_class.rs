//! The trait of a scheduling class.

use super::nice::Nice;
use super::outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
use super::tcb::Tcb;
use core::ptr::NonNull;

/// The runnable tasks of one CPU, in the order of one policy.
///
/// A class is a plain data structure: it knows no CPU, no clock and no lock, and takes the time, in
/// nanoseconds, from who calls it. Whoever has the `&mut` is alone with it, so the one rule of use is
/// who that is: the CPU's own loop, or a thief under the class's lock.
///
/// The class has the handles of its tasks, its current one's included: what was enqueued comes back
/// from [`dequeue_task`](Self::dequeue_task), [`steal_task`](Self::steal_task) or [`Pick::Asleep`],
/// once.
///
/// ```text
///                     enqueue_task                 pick_next_task
///    out of the class ────────────► queued ───────────────────────► current
///          ▲                          │ ▲                              │
///          ├──────────────────────────┘ └──────────────────────────────┤
///          │  dequeue_task, steal_task    put_prev_task, yield_task,   │
///          │                              another one picked           │
///          └───────────────────────────────────────────────────────────┘
///                               dequeue_task
/// ```
///
/// Besides, a class may keep a task that sleeps (`Delayed`): it is in the queue, and not runnable.
pub trait SchedClass<T: Tcb> {
    /// How many classes it is: 1, but for a [`Set`](super::Set).
    const CLASSES: usize = 1;

    /// Takes a task in, and answers whether the CPU should pick anew. It is not so that the pick then
    /// must be this one.
    ///
    /// # Errors
    ///
    /// [`AlreadyQueued`] with the handle inside, if the task is in a class.
    fn enqueue_task(
        &mut self,
        task: T::Handle,
        why: Enqueue,
        now_ns: u64,
    ) -> Result<Resched, AlreadyQueued<T::Handle>>;

    /// Takes a task out: a queued one, the current one, or one that was delayed.
    ///
    /// # Safety
    ///
    /// `task` points to a live task that is in this class or in none.
    unsafe fn dequeue_task(
        &mut self,
        task: NonNull<T>,
        why: Dequeue,
        now_ns: u64,
    ) -> Dequeued<T::Handle>;

    /// Chooses what to run, and makes it the current task; the one before goes back to the queue
    /// unless it is chosen again.
    fn pick_next_task(&mut self, now_ns: u64) -> Pick<'_, T>;

    /// Puts the current task, if there is one, back into the queue: another class runs.
    fn put_prev_task(&mut self, now_ns: u64);

    /// As [`put_prev_task`](Self::put_prev_task), of a task that lets others go first.
    fn yield_task(&mut self, now_ns: u64) {
        self.put_prev_task(now_ns);
    }

    /// Charges the current task for the time that it ran, and answers whether its turn is over.
    fn task_tick(&mut self, now_ns: u64) -> Resched;

    /// Prepares `child` for a life of its own, if it is in no class: what the class keeps in it, and
    /// was copied from a parent or left by an earlier life, is forgotten. Then it is to be enqueued
    /// with [`Enqueue::Fork`].
    fn task_fork(&mut self, child: &T) {
        let _ = child;
    }

    /// Changes the weight of a task to that of `nice`. A class without weights ignores it.
    ///
    /// # Safety
    ///
    /// As for [`dequeue_task`](Self::dequeue_task).
    unsafe fn set_nice(&mut self, task: NonNull<T>, nice: Nice, now_ns: u64) -> Resched {
        let _ = (task, nice, now_ns);
        Resched::No
    }

    /// Wakes a task that [`dequeue_task`](Self::dequeue_task) delayed; `None` if it is not delayed,
    /// and then it is to be enqueued. A class that delays nothing need not provide it.
    ///
    /// # Safety
    ///
    /// As for [`dequeue_task`](Self::dequeue_task).
    unsafe fn wake_delayed(&mut self, task: NonNull<T>, now_ns: u64) -> Option<Resched> {
        let _ = (task, now_ns);
        None
    }

    /// Whether `task`, which has come into the queue, should run instead of the current one.
    fn check_preempt_curr(&mut self, task: &T, now_ns: u64) -> Resched;

    /// Takes out a queued task that another CPU may have, seen from the one that would run last. Looks
    /// at [`STEAL_CANDIDATES`] at most, and asks `may_take` of each that is runnable. Does not charge
    /// the current task: the thief's clock is another one.
    fn steal_task(&mut self, may_take: &mut dyn FnMut(&T) -> bool) -> Option<T::Handle>;

    /// The current task.
    fn current(&self) -> Option<&T>;

    /// Whether `task` is in this class: queued, current or delayed.
    fn holds(&self, task: &T) -> bool;

    /// How many tasks are runnable, the current one included.
    fn runnable(&self) -> usize;

    /// When the current task's turn is over, if that can be told: the time at which a tick is due.
    /// `None` if nothing ends it, or there is none.
    fn turn_ends_ns(&self) -> Option<u64>;
}

/// The most tasks that a thief looks at.
pub const STEAL_CANDIDATES: usize = 8;
