//! A machine for models of the real loop under loom: a CPU is a loom thread that takes single steps.
//!
//! A halt returns at once, and says so by [`sched::Step::Halted`]; a kick is a mark. Whether a CPU that halted was kicked is
//! what the models ask. Nothing here orders anything: marks are invisible to loom.
//!
//! A context is a loom thread of its own ([`relay`]); what a switch orders is what stands on one CPU, one after the other.

#[path = "../../sched/tests/common/relay.rs"]
mod relay;

use relay::Relay;
use sched::{CpuId, Machine};
use sched_arch::{Context, Entry, Switch};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

loom::thread_local! {
    static CPU: Cell<Option<CpuId>> = Cell::new(None);
}

pub(crate) struct Stepped {
    kicked: [AtomicBool; 3],
    gives_way: AtomicBool,
    now_ns: AtomicU64,
    relay: Relay,
}

/// Threads for the relay.
mod host {
    use super::{CPU, STACK_WORDS};
    use std::any::Any;
    use verification::exhaustive::Plain;

    pub(super) use loom::thread::{Thread, current, park};
    pub(super) type JoinHandle = loom::thread::JoinHandle<()>;

    /// The frames of a context: who goes on with it must be ordered behind who left it.
    pub(super) struct Saved(Plain<()>);

    impl Saved {
        pub(super) fn new() -> Self {
            Self(Plain::new(()))
        }

        pub(super) fn save(&self) {
            self.0.write(());
        }

        pub(super) fn restore(&self) {
            self.0.write(());
        }
    }

    pub(super) fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle {
        let builder = loom::thread::Builder::new().stack_size(STACK_WORDS);
        builder.spawn(body).expect("loom has room for it")
    }

    pub(super) fn join(thread: JoinHandle) {
        thread.join().unwrap();
    }

    pub(super) fn fail(why: Box<dyn Any + Send>) -> ! {
        std::panic::resume_unwind(why)
    }

    pub(super) fn become_cpu(cpu: Option<sched::CpuId>) {
        CPU.with(|current| current.set(cpu));
    }
}

/// For a loop's frames and a scheduler on its way to the heap, in words.
pub(crate) const STACK_WORDS: usize = 1 << 15;

impl Stepped {
    pub(crate) fn new() -> Self {
        Self {
            kicked: Default::default(),
            gives_way: AtomicBool::new(false),
            now_ns: AtomicU64::new(0),
            relay: Relay::default(),
        }
    }

    /// Ends the contexts that are left, when no loop comes again.
    pub(crate) fn end(&self) {
        self.relay.end();
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
    /// What was kicked so far is not what is asked about.
    pub(crate) fn forget_kick(&self, cpu: u32) {
        self.kicked[cpu as usize].store(false, SeqCst);
    }

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

// SAFETY: 1. and 2. A relay's, which hands the CPU over with the turn. 3. Nothing is ever masked.
unsafe impl Switch for Stepped {
    unsafe fn prepare(&self, _: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
        self.relay.prepare(entry, argument)
    }

    unsafe fn switch(&self, from: *mut Context, to: Context) {
        let cpu = CPU.with(Cell::take).expect("a loop runs on a CPU, and so do its threads");
        // SAFETY: the caller's promise.
        let cpu = unsafe { self.relay.switch(from, to, cpu) };
        host::become_cpu(Some(cpu));
    }

    unsafe fn begin(&self) {}
}
