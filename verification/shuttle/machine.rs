//! A machine for models of the whole loop: each CPU is a shuttle thread.
//!
//! # Invariants
//!
//! - **VM1** Interrupts are delivered on their CPU at every point where it has them unmasked and calls the machine: when
//!   the outermost mask is restored, at the checkpoint, while it computes or halts. Handlers run masked, and end in a chance
//!   to preempt what they interrupted, which may go on on another CPU.
//! - **VM2** Nothing but an interrupt ends a halt, so that a lost kick is a deadlock, which shuttle reports.
//! - **VM3** There is no tick (the models' slices never end) and time passes by being asked for, or when a CPU that waits
//!   has a timer to wait for: then to that timer's deadline at once.
//! - **VM4** The contract's conditions on the caller are asserted: who kicks, halts and sets timers has masked.
//!
//! - **VM5** A context is a shuttle thread of its own ([`relay`]), and has an interrupt mask of its own.
//!
//! What is std's here is either the CPU's own or read next to an access that shuttle schedules: it adds no steps.

#[path = "../../sched/tests/common/relay.rs"]
mod relay;

use relay::Relay;
use sched::{CpuId, Interrupts, Machine, Scheduler};
use sched_arch::{Context, Entry, Switch};
use shuttle::sync::{Condvar, Mutex};
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::SeqCst};

/// What one question for the time takes.
const STEP_NS: u64 = 1_000;

shuttle::thread_local! {
    static CPU: Cell<Option<CpuId>> = Cell::new(None);
}

/// Threads for the relay.
mod host {
    use super::CPU;
    use std::any::Any;

    pub(super) use shuttle::thread::{Thread, current, park};
    pub(super) type JoinHandle = shuttle::thread::JoinHandle<()>;

    /// Shuttle sees no orderings.
    #[derive(Default)]
    pub(super) struct Saved;

    impl Saved {
        pub(super) fn save(&self) {}
        pub(super) fn restore(&self) {}
    }

    pub(super) fn spawn(body: impl FnOnce() + Send + 'static) -> JoinHandle {
        shuttle::thread::spawn(body)
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

/// Who answers interrupts.
trait Handlers: Interrupts {
    fn preempt(&self);
}

impl<const CPUS: usize> Handlers for Scheduler<Virtual, (), CPUS> {
    fn preempt(&self) {
        Scheduler::preempt(self);
    }
}

pub(crate) struct Virtual {
    cpus: Vec<VirtualCpu>,
    now_ns: AtomicU64,
    handlers: OnceLock<&'static dyn Handlers>,
    stopped: AtomicBool,
    relay: Relay,
    departures: AtomicUsize,
}

struct VirtualCpu {
    kicked: AtomicBool,
    deadline_ns: AtomicU64,
    masks: AtomicUsize,
    /// Interrupts delivered so far.
    delivered: AtomicUsize,
    /// To wait for an interrupt by.
    line: Mutex<()>,
    changed: Condvar,
}

impl Virtual {
    pub(crate) fn new(cpus: usize) -> Self {
        let cpu = |_| VirtualCpu {
            kicked: AtomicBool::new(false),
            deadline_ns: AtomicU64::new(u64::MAX),
            masks: AtomicUsize::new(0),
            delivered: AtomicUsize::new(0),
            line: Mutex::new(()),
            changed: Condvar::new(),
        };
        Self {
            cpus: (0..cpus).map(cpu).collect(),
            now_ns: AtomicU64::new(0),
            handlers: OnceLock::new(),
            stopped: AtomicBool::new(false),
            relay: Relay::default(),
            departures: AtomicUsize::new(0),
        }
    }

    /// Ends the contexts that are left, when no loop comes again.
    pub(crate) fn end(&self) {
        self.relay.end();
    }

    /// The reschedule interrupt comes to the caller's CPU, which has interrupts unmasked.
    pub(crate) fn interrupt(&self) {
        let cpu = self.here().expect("a thread runs on a CPU");
        cpu.kicked.store(true, SeqCst);
        self.deliver(cpu);
    }

    /// Says who answers interrupts.
    pub(crate) fn set_handlers<const CPUS: usize>(
        &self,
        handlers: &'static Scheduler<Self, (), CPUS>,
    ) {
        assert!(self.handlers.set(handlers).is_ok(), "one scheduler on a machine");
    }

    /// Makes the calling thread the CPU, or none.
    pub(crate) fn become_cpu(&self, cpu: Option<CpuId>) {
        CPU.with(|current| current.set(cpu));
    }

    /// Tells the CPUs' loops to end, and halts to return at once: nobody will be left to be woken by.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, SeqCst);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(SeqCst)
    }

    /// A CPU's loop has ended.
    pub(crate) fn count_departure(&self) {
        self.departures.fetch_add(1, SeqCst);
    }

    /// Loops that have ended so far.
    pub(crate) fn departures(&self) -> usize {
        self.departures.load(SeqCst)
    }

    /// Interrupts delivered so far on the caller's CPU.
    pub(crate) fn interrupts(&self) -> usize {
        self.here().expect("a task runs on a CPU").delivered.load(SeqCst)
    }

    /// Computes on the caller's CPU until an interrupt came after the first `seen`, or until `done`, which whoever makes it
    /// true follows by [`announce`](Self::announce). No interrupt, no end: so a lost preemption is a deadlock.
    pub(crate) fn compute(&self, seen: usize, done: impl Fn() -> bool) {
        let cpu = self.here().expect("a task runs on a CPU");
        assert_eq!(cpu.masks.load(SeqCst), 0, "a poll has interrupts unmasked");
        self.wait(cpu, || cpu.delivered.load(SeqCst) != seen || done());
    }

    /// Wakes whoever computes, to look at its condition. The scheduler sees nothing of it.
    pub(crate) fn announce(&self) {
        for cpu in &self.cpus {
            cpu.ring();
        }
    }

    fn here(&self) -> Option<&VirtualCpu> {
        self.cpus.get(self.cpu()?.index())
    }

    fn is_due(&self, cpu: &VirtualCpu) -> bool {
        self.now_ns.load(SeqCst) >= cpu.deadline_ns.load(SeqCst)
    }

    /// Waits for an interrupt and delivers it, or returns when `done`.
    fn wait(&self, cpu: &VirtualCpu, done: impl Fn() -> bool) {
        let mut line = cpu.line.lock().unwrap();
        while !cpu.kicked.load(SeqCst) && !self.is_due(cpu) && !done() {
            let deadline_ns = cpu.deadline_ns.load(SeqCst);
            if deadline_ns != u64::MAX {
                self.now_ns.fetch_max(deadline_ns, SeqCst);
                break;
            }
            line = cpu.changed.wait(line).unwrap();
        }
        drop(line);
        self.deliver(cpu);
    }

    /// VM1. With interrupts unmasked.
    fn deliver(&self, cpu: &VirtualCpu) {
        let Some(handlers) = self.handlers.get() else { return };
        cpu.masks.fetch_add(1, SeqCst);
        if cpu.kicked.swap(false, SeqCst) {
            cpu.delivered.fetch_add(1, SeqCst);
            handlers.on_kick();
        }
        if self.is_due(cpu) {
            cpu.deadline_ns.store(u64::MAX, SeqCst);
            cpu.delivered.fetch_add(1, SeqCst);
            handlers.on_timer();
        }
        if !std::thread::panicking() {
            handlers.preempt();
        }
        // On whatever CPU it goes on.
        if let Some(cpu) = self.here() {
            cpu.masks.store(0, SeqCst);
        }
    }

    /// VM4.
    fn assert_masked(&self) {
        if let Some(cpu) = self.here() {
            assert!(cpu.masks.load(SeqCst) > 0, "called with interrupts unmasked");
        }
    }
}

impl VirtualCpu {
    fn ring(&self) {
        let _line = self.line.lock().unwrap();
        self.changed.notify_all();
    }
}

// SAFETY: 1. A thread becomes a CPU once, and the models start one thread for each. 2. VM1: handlers run in `deliver`
// only, which nothing calls between `mask` and `restore`, and a thread does not change its CPU. 3. The flag is set before
// the target is rung, and taken by its next `deliver`. 4. `wait` looks at the flag before it waits, under the line's lock,
// which `kick` takes after setting it.
unsafe impl Machine for Virtual {
    type Saved = usize;

