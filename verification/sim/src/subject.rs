//! What is simulated.

use sched::trace::Trace;
use sched::{Core, CpuId, IfPinned, Scheduler};
use sched_arch::{Interrupts, Machine};

/// What the simulator drives: loops, one for each CPU, and interrupt handlers. [`Scheduler`] is one; a kernel's own
/// scheduler is another, if it keeps to the machine contract.
pub trait Subject: Interrupts + 'static {
    /// A CPU's loop.
    type Core;

    /// Brings the caller's CPU in.
    fn enter(&'static self) -> Self::Core;

    /// One bounded action, or a halt.
    fn step(core: &mut Self::Core);

    /// Takes the loop's CPU offline: nothing is left behind. `false` if it stays.
    fn leave(_core: &mut Self::Core) -> bool {
        false
    }

    /// Whether the CPU has gone offline, by itself or because somebody asked for it: then its loop is dropped.
    fn has_left(&self, _cpu: CpuId) -> bool {
        false
    }

    /// Tasks in the CPU's run queues, if it can tell: then the checks compare.
    fn queued(_core: &Self::Core) -> Option<usize> {
        None
    }

    /// Whether the books balance after all loops have ended; words if not.
    ///
    /// # Errors
    ///
    /// What does not fit.
    fn settle(&self) -> Result<(), String> {
        Ok(())
    }
}

impl<M: Machine + 'static, T: Trace + 'static, const CPUS: usize> Subject
    for Scheduler<M, T, CPUS>
{
    type Core = Core<M, T, CPUS>;

    fn enter(&'static self) -> Self::Core {
        Scheduler::enter(self).expect("a virtual CPU is in range, and enters when it has left")
    }

    fn step(core: &mut Self::Core) {
        core.step();
    }

    fn leave(core: &mut Self::Core) -> bool {
        core.leave(IfPinned::Refuse).is_ok()
    }

    fn has_left(&self, cpu: CpuId) -> bool {
        Scheduler::has_left(self, cpu)
    }

    fn queued(core: &Self::Core) -> Option<usize> {
        Some(core.queued())
    }

    fn settle(&self) -> Result<(), String> {
        let totals = self.totals();
        let ended = totals.completed + totals.cancelled + totals.unreachable;
        if totals.spawned == ended {
            return Ok(());
        }
        Err(format!(
            "{} tasks spawned, {} completed, {} cancelled, {} unreachable",
            totals.spawned, totals.completed, totals.cancelled, totals.unreachable
        ))
    }
}
