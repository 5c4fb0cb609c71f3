//! Fixed priorities with turns: the one structure behind `Realtime`, `RoundRobin` and `Stop`.
//!
//! - **P1** The bit of a level is set exactly if its list is not empty.
//! - **P2** A task's `place` says which class has it and at what level, as long as one does: queued or
//!   current.
//! - **P3** Who is preempted goes on first of its level, with what is left of its turn; whose turn is
//!   over goes last, with a new one.

use super::held::Held;
use super::list::{List, ListTask, Place, node};
use super::outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
use super::sched_class::{STEAL_CANDIDATES, SchedClass};
use super::stopwatch::Stopwatch;
use super::throttle::Throttle;
use core::fmt;
use core::marker::PhantomData;
use core::ptr::NonNull;

/// What tells one class of levels from another: see [`Realtime`](super::Realtime),
/// [`RoundRobin`](super::RoundRobin) and [`Stop`](super::Stop).
pub trait Kind<T> {
    /// The name of the class. No two have the same.
    const NAME: &'static str;

    /// How urgent a task is: greater is more. What is beyond the last level counts as that.
    fn level(task: &T) -> u8;
}

/// Tasks at `LEVELS` levels, at most 128: the most urgent level runs, its tasks in turns.
///
/// Every operation is O(1); a theft looks at [`STEAL_CANDIDATES`].
pub struct Levels<T: ListTask, K: Kind<T>, const LEVELS: usize> {
    lists: [List<T>; LEVELS],
    occupied: u128,
    current: Option<Held<T>>,
    runnable: usize,
    stopwatch: Stopwatch,
    turn_ns: u64,
    throttle: Throttle,
    kind: PhantomData<fn() -> K>,
}

impl<T: ListTask, K: Kind<T>, const LEVELS: usize> Levels<T, K, LEVELS> {
    pub(super) const fn with_turns(turn_ns: u64, throttle: Throttle) -> Self {
        const { assert!(0 < LEVELS && LEVELS <= 128, "a bit for each level") };
        Levels {
            lists: [const { List::new() }; LEVELS],
            occupied: 0,
            current: None,
            runnable: 0,
            stopwatch: Stopwatch::new(),
            turn_ns: if turn_ns == 0 { 1 } else { turn_ns },
            throttle,
            kind: PhantomData,
        }
    }

    /// How much of its share the class has had.
    #[must_use]
    pub const fn throttle(&self) -> &Throttle {
        &self.throttle
    }

    /// The most urgent level at which a task is queued.
    fn top(&self) -> Option<u8> {
        self.occupied.checked_ilog2().map(|level| level as u8)
    }

    fn current_level(&self) -> Option<u8> {
        let place = node(&**self.current.as_ref()?).place.get();
        place.map(|place| place.level)
    }

    /// Charges the current task, and the class.
    fn account(&mut self, now_ns: u64) {
        let ran_ns = self.stopwatch.lap(now_ns);
        let ran_ns = match &self.current {
            Some(current) => {
                let left_ns = &node(&**current).left_ns;
                left_ns.set(left_ns.get().saturating_sub(ran_ns));
                ran_ns
            }
            None => 0,
        };
        self.throttle.charge(ran_ns, now_ns);
    }

    /// Whether the pick would be another one.
    fn resched(&self) -> Resched {
        let Some(current) = &self.current else {
            return Resched::when(self.occupied != 0 && !self.throttle.is_throttled());
        };
        let is_over = node(&**current).left_ns.get() == 0;
        let is_preempted = match (self.top(), self.current_level()) {
            (Some(top), Some(level)) => top > level || (top == level && is_over),
            _ => false,
        };
        Resched::when(is_preempted || self.throttle.is_throttled())
    }

    fn push(&mut self, task: Held<T>, level: u8, is_first: bool) {
        let node = node(&*task);
        node.place.set(Some(Place { class: K::NAME, level }));
        let Some(list) = self.lists.get_mut(usize::from(level)) else { return };
        self.occupied |= 1 << level;
        if is_first {
            list.push_front(task);
        } else {
            node.left_ns.set(self.turn_ns);
            list.push_back(task);
        }
    }

    /// Takes out what `take` takes from the list of that level.
    fn pull(
        &mut self,
        level: u8,
        take: impl FnOnce(&mut List<T>) -> Option<Held<T>>,
    ) -> Option<Held<T>> {
        let list = self.lists.get_mut(usize::from(level))?;
        let task = take(list);
        if list.is_empty() {
            self.occupied &= !(1 << level);
        }
        task
    }

    /// Ends the turn of the current task (P3).
    fn put_back(&mut self, gives_way: bool) {
        let level = self.current_level();
        if let (Some(level), Some(current)) = (level, self.current.take()) {
            let is_first = !gives_way && node(&*current).left_ns.get() > 0;
            self.push(current, level, is_first);
        }
    }

