//! A thread as others see it.

use super::cell::Thread;
use super::policy::Policy;
use super::tcb::Tcb;
use crate::cpu_set::CpuSet;
use crate::spawn::EmptyAffinity;
use crate::stats::Counter;
use crate::sync::const_fn;
use crate::task::{Header, TaskId};
use core::fmt;
use core::ptr::NonNull;

/// A counted reference to a thread: to wake it, to ask what it had, and to change how it is scheduled.
///
/// From [`Scheduler::current_thread`](crate::Scheduler::current_thread) and
/// [`JoinHandle::thread`](crate::JoinHandle::thread). It keeps the thread's memory, not the thread.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | `clone`, `id`, `name`, `policy`, `stats` | wait-free | any context | no | O(1) |
/// | [`unpark`](Self::unpark), drop | lock-free | any context but NMI | no | one inbox push, one kick |
/// | [`set_policy`](Self::set_policy) | lock-free | any context but NMI | no | one inbox push, one kick |
/// | [`affinity`](Self::affinity), [`set_affinity`](Self::set_affinity) | blocking: a spin lock, interrupts masked, for the copy of one set | any context but NMI | no | as above |
pub struct ThreadRef(NonNull<Header>);

// SAFETY: a counted reference to what is shared by design.
unsafe impl Send for ThreadRef {}
// SAFETY: as above.
unsafe impl Sync for ThreadRef {}

impl ThreadRef {
    /// Another reference to the thread of `header`.
    ///
    /// # Safety
    ///
    /// `header` is that of a thread, and the caller has a reference.
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        // SAFETY: live by the caller's reference.
        unsafe { header.as_ref() }.state.add_reference();
        Self(header)
    }

    pub(super) fn header(&self) -> &Header {
        // SAFETY: live by this reference.
        unsafe { self.0.as_ref() }
    }

    pub(super) fn tcb(&self) -> &Tcb {
        // SAFETY: as above, and it is a thread.
        unsafe { Thread::tcb(self.0).as_ref() }
    }

    /// The reference that `header` stands for.
    ///
    /// # Safety
    ///
    /// `header` is that of a thread, and the caller gives up a reference.
    pub(super) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }

    pub(super) fn as_raw(&self) -> NonNull<Header> {
        self.0
    }

    /// Its id.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.header().meta().name
    }

    /// Wakes it, if it is parked; else its next park returns at once.
    pub fn unpark(&self) {
        let wake = self.header().state.wake();
        // SAFETY: the answer is of this thread, and not acted on yet.
        unsafe { Header::act_on(self.0, wake) }
    }

    /// How it shares its CPU: what was asked for last.
    pub fn policy(&self) -> Policy {
        self.tcb().policy.get()
    }

    /// Changes how it shares its CPU: from its next choice on, for which its CPU is kicked. Its lag in the fair class goes with it.
    pub fn set_policy(&self, policy: Policy) {
        self.tcb().policy.set(policy);
        self.header().scheduler().change(self.clone());
    }

    /// The CPUs that may run it, as asked for last; `None`: any.
    pub fn affinity(&self) -> Option<CpuSet> {
        self.header().scheduler().affinity(self)
    }

    /// Changes the CPUs that may run it: where it is queued on another one it moves at once, and where it runs on another one
    /// that CPU is kicked. A thread that asks for itself goes on where it is up to its next reschedule point.
    ///
    /// # Errors
    ///
    /// [`EmptyAffinity`] if no CPU of the set is online; nothing changes then.
    pub fn set_affinity(&self, cpus: CpuSet) -> Result<(), EmptyAffinity> {
        self.header().scheduler().set_affinity(self, cpus)
    }

    /// What it had so far.
    pub fn stats(&self) -> ThreadStats {
        self.tcb().stats.read()
    }
}

impl Clone for ThreadRef {
    fn clone(&self) -> Self {
        // SAFETY: it is a thread, by this reference.
        unsafe { Self::new(self.0) }
    }
}

impl Drop for ThreadRef {
    fn drop(&mut self) {
        // SAFETY: this reference goes with it.
        unsafe { Header::release(self.0) }
    }
}

impl fmt::Debug for ThreadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadRef")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("policy", &self.policy())
            .finish_non_exhaustive()
    }
}

macro_rules! thread_stats {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What a thread had since it was made.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct ThreadStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        /// The counters of a thread, written by the loop that has it.
        pub(crate) struct Counters {
            $(pub(crate) $name: Counter,)*
        }

        impl Counters {
            const_fn! {
                pub(crate) const fn new() -> Self {
                    Self { $($name: Counter::new(),)* }
                }
            }

            fn read(&self) -> ThreadStats {
                ThreadStats { $($name: self.$name.get(),)* }
            }
        }
    };
}

thread_stats! {
    /// Times it was switched to.
    runs,
    /// Nanoseconds that it ran.
    run_ns,
    /// Nanoseconds that it was runnable, and others ran.
    wait_ns,
    /// Times it was preempted.
    preempted,
    /// Times it came out of its sleep.
    wakes,
    /// Times it came to another CPU.
    migrations,
}
