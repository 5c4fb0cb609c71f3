//! The hosted machine: each CPU is a thread of the operating system.
//!
//! A thread cannot be interrupted from outside, so interrupts are delivered where the contract lets a machine do
//! so: at the loop's checkpoint, once a step, and by ending a halt. Everywhere else they are masked by nature, and
//! masking is free. Time is the operating system's monotonic clock, and each CPU has a deadline for its timer
//! interrupt, compared with the clock at every checkpoint.
//!
//! Threads of the scheduler run on stacks of their own, on whichever thread of the operating system is their CPU at the time.
//! They are preempted where they ask to be, at reschedule points, since nothing can interrupt them: they are cooperative.
//! What a thread has from the operating system's thread under it (thread-locals, a held mutex of the standard library) it may
//! not keep over a point at which it can be moved.
//!
//! # Invariants
//!
//! - **HM1** (no lost kick) `kick` sets the target's pending flag, then unparks its thread; the token of `unpark` is
//!   sticky. A halt parks only after it has seen the flag clear, and looks again after each park.
//! - **HM2** A deadline is written and read by its own CPU only, so halting until it needs no other thread.
//! - **HM3** No lock, channel or thread pool of the standard library is on the way from a wake to a poll.
//! - **HM4** Which CPU this is, a thread-local says, by a function that is not inlined: code that goes on on another thread of
//!   the operating system asks anew, with the address of that thread's variable.

mod cpu_thread;

pub use cpu_thread::CpuThread;

use sched::{CpuId, Interrupts, Machine};
use sched_arch::Switch;
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::thread::Thread;
use std::time::{Duration, Instant};

thread_local! {
    /// The CPU that this thread is.
    static CPU: Cell<Option<CpuId>> = const { Cell::new(None) };
}

/// A machine whose CPUs are threads. There is one in a process.
pub struct Hosted {
    cpus: Box<[HostedCpu]>,
    started: Instant,
    seed: u64,
    handlers: OnceLock<&'static dyn Interrupts>,
}

/// One CPU, on cache lines of its own.
#[repr(align(128))]
#[derive(Default)]
struct HostedCpu {
    /// A reschedule interrupt waits to be delivered.
    kicked: AtomicBool,
    /// When the timer interrupt is due (HM2).
    deadline_ns: AtomicU64,
    /// A thread was started for it: one for life.
    taken: AtomicBool,
    /// To be unparked; there from the moment that the thread is the CPU.
    thread: OnceLock<Thread>,
}

impl Hosted {
    /// A machine of `cpus` CPUs, none of which is up.
    pub fn new(cpus: usize, seed: u64) -> Self {
        let cpu = |_| HostedCpu { deadline_ns: AtomicU64::new(u64::MAX), ..HostedCpu::default() };
        Self {
            cpus: (0..cpus).map(cpu).collect(),
            started: Instant::now(),
            seed,
            handlers: OnceLock::new(),
        }
    }

    /// Says who answers interrupts; before the first CPU comes up. Only the first call counts.
    pub fn set_handlers(&self, handlers: &'static dyn Interrupts) {
        let _ = self.handlers.set(handlers);
    }

    fn here(&self) -> Option<(CpuId, &HostedCpu)> {
        let id = this_cpu()?;
        Some((id, self.cpus.get(id.index())?))
    }

    /// Delivers what is due on the caller's CPU; tells whether anything was.
    fn deliver(&self, cpu: &HostedCpu) -> bool {
        let Some(handlers) = self.handlers.get() else { return false };
        let mut any = false;
        // Ordering: the load keeps the line clean; Acquire of the swap pairs with the Release in `kick`.
        if cpu.kicked.load(Ordering::Relaxed) && cpu.kicked.swap(false, Ordering::Acquire) {
            handlers.on_kick();
            any = true;
        }
        // Ordering: Relaxed; this CPU's own (HM2).
        let deadline_ns = cpu.deadline_ns.load(Ordering::Relaxed);
        if deadline_ns != u64::MAX && self.now_ns() >= deadline_ns {
            cpu.deadline_ns.store(u64::MAX, Ordering::Relaxed);
            handlers.on_timer();
            any = true;
        }
        any
    }
}

// SAFETY: 1. `CpuThread` gives each thread a CPU of its own, for life. 2. Handlers run in `deliver` only, which is
// called by `checkpoint` and `halt`, never between `mask` and `restore`, and a thread never changes its CPU. 3. HM1;
// Release and Acquire of `kicked` carry the sender's memory. 4. HM1: `halt` returns at once if a kick is pending.
unsafe impl Machine for Hosted {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        this_cpu()
    }

    fn now_ns(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, cpu: CpuId) {
        let Some(target) = self.cpus.get(cpu.index()) else { return };
        // Ordering: Release pairs with the Acquire in `deliver`.
        target.kicked.store(true, Ordering::Release);
        // Ordering: SeqCst, pairs with the fence in `CpuThread`: either the thread is seen here, or the new thread
        // sees the flag at its first checkpoint.
        fence(Ordering::SeqCst);
        if let Some(thread) = target.thread.get() {
            thread.unpark();
        }
    }

    unsafe fn halt(&self) {
        let Some((_, cpu)) = self.here() else { return };
        while !self.deliver(cpu) {
            // Ordering: Relaxed; this CPU's own (HM2).
            match cpu.deadline_ns.load(Ordering::Relaxed) {
                u64::MAX => std::thread::park(),
                deadline_ns => {
                    let left_ns = deadline_ns.saturating_sub(self.now_ns());
                    std::thread::park_timeout(Duration::from_nanos(left_ns));
                }
            }
        }
    }

    fn set_timer(&self, at_ns: u64) {
        if let Some((_, cpu)) = self.here() {
            // Ordering: Relaxed; this CPU's own (HM2).
            cpu.deadline_ns.store(at_ns, Ordering::Relaxed);
        }
    }

    fn seed(&self) -> u64 {
        // One odd multiplier spreads neighbouring CPUs over the range.
        let cpu = this_cpu().map_or(0, |cpu| u64::from(cpu.get()) + 1);
        self.seed.wrapping_add(cpu).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
    }

    fn checkpoint(&self) {
        if let Some((_, cpu)) = self.here() {
            self.deliver(cpu);
        }
    }
}

// SAFETY: 1, 2. The architecture's switch; HM4. 3. Nothing is masked but by nature.
unsafe impl Switch for Hosted {
    unsafe fn begin(&self) {}
}

/// HM4.
#[inline(never)]
fn this_cpu() -> Option<CpuId> {
    CPU.get()
}

impl std::fmt::Debug for Hosted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hosted").field("cpus", &self.cpus.len()).finish_non_exhaustive()
    }
}
