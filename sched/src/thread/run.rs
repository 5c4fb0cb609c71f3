//! The loop's part: whose turn it is, and what becomes of a thread that comes back.

use super::cpu::{Chosen, InFlight, Queue};
use super::tcb::{Life, Stopped, Tcb};
use crate::class::{Dequeue, Enqueue};
use crate::core_loop::Core;
use crate::current::Poll;
use crate::run_task::{Polled, is_over};
use crate::state::End;
use crate::sync::Ordering;
use crate::task::{Header, Queued, Tier};
use crate::trace::{Event, Outcome, Trace, trace};
use crate::{CpuId, Machine, Scheduler, Step};
use core::ptr::NonNull;
use core::task::Context;

/// Whose turn it is, between a CPU's threads and its futures.
enum Turn {
    /// A thread's.
    Thread(NonNull<Tcb>),
    /// That of the future whose poll was preempted.
    InFlight(InFlight),
    /// A future's that is yet to be picked.
    Futures,
    /// A Critical future's, or nobody's.
    Nobody,
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Makes the queue, when the CPU enters for the first time.
    pub(crate) fn prepare_threads(&self) {
        let settings = &self.scheduler.settings.threads;
        let masked = self.scheduler.masked();
        self.cpu.threads.executor.policy.set(super::Policy::fair(settings.futures_nice));
        self.cpu.threads.queue.lock(&masked).get_or_insert_with(|| Queue::new(self.id, settings));
    }

    /// Gives a thread its turn, or a poll that was preempted. `None` if it is not theirs.
    pub(crate) fn run_threads(&mut self) -> Option<Step> {
        match self.whose_turn() {
            Turn::Nobody => None,
            // Unless thieves are quicker: then the choice is made anew.
            Turn::Futures => Some(self.run_future().unwrap_or(Step::Undone)),
            Turn::Thread(tcb) => {
                self.critical_polls = 0;
                self.make_way();
                self.run_thread(tcb);
                Some(Step::Ran)
            }
            Turn::InFlight(_) => {
                self.critical_polls = 0;
                self.make_way();
                self.go_on_with_poll();
                Some(Step::Ran)
            }
        }
    }

    /// Goes on with the poll that was preempted; `false` if there is none.
    pub(crate) fn go_on_with_poll(&mut self) -> bool {
        let Some(InFlight { header, tier }) = self.cpu.threads.local.in_flight.take() else {
            return false;
        };
        // SAFETY: its poll is under way, so the loop's reference keeps it live.
        let (id, name) = unsafe { (header.as_ref().id(), header.as_ref().meta().name) };
        trace!(self.scheduler, Event::Run { task: id, tier, name });
        let poll = Poll::begin(self.cpu, header, id);
        let polled = self.poll_in_executor(header, tier);
        drop(poll);
        let outcome = self.after_poll(header, polled);
        trace!(self.scheduler, Event::Stop { task: id, outcome });
        true
    }

    /// The CPU leaves: all its threads are to go elsewhere, and those that sleep in its queue come out of it. O(n log n).
    pub(crate) fn take_all_threads(&mut self) {
        let threads = &self.cpu.threads;
        loop {
            let masked = self.scheduler.masked();
            let now_ns = self.scheduler.machine.now_ns();
            let mut queue = threads.queue.lock(&masked);
            let taken = threads.with(&mut queue, |queue, _| queue.take_any(now_ns)).flatten();
            drop(queue);
            drop(masked);
            // SAFETY: the queue had it, so it is live; what it gives is a thread, with a header.
            let header = taken.and_then(|tcb| unsafe { tcb.as_ref() }.header.get());
            let Some(header) = header else { return };
            // SAFETY: it was `QUEUED` in the queue, which had the queue's reference, and has it no more.
            self.arrived.push_back(unsafe { Queued::from_raw(header) });
        }
    }

    /// As a pick of a future does it (PD2): what is left here is for others to take while this one runs.
    fn make_way(&mut self) {
        self.pass_on();
        self.hear_thieves();
        let published = self.publish();
        self.offer(published);
    }

