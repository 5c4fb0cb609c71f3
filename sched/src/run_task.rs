//! Pick and run: the middle of a step.

use crate::core_loop::Core;
use crate::current::Poll;
use crate::state::{Begin, End};
use crate::sync::Ordering;
use crate::task::{Header, Queued, Tier, waker_for_poll};
use crate::trace::{Event, Outcome, Trace, trace};
use crate::{Machine, Step};
use core::ptr::NonNull;
use core::task::Context;

/// What came of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    Ready,
    Pending,
    /// It was made to stop in its midst.
    #[cfg(feature = "threads")]
    Preempted,
}

/// What a pick came to.
enum Picked {
    Task(Queued, Tier),
    /// Something came that is not for it to choose.
    #[cfg(feature = "threads")]
    Undone,
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Picks a future and polls it; or finds that the choice is to be made anew. `None` if there is none here.
    pub(crate) fn run_future(&mut self) -> Option<Step> {
        match self.pick()? {
            Picked::Task(task, tier) => {
                self.pass_on();
                self.run_task(task, tier);
                Some(Step::Ran)
            }
            #[cfg(feature = "threads")]
            Picked::Undone => Some(Step::Undone),
        }
    }

    /// The next task, by tier and age. `None` if there is none here.
    fn pick(&mut self) -> Option<Picked> {
        loop {
            let tier = self.next_tier()?;
            // The level falls at most twice before something is taken or a more urgent task was found.
            if self.set_level(tier.level()) {
                // PC1: a thread may have come, whose turn it is rather than any future's.
                #[cfg(feature = "threads")]
                if self.cpu.threads.has_work() {
                    return Some(Picked::Undone);
                }
                continue;
            }
            if let Some(task) = self.take(tier) {
                return Some(Picked::Task(task, tier));
            }
            // Thieves were quicker.
        }
    }

    /// Publishes what is about to run. PC1: a lower level is published, fenced, and what came meanwhile is drained; then the
    /// choice is to be made anew, and the answer is `true`.
    #[inline]
    pub(crate) fn set_level(&mut self, level: u8) -> bool {
        let lowered = level < self.level;
        if level != self.level {
            self.level = level;
            if lowered {
                self.cpu.level.lower(level);
                self.scheduler.machine.interleave();
                if !self.has_drained_all() {
                    self.drain_inboxes();
                    return true;
                }
            } else {
                self.cpu.level.raise(level);
            }
        }
        false
    }

    /// The tier whose turn it is.
    #[inline]
    fn next_tier(&self) -> Option<Tier> {
        let settings = &self.scheduler.settings;
        let (normal, background) = (!self.normal.is_empty(), !self.background.is_empty());
        if !self.critical.is_empty() {
            let lower_is_due = is_over(self.critical_polls, settings.critical_limit_polls);
            if !lower_is_due || !(normal || background) {
                return Some(Tier::Critical);
            }
        }
        match (normal, background) {
            (true, true) if is_over(self.normal_polls, settings.background_limit_polls) => {
                Some(Tier::Background)
            }
            (true, _) => Some(Tier::Normal),
            (false, true) => Some(Tier::Background),
            (false, false) => None,
        }
    }

    fn take(&mut self, tier: Tier) -> Option<Queued> {
        self.hear_thieves();
        let task = match tier {
            Tier::Critical => self.critical.pop_front(),
            Tier::Normal => self.normal.take(),
            Tier::Background => self.background.take(),
        }?;
        self.count_turn(tier);
        self.scheduler.machine.interleave();
        // Q4, in both tiers: what stands behind is for others to take while this one runs.
        let published = self.publish();
        self.offer(published);
        Some(task)
    }

    /// Keeps the counts that [`next_tier`](Self::next_tier) goes by.
    #[inline]
    fn count_turn(&mut self, tier: Tier) {
        match tier {
            Tier::Critical => self.critical_polls = self.critical_polls.saturating_add(1),
            Tier::Normal => {
                self.critical_polls = 0;
                self.normal_polls = self.normal_polls.saturating_add(1);
            }
            Tier::Background => (self.critical_polls, self.normal_polls) = (0, 0),
        }
    }

    /// PD2: takes note of a thief's request. Before publication, so that each request is answered by one that comes
    /// after it.
    #[inline]
    pub(crate) fn hear_thieves(&self) {
        // Ordering: Relaxed; a request not seen now is seen by the next pass, for which its kick asks.
        if self.cpu.hungry.load(Ordering::Relaxed) {
            // Ordering: AcqRel; pairs with the thief's swap.
            self.cpu.hungry.swap(false, Ordering::AcqRel);
            self.scheduler.machine.interleave();
        }
    }

    /// Makes tasks of both stealable tiers takeable where their deques are empty; tells whether it did. Not where nobody is
    /// there to take them: a CPU that comes, and finds nothing, is hungry.
    pub(crate) fn publish(&mut self) -> bool {
        // Ordering: Relaxed; `hear_thieves` has acquired what a thief's request comes after: that its CPU is online.
        if self.scheduler.online.has_none_but(self.id, CPUS, Ordering::Relaxed) {
            return false;
        }
        let normal = self.normal.publish();
        self.background.publish() || normal
    }

