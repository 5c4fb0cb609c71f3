//! Between a CPU's loop and what runs on stacks of its own.
//!
//! # Invariants
//!
//! - **W1** Every switch is between the loop and one other context: back to the loop, which requeues, and out of it. So a
//!   thread is in no queue that thieves see before its context is saved.
//! - **W2** Interrupts are masked at every switch. Each context puts its own mask back.
//! - **W3** `current` names the context that runs, and nothing while the loop does.

use super::NoReschedule;
use super::cpu::Local;
use super::tcb::{CANARY, Life, Stopped, Tcb};
use super::{Executor, NotAThread, Stack, ThreadRef};
use crate::Scheduler;
use crate::core_loop::Core;
use crate::sync::Ordering;
use crate::task::{Header, waker_for_poll};
use crate::trace::Trace;
use core::future::Future;
use core::pin::pin;
use core::ptr::{NonNull, null_mut};
use core::task::{Context, Poll, Waker};
use sched_arch::{Masked, Switch};

impl<M: Switch, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Runs the context of `tcb` until it comes back to the loop.
    ///
    /// # Safety
    ///
    /// The caller is a CPU's loop, which has the thread (N1), or whose executor it is; the context is saved or new.
    pub(super) unsafe fn switch_to(&self, tcb: &Tcb) {
        let masked = self.masked();
        let Some((_, cpu)) = self.here(&masked) else { return };
        let local = &cpu.threads.local;
        if tcb.life.get() == Life::New {
            tcb.life.set(Life::Begun);
        }
        local.current.set(Some(NonNull::from(tcb)));
        let preempt_off = local.preempt_off.replace(0);
        // V2 in `current`: the scopes are those of the stack.
        // Ordering: Relaxed, here and below; read on this CPU only.
        cpu.polling.scopes.store(tcb.scopes.get(), Ordering::Relaxed);
        self.machine.activate(tcb.attachment.get());
        // SAFETY: the caller's promise, and W2; the loop holds no lock here.
        unsafe { self.machine.switch(local.loop_context.as_ptr(), tcb.context.get()) };
        local.preempt_off.set(preempt_off);
        local.current.set(None);
        // Ordering: Relaxed, as above.
        tcb.scopes.set(cpu.polling.scopes.load(Ordering::Relaxed));
        // Ordering: Relaxed, as above.
        cpu.polling.scopes.store(null_mut(), Ordering::Relaxed);
        self.machine.deactivate(tcb.attachment.get());
        if !tcb.stack_is_sound() {
            self.machine.stack_overflowed();
        }
    }

    /// Goes back to the loop of this CPU; returns when the context is run again, if it is. Without effect on the loop.
    pub(super) fn leave(&self, why: Stopped) {
        let masked = self.masked();
        if let Some((local, tcb)) = self.running(&masked) {
            // SAFETY: `tcb` runs, on this CPU.
            unsafe { self.leave_from(local, tcb, why) };
        }
    }

    /// # Safety
    ///
    /// `tcb` is what runs here, with interrupts masked by the caller.
    unsafe fn leave_from(&self, local: &Local, tcb: NonNull<Tcb>, why: Stopped) {
        // SAFETY: what runs is live.
        let tcb = unsafe { tcb.as_ref() };
        tcb.touch();
        tcb.stopped.set(why);
        if why == Stopped::Ended {
            tcb.life.set(Life::Ended);
        }
        // SAFETY: the loop's context was saved when it switched here (W1), and no lock is held: preempted code may hold
        // the kernel's own, as its documentation says.
        unsafe { self.machine.switch(tcb.context.as_ptr(), local.loop_context.get()) };
    }

    /// What runs here, if it is not the loop.
    fn running(&self, masked: &Masked<'_, M>) -> Option<(&Local, NonNull<Tcb>)> {
        let (_, cpu) = self.here(masked)?;
        let local = &cpu.threads.local;
        Some((local, local.current.get()?))
    }

    /// The thread that runs here.
    fn running_thread(
        &self,
        masked: &Masked<'_, M>,
    ) -> Option<(&Local, NonNull<Tcb>, NonNull<Header>)> {
        let (local, tcb) = self.running(masked)?;
        // SAFETY: what runs is live.
        let header = unsafe { tcb.as_ref() }.header.get()?;
        Some((local, tcb, header))
    }

    /// Goes back to the loop if this CPU should look for something more urgent than what runs: **what an interrupt handler
    /// calls last**, with interrupts masked and after it has signalled the end of the interrupt, on the stack of what it
    /// interrupted. Returns when the thread goes on, and the handler then returns to it.
    ///
    /// Without effect if the loop was interrupted, if nothing is to be done, or while a [`NoReschedule`] lives. A kernel whose
    /// threads are to reschedule only at explicit points in kernel mode calls it only on the way back to user mode.
    ///
    /// What it interrupts may hold locks of the kernel's own: whatever the loop takes as well (the allocator's is the one to
    /// think of) has to mask interrupts, or to disable preemption, while it is held.
    pub fn preempt(&self) {
        let masked = self.masked();
        let Some((_, cpu)) = self.here(&masked) else { return };
        let local = &cpu.threads.local;
        // Ordering: Relaxed; written on this CPU only.
        if local.preempt_off.get() > 0 || !cpu.need_resched.load(Ordering::Relaxed) {
            return;
        }
        if let Some(tcb) = local.current.get() {
            // SAFETY: `tcb` runs here.
            unsafe { self.leave_from(local, tcb, Stopped::Preempted) };
        }
    }

    /// An explicit point at which what runs may be preempted: a thread's, or a future's whose CPU's executor has a stack.
    /// On a machine whose interrupts cannot arrive by themselves it is the only one.
    ///
    /// Without effect elsewhere, and where [`preempt`](Self::preempt) has none.
    pub fn resched_point(&self) {
        self.machine.checkpoint();
        self.preempt();
    }

    /// Lets all others go first that are as urgent: the rest of the thread's request is forfeited. In a future, or outside of
    /// any thread, it is a [`resched_point`](Self::resched_point).
    pub fn yield_thread(&self) {
        self.machine.checkpoint();
        let masked = self.masked();
        match self.running_thread(&masked) {
            Some((local, tcb, _)) if local.preempt_off.get() == 0 => {
                // SAFETY: `tcb` runs here.
                unsafe { self.leave_from(local, tcb, Stopped::Yielded) }
            }
            _ => {
                drop(masked);
                self.preempt();
            }
        }
    }

    /// Waits for a wake of this thread's [waker](Self::thread_waker), or takes one that came since the last time it waited.
    /// May return without one: whoever waits for something looks again.
    ///
    /// # Errors
    ///
    /// [`NotAThread`] if the caller is no thread; or if it must not wait, as interrupts are masked or a [`NoReschedule`] lives,
    /// which [`Switch::slept_in_atomic`] hears of.
    pub fn park(&self) -> Result<(), NotAThread> {
        let was_masked = self.machine.is_masked();
        let masked = self.masked();
        let Some((local, tcb, header)) = self.running_thread(&masked) else {
            return Err(NotAThread);
        };
        if was_masked || local.preempt_off.get() > 0 {
            // SAFETY: what runs is live.
            self.machine.slept_in_atomic(unsafe { header.as_ref() }.meta().name);
            return Err(NotAThread);
        }
        // SAFETY: what runs is live.
        let (token, state) = unsafe { (&tcb.as_ref().token, &header.as_ref().state) };
        // Both, as this return answers every wake up to here: those that the pick found, and those since.
        if !(token.take() | state.take_token()) {
            // SAFETY: `tcb` runs here.
            unsafe { self.leave_from(local, tcb, Stopped::Blocked) };
            // Whatever woke it, up to the pick, is answered by this return.
            token.set(false);
        }
        Ok(())
    }

    /// The calling thread; `None` if the caller is none.
    pub fn current_thread(&self) -> Option<ThreadRef> {
        let masked = self.masked();
        let (_, _, header) = self.running_thread(&masked)?;
        // SAFETY: a thread's; it runs, so the loop has a reference.
        Some(unsafe { ThreadRef::new(header) })
    }

    /// What wakes the calling thread; `None` if the caller is none. Callable from any context but NMI, as any waker.
    pub fn thread_waker(&self) -> Option<Waker> {
        let masked = self.masked();
        let (_, _, header) = self.running_thread(&masked)?;
        // SAFETY: the thread runs, so it is live while it is borrowed here.
        Some(Waker::clone(&*unsafe { waker_for_poll(header) }))
    }

    /// Waits for a future: the thread parks while it is pending. So a thread sleeps, joins others, and waits for whatever a
    /// future can wait for.
    ///
    /// # Errors
    ///
    /// As for [`park`](Self::park); the future is dropped then.
    pub fn wait<F: Future>(&self, future: F) -> Result<F::Output, NotAThread> {
        let waker = self.thread_waker().ok_or(NotAThread)?;
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return Ok(output);
            }
            self.park()?;
        }
    }

    /// Whether the calling thread was [cancelled](crate::JoinHandle::cancel): it should come to an end. `false` if the caller
    /// is no thread.
    pub fn is_cancelled(&self) -> bool {
        let masked = self.masked();
        self.running_thread(&masked).is_some_and(|(_, _, header)| {
            // SAFETY: the thread runs, so it is live.
            unsafe { header.as_ref() }.state.is_cancelled()
        })
    }

    /// Keeps what runs here from being preempted, and so on this CPU, until the guard is dropped. A reschedule that was asked
    /// for meanwhile then happens. Guards nest.
    ///
    /// Interrupts go on: their handlers run, but return to what they interrupted.
    pub fn no_reschedule(&self) -> NoReschedule<'_, M, T, CPUS> {
        let masked = self.masked();
        let local = self.here(&masked).map(|(_, cpu)| &cpu.threads.local);
        if let Some(local) = local {
            local.preempt_off.set(local.preempt_off.get().saturating_add(1));
        }
        NoReschedule::new(self, local.is_some())
    }

    pub(super) fn allow_reschedule(&self) {
        let masked = self.masked();
        if let Some((_, cpu)) = self.here(&masked) {
            let off = &cpu.threads.local.preempt_off;
            off.set(off.get().saturating_sub(1));
        }
        drop(masked);
        self.preempt();
    }
}

