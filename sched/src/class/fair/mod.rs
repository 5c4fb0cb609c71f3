//! The fair class: earliest eligible virtual deadline first (EEVDF).
//!
//! Each task has a weight, and asks for service in requests of a slice each. V, the queue's virtual
//! time, runs so that a task which always had its fair share would have v = V; `V − v` is its *lag*:
//! what it is owed, or owes. A task that is owed (v ≤ V) is *eligible*; among the eligible the one runs
//! whose request has the earliest virtual deadline, d = v + slice/weight. So shares follow weights,
//! nobody's lag goes beyond one request, and short requests are served soon.
//!
//! From I. Stoica and H. Abdel-Wahab, *Earliest Eligible Virtual Deadline First* (TR-95-22, 1995), and
//! what Linux learnt since it took that up in 6.6: lag over sleep, delayed dequeue, run to parity.
//!
//! - **F1** The timeline holds what is `Queued` or `Delayed`, by v, and `current` what is `Running`; the
//!   entities of one queue are these, and no entity is in two.
//! - **F2** The average is that of all of them (V1). So Σ wᵢ·(V − vᵢ) = 0.
//! - **F3** v, d, weight and slice of an entity in the timeline change only while it is taken out.
//! - **F4** A lag that leaves the queue lies within the longest slice there and one tick, as service;
//!   that of a task which sleeps on in the queue is never above 0.
//! - **F5** A lag that comes in is the lag it has then: v = V − lag·(W + w)/W, as the newcomer moves V.

mod average;
mod check;
mod entity;
mod move_in;
mod pick;
mod reweight;
mod settings;
mod slices;
mod virtual_time;

pub use check::{FairFault, FairMember};
pub use entity::{Entity, FairTask};
pub use settings::{FairSettings, SLICE_RANGE_NS};
pub use slices::{SliceRange, Slices};
pub use virtual_time::VirtualTime;

use super::held::Held;
use super::nice::Nice;
use super::outcome::{AlreadyQueued, Dequeue, Dequeued, Enqueue, Pick, Resched};
use super::sched_class::{STEAL_CANDIDATES, SchedClass};
use super::stopwatch::Stopwatch;
use average::Average;
use core::fmt;
use core::ptr::NonNull;
use entity::State;
use rbtree_aug::Tree;
use virtual_time::{service_ns, span};

/// The fair class of one CPU. See the [module](self).
pub struct Fair<T: FairTask> {
    timeline: Tree<Entity<T>>,
    average: Average,
    current: Option<Current<T>>,
    /// `Queued` and `Running`.
    runnable: usize,
    stopwatch: Stopwatch,
    settings: FairSettings,
}

struct Current<T: FairTask> {
    task: Held<T>,
    /// The virtual runtime until which it runs on, if tasks are protected.
    protected_until: Option<VirtualTime>,
}

impl<T: FairTask> Current<T> {
    fn entity(&self) -> &Entity<T> {
        self.task.entity()
    }
}

impl<T: FairTask> Fair<T> {
    /// An empty queue.
    #[must_use]
    pub const fn new(settings: FairSettings) -> Self {
        Self::starting_at(VirtualTime::ZERO, settings)
    }

    /// An empty queue whose virtual time begins there: nothing depends on where.
    #[must_use]
    pub const fn starting_at(start: VirtualTime, settings: FairSettings) -> Self {
        Fair {
            timeline: Tree::new(),
            average: Average::starting_at(start),
            current: None,
            runnable: 0,
            stopwatch: Stopwatch::new(),
            settings,
        }
    }

    /// V, rounded down. O(1), one division.
    #[must_use]
    pub fn virtual_time(&self) -> VirtualTime {
        self.average.get()
    }

    /// The weight of all tasks, the current one and those asleep in the queue included.
    #[must_use]
    pub fn weight(&self) -> u64 {
        self.average.weight()
    }

    /// What `task` is owed, or owes if negative, as service in nanoseconds, rounded down. While it is
    /// out: what it took along.
    #[must_use]
    pub fn lag_ns(&self, task: &T) -> i64 {
        let entity = Entity::of(task);
        let lag = match entity.state.get() {
            State::Out { lag, .. } => lag,
            _ => self.virtual_time().since(entity.vruntime()),
        };
        service_ns(lag, entity.weight())
    }

    /// Whether `task`, in this class, is owed service or even.
    #[must_use]
    pub fn is_eligible(&self, task: &T) -> bool {
        self.average.is_eligible(Entity::of(task).vruntime())
    }

