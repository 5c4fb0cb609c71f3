//! What a CPU has for its threads.
//!
//! # Invariants
//!
//! - **U1** The queue is touched under its lock, which is held with interrupts masked: by the CPU's own loop, and by thieves,
//!   who take what is queued, never what runs. So nobody has a thread whose context is not saved.
//! - **U2** What stands beside the queue is the CPU's own: written by its loop, or by what runs on it, with interrupts masked.

use super::own_class::Lowest;
use super::settings::ThreadSettings;
use super::tcb::{Tcb, TcbRef};
use crate::class::fair::Entity;
use crate::class::{Dequeue, Enqueue, Fair, Pick, Realtime, SchedClass, Set, Stop};
use crate::lock::Lock;
use crate::sync::{AtomicUsize, Ordering, const_fn};
use crate::task::{Header, TaskId, Tier};
use core::cell::Cell;
use core::ptr::NonNull;
use mpsc_inbox::Inbox;
use sched_arch::{Context, CpuId};

type Classes = Set<Set<Stop<Tcb>, Realtime<Tcb>>, Lowest>;

/// The runnable threads of a CPU, and its executor.
pub(crate) struct Queue {
    classes: Classes,
    /// Runnable ones that more than one CPU may have, the current one included.
    stealable: usize,
    cpu: CpuId,
}

/// What the queue says who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chosen {
    Thread(NonNull<Tcb>),
    Executor,
    Nobody,
}

/// A task whose poll was preempted.
#[derive(Clone, Copy)]
pub(crate) struct InFlight {
    pub(crate) header: NonNull<Header>,
    pub(crate) tier: Tier,
}

/// Switches to a control block, on behalf of the scheduler at that address.
pub(crate) type SwitchIn = unsafe fn(*const (), &Tcb);

pub(crate) struct CpuThreads {
    /// `None` until the CPU enters for the first time.
    pub(crate) queue: Lock<Option<Queue>>,
    /// Threads that are runnable here, the one that runs included. Written under the lock.
    pub(crate) count: AtomicUsize,
    /// Those of them that thieves may have. Written under the lock.
    pub(crate) spare: AtomicUsize,
    /// Threads of this CPU of which something has changed.
    pub(crate) changes: Inbox<Tcb>,
    /// Stands in the fair class for all futures but the Critical ones.
    pub(crate) executor: Tcb,
    pub(crate) local: Local,
}

/// The CPU's own (U2).
pub(crate) struct Local {
    /// Where the loop goes on.
    pub(crate) loop_context: Cell<Context>,
    /// What runs, if it is not the loop.
    pub(crate) current: Cell<Option<NonNull<Tcb>>>,
    /// How many want what runs not to be preempted: a count for each context, which ends with its stay.
    pub(crate) preempt_off: Cell<u32>,
    /// How to switch to the executor, if it has a stack.
    pub(crate) switch_in: Cell<Option<SwitchIn>>,
    /// The task that the executor is to poll next, or polls.
    pub(crate) job: Cell<Option<NonNull<Header>>>,
    /// What came of the poll.
    pub(crate) is_done: Cell<bool>,
    pub(crate) in_flight: Cell<Option<InFlight>>,
}

// SAFETY: U2.
unsafe impl Sync for Local {}
// SAFETY: U2; a loop that leaves leaves it to the next one.
unsafe impl Send for Local {}

impl CpuThreads {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                queue: Lock::new(None),
                count: AtomicUsize::new(0),
                spare: AtomicUsize::new(0),
                changes: Inbox::new(),
                executor: Tcb::new(),
                local: Local {
                    loop_context: Cell::new(Context::EMPTY),
                    current: Cell::new(None),
                    preempt_off: Cell::new(0),
                    switch_in: Cell::new(None),
                    job: Cell::new(None),
                    is_done: Cell::new(false),
                    in_flight: Cell::new(None),
                },
            }
        }
    }

    /// Threads that are runnable here.
    pub(crate) fn count(&self) -> usize {
        // Ordering: Relaxed; only this CPU's loop raises it, and thieves lower it under the lock.
        self.count.load(Ordering::Relaxed)
    }

    /// Whether there is a thread to run, or a poll to go on with.
    pub(crate) fn has_work(&self) -> bool {
        self.count() > 0 || self.local.in_flight.get().is_some()
    }

    /// Calls `f` with the queue, and publishes its counts then. `None` before the CPU entered.
    pub(crate) fn with<R>(
        &self,
        queue: &mut Option<Queue>,
        f: impl FnOnce(&mut Queue, &Tcb) -> R,
    ) -> Option<R> {
        let queue = queue.as_mut()?;
        let result = f(queue, &self.executor);
        let executor = usize::from(queue.holds_runnable(&self.executor));
        // Ordering: Relaxed; see `count`. `spare` is a hint, but for the last look of PB1, which its fences order.
        self.count.store(queue.classes.runnable() - executor, Ordering::Relaxed);
        self.spare.store(queue.spare(), Ordering::Relaxed);
        Some(result)
    }
}