impl<M: Switch, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Gives the CPU's executor a stack: from now on Normal and Background futures are polled there, and their polls are
    /// preempted as threads are. Without one they are polled on the loop's stack, and a thread that wakes waits for the poll to
    /// end.
    ///
    /// The stack stays the CPU's for good.
    ///
    /// # Errors
    ///
    /// The stack, if it is too small or the executor has one.
    pub fn lend_stack(&mut self, stack: Stack) -> Result<(), Stack> {
        let threads = &self.cpu.threads;
        if threads.local.switch_in.get().is_some() {
            return Err(stack);
        }
        let Some((room, rest)) = stack.divide::<Executor<M, T, CPUS>>() else { return Err(stack) };
        stack.leak();
        let canary = rest.cast::<u64>();
        // SAFETY: the lowest word of the stack, which is aligned to 16.
        unsafe { canary.write(CANARY) };
        threads.executor.canary.set(Some(canary));
        // SAFETY: the room is the stack's, which is leaked.
        unsafe { room.write(Executor { scheduler: self.scheduler, local: &threads.local }) };
        let entry = executor_main::<M, T, CPUS>;
        // SAFETY: as above.
        let context = unsafe { self.scheduler.machine.prepare(rest, entry, room.as_ptr().cast()) };
        threads.executor.context.set(context);
        threads.local.switch_in.set(Some(switch_in::<M, T, CPUS>));
        Ok(())
    }
}

