//! Which entity runs: the earliest deadline among the eligible.

use super::entity::{Entity, FairTask, State};
use super::slices::SliceRange;
use super::virtual_time::{VirtualTime, span};
use super::{Current, Fair};
use crate::class::held::Held;
use crate::class::outcome::{Dequeue, Pick, Resched};
use core::ptr::NonNull;
use rbtree_aug::Tree;

/// Who is to run.
enum Best<T: FairTask> {
    Current,
    Queued(NonNull<Entity<T>>),
}

impl<T: FairTask> Fair<T> {
    /// The current entity while it is protected; else the earliest deadline among the eligible, the
    /// current one at a draw. One of all is always eligible: the one with the least v.
    fn best(&self) -> Option<Best<T>> {
        let is_eligible = |at: &VirtualTime| self.average.is_eligible(*at);
        let running = self.current.as_ref().filter(|c| is_eligible(&c.entity().vruntime()));
        if running.is_some_and(Current::is_protected) {
            return Some(Best::Current);
        }
        let queued = self.timeline.earliest_deadline_while(is_eligible);
        match (running, queued) {
            (Some(running), Some(queued)) if running.entity().deadline() <= queued.deadline() => {
                Some(Best::Current)
            }
            (_, Some(queued)) => Some(Best::Queued(NonNull::from(queued))),
            (_, None) => self.current.as_ref().map(|_| Best::Current),
        }
    }

    /// Whether a pick would change what runs.
    pub(super) fn resched(&self) -> Resched {
        Resched::when(matches!(self.best(), Some(Best::Queued(_))))
    }

    /// Whether a pick would be `task`, which is in the queue.
    pub(super) fn would_pick(&self, task: &T) -> bool {
        let entity = NonNull::from(Entity::of(task));
        matches!(self.best(), Some(Best::Queued(best)) if best == entity)
    }

    pub(super) fn choose(&mut self, now_ns: u64) -> Pick<'_, T> {
        if let Some(Best::Queued(best)) = self.best() {
            // SAFETY: It is in the timeline.
            if unsafe { best.as_ref() }.is_delayed() {
                // SAFETY: As above.
                let asleep = unsafe { self.take_out(best, Dequeue::Sleep) };
                return asleep.map_or(Pick::Idle, |task| Pick::Asleep(task.into_handle()));
            }
            // SAFETY: As above.
            let task = unsafe { self.timeline.remove(best) };
            if let Some(prev) = self.current.take() {
                self.put_back(prev.task, State::Queued);
            }
            self.current = task.map(|task| Current { task, protected_until: None });
            self.stopwatch.start(now_ns);
        }
        self.protect();
        match &self.current {
            Some(current) => {
                current.entity().state.set(State::Running);
                Pick::Run(&current.task)
            }
            None => Pick::Idle,
        }
    }

    /// Protects the current task, if tasks are and it is not: until it had the shortest slice of all.
    fn protect(&mut self) {
        if !self.settings.run_to_parity {
            return;
        }
        let queue = self.slices();
        if let (Some(current), Some(queue)) = (&mut self.current, queue)
            && !current.is_protected()
        {
            let entity = current.task.entity();
            let slice = span(queue.shortest_ns.into(), entity.weight());
            current.protected_until = Some(entity.vruntime().plus(slice).min(entity.deadline()));
        }
    }

    /// The slices of all entities.
    pub(super) fn slices(&self) -> Option<SliceRange> {
        let running = self.current.as_ref().map(|c| SliceRange::of(c.entity().slice_ns()));
        let queued = self.timeline.summary().map(|(_, slices)| slices);
        match (running, queued) {
            (Some(running), Some(queued)) => Some(running.and(queued)),
            (one, other) => one.or(other),
        }
    }

    /// Puts an entity that is counted into the timeline.
    pub(super) fn put_back(&mut self, task: Held<T>, state: State) {
        task.entity().state.set(state);
        insert(&mut self.timeline, task);
    }
}

impl<T: FairTask> Current<T> {
    fn is_protected(&self) -> bool {
        self.protected_until.is_some_and(|until| self.entity().vruntime() < until)
    }
}

/// Inserts what is in no tree: its link is the class's own, so it is not refused.
pub(super) fn insert<T: FairTask>(timeline: &mut Tree<Entity<T>>, task: Held<T>) {
    let refused = timeline.insert(task);
    debug_assert!(refused.is_ok(), "the entity is in two queues");
}
