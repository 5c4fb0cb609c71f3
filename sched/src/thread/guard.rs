//! No reschedule while a value lives.

use crate::Scheduler;
use crate::trace::Trace;
use core::fmt;
use core::marker::PhantomData;
use sched_arch::Switch;

/// While this lives, what made it is not preempted; see [`Scheduler::no_reschedule`].
#[must_use = "rescheduling is allowed again when it is dropped"]
pub struct NoReschedule<'a, M: Switch + 'static, T: Trace + 'static, const CPUS: usize> {
    scheduler: &'a Scheduler<M, T, CPUS>,
    is_counted: bool,
    _of_this_cpu: PhantomData<*mut ()>,
}

impl<'a, M: Switch + 'static, T: Trace + 'static, const CPUS: usize> NoReschedule<'a, M, T, CPUS> {
    pub(super) fn new(scheduler: &'a Scheduler<M, T, CPUS>, is_counted: bool) -> Self {
        Self { scheduler, is_counted, _of_this_cpu: PhantomData }
    }
}

impl<M: Switch + 'static, T: Trace + 'static, const CPUS: usize> Drop
    for NoReschedule<'_, M, T, CPUS>
{
    fn drop(&mut self) {
        if self.is_counted {
            self.scheduler.allow_reschedule();
        }
    }
}

impl<M: Switch + 'static, T: Trace + 'static, const CPUS: usize> fmt::Debug
    for NoReschedule<'_, M, T, CPUS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoReschedule").finish_non_exhaustive()
    }
}