    fn cpu(&self) -> Option<CpuId> {
        CPU.try_with(Cell::get).ok().flatten()
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.fetch_add(STEP_NS, SeqCst)
    }

    fn mask(&self) -> usize {
        self.here().map_or(0, |cpu| cpu.masks.fetch_add(1, SeqCst))
    }

    // As hardware does it: a value, not a step back. Each context has its own.
    unsafe fn restore(&self, saved: usize) {
        let Some(cpu) = self.here() else { return };
        cpu.masks.store(saved, SeqCst);
        if saved == 0 && !std::thread::panicking() {
            self.deliver(cpu);
        }
    }

    fn kick(&self, cpu: CpuId) {
        self.assert_masked();
        let target = &self.cpus[cpu.index()];
        target.kicked.store(true, SeqCst);
        target.ring();
    }

    unsafe fn halt(&self) {
        let cpu = self.here().expect("a CPU halts");
        let masks = cpu.masks.fetch_sub(1, SeqCst);
        assert_eq!(masks, 1, "halt unmasks what one mask masked");
        if !self.is_stopped() {
            self.wait(cpu, || false);
        }
    }

    fn set_timer(&self, at_ns: u64) {
        self.assert_masked();
        if let Some(cpu) = self.here() {
            cpu.deadline_ns.store(at_ns, SeqCst);
        }
    }

    fn seed(&self) -> u64 {
        self.cpu().map_or(0, |cpu| u64::from(cpu.get()))
    }

    fn checkpoint(&self) {
        let cpu = self.here().expect("a loop runs on a CPU");
        assert_eq!(cpu.masks.load(SeqCst), 0, "interrupts are unmasked between two steps");
        self.deliver(cpu);
    }
}

// SAFETY: 1. and 2. A relay's, which hands the CPU over with the turn. 3. `begin` does.
unsafe impl Switch for Virtual {
    unsafe fn prepare(&self, _: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
        self.relay.prepare(entry, argument)
    }

    unsafe fn switch(&self, from: *mut Context, to: Context) {
        self.assert_masked();
        let cpu = CPU.with(Cell::take).expect("a loop runs on a CPU, and so do its threads");
        // SAFETY: the caller's promise.
        let cpu = unsafe { self.relay.switch(from, to, cpu) };
        host::become_cpu(Some(cpu));
    }

    unsafe fn begin(&self) {
        // SAFETY: nothing is masked in a new context.
        unsafe { self.restore(0) }
    }
}
