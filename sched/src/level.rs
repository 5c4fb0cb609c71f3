//! What a CPU runs, as others see it: the meeting point of rule PC1.
//!
//! A push to the inbox of a CPU that is awake owes a kick only if the newcomer comes before what that CPU runs.
//!
//! **Invariant**: a CPU that lowers its level looks at its inboxes after that, and a pusher reads the level after
//! its push, each with a SeqCst fence between. So either the CPU sees the item before it runs something lower,
//! or the pusher sees the low level and kicks. Raising needs no fence: a pusher that reads the old, lower level
//! kicks once too often.
//!
//! This module is public so that kernels can put the protocol into models of their own.

use crate::sync::{AtomicU8, Ordering, const_fn, fence};
use core::fmt;

/// The published running level of a CPU. Levels are small numbers, the more urgent the higher.
pub struct RunningLevel(AtomicU8);

impl RunningLevel {
    const_fn! {
        /// The lowest level.
        pub const fn new() -> Self {
            Self(AtomicU8::new(0))
        }
    }

    /// The CPU is about to run something more urgent. Wait-free; by the CPU itself.
    pub fn raise(&self, level: u8) {
        // Ordering: Relaxed; an old value read elsewhere costs a needless kick, nothing more (PC1).
        self.0.store(level, Ordering::Relaxed);
    }

    /// The CPU is about to run something less urgent: its inboxes must be looked at after this.
    ///
    /// Wait-free; by the CPU itself.
    pub fn lower(&self, level: u8) {
        // Ordering: Relaxed; the fence orders it.
        self.0.store(level, Ordering::Relaxed);
        // Ordering: SeqCst fence, pairs with the one in `is_below` (PC1).
        fence(Ordering::SeqCst);
    }

    /// The same as [`is_below`](Self::is_below), asked by the CPU itself, or a handler on it: its own steps are in order without a
    /// fence.
    ///
    /// Wait-free; on the CPU.
    pub(crate) fn is_below_here(&self, level: u8) -> bool {
        // Ordering: Relaxed; written on this CPU only.
        self.0.load(Ordering::Relaxed) < level
    }

    /// Whether the CPU runs something less urgent than `level`, asked after a push to its inbox.
    ///
    /// Wait-free; any context.
    pub fn is_below(&self, level: u8) -> bool {
        // Ordering: SeqCst fence, pairs with the one in `lower` (PC1).
        fence(Ordering::SeqCst);
        // Ordering: Relaxed; the fence orders it.
        self.0.load(Ordering::Relaxed) < level
    }
}

impl Default for RunningLevel {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RunningLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ordering: Relaxed; a snapshot for people.
        write!(f, "RunningLevel({})", self.0.load(Ordering::Relaxed))
    }
}