impl Queue {
    pub(crate) fn new(cpu: CpuId, settings: &ThreadSettings) -> Self {
        let realtime = Realtime::new(settings.realtime_turn_ns, settings.realtime_throttle);
        let classes =
            Set::new(Set::new(Stop::new(), realtime), Lowest::new(Fair::new(settings.fair)));
        Self { classes, stealable: 0, cpu }
    }

    /// Takes in a thread that became runnable.
    ///
    /// # Safety
    ///
    /// The caller has the thread (N1), whose queue's reference goes with it; or it sleeps in this very queue.
    pub(crate) unsafe fn enqueue(&mut self, tcb: NonNull<Tcb>, why: Enqueue, now_ns: u64) {
        // SAFETY: live.
        let this = unsafe { tcb.as_ref() };
        this.touch();
        // SAFETY: the caller's promise: live, and in this queue or in none.
        let woken = unsafe { self.classes.wake_delayed(tcb, now_ns) };
        if woken.is_none() {
            let _ = self.classes.enqueue_task(TcbRef(tcb), why, now_ns);
        }
        this.queue.set(Some(self.cpu));
        self.stealable += usize::from(is_stealable(this));
    }

    /// A thread was taken out, unless it sleeps on in here.
    fn let_go(&self, tcb: &Tcb) {
        tcb.touch();
        if !self.classes.holds(tcb) {
            tcb.queue.set(None);
        }
    }

    /// Takes out a thread that is current, or queued.
    ///
    /// # Safety
    ///
    /// `tcb` is live, and in this queue.
    pub(crate) unsafe fn dequeue(&mut self, tcb: NonNull<Tcb>, why: Dequeue, now_ns: u64) {
        // SAFETY: live.
        let this = unsafe { tcb.as_ref() };
        self.stealable -= usize::from(is_stealable(this));
        // SAFETY: the caller's promise.
        let _ = unsafe { self.classes.dequeue_task(tcb, why, now_ns) };
        self.let_go(this);
    }

    /// Takes out a thread that sleeps here, if it does.
    ///
    /// # Safety
    ///
    /// `tcb` is live, does not run, and is queued nowhere.
    pub(crate) unsafe fn forget(&mut self, tcb: NonNull<Tcb>, why: Dequeue, now_ns: u64) {
        // SAFETY: live.
        let this = unsafe { tcb.as_ref() };
        if this.queue.is(self.cpu) {
            // SAFETY: in this queue, so it is delayed, by the caller's promise.
            let _ = unsafe { self.classes.dequeue_task(tcb, why, now_ns) };
            self.let_go(this);
        }
    }

    /// Takes out a thread, if it is here, and tells whether it was runnable.
    ///
    /// # Safety
    ///
    /// `tcb` is live, and does not run here.
    pub(crate) unsafe fn withdraw(&mut self, tcb: NonNull<Tcb>, now_ns: u64) -> bool {
        // SAFETY: live.
        let this = unsafe { tcb.as_ref() };
        if !this.queue.is(self.cpu) {
            return false;
        }
        let is_runnable = !Entity::of(this).is_delayed();
        if is_runnable {
            self.stealable -= usize::from(is_stealable(this));
        }
        // SAFETY: live, and in this queue.
        let _ = unsafe { self.classes.dequeue_task(tcb, Dequeue::Move, now_ns) };
        self.let_go(this);
        is_runnable
    }

    /// Whose turn it is. `has_futures`: whether the executor has anything to do.
    pub(crate) fn choose(&mut self, executor: &Tcb, has_futures: bool, now_ns: u64) -> Chosen {
        let itself = NonNull::from(executor);
        if has_futures {
            // SAFETY: the executor lives as long as its CPU, and is in this queue or in none.
            if unsafe { self.classes.wake_delayed(itself, now_ns) }.is_none()
                && !self.classes.holds(executor)
            {
                let _ = self.classes.enqueue_task(TcbRef(itself), Enqueue::Wakeup, now_ns);
            }
        }
        loop {
            match self.classes.pick_next_task(now_ns) {
                // It had slept on in the queue, and was nobody's but its home's.
                // SAFETY: live, as it was in the queue.
                Pick::Asleep(TcbRef(tcb)) => self.let_go(unsafe { tcb.as_ref() }),
                Pick::Idle => return Chosen::Nobody,
                Pick::Run(tcb) if !core::ptr::eq(tcb, executor) => {
                    return tcb.header.get().map_or(Chosen::Nobody, |header| {
                        // SAFETY: the class has it, so it is live.
                        Chosen::Thread(unsafe { super::cell::Thread::tcb(header) })
                    });
                }
                Pick::Run(_) if has_futures => return Chosen::Executor,
                Pick::Run(_) => {
                    // SAFETY: as above.
                    let _ = unsafe { self.classes.dequeue_task(itself, Dequeue::Sleep, now_ns) };
                }
            }
        }
    }

