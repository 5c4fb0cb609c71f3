//! Sets of classes, composed at compile time: a set is a class, one over another.
//!
//! `Set<Set<Stop<T>, Realtime<T>>, Fair<T>>` is what most kernels want. What is not in it costs nothing.
//!
//! - **C1** A task is in one class of the set at most.
//! - **C2** One class of the set at most has a current task.

use super::held::Held;
use super::nice::Nice;
use super::outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
use super::sched_class::SchedClass;
use super::tcb::Tcb;
use core::ptr::NonNull;

/// A task that says which class of a [`Set`] it belongs to.
pub trait Policy {
    /// How many classes of the set are above its own: 0 for the first. What is beyond the last class
    /// counts as that.
    ///
    /// Asked for when the task is enqueued. To change it, take the task out and put it back.
    fn rank(&self) -> usize;
}

/// A class over another: while the upper one has something to run, the lower one runs nothing.
///
/// The upper one may be a set itself; the lower one is not, so there is one way to write a set.
#[derive(Debug, Default)]
pub struct Set<U, L> {
    upper: U,
    lower: L,
}

impl<U, L> Set<U, L> {
    /// One over the other.
    #[must_use]
    pub const fn new(upper: U, lower: L) -> Self {
        Set { upper, lower }
    }

    /// The upper class, or the set of all those above the lowest.
    #[must_use]
    pub const fn upper(&self) -> &U {
        &self.upper
    }

    /// The lowest class.
    #[must_use]
    pub const fn lower(&self) -> &L {
        &self.lower
    }

    #[cfg(feature = "threads")]
    pub(crate) const fn lower_mut(&mut self) -> &mut L {
        &mut self.lower
    }
}

impl<T, U, L> SchedClass<T> for Set<U, L>
where
    T: Tcb + Policy,
    U: SchedClass<T>,
    L: SchedClass<T>,
{
    const CLASSES: usize = {
        assert!(L::CLASSES == 1, "a set is written Set<Set<A, B>, C>");
        U::CLASSES + 1
    };

    fn enqueue_task(
        &mut self,
        task: T::Handle,
        why: Enqueue,
        now_ns: u64,
    ) -> Result<Resched, AlreadyQueued<T::Handle>> {
        let task = Held::<T>::new(task);
        if self.holds(&task) {
            return Err(AlreadyQueued(task.into_handle()));
        }
        if task.rank() < U::CLASSES {
            let resched = self.upper.enqueue_task(task.into_handle(), why, now_ns)?;
            Ok(if self.lower.current().is_some() { Resched::Yes } else { resched })
        } else {
            let resched = self.lower.enqueue_task(task.into_handle(), why, now_ns)?;
            Ok(unless(self.upper.current(), resched))
        }
    }

    unsafe fn dequeue_task(
        &mut self,
        task: NonNull<T>,
        why: Dequeue,
        now_ns: u64,
    ) -> Dequeued<T::Handle> {
        // SAFETY: The caller's promise: live, and in one of both or in none.
        unsafe {
            if self.upper.holds(task.as_ref()) {
                self.upper.dequeue_task(task, why, now_ns)
            } else {
                self.lower.dequeue_task(task, why, now_ns)
            }
        }
    }

    fn pick_next_task(&mut self, now_ns: u64) -> Pick<'_, T> {
        match self.upper.pick_next_task(now_ns) {
            Pick::Idle => self.lower.pick_next_task(now_ns),
            pick => {
                self.lower.put_prev_task(now_ns);
                pick
            }
        }
    }

    fn put_prev_task(&mut self, now_ns: u64) {
        self.upper.put_prev_task(now_ns);
        self.lower.put_prev_task(now_ns);
    }

    fn yield_task(&mut self, now_ns: u64) {
        self.upper.yield_task(now_ns);
        self.lower.yield_task(now_ns);
    }

    fn task_tick(&mut self, now_ns: u64) -> Resched {
        match self.upper.task_tick(now_ns) {
            Resched::Yes => Resched::Yes,
            Resched::No if self.upper.current().is_some() => Resched::No,
            Resched::No => self.lower.task_tick(now_ns),
        }
    }

    fn task_fork(&mut self, child: &T) {
        self.upper.task_fork(child);
        self.lower.task_fork(child);
    }

    unsafe fn set_nice(&mut self, task: NonNull<T>, nice: Nice, now_ns: u64) -> Resched {
        // SAFETY: The caller's promise: live, and in one of both or in none.
        unsafe {
            if self.upper.holds(task.as_ref()) {
                return self.upper.set_nice(task, nice, now_ns);
            }
            let resched = self.lower.set_nice(task, nice, now_ns);
            unless(self.upper.current(), resched)
        }
    }

    unsafe fn wake_delayed(&mut self, task: NonNull<T>, now_ns: u64) -> Option<Resched> {
        // SAFETY: The caller's promise: live, and in one of both or in none.
        unsafe {
            if self.upper.holds(task.as_ref()) {
                return self.upper.wake_delayed(task, now_ns);
            }
            let resched = self.lower.wake_delayed(task, now_ns)?;
            Some(unless(self.upper.current(), resched))
        }
    }

    fn check_preempt_curr(&mut self, task: &T, now_ns: u64) -> Resched {
        if self.upper.holds(task) {
            let resched = self.upper.check_preempt_curr(task, now_ns);
            return if self.lower.current().is_some() { Resched::Yes } else { resched };
        }
        let resched = self.lower.check_preempt_curr(task, now_ns);
        unless(self.upper.current(), resched)
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&T) -> bool) -> Option<T::Handle> {
        self.upper.steal_task(may_take).or_else(|| self.lower.steal_task(may_take))
    }

    fn current(&self) -> Option<&T> {
        self.upper.current().or(self.lower.current())
    }

    fn holds(&self, task: &T) -> bool {
        self.upper.holds(task) || self.lower.holds(task)
    }

    fn runnable(&self) -> usize {
        self.upper.runnable() + self.lower.runnable()
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        self.upper.turn_ends_ns().or(self.lower.turn_ends_ns())
    }
}

/// The lower class's answer does not count while the upper one runs.
fn unless<T>(upper_runs: Option<&T>, resched: Resched) -> Resched {
    if upper_runs.is_some() { Resched::No } else { resched }
}