    /// A CPU that pauses lets go of the thread that it ran last: it is in the queue, but for thieves to take only from here on.
    pub(crate) fn put_by(&mut self) {
        self.with_queue(Queue::put_prev);
    }

    fn whose_turn(&mut self) -> Turn {
        loop {
            let threads = &self.cpu.threads;
            if !threads.has_work() {
                return Turn::Nobody;
            }
            let in_flight = threads.local.in_flight.get();
            let has_futures =
                in_flight.is_some() || !self.normal.is_empty() || !self.background.is_empty();
            let limit = self.scheduler.settings.critical_limit_polls;
            let critical = !self.critical.is_empty() && !is_over(self.critical_polls, limit);
            let now_ns = self.scheduler.machine.now_ns();
            let masked = self.scheduler.masked();
            let chosen = threads.with(&mut threads.queue.lock(&masked), |queue, executor| {
                if critical && !queue.has_stop() {
                    // Critical futures are nobody's expense.
                    queue.put_prev(now_ns);
                    return Chosen::Nobody;
                }
                queue.choose(executor, has_futures, now_ns)
            });
            drop(masked);
            let turn = match chosen.unwrap_or(Chosen::Nobody) {
                Chosen::Nobody => Turn::Nobody,
                Chosen::Executor => in_flight.map_or(Turn::Futures, Turn::InFlight),
                Chosen::Thread(tcb) => Turn::Thread(tcb),
            };
            let level = match &turn {
                // SAFETY: the queue has it, so it is live.
                Turn::Thread(tcb) => unsafe { tcb.as_ref() }.policy.get().level(),
                Turn::InFlight(in_flight) => in_flight.tier.level(),
                Turn::Futures | Turn::Nobody => return turn,
            };
            if !self.set_level(level) {
                return turn;
            }
            // PC1: something came; the choice is made anew.
        }
    }

    /// Takes in a thread that became runnable, or came from another CPU. The queue has its `Queued` from now on.
    pub(crate) fn enqueue_thread(&mut self, tcb: NonNull<Tcb>, is_moved: bool) {
        // SAFETY: this loop has it (N1), so it is live.
        let this = unsafe { tcb.as_ref() };
        let why = match this.life.get() {
            Life::New => Enqueue::Fork,
            _ if is_moved => Enqueue::Move,
            _ => Enqueue::Wakeup,
        };
        match why {
            Enqueue::Move => this.stats.migrations.add(1),
            Enqueue::Wakeup => this.stats.wakes.add(1),
            Enqueue::Fork => {}
        }
        this.runnable_since_ns.set(self.scheduler.machine.now_ns());
        let is_all = self.queued() == 0 && !self.cpu.threads.has_work();
        let threads = &self.cpu.threads;
        let masked = self.scheduler.masked();
        let now_ns = self.scheduler.machine.now_ns();
        threads.with(&mut threads.queue.lock(&masked), |queue, executor| {
            // SAFETY: as above; a thread that sleeps in a queue has that queue's CPU for its home.
            unsafe { queue.enqueue(tcb, why, now_ns) };
            if is_all {
                // What this CPU is about to run is no thief's: else idle ones would pass it round.
                queue.choose(executor, false, now_ns);
            }
        });
    }

    /// If it is a thread that sleeps in this CPU's queue, takes it out: it is to be freed, or to go elsewhere.
    pub(crate) fn forget_thread(&self, task: &Queued, why: Dequeue) {
        if let Some(tcb) = task.tcb() {
            // SAFETY: this loop has it (N1); it is on its way, so it neither runs nor is queued.
            self.with_queue(|queue, now_ns| unsafe { queue.forget(tcb, why, now_ns) });
        }
    }

    pub(super) fn with_queue(&self, f: impl FnOnce(&mut Queue, u64)) {
        let threads = &self.cpu.threads;
        let masked = self.scheduler.masked();
        let now_ns = self.scheduler.machine.now_ns();
        let mut queue = threads.queue.lock(&masked);
        threads.with(&mut queue, |queue, _| f(queue, now_ns));
    }

