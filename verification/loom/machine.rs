//! A machine for models of the real loop under loom: a CPU is a loom thread that takes single steps.
//!
//! A halt returns at once, and says so by [`sched::Step::Halted`]; a kick is a mark. Whether a CPU that halted was kicked is
//! what the models ask. Nothing here orders anything: marks are invisible to loom.

use sched::{CpuId, Machine};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

loom::thread_local! {
    static CPU: Cell<Option<CpuId>> = Cell::new(None);
}

pub(crate) struct Stepped {
    kicked: [AtomicBool; 3],
    gives_way: AtomicBool,
    now_ns: AtomicU64,
}

impl Stepped {
    pub(crate) fn new() -> Self {
        Self {
            kicked: Default::default(),
            gives_way: AtomicBool::new(false),
            now_ns: AtomicU64::new(0),
        }
    }

    /// Makes the calling thread the CPU.
    pub(crate) fn become_cpu(cpu: u32) {
        CPU.with(|current| current.set(Some(CpuId::new(cpu))));
    }

    /// From now on each step begins when no other thread can go on: for a loop that waits for others, which would else go
    /// round for ever. It hides interleavings: not for a model of single steps.
    pub(crate) fn give_way(&self) {
        self.gives_way.store(true, SeqCst);
    }

    /// Sets the clock. Nobody else reads it as a sign of anything, so that it orders nothing.
    pub(crate) fn set_now_ns(&self, now_ns: u64) {
        self.now_ns.store(now_ns, SeqCst);
    }

    /// Whether the CPU was kicked, and it is its kick no more.
    pub(crate) fn take_kick(&self, cpu: u32) -> bool {
        self.kicked[cpu as usize].swap(false, SeqCst)
    }

    /// Whether the CPU was kicked.
    pub(crate) fn was_kicked(&self, cpu: u32) -> bool {
        self.kicked[cpu as usize].load(SeqCst)
    }
}

// SAFETY: 1. The models give each thread a CPU of its own, once. 2. There are no handlers. 3. A kick is never delivered,
// only noted: the models end before it would be. 4. `halt` returns at once.
unsafe impl Machine for Stepped {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        CPU.with(Cell::get)
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.load(SeqCst)
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn checkpoint(&self) {
        if self.gives_way.load(SeqCst) {
            loom::thread::yield_now();
        }
    }

    fn kick(&self, cpu: CpuId) {
        self.kicked[cpu.index()].store(true, SeqCst);
    }

    unsafe fn halt(&self) {}

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}
