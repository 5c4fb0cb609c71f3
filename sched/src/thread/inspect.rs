//! A look at a CPU's fair class from outside, for tests and debugging.

use crate::class::fair::{FairFault, FairMember};
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Checks the fair class of `cpu` against itself, as [`Fair::check`](crate::class::Fair::check) does, and then shows `see` each
    /// member: fair threads that are runnable, run, or sleep on in the queue, and the executor. Nothing on a CPU that never
    /// entered.
    ///
    /// O(n) under the queue's spin lock, with interrupts masked; `see` may not use the scheduler. Any context but NMI; for tests and
    /// debugging.
    ///
    /// # Errors
    ///
    /// The first [`FairFault`] found; then `see` is shown nobody.
    pub fn check_fair(&self, cpu: CpuId, mut see: impl FnMut(FairMember)) -> Result<(), FairFault> {
        let Some(cpu) = self.cpu(cpu) else { return Ok(()) };
        let masked = self.masked();
        let queue = cpu.threads.queue.lock(&masked);
        let Some(queue) = queue.as_ref() else { return Ok(()) };
        let fair = queue.fair();
        fair.check()?;
        fair.for_each(|tcb, mut member| {
            // SAFETY: the class has it, so it is live.
            member.task = tcb.header.get().map(|header| unsafe { header.as_ref() }.id());
            see(member);
        });
        Ok(())
    }
}
