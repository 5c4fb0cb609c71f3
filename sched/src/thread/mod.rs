//! Threads: code on stacks of its own, run by the same loop as futures.
//!
//! A thread is a task whose poll is a switch to its stack. It has the header, state word, waker and join handle of any task, waits
//! for any future by [`Scheduler::wait`], and is woken, moved and joined like one. What it has besides is a [`Policy`] by which it
//! shares its CPU.
//!
//! | Operation | Progress | Callable from | Allocates | Worst case |
//! |---|---|---|---|---|
//! | [`thread`](Scheduler::thread)`(…).spawn` | lock-free | any context but NMI | no | one inbox push, one kick |
//! | [`park`](Scheduler::park), [`wait`](Scheduler::wait) | blocking: that is what they are for | a thread | no | one switch |
//! | [`yield_thread`](Scheduler::yield_thread), [`resched_point`](Scheduler::resched_point) | wait-free up to the switch | anywhere; a thread, to have effect | no | one switch |
//! | [`preempt`](Scheduler::preempt) | wait-free up to the switch | the end of an interrupt handler | no | one switch |
//! | [`no_reschedule`](Scheduler::no_reschedule) | wait-free | anywhere | no | O(1) |
//!
//! ```
//! # use sched::{CpuId, Machine, Scheduler, Settings, thread::{Policy, Stack, StackMemory}, class::Nice};
//! # use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
//! # struct OneCpu { clock_ns: AtomicU64, timer_ns: AtomicU64 }
//! # // SAFETY: there is one CPU, and handlers run in `checkpoint` only, never while interrupts are masked.
//! # unsafe impl Machine for OneCpu {
//! #     type Saved = ();
//! #     fn cpu(&self) -> Option<CpuId> { Some(CpuId::new(0)) }
//! #     fn now_ns(&self) -> u64 { self.clock_ns.fetch_add(1_000, Relaxed) }
//! #     fn mask(&self) {}
//! #     unsafe fn restore(&self, (): ()) {}
//! #     fn kick(&self, _: CpuId) {}
//! #     unsafe fn halt(&self) {}
//! #     fn set_timer(&self, at_ns: u64) { self.timer_ns.store(at_ns, Relaxed) }
//! #     fn seed(&self) -> u64 { 0 }
//! #     fn checkpoint(&self) {
//! #         if self.timer_ns.load(Relaxed) <= self.now_ns() {
//! #             self.timer_ns.store(u64::MAX, Relaxed);
//! #             sched::Interrupts::on_timer(&SCHEDULER);
//! #         }
//! #     }
//! # }
//! // SAFETY: the architecture's own switch; this machine has no mask.
//! # #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
//! unsafe impl sched_arch::Switch for OneCpu {
//!     unsafe fn begin(&self) {} // on hardware: unmask
//! }
//! # static SCHEDULER: Scheduler<OneCpu, (), 1> = Scheduler::new(
//! #     OneCpu { clock_ns: AtomicU64::new(0), timer_ns: AtomicU64::new(u64::MAX) }, (), Settings::DEFAULT);
//!
//! static MEMORY: StackMemory<32_768> = StackMemory::new();
//!
//! # #[cfg(all(not(miri), any(target_arch = "x86_64", target_arch = "aarch64")))] {
//! let worker = SCHEDULER.thread("worker").policy(Policy::fair(Nice::new(-5)));
//! worker.spawn(MEMORY.claim().unwrap(), || {
//!     SCHEDULER.wait(SCHEDULER.sleep_ms(10)).unwrap();
//!     SCHEDULER.stop();
//! }).unwrap();
//! SCHEDULER.enter().unwrap().run();
//! assert!(SCHEDULER.totals().completed == 1);
//! # }
//! ```
//!
//! The order on a CPU: Stop threads, Critical futures, real-time threads, then fair threads and all other futures by weight. The
//! futures of a CPU are one member of its fair class, the *executor*. Only the loop queues: a thread comes back to it, its context saved,
//! before anybody can see it runnable.
//!
//! Which class orders them is the kernel's choice: real-time threads alone make fixed priorities, fair ones EEVDF, and what
//! [`Core::lend_class`](crate::Core::lend_class) is given has the fair class's place: plain round-robin, or a
//! [class](crate::class::SchedClass) of the kernel's own over [`Tcb`]. `examples/thread_classes.rs` shows the four.

mod cell;
mod change;
mod cpu;
mod guard;
mod inspect;
mod own_class;
mod policy;
mod run;
mod settings;
mod spawn;
mod stack;
mod switching;
mod tcb;
mod thread_ref;

pub use guard::NoReschedule;
pub use own_class::{LentClass, ThreadClass};
pub use policy::Policy;
pub use settings::ThreadSettings;
pub use spawn::{SpawnError, ThreadBuilder};
pub use stack::{Stack, StackMemory};
pub use tcb::{CANARY, Tcb, TcbRef};
pub use thread_ref::{ThreadRef, ThreadStats};

pub(crate) use cell::Thread;
pub(crate) use cpu::CpuThreads;
pub(crate) use run::Theft;

use crate::Scheduler;
use core::fmt;
use cpu::Local;

/// The caller is no thread that could wait: it is a future, the loop, an interrupt handler, no CPU, or must not be rescheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAThread;

impl fmt::Display for NotAThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the caller is no thread that could wait")
    }
}

impl core::error::Error for NotAThread {}

/// What an executor is told; it lies on its stack.
struct Executor<M: 'static, T: 'static, const CPUS: usize> {
    scheduler: &'static Scheduler<M, T, CPUS>,
    local: &'static Local,
}