    /// Runs a thread until it comes back, and puts it where it belongs then.
    fn run_thread(&mut self, tcb: NonNull<Tcb>) {
        // SAFETY: this CPU's queue has it as its current one, so it is live, and the loop's (N1).
        let this = unsafe { tcb.as_ref() };
        let Some(header) = this.header.get() else { return };
        // SAFETY: as above.
        let head = unsafe { header.as_ref() };
        let (id, name, tier) = (head.id(), head.meta().name, head.meta().tier);
        self.cpu.stats.thread_runs.add(1);
        trace!(self.scheduler, Event::Run { task: id, tier, name });
        let began_ns = self.scheduler.machine.now_ns();
        this.stats.runs.add(1);
        this.stats.wait_ns.add(began_ns.saturating_sub(this.runnable_since_ns.get()));
        let begin = head.state.begin_thread();
        this.touch();
        let poll = Poll::begin(self.cpu, header, id);
        self.scheduler.machine.interleave();
        if begin.was_notified {
            this.token.set(true);
        }
        let outcome = if begin.is_cancelled && this.life.get() == Life::New {
            // SAFETY: current in the queue.
            self.with_queue(|queue, now_ns| unsafe { queue.dequeue(tcb, Dequeue::Exit, now_ns) });
            // SAFETY: the thread is `RUNNING` by this loop and has not begun, so the stage is the loop's.
            unsafe { Header::clear(header) };
            drop(poll);
            self.cpu.stats.cancelled.add(1);
            // SAFETY: `RUNNING` by this loop, and the stage holds no closure any more.
            unsafe { self.finish(header) };
            Outcome::Cancelled
        } else {
            // SAFETY: the thread is `RUNNING` by this loop.
            unsafe { Header::poll(header, &mut Context::from_waker(core::task::Waker::noop())) };
            let now_ns = self.scheduler.machine.now_ns();
            this.stats.run_ns.add(now_ns.saturating_sub(began_ns));
            this.runnable_since_ns.set(now_ns);
            drop(poll);
            self.after_run(header, tcb)
        };
        trace!(self.scheduler, Event::Stop { task: id, outcome });
    }

    /// A thread came back, and its context is saved.
    fn after_run(&mut self, header: NonNull<Header>, tcb: NonNull<Tcb>) -> Outcome {
        // SAFETY: the loop's reference keeps the thread live up to the end of its run.
        let (state, stopped) = unsafe { (&header.as_ref().state, tcb.as_ref().stopped.get()) };
        match stopped {
            Stopped::Ended => {
                // SAFETY: current in the queue.
                self.with_queue(|queue, now_ns| unsafe {
                    queue.dequeue(tcb, Dequeue::Exit, now_ns)
                });
                self.cpu.stats.completed.add(1);
                // SAFETY: `RUNNING` by this loop, and the stage holds the output.
                unsafe { self.finish(header) };
                Outcome::Completed
            }
            Stopped::Yielded => {
                state.end_runnable();
                self.with_queue(|queue, now_ns| queue.give_way(now_ns));
                Outcome::Requeued
            }
            Stopped::Preempted => {
                // It stays the queue's current one: the next choice puts it back, or goes on with it.
                // SAFETY: as above.
                unsafe { tcb.as_ref() }.stats.preempted.add(1);
                state.end_runnable();
                self.cpu.stats.preempted.add(1);
                Outcome::Preempted
            }
            Stopped::Blocked => {
                let end = state.end();
                self.scheduler.machine.interleave();
                match end {
                    End::Requeue => Outcome::Requeued,
                    End::Idle => {
                        // Whoever wakes it, or gives up its last reference, pushes it to this CPU, whose loop is here: so it
                        // is live, and its place in the queue this loop's.
                        // SAFETY: as said; current in the queue.
                        self.with_queue(|queue, now_ns| unsafe {
                            queue.dequeue(tcb, Dequeue::Sleep, now_ns);
                        });
                        Outcome::Waits
                    }
                    End::Unreachable => {
                        // SAFETY: nobody else can reach it; current in the queue.
                        self.with_queue(|queue, now_ns| unsafe {
                            queue.dequeue(tcb, Dequeue::Exit, now_ns);
                        });
                        self.cpu.stats.unreachable.add(1);
                        // SAFETY: live until it is freed, and this loop has it.
                        let affinity = unsafe { Header::affinity(header) };
                        self.scheduler.forget_pinned(affinity.as_ref());
                        // SAFETY: there was one reference, the loop's, and no queue has the thread.
                        unsafe { Header::free(header) };
                        Outcome::Unreachable
                    }
                }
            }
        }
    }