    fn release(&mut self, task: Held<T>) -> T::Handle {
        node(&*task).place.set(None);
        self.runnable -= 1;
        task.into_handle()
    }
}

impl<T: ListTask, K: Kind<T>, const LEVELS: usize> SchedClass<T> for Levels<T, K, LEVELS> {
    fn enqueue_task(
        &mut self,
        task: T::Handle,
        _: Enqueue,
        now_ns: u64,
    ) -> Result<Resched, AlreadyQueued<T::Handle>> {
        self.account(now_ns);
        let task = Held::<T>::new(task);
        if node(&*task).place.get().is_some() {
            return Err(AlreadyQueued(task.into_handle()));
        }
        let level = K::level(&task).min((LEVELS - 1) as u8);
        self.push(task, level, false);
        self.runnable += 1;
        Ok(self.resched())
    }

    unsafe fn dequeue_task(
        &mut self,
        task: NonNull<T>,
        _: Dequeue,
        now_ns: u64,
    ) -> Dequeued<T::Handle> {
        self.account(now_ns);
        // SAFETY: Live, by the caller's promise.
        let place = node(unsafe { task.as_ref() }).place.get();
        let Some(place) = place.filter(|place| place.class == K::NAME) else {
            return Dequeued::NotQueued;
        };
        let is_current = self.current.as_ref().is_some_and(|current| current.is(task));
        let out = if is_current {
            self.current.take()
        } else {
            // SAFETY: It has a place of this class, so it is in this one, by the caller's promise; it
            // is not current, so it is in the list of its level (P2).
            self.pull(place.level, |list| Some(unsafe { list.remove(task) }))
        };
        out.map_or(Dequeued::NotQueued, |task| Dequeued::Out(self.release(task)))
    }

    fn pick_next_task(&mut self, now_ns: u64) -> Pick<'_, T> {
        self.account(now_ns);
        if self.resched() == Resched::Yes {
            self.put_back(false);
        }
        if self.current.is_none() && !self.throttle.is_throttled() {
            let next = self.top().and_then(|top| self.pull(top, List::pop_front));
            self.current = next;
            self.stopwatch.start(now_ns);
        }
        match &self.current {
            Some(current) => {
                let left_ns = &node(&**current).left_ns;
                if left_ns.get() == 0 {
                    left_ns.set(self.turn_ns);
                }
                Pick::Run(current)
            }
            None => Pick::Idle,
        }
    }

    fn put_prev_task(&mut self, now_ns: u64) {
        self.account(now_ns);
        self.put_back(false);
    }

    fn yield_task(&mut self, now_ns: u64) {
        self.account(now_ns);
        self.put_back(true);
    }

    fn task_tick(&mut self, now_ns: u64) -> Resched {
        self.account(now_ns);
        self.resched()
    }

    fn check_preempt_curr(&mut self, task: &T, now_ns: u64) -> Resched {
        self.account(now_ns);
        let level = node(task).place.get().map(|place| place.level);
        Resched::when(self.resched() == Resched::Yes && level == self.top())
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&T) -> bool) -> Option<T::Handle> {
        let levels = (0..LEVELS as u8).filter(|level| self.occupied & (1 << level) != 0);
        let tasks = levels.flat_map(|level| {
            let list = self.lists.get(usize::from(level));
            list.into_iter().flat_map(List::iter_back).map(move |task| (level, task))
        });
        // SAFETY: Those in a list are live, and nobody has a `&mut` to them.
        let mut last =
            tasks.take(STEAL_CANDIDATES).filter(|(_, task)| may_take(unsafe { task.as_ref() }));
        let (level, task) = last.next()?;
        drop(last);
        // SAFETY: It was found there.
        let stolen = self.pull(level, |list| Some(unsafe { list.remove(task) }))?;
        Some(self.release(stolen))
    }

    fn current(&self) -> Option<&T> {
        self.current.as_deref()
    }

    fn holds(&self, task: &T) -> bool {
        node(task).place.get().is_some_and(|place| place.class == K::NAME)
    }

    fn runnable(&self) -> usize {
        self.runnable
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        let left_ns = node(&**self.current.as_ref()?).left_ns.get().min(self.throttle.left_ns());
        (left_ns != u64::MAX).then(|| self.stopwatch.after(left_ns))
    }
}

impl<T: ListTask, K: Kind<T>, const LEVELS: usize> Drop for Levels<T, K, LEVELS> {
    fn drop(&mut self) {
        if let Some(current) = &self.current {
            node(&**current).place.set(None);
        }
    }
}

impl<T: ListTask, K: Kind<T>, const LEVELS: usize> fmt::Debug for Levels<T, K, LEVELS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(K::NAME)
            .field("runnable", &self.runnable)
            .field("level", &self.current_level())
            .field("throttle", &self.throttle)
            .finish_non_exhaustive()
    }
}