    /// Charges the current task. Its request is renewed if it is served.
    fn account(&mut self, now_ns: u64) {
        let ran_ns = self.stopwatch.lap(now_ns);
        let Some(current) = &mut self.current else { return };
        let entity = current.task.entity();
        let step = span(ran_ns, entity.weight());
        entity.vruntime.set(entity.vruntime().plus(step));
        self.average.advance(step, entity.weight());
        if entity.vruntime() >= entity.deadline() {
            current.protected_until = None;
            self.settings.renew(entity, &current.task, self.runnable);
        }
    }
}

impl<T: FairTask> SchedClass<T> for Fair<T> {
    fn enqueue_task(
        &mut self,
        task: T::Handle,
        why: Enqueue,
        now_ns: u64,
    ) -> Result<Resched, AlreadyQueued<T::Handle>> {
        self.account(now_ns);
        self.admit(Held::new(task), why).map_err(|task| AlreadyQueued(task.into_handle()))?;
        Ok(self.resched())
    }

    unsafe fn dequeue_task(
        &mut self,
        task: NonNull<T>,
        why: Dequeue,
        now_ns: u64,
    ) -> Dequeued<T::Handle> {
        self.account(now_ns);
        // SAFETY: The caller's promise.
        unsafe { self.dismiss(task, why) }
    }

    fn pick_next_task(&mut self, now_ns: u64) -> Pick<'_, T> {
        self.account(now_ns);
        self.choose(now_ns)
    }

    fn put_prev_task(&mut self, now_ns: u64) {
        self.account(now_ns);
        if let Some(current) = self.current.take() {
            self.put_back(current.task, State::Queued);
        }
    }

    /// The current task gives up the rest of its request: it is charged as if it had had it, so that
    /// its next one comes after the others'.
    fn yield_task(&mut self, now_ns: u64) {
        self.account(now_ns);
        if let Some(current) = self.current.take() {
            let entity = current.entity();
            if self.average.is_eligible(entity.vruntime()) {
                let rest = entity.deadline().since(entity.vruntime());
                entity.vruntime.set(entity.deadline());
                self.average.advance(rest, entity.weight());
                self.settings.renew(entity, &current.task, self.runnable);
            }
            self.put_back(current.task, State::Queued);
        }
    }

    fn task_tick(&mut self, now_ns: u64) -> Resched {
        self.account(now_ns);
        self.resched()
    }

    fn task_fork(&mut self, child: &T) {
        let entity = Entity::of(child);
        if !entity.is_held() {
            entity.state.set(State::NEW);
        }
    }

    unsafe fn set_nice(&mut self, task: NonNull<T>, nice: Nice, now_ns: u64) -> Resched {
        // SAFETY: The caller's promise.
        unsafe { self.set_weight(task, nice.weight(), now_ns) }
    }

    unsafe fn wake_delayed(&mut self, task: NonNull<T>, now_ns: u64) -> Option<Resched> {
        self.account(now_ns);
        // SAFETY: The caller's promise.
        unsafe { self.rouse(task) }.then(|| self.resched())
    }

    fn check_preempt_curr(&mut self, task: &T, now_ns: u64) -> Resched {
        self.account(now_ns);
        Resched::when(self.would_pick(task))
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&T) -> bool) -> Option<T::Handle> {
        let mut last = self.timeline.iter().rev().take(STEAL_CANDIDATES);
        let stolen =
            last.find(|entity| !entity.is_delayed() && entity.task().is_some_and(&mut *may_take))?;
        let stolen = NonNull::from(stolen);
        // SAFETY: It was found in the timeline.
        unsafe { self.take_out(stolen, Dequeue::Move) }.map(Held::into_handle)
    }

    fn current(&self) -> Option<&T> {
        self.current.as_ref().map(|current| &*current.task)
    }

    fn holds(&self, task: &T) -> bool {
        Entity::of(task).is_held()
    }

    fn runnable(&self) -> usize {
        self.runnable
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        let entity = self.current.as_ref()?.entity();
        let left = entity.deadline().since(entity.vruntime()).max(0);
        // Rounded up: by then it is over.
        let left_ns = service_ns(left, entity.weight()).saturating_add(1);
        Some(self.stopwatch.after(left_ns.unsigned_abs()))
    }
}

/// Hands every task back, in no class and with no lag.
impl<T: FairTask> Drop for Fair<T> {
    fn drop(&mut self) {
        while let Some(task) =
            self.timeline.pop_first().or_else(|| self.current.take().map(|current| current.task))
        {
            task.entity().state.set(State::NEW);
        }
    }
}

impl<T: FairTask> fmt::Debug for Fair<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fair")
            .field("runnable", &self.runnable)
            .field(
                "asleep",
                &(self.timeline.len() + usize::from(self.current.is_some()) - self.runnable),
            )
            .field("weight", &self.weight())
            .field("virtual_time", &self.virtual_time())
            .finish_non_exhaustive()
    }
}
