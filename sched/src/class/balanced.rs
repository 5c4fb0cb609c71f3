//! A class that knows how loaded it is, and evens that out with the same class of another CPU.
//!
//! - **B1** The load of the queue is the sum of what its runnable tasks were counted with, the current
//!   one included: each is counted once, with the load that it had when it came in or was reweighted,
//!   and what is taken off is what was put on.
//! - **B2** A task goes from one queue to another only if the two are less apart then: its load is less
//!   than the difference. So no task goes to and fro, and a round of balancing ends.

use super::held::Held;
use super::nice::Nice;
use super::outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
use super::sched_class::SchedClass;
use super::tcb::{Load, Tcb};
use core::cell::Cell;
use core::ptr::NonNull;

/// What a task embeds to be counted by a [`LoadBalanced`] class: how much it is counted with, and
/// whether it is.
#[derive(Debug, Default)]
pub struct LoadInfo {
    counted: Cell<Option<u32>>,
}

impl LoadInfo {
    /// That of a task in no class.
    #[must_use]
    pub const fn new() -> Self {
        LoadInfo { counted: Cell::new(None) }
    }

    /// What it is counted with, while it is runnable in a class.
    #[must_use]
    pub fn counted(&self) -> Option<u32> {
        self.counted.get()
    }
}

/// How loaded a queue is. Of two, the less loaded one is less; of two with the same load, the one with
/// fewer tasks: the least of several is where a task goes that may go anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueueLoad {
    /// The sum of the [`Load::load`]s of its runnable tasks, the current one included.
    pub load: u64,
    /// How many these are.
    pub tasks: usize,
}

impl QueueLoad {
    /// Whether a task of `load` that goes from here to `other` makes the two less apart (B2).
    #[must_use]
    pub const fn may_give(&self, other: &QueueLoad, load: u32) -> bool {
        load > 0 && self.load.saturating_sub(other.load) > load as u64
    }

    fn add(&mut self, load: u32) {
        self.load = self.load.saturating_add(u64::from(load));
        self.tasks = self.tasks.saturating_add(1);
    }

    fn take(&mut self, load: u32) {
        self.load = self.load.saturating_sub(u64::from(load));
        self.tasks = self.tasks.saturating_sub(1);
    }
}

/// A class over the load of whose tasks is kept, for placement, and for a pull that does not overshoot.
///
/// It orders nothing: turns, picks and preemption are those of the class inside, or of the
/// [`Set`](super::Set). It adds O(1) to each operation.
///
/// A CPU that balances publishes its [`queue_load`](Self::queue_load), and asks the more loaded one for
/// tasks under the lock of that one's class alone:
///
/// ```
/// use sched::class::{Enqueue, Load, LoadBalanced, LoadInfo, ListTask, Node, RoundRobin, SchedClass, Tcb};
/// use std::ptr::NonNull;
///
/// struct Task { node: Node<Task>, load: LoadInfo }
///
/// impl Tcb for Task {
///     type Handle = &'static Task;
/// }
///
/// impl Load for Task {
///     fn load_info(&self) -> &LoadInfo { &self.load }
/// }
///
/// // SAFETY: `node` is the field of that name, of this task alone, and no reference is made.
/// unsafe impl ListTask for Task {
///     unsafe fn node(task: NonNull<Self>) -> NonNull<Node<Self>> {
///         // SAFETY: `task` points to a `Task`, so its field is in bounds.
///         unsafe { NonNull::new_unchecked(&raw mut (*task.as_ptr()).node) }
///     }
/// }
///
/// let new_queue = || LoadBalanced::new(RoundRobin::<Task>::new(1_000_000));
/// let (mut busy, mut idle) = (new_queue(), new_queue());
/// for _ in 0..5 {
///     let task: &'static Task = Box::leak(Box::new(Task { node: Node::new(), load: LoadInfo::new() }));
///     let _ = busy.enqueue_task(task, Enqueue::Fork, 0).expect("it is new");
/// }
/// assert!(idle.queue_load() < busy.queue_load());
/// while let Some(task) = busy.pull_task(idle.queue_load(), &mut |_| true) {
///     let _ = idle.enqueue_task(task, Enqueue::Move, 0).expect("it is out");
/// }
/// // Five against none became three against two: one more would only have turned it round.
/// assert_eq!((busy.queue_load().tasks, idle.queue_load().tasks), (3, 2));
/// ```
#[derive(Debug, Default)]
pub struct LoadBalanced<C> {
    class: C,
    total: QueueLoad,
}

impl<C> LoadBalanced<C> {
    /// Counts the load of `class`, which has no tasks yet: those that it has are counted only from when
    /// they come in again.
    #[must_use]
    pub const fn new(class: C) -> Self {
        LoadBalanced { class, total: QueueLoad { load: 0, tasks: 0 } }
    }