    /// Polls a task: on the executor's stack, if it has one and the tier is one of its own, else here. Local futures share what is
    /// not for two stacks to touch (LO1), so they are polled here, and not preempted.
    ///
    /// # Safety
    ///
    /// As for [`Header::poll`].
    pub(crate) unsafe fn poll(
        &mut self,
        header: NonNull<Header>,
        tier: Tier,
        context: &mut Context<'_>,
    ) -> Polled {
        // SAFETY: the caller's promise: it is live.
        let may_be_preempted =
            tier != Tier::Critical && !unsafe { header.as_ref() }.meta().is_local;
        if may_be_preempted && self.cpu.threads.local.switch_in.get().is_some() {
            self.cpu.threads.local.job.set(Some(header));
            return self.poll_in_executor(header, tier);
        }
        // SAFETY: the caller's promise.
        if unsafe { Header::poll(header, context) } { Polled::Ready } else { Polled::Pending }
    }

    /// Lets the executor go on with its job, the poll of `header`.
    fn poll_in_executor(&mut self, header: NonNull<Header>, tier: Tier) -> Polled {
        let threads = &self.cpu.threads;
        let Some(switch_in) = threads.local.switch_in.get() else { return Polled::Pending };
        // SAFETY: the loop of the executor's CPU; `switch_in` was made for this type of scheduler.
        unsafe { switch_in(core::ptr::from_ref(self.scheduler).cast(), &threads.executor) };
        if threads.executor.stopped.get() == Stopped::Preempted {
            threads.local.in_flight.set(Some(InFlight { header, tier }));
            self.cpu.stats.preempted.add(1);
            return Polled::Preempted;
        }
        threads.local.job.set(None);
        if threads.local.is_done.get() { Polled::Ready } else { Polled::Pending }
    }
}

/// What came of looking for a thread to steal.
pub(crate) enum Theft {
    Taken(CpuId, Queued),
    Nothing,
    /// A lock was held, so that there may be one.
    Busy,
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// A thread of another CPU that would run last there, and may run here. Locks that are held are passed by.
    pub(crate) fn steal_thread(&self, me: CpuId, first: usize) -> Theft {
        let mut result = Theft::Nothing;
        // Ordering: Relaxed; a hint, or ordered by the caller's fence (PB1).
        let has_spare = |victim: &crate::cpu::Cpu| victim.threads.spare.load(Ordering::Relaxed) > 0;
        for (id, victim) in self.nearest_first(me, first, has_spare) {
            let threads = &victim.threads;
            let masked = self.masked();
            let Some(mut queue) = threads.queue.try_lock() else {
                result = Theft::Busy;
                continue;
            };
            let taken = threads.with(&mut queue, |queue, _| queue.steal(me)).flatten();
            drop(queue);
            drop(masked);
            self.machine.interleave();
            // SAFETY: the queue had it, so it is live; what is queued is a thread, with a header.
            if let Some(header) = taken.and_then(|tcb| unsafe { tcb.as_ref() }.header.get()) {
                // SAFETY: it was `QUEUED` in that queue, which had the queue's reference, and has it no more (U1).
                return Theft::Taken(id, unsafe { Queued::from_raw(header) });
            }
        }
        result
    }
}
