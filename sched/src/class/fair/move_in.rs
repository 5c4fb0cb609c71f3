//! Into the queue and out of it: lag is what a task takes along.

use super::Fair;
use super::entity::{Entity, FairTask, State};
use super::pick::insert;
use super::settings::FairSettings;
use super::virtual_time::{scale, span};
use crate::class::held::Held;
use crate::class::outcome::{Dequeue, Dequeued, Enqueue};
use crate::class::tcb::MAX_WEIGHT;
use core::ptr::NonNull;

impl FairSettings {
    /// A new request, from where the entity is.
    pub(super) fn renew<T: FairTask>(&self, entity: &Entity<T>, task: &T, runnable: usize) {
        entity.slice_ns.set(self.request_ns(task.slice_ns(), runnable));
        entity.request(i64::MAX);
    }
}

impl<T: FairTask> Entity<T> {
    /// Sets the deadline that its slice asks for, or one that is `at_most` so far off.
    fn request(&self, at_most: i64) {
        let request = span(self.slice_ns().into(), self.weight()).min(at_most);
        self.deadline.set(self.vruntime().plus(request));
    }
}

impl<T: FairTask> Fair<T> {
    /// Takes a task in, with the lag that it took along; or hands it back, if it is in a class.
    pub(super) fn admit(&mut self, task: Held<T>, why: Enqueue) -> Result<(), Held<T>> {
        let entity = task.entity();
        let State::Out { lag, request } = entity.state.get() else { return Err(task) };
        let (lag, request) = if why == Enqueue::Fork { (0, None) } else { (lag, request) };
        // It may have been given another weight meanwhile.
        let weight = task.weight().clamp(1, MAX_WEIGHT);
        let [lag, request] = [Some(lag), request]
            .map(|span| span.map(|span| scale(span, entity.weight().into(), weight.into())));
        entity.weight.set(weight);

        self.runnable += 1;
        self.place(entity, lag.unwrap_or(0));
        self.settings.renew(entity, &task, self.runnable);
        let whole = entity.deadline().since(entity.vruntime());
        match (request, why) {
            (Some(request), _) => entity.deadline.set(entity.vruntime().plus(request.max(1))),
            // It has to show yet what it is like.
            (None, Enqueue::Fork) => entity.request(whole / 2),
            (None, _) => {}
        }
        entity.state.set(State::Queued);
        insert(&mut self.timeline, task);
        Ok(())
    }

    /// Counts an entity, at the v that gives it that lag (F5). Alone it has none.
    pub(super) fn place(&mut self, entity: &Entity<T>, lag: i64) {
        let (now, others) = (self.average.now(), self.average.weight());
        let offset = match others {
            0 => 0,
            _ => scale(lag, others.wrapping_add(entity.weight().into()), others),
        };
        entity.vruntime.set(now.plus(offset.wrapping_neg()));
        self.average.add(entity.vruntime(), entity.weight());
    }

    /// As [`dequeue_task`](crate::class::SchedClass::dequeue_task), with the current task charged.
    ///
    /// # Safety
    ///
    /// As there.
    pub(super) unsafe fn dismiss(&mut self, task: NonNull<T>, why: Dequeue) -> Dequeued<T::Handle> {
        // SAFETY: Live, by the caller's promise.
        let entity = unsafe { T::entity(task) };
        // SAFETY: A live field, changed by its cells alone.
        let state = unsafe { entity.as_ref() }.state.get();
        let out = match state {
            State::Out { .. } => None,
            State::Queued | State::Delayed => {
                // SAFETY: In a timeline, and so in this one, by the caller's promise.
                unsafe { self.take_out(entity, why) }
            }
            State::Running => match self.current.take() {
                Some(current) if why == Dequeue::Sleep && self.owes(current.entity()) => {
                    self.runnable -= 1;
                    self.put_back(current.task, State::Delayed);
                    return Dequeued::Delayed;
                }
                current => current.map(|current| {
                    self.runnable -= 1;
                    let slice_ns = current.entity().slice_ns();
                    self.leave(current.entity(), slice_ns, why);
                    current.task
                }),
            },
        };
        out.map_or(Dequeued::NotQueued, |task| Dequeued::Out(task.into_handle()))
    }

    fn owes(&self, entity: &Entity<T>) -> bool {
        self.settings.delay_dequeue && !self.average.is_eligible(entity.vruntime())
    }

    /// Takes an entity out of the timeline and out of the count.
    ///
    /// # Safety
    ///
    /// It points to a live one that is in the timeline or in none.
    pub(super) unsafe fn take_out(
        &mut self,
        entity: NonNull<Entity<T>>,
        why: Dequeue,
    ) -> Option<Held<T>> {
        // SAFETY: The caller's promise.
        let task = unsafe { self.timeline.remove(entity) }?;
        let entity = task.entity();
        if entity.state.get() == State::Queued {
            self.runnable -= 1;
        }
        self.leave(entity, entity.slice_ns(), why);
        Some(task)
    }

    /// Stops counting an entity, and leaves it its lag (F4).
    fn leave(&mut self, entity: &Entity<T>, own_slice_ns: u32, why: Dequeue) {
        let longest_ns = self.slices().map_or(0, |slices| slices.longest_ns).max(own_slice_ns);
        let limit = span(self.settings.lag_limit_ns(longest_ns), entity.weight());
        let lag = self.average.now().since(entity.vruntime()).clamp(-limit, limit);
        let lag = if entity.is_delayed() { lag.min(0) } else { lag };
        self.average.remove(entity.vruntime(), entity.weight());
        let request = entity.deadline().since(entity.vruntime());
        entity.state.set(match why {
            Dequeue::Sleep => State::Out { lag, request: None },
            Dequeue::Move => State::Out { lag, request: Some(request) },
            Dequeue::Exit => State::NEW,
        });
    }

    /// Wakes a delayed task in place, and tells whether it was one. Had it slept until it was owed
    /// something, that is forgotten.
    ///
    /// # Safety
    ///
    /// `task` points to a live task that is in this class or in none.
    pub(super) unsafe fn rouse(&mut self, task: NonNull<T>) -> bool {
        // SAFETY: Live, by the caller's promise.
        let pointer = unsafe { T::entity(task) };
        // SAFETY: A live field, changed by its cells alone.
        let entity = unsafe { pointer.as_ref() };
        if !entity.is_delayed() {
            return false;
        }
        if self.average.now().since(entity.vruntime()) > 0 {
            // SAFETY: A delayed one is in the timeline: this one, by the caller's promise.
            let Some(task) = (unsafe { self.timeline.remove(pointer) }) else { return false };
            self.average.remove(entity.vruntime(), entity.weight());
            self.place(entity, 0);
            entity.request(i64::MAX);
            self.put_back(task, State::Queued);
        } else {
            entity.state.set(State::Queued);
        }
        self.runnable += 1;
        true
    }
}
