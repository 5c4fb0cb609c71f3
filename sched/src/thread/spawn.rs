//! Making threads.

use super::{Policy, Stack, cell};
use crate::cpu_set::CpuSet;
use crate::spawn::{Builder, EmptyAffinity};
use crate::task::JoinHandle;
use crate::trace::Trace;
use crate::{CpuId, Scheduler};
use core::fmt;
use sched_arch::Switch;

/// What is to be known of a thread before it is spawned; from [`Scheduler::thread`].
#[must_use = "a builder makes nothing until `spawn`"]
pub struct ThreadBuilder<M: 'static, T: 'static, const CPUS: usize> {
    task: Builder<M, T, CPUS>,
    policy: Policy,
    attachment: *mut (),
}

/// The stack is too small for the thread: here is what was given.
pub struct SpawnError<F> {
    /// The closure.
    pub closure: F,
    /// The stack.
    pub stack: Stack,
}

impl<F> fmt::Debug for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpawnError").field("stack", &self.stack).finish_non_exhaustive()
    }
}

impl<F> fmt::Display for SpawnError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a stack of {} bytes is too small for the thread", self.stack.bytes())
    }
}

impl<F> core::error::Error for SpawnError<F> {}

impl<M: Switch, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Begins a thread: fair, nice 0, for any CPU, unless the builder is told otherwise.
    pub fn thread(&'static self, name: &'static str) -> ThreadBuilder<M, T, CPUS> {
        ThreadBuilder {
            task: self.task(name),
            policy: Policy::DEFAULT,
            attachment: core::ptr::null_mut(),
        }
    }
}

impl<M: Switch, T: Trace, const CPUS: usize> ThreadBuilder<M, T, CPUS> {
    /// How it shares its CPU.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The CPUs that may run it. A set that holds every CPU of the scheduler is no restriction.
    ///
    /// # Errors
    ///
    /// [`EmptyAffinity`] if the set holds none of them.
    pub fn affinity(mut self, cpus: CpuSet) -> Result<Self, EmptyAffinity> {
        self.task = self.task.affinity(cpus)?;
        Ok(self)
    }

    /// A kernel thread: it stays on `cpu`, and nobody steals it.
    ///
    /// # Errors
    ///
    /// [`EmptyAffinity`] if the scheduler can have no such CPU.
    pub fn pinned_to(self, cpu: CpuId) -> Result<Self, EmptyAffinity> {
        self.affinity(CpuSet::EMPTY.with(cpu))
    }

    /// What [`Switch::activate`] and [`Switch::deactivate`] are told of the thread: where the kernel keeps its page tables and FPU
    /// state, say. Null if nothing.
    pub fn attachment(mut self, attachment: *mut ()) -> Self {
        self.attachment = attachment;
        self
    }

    /// Spawns the thread. It lives in its stack, its closure and output included: nothing is allocated.
    ///
    /// The handle is that of a task: awaiting it joins, [`cancel`](JoinHandle::cancel) drops a closure that has not begun, and
    /// asks a thread that has ([`is_cancelled`](Scheduler::is_cancelled)). A panic that leaves the closure ends the program: it cannot
    /// unwind into the loop. A thread that nobody can wake any more stays where it is, with its stack, for ever
    /// ([`unreachable`](crate::CpuStats::unreachable) counts it).
    ///
    /// What is on a thread's stack goes on with it on whatever CPU it is moved to: it holds nothing over a reschedule point that is
    /// bound to one CPU, or, on a host, to one thread of the operating system.
    ///
    /// Lock-free; any context but NMI.
    ///
    /// # Errors
    ///
    /// [`SpawnError`], with closure and stack, if the stack is too small.
    pub fn spawn<F, R>(self, stack: Stack, closure: F) -> Result<JoinHandle<R>, SpawnError<F>>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        let (task, policy, attachment) = (self.task, self.policy, self.attachment);
        let scheduler = task.scheduler.get();
        let announce = || (task.announce(), task.meta);
        let (thread, handle) = cell::new(closure, stack, scheduler, policy, attachment, announce)?;
        #[cfg(feature = "registry")]
        scheduler.list_task(&thread);
        scheduler.place_task(thread);
        Ok(handle)
    }
}

impl<M, T, const CPUS: usize> fmt::Debug for ThreadBuilder<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadBuilder")
            .field("task", &self.task)
            .field("policy", &self.policy)
            .field("attachment", &self.attachment)
            .finish()
    }
}