    /// PD2: with a task picked, or none to be run here, tells others how many there are, and wakes as many idle CPUs as
    /// there is work for.
    pub(crate) fn offer(&mut self, published: bool) {
        let spare = self.normal.stealable() + self.background.stealable();
        // Ordering: Relaxed; ordered before thieves' looks by the fence below whenever it rises from 1: what is
        // stealable now and was not then has been published in between.
        self.cpu.ready.store(spare + 1, Ordering::Relaxed);
        #[cfg(feature = "threads")]
        let (spare, published) = {
            // A thread that came into the queue was published there, if not behind a fence.
            // Ordering: Relaxed; only thieves lower it.
            let threads = self.cpu.threads.spare.load(Ordering::Relaxed);
            (spare + threads, published || threads > 0)
        };
        if spare > 0 {
            if published {
                self.scheduler.idle.publish_work();
            }
            self.scheduler.machine.interleave();
            self.scheduler.wake_idle(self.id.index() + 1, spare);
        }
    }

    /// Polls a task once, and puts it where it belongs then.
    pub(crate) fn run_task(&mut self, task: Queued, tier: Tier) {
        let (id, name) = (task.header().id(), task.header().meta().name);
        let header = task.into_header();
        // SAFETY: `header` came out of a `Queued`, whose reference is the loop's until `end` gives it up.
        let state = &unsafe { header.as_ref() }.state;
        self.cpu.stats.polls.add(1);
        trace!(self.scheduler, Event::Run { task: id, tier, name });
        let begin = state.begin();
        let poll = Poll::begin(self.cpu, header, id);
        self.scheduler.machine.interleave();
        let outcome = match begin {
            Begin::Cancelled => {
                // SAFETY: the task is `RUNNING` by this loop, so the stage is the loop's.
                unsafe { Header::clear(header) };
                drop(poll);
                self.cpu.stats.cancelled.add(1);
                // SAFETY: `RUNNING` by this loop, and the stage holds no future any more.
                unsafe { self.finish(header) };
                Outcome::Cancelled
            }
            Begin::Poll => {
                // SAFETY: the loop's reference keeps the task live during the poll.
                let waker = unsafe { waker_for_poll(header) };
                // SAFETY: the task is `RUNNING` by this loop; a cleared future is never picked again, because its
                // task is complete.
                let polled = unsafe { self.poll(header, tier, &mut Context::from_waker(&waker)) };
                // V1: before the task may be freed.
                drop(poll);
                self.after_poll(header, polled)
            }
        };
        trace!(self.scheduler, Event::Stop { task: id, outcome });
    }

    /// Polls a task.
    ///
    /// # Safety
    ///
    /// As for [`Header::poll`].
    #[cfg(not(feature = "threads"))]
    unsafe fn poll(
        &mut self,
        header: NonNull<Header>,
        _: Tier,
        context: &mut Context<'_>,
    ) -> Polled {
        // SAFETY: the caller's promise.
        if unsafe { Header::poll(header, context) } { Polled::Ready } else { Polled::Pending }
    }

    /// The end of a poll, or the beginning of a break in it.
    #[inline]
    pub(crate) fn after_poll(&mut self, header: NonNull<Header>, polled: Polled) -> Outcome {
        match polled {
            Polled::Ready => {
                self.cpu.stats.completed.add(1);
                // SAFETY: `RUNNING` by this loop, and the stage holds the output.
                unsafe { self.finish(header) };
                Outcome::Completed
            }
            Polled::Pending => self.put_away(header),
            // It stays `RUNNING`: it is on its way, on a stack of its own.
            #[cfg(feature = "threads")]
            Polled::Preempted => Outcome::Preempted,
        }
    }

    /// The end of a run that did not finish.
    fn put_away(&mut self, header: NonNull<Header>) -> Outcome {
        // SAFETY: the loop's reference keeps the task live up to this transition.
        let end = unsafe { header.as_ref() }.state.end();
        self.scheduler.machine.interleave();
        match end {
            End::Requeue => {
                // SAFETY: the task is `QUEUED` again, and still the loop's.
                self.enqueue(unsafe { Queued::from_raw(header) });
                self.woken_internal = self.woken_internal.wrapping_add(1);
                Outcome::Requeued
            }
            // PA3: it may be running elsewhere by now.
            End::Idle => Outcome::Waits,
            End::Unreachable => {
                self.cpu.stats.unreachable.add(1);
                // SAFETY: there was one reference, the loop's, so the task is live until it is freed below.
                let affinity = unsafe { Header::affinity(header) };
                self.scheduler.forget_pinned(affinity.as_ref());
                // SAFETY: there was one reference, the loop's, and no queue has the task.
                unsafe { Header::free(header) };
                Outcome::Unreachable
            }
        }
    }

    /// Completes the task, wakes who waits for it, and gives the loop's reference up.
    ///
    /// # Safety
    ///
    /// The task is `RUNNING` by this loop, and its stage holds the output, or nothing.
    pub(crate) unsafe fn finish(&mut self, header: NonNull<Header>) {
        // SAFETY: the loop's reference keeps the task live until it is released below.
        let affinity = unsafe { Header::affinity(header) };
        self.scheduler.forget_pinned(affinity.as_ref());
        // SAFETY: the caller's promise.
        unsafe { Header::finish(header, || self.scheduler.machine.interleave()) };
    }
}

/// Whether a lower tier is due after `polls` polls; never if the limit is `u32::MAX`.
#[inline]
pub(crate) fn is_over(polls: u32, limit: u32) -> bool {
    limit != u32::MAX && polls >= limit.max(1)
}
