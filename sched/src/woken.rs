//! Tasks that became runnable on their own CPU: woken by what runs there, or by a handler there.
//!
//! An inbox is for everybody, and costs a push and a drain a read-modify-write each. Most wakes are of a CPU's own tasks by itself,
//! and a list that nobody else touches costs neither.
//!
//! # Invariants
//!
//! - **OW1** List and state are touched on their CPU only, with interrupts masked; without that the state may be read, there.
//! - **OW2** The list is open and closed when the CPU's inboxes are: what would go to a CPU that leaves goes to another one.
//! - **OW3** Each look that finds the inboxes empty finds this list empty as well: before a halt, and after a level was lowered.

use crate::Machine;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicU8, Ordering, UnsafeCell, const_fn};
use crate::task::{Header, Queued};
use mpsc_inbox::List;
use sched_arch::Masked;

const EMPTY: u8 = 0;
const FULL: u8 = 1;
const CLOSED: u8 = 2;

pub(crate) struct Woken {
    list: UnsafeCell<List<Header>>,
    state: AtomicU8,
}

// SAFETY: OW1.
unsafe impl Sync for Woken {}

impl Woken {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self { list: UnsafeCell::new(List::new()), state: AtomicU8::new(EMPTY) }
        }
    }

    /// Whether nothing is in it. Exact on its CPU; elsewhere a hint.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.state() != FULL
    }

    #[inline]
    fn state(&self) -> u8 {
        // Ordering: Relaxed; written on this CPU only.
        self.state.load(Ordering::Relaxed)
    }

    #[inline]
    fn set(&self, state: u8) {
        // Ordering: Relaxed; read on this CPU only.
        self.state.store(state, Ordering::Relaxed);
    }

    /// Puts a task at the end; gives it back if the list is closed. Wait-free.
    ///
    /// # Safety
    ///
    /// The caller is on the CPU whose list it is.
    #[inline]
    pub(crate) unsafe fn push<M: Machine>(
        &self,
        _: &Masked<'_, M>,
        task: Queued,
    ) -> Result<(), Queued> {
        if self.state() == CLOSED {
            return Err(task);
        }
        // SAFETY: OW1.
        self.list.with_mut(|list| unsafe { (*list).push_back(task) });
        self.set(FULL);
        Ok(())
    }

    /// Takes all that is in it, the oldest first. O(1).
    ///
    /// # Safety
    ///
    /// The caller is on the CPU whose list it is.
    pub(crate) unsafe fn take<M: Machine>(&self, _: &Masked<'_, M>) -> List<Header> {
        if self.is_empty() {
            return List::new();
        }
        self.set(EMPTY);
        // SAFETY: OW1.
        self.list.with_mut(|list| core::mem::take(unsafe { &mut *list }))
    }

    /// Refuses all pushes from now on, and takes all that is in it (OW2). O(1).
    ///
    /// # Safety
    ///
    /// The caller is on the CPU whose list it is.
    pub(crate) unsafe fn close<M: Machine>(&self, masked: &Masked<'_, M>) -> List<Header> {
        // SAFETY: the caller's promise.
        let all = unsafe { self.take(masked) };
        self.set(CLOSED);
        all
    }

    /// Accepts pushes again.
    ///
    /// # Safety
    ///
    /// The caller is on the CPU whose list it is.
    pub(crate) unsafe fn reopen<M: Machine>(&self, _: &Masked<'_, M>) {
        if self.state() == CLOSED {
            self.set(EMPTY);
        }
    }
}
