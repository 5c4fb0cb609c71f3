//! What a CPU polls, as its own code and interrupt handlers see it.
//!
//! # Invariants
//!
//! - **V1** `task` is set only while what runs on the CPU is a poll of that task, a destructor of its future, or an interrupt
//!   handler on top of these. It is reset before the task may be freed, and when a poll panics.
//! - **V2** `scopes` is the chain of the [`TaskLocal`](crate::TaskLocal) scopes in whose polls the CPU is, the innermost
//!   first; each stands on the stack of its poll, and takes itself off the chain before it goes. It is empty while `task` is.
//!
//! Both go with the stack: the switch to a thread, or to a poll that is gone on with, sets them, and the switch back clears them.

use crate::cpu::Cpu;
use crate::sync::{AtomicPtr, AtomicU64, Ordering, const_fn};
use crate::task::{Header, TaskId, TaskInfo, TaskRef};
use crate::task_local::Frame;
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::ptr::{NonNull, null_mut};

/// The poll that a CPU is in.
pub(crate) struct Polling {
    task: AtomicPtr<Header>,
    /// The same by number, for other CPUs, which may not touch the task; 0 for none.
    id: AtomicU64,
    pub(crate) scopes: AtomicPtr<Frame>,
}

impl Polling {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                task: AtomicPtr::new(null_mut()),
                id: AtomicU64::new(0),
                scopes: AtomicPtr::new(null_mut()),
            }
        }
    }

    /// Whether the CPU is in a poll; on the CPU itself.
    pub(crate) fn is_polling(&self) -> bool {
        self.task().is_some()
    }

    fn task(&self) -> Option<NonNull<Header>> {
        // Ordering: Relaxed; written on this CPU only.
        NonNull::new(self.task.load(Ordering::Relaxed))
    }
}

/// V1: the poll goes on for as long as this lives.
pub(crate) struct Poll<'a>(&'a Polling);

impl<'a> Poll<'a> {
    /// Says that the CPU is about to poll `header`, which is live until this is dropped.
    pub(crate) fn begin(cpu: &'a Cpu, header: NonNull<Header>, id: TaskId) -> Self {
        let polling = &cpu.polling;
        // Ordering: Relaxed; a number for people.
        polling.id.store(id.get(), Ordering::Relaxed);
        // Ordering: Relaxed; read on this CPU only.
        polling.task.store(header.as_ptr(), Ordering::Relaxed);
        Self(polling)
    }
}

impl Drop for Poll<'_> {
    fn drop(&mut self) {
        // Ordering: Relaxed; read on this CPU only. The Release of the state word's next transition comes after it, and
        // nobody frees the task before that.
        self.0.task.store(null_mut(), Ordering::Relaxed);
        // Ordering: Relaxed; a number for people.
        self.0.id.store(0, Ordering::Relaxed);
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// The task that is polled on the caller's CPU: of the code that asks, or of what the interrupt handler that asks has
    /// interrupted. `None` outside of polls, and on a thread that is no CPU.
    ///
    /// Wait-free, no allocation; any context but NMI.
    ///
    /// ```
    /// # use sched::{Machine, Scheduler, trace::Trace};
    /// fn name<M: Machine, T: Trace>(scheduler: &Scheduler<M, T>) -> &'static str {
    ///     scheduler.current_task().map_or("no task", |task| task.info().name)
    /// }
    /// ```
    pub fn current_task(&self) -> Option<TaskRef> {
        // SAFETY: V1, the task is live; it stays so for as long as this CPU does nothing else, which the mask sees to.
        self.with_current(|header| unsafe { TaskRef::new(header) })
    }

    /// What is known of [`current_task`](Self::current_task), without a reference to it: for logs and for a panic's message.
    ///
    /// Wait-free, no allocation; any context but NMI.
    pub fn current_task_info(&self) -> Option<TaskInfo> {
        // SAFETY: V1, as above.
        self.with_current(|header| unsafe { header.as_ref() }.info())
    }

    fn with_current<R>(&self, f: impl FnOnce(NonNull<Header>) -> R) -> Option<R> {
        let masked = self.masked();
        let (_, cpu) = self.here(&masked)?;
        cpu.polling.task().map(f)
    }

    /// The id of the task that `cpu`, any CPU, polls at the moment: a hint, for dumps of what every CPU does. `None` if it
    /// polls none, or is out of range.
    ///
    /// Wait-free, no allocation; any context.
    pub fn running_on(&self, cpu: CpuId) -> Option<TaskId> {
        // Ordering: Relaxed; a number for people.
        TaskId::from_number(self.cpu(cpu)?.polling.id.load(Ordering::Relaxed))
    }
}