    /// The current thread is not what runs.
    pub(crate) fn put_prev(&mut self, now_ns: u64) {
        self.classes.put_prev_task(now_ns);
    }

    /// The current thread lets others go first.
    pub(crate) fn give_way(&mut self, now_ns: u64) {
        self.classes.yield_task(now_ns);
    }

    /// The fair class, which is empty where another one is lent.
    pub(super) fn fair(&self) -> &Fair<Tcb> {
        self.classes.lower().fair()
    }

    /// The lowest place of the set.
    pub(super) fn lowest_mut(&mut self) -> &mut Lowest {
        self.classes.lower_mut()
    }

    /// Whether a thread is runnable that comes before Critical futures.
    pub(crate) fn has_stop(&self) -> bool {
        self.classes.upper().upper().runnable() > 0
    }

    /// Takes one that would run last, for `thief`.
    pub(crate) fn steal(&mut self, thief: CpuId) -> Option<NonNull<Tcb>> {
        let mut may_take =
            |tcb: &Tcb| tcb.header.get().is_some() && tcb.may_run_on(|set| set.contains(thief));
        let TcbRef(tcb) = self.classes.steal_task(&mut may_take)?;
        // SAFETY: live, as it was in the queue.
        let this = unsafe { tcb.as_ref() };
        self.let_go(this);
        // One that only the thief may have is here because the thief was gone, and was not counted.
        self.stealable -= usize::from(is_stealable(this));
        Some(tcb)
    }

    /// Takes out a thread, whichever; with the last of them all that sleep here have come out as well, and the executor.
    pub(crate) fn take_any(&mut self, now_ns: u64) -> Option<NonNull<Tcb>> {
        self.classes.put_prev_task(now_ns);
        while let Some(TcbRef(tcb)) = self.classes.steal_task(&mut |_| true) {
            // SAFETY: the class had it, so it is live.
            let this = unsafe { tcb.as_ref() };
            self.let_go(this);
            if this.header.get().is_some() {
                self.stealable -= usize::from(is_stealable(this));
                return Some(tcb);
            }
        }
        // None is runnable, so that these are all that is left.
        while let Pick::Asleep(TcbRef(tcb)) = self.classes.pick_next_task(now_ns) {
            // SAFETY: live, as it was in the queue.
            self.let_go(unsafe { tcb.as_ref() });
        }
        None
    }

    /// Of the threads that thieves would look at, the one that waits longest, and since when. Takes none.
    pub(crate) fn longest_waiting(&mut self) -> Option<(TaskId, &'static str, u64)> {
        let mut longest = None;
        let _ = self.classes.steal_task(&mut |tcb: &Tcb| {
            // What is queued waits, and nobody but who has the lock touches it (U1).
            let since_ns = tcb.runnable_since_ns.get();
            if longest.is_none_or(|(_, _, longest_ns)| since_ns < longest_ns) {
                longest = name(tcb).map(|(id, name)| (id, name, since_ns)).or(longest);
            }
            false
        });
        longest
    }

    /// The thread that runs, or ran last.
    pub(crate) fn current(&self) -> Option<(TaskId, &'static str)> {
        name(self.classes.current()?)
    }

    /// Threads that thieves may have.
    fn spare(&self) -> usize {
        let runs = self.classes.current().is_some_and(is_stealable);
        self.stealable - usize::from(runs)
    }

    fn holds_runnable(&self, executor: &Tcb) -> bool {
        self.classes.holds(executor) && !Entity::of(executor).is_delayed()
    }
}

/// Which thread it is; `None` if it is an executor.
fn name(tcb: &Tcb) -> Option<(TaskId, &'static str)> {
    // SAFETY: a control block is a part of its thread's memory, as its header is.
    let header = unsafe { tcb.header.get()?.as_ref() };
    Some((header.id(), header.meta().name))
}

/// Whether a thread may run on more than one CPU.
fn is_stealable(tcb: &Tcb) -> bool {
    tcb.header.get().is_some() && tcb.may_run_on(|set| set.iter().nth(1).is_some())
}
