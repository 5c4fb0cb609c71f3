//! A class of the kernel's own in the place of the fair one.
//!
//! The loop's CPUs are no generic type: all that wakes, steals or looks on from outside goes by plain references to them. A type
//! parameter for the set of classes would go through each of these, and through every kernel's `static`. So the set is fixed but
//! for its lowest place, where every thread stands that is neither real-time nor stop, and the executor of futures. A class lent
//! for it is called through its table of functions; a CPU that is lent none pays a branch for it.
//!
//! - **O1** The place changes only while nothing is in it: a task leaves the class that it came into.

use super::tcb::{Tcb, TcbRef};
use crate::Machine;
use crate::class::{
    AlreadyQueued, Dequeue, Dequeued, Enqueue, Fair, Nice, Pick, Resched, SchedClass,
};
use crate::core_loop::Core;
use crate::trace::Trace;
use core::fmt;
use core::ptr::NonNull;

/// [`SchedClass`] as a trait object: every class over [`Tcb`] that can be sent is one.
pub trait ThreadClass: Send + object::Class {}

impl<C: SchedClass<Tcb> + Send> ThreadClass for C {}

/// What [`Core::lend_class`] is given.
pub type LentClass = &'static mut dyn ThreadClass;

mod object {
    use super::*;

    /// The methods of [`SchedClass`], by other names, so that nobody has to say which are meant.
    pub trait Class {
        fn enqueue(
            &mut self,
            task: TcbRef,
            why: Enqueue,
            now_ns: u64,
        ) -> Result<Resched, AlreadyQueued<TcbRef>>;
        /// # Safety
        /// As for `SchedClass::dequeue_task`.
        unsafe fn dequeue(
            &mut self,
            task: NonNull<Tcb>,
            why: Dequeue,
            now_ns: u64,
        ) -> Dequeued<TcbRef>;
        fn pick(&mut self, now_ns: u64) -> Pick<'_, Tcb>;
        fn put_prev(&mut self, now_ns: u64);
        fn give_way(&mut self, now_ns: u64);
        fn tick(&mut self, now_ns: u64) -> Resched;
        fn fork(&mut self, child: &Tcb);
        /// # Safety
        /// As for `SchedClass::dequeue_task`.
        unsafe fn renice(&mut self, task: NonNull<Tcb>, nice: Nice, now_ns: u64) -> Resched;
        /// # Safety
        /// As for `SchedClass::dequeue_task`.
        unsafe fn rouse(&mut self, task: NonNull<Tcb>, now_ns: u64) -> Option<Resched>;
        fn preempts(&mut self, task: &Tcb, now_ns: u64) -> Resched;
        fn steal(&mut self, may_take: &mut dyn FnMut(&Tcb) -> bool) -> Option<TcbRef>;
        fn running(&self) -> Option<&Tcb>;
        fn has(&self, task: &Tcb) -> bool;
        fn count(&self) -> usize;
        fn ends_ns(&self) -> Option<u64>;
    }

    impl<C: SchedClass<Tcb>> Class for C {
        fn enqueue(
            &mut self,
            task: TcbRef,
            why: Enqueue,
            now_ns: u64,
        ) -> Result<Resched, AlreadyQueued<TcbRef>> {
            self.enqueue_task(task, why, now_ns)
        }
        unsafe fn dequeue(
            &mut self,
            task: NonNull<Tcb>,
            why: Dequeue,
            now_ns: u64,
        ) -> Dequeued<TcbRef> {
            // SAFETY: the caller's promise.
            unsafe { self.dequeue_task(task, why, now_ns) }
        }
        fn pick(&mut self, now_ns: u64) -> Pick<'_, Tcb> {
            self.pick_next_task(now_ns)
        }
        fn put_prev(&mut self, now_ns: u64) {
            self.put_prev_task(now_ns);
        }
        fn give_way(&mut self, now_ns: u64) {
            self.yield_task(now_ns);
        }
        fn tick(&mut self, now_ns: u64) -> Resched {
            self.task_tick(now_ns)
        }
        fn fork(&mut self, child: &Tcb) {
            self.task_fork(child);
        }
        unsafe fn renice(&mut self, task: NonNull<Tcb>, nice: Nice, now_ns: u64) -> Resched {
            // SAFETY: the caller's promise.
            unsafe { self.set_nice(task, nice, now_ns) }
        }
        unsafe fn rouse(&mut self, task: NonNull<Tcb>, now_ns: u64) -> Option<Resched> {
            // SAFETY: the caller's promise.
            unsafe { self.wake_delayed(task, now_ns) }
        }
        fn preempts(&mut self, task: &Tcb, now_ns: u64) -> Resched {
            self.check_preempt_curr(task, now_ns)
        }
        fn steal(&mut self, may_take: &mut dyn FnMut(&Tcb) -> bool) -> Option<TcbRef> {
            self.steal_task(may_take)
        }
        fn running(&self) -> Option<&Tcb> {
            self.current()
        }
        fn has(&self, task: &Tcb) -> bool {
            self.holds(task)
        }
        fn count(&self) -> usize {
            self.runnable()
        }
        fn ends_ns(&self) -> Option<u64> {
            self.turn_ends_ns()
        }
    }
}

/// The lowest place of the set.
pub(super) struct Lowest {
    fair: Fair<Tcb>,
    lent: Option<LentClass>,
}

