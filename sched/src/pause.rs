//! Stopping any set of CPUs for a while, for tests and debuggers. None is exempt.
//!
//! ```text
//!   who pauses                            the loop, which said that it is paused
//!   ----------                            --------------------------------------
//!   insert into `pausing`                 not in `pausing` any more (it was resumed)
//!   fence P1                              remove from `paused`
//!   ...                                   fence P2
//!   in `paused`? → it has stopped         in `pausing` again? → stay paused, else go on and poll
//! ```
//!
//! **Invariant**: whoever has paused a CPU, and then sees that it is paused, has it stopped: its last poll happened before, and
//! there is none until it is resumed. Of the two fences one comes first: if P1 does, the loop sees that it shall stay; if P2
//! does, the bit that is seen is not the one of the pause before.

use crate::sync::{Ordering, fence};
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Asks `cpu` to stop at its next step. It then halts, polls nothing and drains nothing; its timers still
    /// interrupt it, others may still steal from it, and wakes wait in its inboxes. `false` if it is out of range.
    ///
    /// Does not wait: [`is_paused`](Self::is_paused) tells when it has stopped. Wait-free; anywhere but NMI.
    pub fn pause(&self, cpu: CpuId) -> bool {
        // Ordering: Release; pairs with the Acquire in the loop. The kick carries it to a halted CPU.
        self.cpu(cpu).is_some() && {
            self.pausing.insert(cpu, Ordering::Release);
            // Ordering: SeqCst fence P1, pairs with P2 in `end_pause`.
            fence(Ordering::SeqCst);
            self.force_kick(cpu);
            true
        }
    }

    /// Lets `cpu` go on. `false` if it is out of range.
    pub fn resume(&self, cpu: CpuId) -> bool {
        // Ordering: Release; pairs with the Acquire in the loop. The kick carries it to a halted CPU.
        self.cpu(cpu).is_some() && {
            self.pausing.remove(cpu, Ordering::Release);
            self.force_kick(cpu);
            true
        }
    }

    /// Whether `cpu` has stopped by [`pause`](Self::pause), and not gone on since: asked after one's own `pause`, `true` means
    /// that what it polled before is seen, and that it polls nothing until somebody [`resume`](Self::resume)s it. Wait-free;
    /// anywhere.
    pub fn is_paused(&self, cpu: CpuId) -> bool {
        // Ordering: Acquire; pairs with the loop's Release: its last poll is over.
        self.cpu(cpu).is_some() && self.paused.contains(cpu, Ordering::Acquire)
    }

    /// A kick that no other one stands for.
    fn force_kick(&self, cpu: CpuId) {
        let _masked = self.masked();
        self.machine.interleave();
        self.machine.kick(cpu);
    }
}
