//! Changing how a thread is scheduled, from anywhere, while it is anywhere.
//!
//! # Invariants
//!
//! - **G1** What is asked for stands in the thread before its message is under way. Whoever enqueues the thread adopts it: the
//!   effective affinity is touched by the party that has the thread alone (N1), so nobody sees half of it.
//! - **G2** The message goes to the thread's home. A loop that is not passes it on; one that is, and has the thread queued, takes
//!   it out and enqueues it anew; one that does not have it lets go: the thread waits, or is on its way to a loop that adopts.
//!   Which queue has a thread is written in the thread, under that queue's lock (`QueueName`): it may be a thief's by now.
//! - **G3** Enqueue: home, fence, look for changes. Message: (changes,) fence, look at the home. Of two fences one is the first: a
//!   thread that comes to a CPU while a message misses it there brings the change along.

use super::ThreadRef;
use super::tcb::Tcb;
use crate::core_loop::Core;
use crate::cpu_set::CpuSet;
use crate::spawn::EmptyAffinity;
use crate::sync::{Ordering, fence};
use crate::task::Queued;
use crate::trace::Trace;
use crate::{Machine, Scheduler};
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use mpsc_inbox::{
    Coalescing, Handle, Link, Linked, List, NotPushed, Queued as Message, QueuedBit, Shared,
};

/// The reference that a message has.
#[derive(Debug)]
pub struct Changed(ThreadRef);

// SAFETY: the address of the control block, which names its header, unchanged; the reference is given up by `into_raw` and had
// again by `from_raw`.
unsafe impl Handle for Changed {
    type Target = Tcb;

    fn into_raw(self) -> NonNull<Tcb> {
        // SAFETY: a thread's header.
        unsafe { super::Thread::tcb(ManuallyDrop::new(self.0).as_raw()) }
    }

    unsafe fn from_raw(tcb: NonNull<Tcb>) -> Self {
        // SAFETY: live by the reference that `into_raw` gave up.
        let header = unsafe { tcb.as_ref() }.header.get();
        // A thread's control block has its header from the start.
        // SAFETY: as above.
        Self(unsafe { ThreadRef::from_raw(header.unwrap_or(tcb.cast())) })
    }
}

// SAFETY: any number of references name one thread, whose block is never borrowed exclusively.
unsafe impl Shared for Changed {}

// SAFETY: the field of that name, by a raw place expression.
unsafe impl Linked for Tcb {
    type Handle = Message<Changed>;

    unsafe fn link(tcb: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller says that `tcb` is live, so the field's address is in bounds and not null.
        unsafe { NonNull::new_unchecked(&raw mut (*tcb.as_ptr()).change_link) }
    }
}

// SAFETY: the one bit of this block.
unsafe impl Coalescing for Tcb {
    fn queued_bit(&self) -> &QueuedBit {
        &self.change_queued
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Sends the message that something about the thread has changed.
    pub(crate) fn send_change(&self, thread: ThreadRef) {
        // Ordering: SeqCst fence, pairs with the one in `adopt_changes` (G3): a home that has gone answers no message.
        fence(Ordering::SeqCst);
        let home = thread.header().home();
        // One that no loop has had yet adopts it when the first one takes it in.
        let Some((home, cpu)) = home.and_then(|home| Some((home, self.cpu(home)?))) else { return };
        let masked = self.masked();
        match cpu.threads.changes.push_once(Changed(thread)) {
            // A forced reschedule: whatever runs there comes back to the loop.
            Ok(_) => self.kick(&masked, home),
            // Who takes the message out sees what was asked for.
            Err(NotPushed::AlreadyQueued(_)) => {}
            // The CPU leaves, or has left: whoever takes the thread in from there adopts it.
            Err(NotPushed::Closed(message)) => drop(message),
        }
    }

    pub(crate) fn affinity_of(&self, thread: &ThreadRef) -> Option<CpuSet> {
        let masked = self.masked();
        *thread.tcb().asked.lock(&masked)
    }

    pub(crate) fn set_affinity_of(
        &self,
        thread: &ThreadRef,
        cpus: CpuSet,
    ) -> Result<(), EmptyAffinity> {
        let asked = Self::restriction(cpus)?;
        if !self.online().any(|cpu| cpus.contains(cpu)) {
            return Err(EmptyAffinity);
        }
        let masked = self.masked();
        *thread.tcb().asked.lock(&masked) = asked;
        drop(masked);
        // Ordering: Release pairs with the Acquire in `adopt_changes`.
        thread.tcb().changed.store(true, Ordering::Release);
        self.send_change(thread.clone());
        Ok(())
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// G1, G3: the thread, which this loop has, becomes what was asked for. Its home is this CPU.
    pub(crate) fn adopt_changes(&self, tcb: NonNull<Tcb>) {
        // SAFETY: this loop has it (N1).
        let tcb = unsafe { tcb.as_ref() };
        // Ordering: SeqCst fence, pairs with the one in `answer_changes` (G3).
        fence(Ordering::SeqCst);
        // Ordering: Relaxed; only whether to look closer.
        if tcb.changed.load(Ordering::Relaxed) {
            // Ordering: Acquire pairs with the Release of `set_affinity_of`.
            tcb.changed.swap(false, Ordering::Acquire);
            let masked = self.scheduler.masked();
            let asked = *tcb.asked.lock(&masked);
            let before = tcb.affinity.replace(asked);
            self.scheduler.note_pinned(asked.as_ref());
            self.scheduler.forget_pinned(before.as_ref());
        }
    }

    /// The CPU leaves. What is sent to it from here on comes back to its sender, and is adopted where the thread goes (G3).
    pub(crate) fn close_changes(&mut self) {
        let mut messages = self.changes.close();
        while let Some(message) = messages.pop_front() {
            let Changed(thread) = message.release();
            self.scheduler.send_change(thread);
        }
    }

    /// G2: answers the messages that have come, within the inbox budget.
    pub(crate) fn answer_changes(&mut self) {
        if self.changes.is_empty() {
            return;
        }
        let mut messages: List<Tcb> = List::new();
        for message in self.changes.drain(self.scheduler.settings.inbox_budget_nodes.max(2)) {
            messages.push_back(message);
        }
        if self.changes.has_remainder() {
            // PC4. Ordering: Relaxed, read on this CPU only.
            self.cpu.need_resched.store(true, Ordering::Relaxed);
        }
        while let Some(message) = messages.pop_front() {
            let Changed(thread) = message.release();
            self.answer_change(thread);
        }
    }

    fn answer_change(&mut self, thread: ThreadRef) {
        // Ordering: SeqCst fence, pairs with the one in `adopt_changes` (G3).
        fence(Ordering::SeqCst);
        if thread.header().home() != Some(self.id) {
            self.scheduler.send_change(thread);
            return;
        }
        self.scheduler.machine.interleave();
        // SAFETY: live by the reference.
        let tcb = unsafe { super::Thread::tcb(thread.as_raw()) };
        let mut was_queued = false;
        // SAFETY: live, and what is in this queue does not run, as the loop does.
        self.with_queue(|queue, now_ns| was_queued = unsafe { queue.withdraw(tcb, now_ns) });
        if was_queued {
            // SAFETY: the queue had the thread, `QUEUED`, and with it the queue's reference, and has it no more.
            self.enqueue(unsafe { Queued::from_raw(thread.as_raw()) });
        }
    }
}
