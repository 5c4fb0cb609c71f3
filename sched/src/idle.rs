//! Which CPUs are about to halt or halted: the meeting point of rule PB1.
//!
//! ```text
//!   a CPU that found nothing            a CPU that makes something takeable
//!   ------------------------            -----------------------------------
//!   idle.publish(me)      ── I1 ──┐     write (deque, injector)
//!     insert; fence(SeqCst)       │  ┌─ I2 ──  idle.claim_one(..) / wake loop
//!   look at everybody's things  ◄─┼──┘     fence(SeqCst); read the set
//!   nothing → halt                └────►   member → remove it (one wins) → kick
//! ```
//!
//! **Invariant**: of the two fences one comes first in the order of all SeqCst fences. If the publisher's (I2)
//! comes first, the halter's look sees what was written; if the halter's (I1) does, the publisher sees it in the
//! set and kicks it. Either way nobody sleeps beside work. Either fence missing, or the look before the
//! publication, loses a wake.
//!
//! This module is public so that kernels can put the protocol into models of their own.

use crate::cpu_set::AtomicCpuSet;
use crate::sync::{Ordering, const_fn, fence};
use core::fmt;
use sched_arch::CpuId;

/// The set of CPUs that are idle.
pub struct IdleSet(AtomicCpuSet);

impl IdleSet {
    const_fn! {
        /// No CPU is idle.
        pub const fn new() -> Self {
            Self(AtomicCpuSet::new())
        }
    }

    /// Says that `cpu` is about to halt. The caller's last look at other CPUs' things comes after this.
    ///
    /// Wait-free; by the CPU itself, interrupts masked.
    pub fn publish(&self, cpu: CpuId) {
        // Ordering: Relaxed; the fence orders it.
        self.0.insert(cpu, Ordering::Relaxed);
        // Ordering: SeqCst fence I1, pairs with I2 in `publish_work` (PB1).
        fence(Ordering::SeqCst);
    }

    /// Says that `cpu` is idle no more; `false` if somebody [claimed](Self::claim) it meanwhile: then the work that it
    /// was claimed for is its to find, or to pass on.
    ///
    /// Wait-free; by the CPU itself.
    pub fn withdraw(&self, cpu: CpuId) -> bool {
        // Ordering: Relaxed; one of this and a claim finds the bit, and the claimer's kick carries the memory.
        self.0.remove(cpu, Ordering::Relaxed)
    }

    /// Orders the caller's writes, which made work takeable, before its reads of this set.
    ///
    /// Wait-free; any context.
    pub fn publish_work(&self) {
        // Ordering: SeqCst fence I2, pairs with I1 in `publish` (PB1).
        fence(Ordering::SeqCst);
    }

    /// Whether any CPU below `limit` is idle. [`publish_work`](Self::publish_work) comes first.
    ///
    /// Wait-free: one load for each 64 CPUs.
    pub fn any(&self, limit: usize) -> bool {
        // Ordering: Relaxed; the fence of `publish_work` orders the read.
        !self.0.is_empty(limit, Ordering::Relaxed)
    }

    /// Claims one idle CPU below `limit`, looking from `from` upward and around; the caller must kick it.
    /// [`publish_work`](Self::publish_work) comes first.
    ///
    /// Wait-free: at most one read-modify-write for each member seen.
    #[must_use = "a claimed CPU must be kicked"]
    pub fn claim(&self, from: usize, limit: usize) -> Option<CpuId> {
        // Ordering: Relaxed; the fence of `publish_work` orders the read, and the kick carries the memory.
        self.0
            .iter_from(from, limit, Ordering::Relaxed)
            .find(|&cpu| self.0.remove(cpu, Ordering::Relaxed))
    }

    /// Whether `cpu` is in the set: a hint.
    pub fn contains(&self, cpu: CpuId) -> bool {
        // Ordering: Relaxed; a hint.
        self.0.contains(cpu, Ordering::Relaxed)
    }
}

impl Default for IdleSet {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for IdleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ordering: Relaxed; a snapshot for people.
        let members = self.0.iter_from(0, crate::MAX_CPUS, Ordering::Relaxed);
        f.debug_set().entries(members.map(CpuId::index)).finish()
    }
}