    /// The class inside.
    #[must_use]
    pub const fn class(&self) -> &C {
        &self.class
    }

    /// How loaded it is. O(1).
    #[must_use]
    pub const fn queue_load(&self) -> QueueLoad {
        self.total
    }

    /// Takes out a task for a queue that is loaded as `thief`, if that makes the two less apart (B2),
    /// and if it may go, as [`steal_task`](SchedClass::steal_task): seen from the one that would run
    /// last, [`STEAL_CANDIDATES`](super::STEAL_CANDIDATES) at most. Asked again with the load that the
    /// thief has then, until it answers `None`, it leaves the two as even as those candidates allow.
    pub fn pull_task<T: Tcb + Load>(
        &mut self,
        thief: QueueLoad,
        may_take: &mut dyn FnMut(&T) -> bool,
    ) -> Option<T::Handle>
    where
        C: SchedClass<T>,
    {
        let mine = self.total;
        self.steal_task(&mut |task: &T| {
            let load = task.load_info().counted().unwrap_or(0);
            mine.may_give(&thief, load) && may_take(task)
        })
    }

    fn count(&mut self, task: &impl Load) {
        let load = task.load();
        task.load_info().counted.set(Some(load));
        self.total.add(load);
    }

    fn discount(&mut self, task: &impl Load) {
        if let Some(load) = task.load_info().counted.take() {
            self.total.take(load);
        }
    }
}

impl<T: Tcb + Load, C: SchedClass<T>> SchedClass<T> for LoadBalanced<C> {
    const CLASSES: usize = C::CLASSES;

    fn enqueue_task(
        &mut self,
        task: T::Handle,
        why: Enqueue,
        now_ns: u64,
    ) -> Result<Resched, AlreadyQueued<T::Handle>> {
        let task = Held::<T>::new(task);
        let (load, before) = (task.load(), task.load_info().counted.get());
        // Before the class has it; whatever an earlier class left in it counts no more.
        task.load_info().counted.set(Some(load));
        let resched =
            self.class.enqueue_task(task.into_handle(), why, now_ns).map_err(|error| {
                let task = Held::<T>::new(error.0);
                task.load_info().counted.set(before);
                AlreadyQueued(task.into_handle())
            })?;
        self.total.add(load);
        Ok(resched)
    }

    unsafe fn dequeue_task(
        &mut self,
        task: NonNull<T>,
        why: Dequeue,
        now_ns: u64,
    ) -> Dequeued<T::Handle> {
        // SAFETY: Live, by the caller's promise.
        let this = unsafe { task.as_ref() };
        if self.class.holds(this) {
            // A delayed one was taken off when it went to sleep.
            self.discount(this);
        }
        // SAFETY: The caller's promise.
        unsafe { self.class.dequeue_task(task, why, now_ns) }
    }

    fn pick_next_task(&mut self, now_ns: u64) -> Pick<'_, T> {
        // One that slept on was taken off when it went to sleep.
        self.class.pick_next_task(now_ns)
    }

    fn put_prev_task(&mut self, now_ns: u64) {
        self.class.put_prev_task(now_ns);
    }

    fn yield_task(&mut self, now_ns: u64) {
        self.class.yield_task(now_ns);
    }

    fn task_tick(&mut self, now_ns: u64) -> Resched {
        self.class.task_tick(now_ns)
    }

    fn task_fork(&mut self, child: &T) {
        self.class.task_fork(child);
    }

    unsafe fn set_nice(&mut self, task: NonNull<T>, nice: Nice, now_ns: u64) -> Resched {
        // SAFETY: The caller's promise.
        let resched = unsafe { self.class.set_nice(task, nice, now_ns) };
        // SAFETY: Live, by the caller's promise.
        let task = unsafe { task.as_ref() };
        if self.class.holds(task) && task.load_info().counted().is_some() {
            self.discount(task);
            self.count(task);
        }
        resched
    }

    unsafe fn wake_delayed(&mut self, task: NonNull<T>, now_ns: u64) -> Option<Resched> {
        // SAFETY: The caller's promise.
        let resched = unsafe { self.class.wake_delayed(task, now_ns) }?;
        // SAFETY: Live, by the caller's promise.
        self.count(unsafe { task.as_ref() });
        Some(resched)
    }

    fn check_preempt_curr(&mut self, task: &T, now_ns: u64) -> Resched {
        self.class.check_preempt_curr(task, now_ns)
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&T) -> bool) -> Option<T::Handle> {
        let stolen = Held::<T>::new(self.class.steal_task(may_take)?);
        self.discount(&*stolen);
        Some(stolen.into_handle())
    }

    fn current(&self) -> Option<&T> {
        self.class.current()
    }

    fn holds(&self, task: &T) -> bool {
        self.class.holds(task)
    }

    fn runnable(&self) -> usize {
        self.class.runnable()
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        self.class.turn_ends_ns()
    }
}