/// # Safety
///
/// As for [`Scheduler::switch_to`], of the scheduler at that address, which is of this type.
unsafe fn switch_in<M: Switch + 'static, T: Trace + 'static, const CPUS: usize>(
    scheduler: *const (),
    tcb: &Tcb,
) {
    // SAFETY: the caller's promise.
    unsafe { (*scheduler.cast::<Scheduler<M, T, CPUS>>()).switch_to(tcb) }
}

/// The executor: polls what the loop gives it, one task after the other.
///
/// It touches no queue (PD): picks and requeues are the loop's, and the poll between them can be preempted anywhere.
unsafe extern "C-unwind" fn executor_main<
    M: Switch + 'static,
    T: Trace + 'static,
    const CPUS: usize,
>(
    argument: *mut (),
) -> ! {
    // SAFETY: `lend_stack` made it, for good.
    let Executor { scheduler, local } = unsafe { &*argument.cast::<Executor<M, T, CPUS>>() };
    // SAFETY: the first thing here.
    unsafe { scheduler.machine.begin() };
    loop {
        if let Some(header) = local.job.get() {
            // SAFETY: the loop's reference keeps the task live during the poll.
            let waker = unsafe { waker_for_poll(header) };
            // SAFETY: the task is `RUNNING` by this CPU's loop, which waits for this poll.
            let is_done = unsafe { Header::poll(header, &mut Context::from_waker(&waker)) };
            local.is_done.set(is_done);
        }
        scheduler.leave(Stopped::Yielded);
    }
}