/// One of the two.
macro_rules! either {
    ($self:ident.$fair:ident / $lent:ident($($argument:expr),*)) => {
        match &$self.lent {
            None => $self.fair.$fair($($argument),*),
            Some(class) => class.$lent($($argument),*),
        }
    };
    (mut $self:ident.$fair:ident / $lent:ident($($argument:expr),*)) => {
        match &mut $self.lent {
            None => $self.fair.$fair($($argument),*),
            Some(class) => class.$lent($($argument),*),
        }
    };
}

impl Lowest {
    pub(super) fn new(fair: Fair<Tcb>) -> Self {
        Self { fair, lent: None }
    }

    /// The fair class, which is empty where another one is lent.
    pub(super) fn fair(&self) -> &Fair<Tcb> {
        &self.fair
    }

    /// O1. A task that sleeps on in the fair class is in it, too.
    fn lend(&mut self, class: LentClass) -> Result<(), LentClass> {
        if self.lent.is_some() || class.count() > 0 || self.fair.weight() > 0 {
            return Err(class);
        }
        self.lent = Some(class);
        Ok(())
    }
}

impl SchedClass<Tcb> for Lowest {
    fn enqueue_task(
        &mut self,
        task: TcbRef,
        why: Enqueue,
        now_ns: u64,
    ) -> Result<Resched, AlreadyQueued<TcbRef>> {
        either!(mut self.enqueue_task / enqueue(task, why, now_ns))
    }

    unsafe fn dequeue_task(
        &mut self,
        task: NonNull<Tcb>,
        why: Dequeue,
        now_ns: u64,
    ) -> Dequeued<TcbRef> {
        // SAFETY: the caller's promise.
        unsafe { either!(mut self.dequeue_task / dequeue(task, why, now_ns)) }
    }

    fn pick_next_task(&mut self, now_ns: u64) -> Pick<'_, Tcb> {
        either!(mut self.pick_next_task / pick(now_ns))
    }

    fn put_prev_task(&mut self, now_ns: u64) {
        either!(mut self.put_prev_task / put_prev(now_ns));
    }

    fn yield_task(&mut self, now_ns: u64) {
        either!(mut self.yield_task / give_way(now_ns));
    }

    fn task_tick(&mut self, now_ns: u64) -> Resched {
        either!(mut self.task_tick / tick(now_ns))
    }

    fn task_fork(&mut self, child: &Tcb) {
        either!(mut self.task_fork / fork(child));
    }

    unsafe fn set_nice(&mut self, task: NonNull<Tcb>, nice: Nice, now_ns: u64) -> Resched {
        // SAFETY: the caller's promise.
        unsafe { either!(mut self.set_nice / renice(task, nice, now_ns)) }
    }

    unsafe fn wake_delayed(&mut self, task: NonNull<Tcb>, now_ns: u64) -> Option<Resched> {
        // SAFETY: the caller's promise.
        unsafe { either!(mut self.wake_delayed / rouse(task, now_ns)) }
    }

    fn check_preempt_curr(&mut self, task: &Tcb, now_ns: u64) -> Resched {
        either!(mut self.check_preempt_curr / preempts(task, now_ns))
    }

    fn steal_task(&mut self, may_take: &mut dyn FnMut(&Tcb) -> bool) -> Option<TcbRef> {
        either!(mut self.steal_task / steal(may_take))
    }

    fn current(&self) -> Option<&Tcb> {
        either!(self.current / running())
    }

    fn holds(&self, task: &Tcb) -> bool {
        either!(self.holds / has(task))
    }

    fn runnable(&self) -> usize {
        either!(self.runnable / count())
    }

    fn turn_ends_ns(&self) -> Option<u64> {
        either!(self.turn_ends_ns / ends_ns())
    }
}

impl fmt::Debug for Lowest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lowest").field("is_lent", &self.lent.is_some()).finish_non_exhaustive()
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Puts a class of the kernel's own in the place of the fair one, on this CPU, for good: the threads with
    /// [`Policy::Fair`](super::Policy::Fair) come into it, and as one of them the executor of Normal and Background futures, which
    /// sleeps while there are none. Real-time and stop threads go before them, as ever.
    ///
    /// [`RoundRobin`](crate::class::RoundRobin), or any [`SchedClass`] over [`Tcb`]. For fixed priorities alone
    /// nothing is lent: all threads are [`Policy::Realtime`](super::Policy::Realtime). Each CPU is lent its own; to be done
    /// between [`enter`](crate::Scheduler::enter) and the first step. O(1), and the lock of the CPU's queue.
    ///
    /// `examples/thread_classes.rs` runs threads by turns, by priority, by EEVDF, and by a class of its own.
    ///
    /// # Errors
    ///
    /// The class, if it is not empty, if one was lent before, or if the fair class has a task.
    ///
    /// # Safety
    ///
    /// The class does what [`SchedClass`] says: it hands out what it was given and nothing else, once, and never what is current to a
    /// thief. It answers [`Dequeued::Delayed`] only of tasks that a [`Fair`] in it delays. It does not panic. It
    /// has neither [`Realtime`](crate::class::Realtime) nor [`Stop`](crate::class::Stop) in it: a task knows the class of levels that
    /// has it by name, and these two are above already.
    pub unsafe fn lend_class(&mut self, class: LentClass) -> Result<(), LentClass> {
        let threads = &self.cpu.threads;
        let masked = self.scheduler.masked();
        let mut queue = threads.queue.lock(&masked);
        match queue.as_mut() {
            Some(queue) => queue.lowest_mut().lend(class),
            None => Err(class),
        }
    }
}
