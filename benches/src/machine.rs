//! A machine of one CPU that is driven by hand, and one of two that are threads.

use sched::{CpuId, Interrupts, Machine, Scheduler, Settings};
use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::pair;

/// One CPU, the calling thread, with a clock; nothing interrupts it.
#[derive(Debug)]
pub(crate) struct OneCpu<C>(pub(crate) C);

/// What says the time.
pub(crate) trait Clock: Sync {
    fn now_ns(&self) -> u64;
}

/// The system's clock, from this moment on.
impl Clock for Instant {
    fn now_ns(&self) -> u64 {
        self.elapsed().as_nanos() as u64
    }
}

/// A clock that is set.
impl Clock for AtomicU64 {
    fn now_ns(&self) -> u64 {
        self.load(Ordering::Relaxed)
    }
}

// SAFETY: there is one CPU and no interrupt handler, so the rules of the contract hold trivially.
unsafe impl<C: Clock> Machine for OneCpu<C> {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        Some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        self.0.now_ns()
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, _: CpuId) {}

    unsafe fn halt(&self) {}

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }
}

/// Two CPUs, each a thread that is pinned where the system allows it. Nothing but a kick interrupts them, at a checkpoint or in a
/// halt: there are no timers.
pub(crate) struct TwoCpus {
    started: Instant,
    cpus: [HostedCpu; 2],
    /// There before the CPUs are.
    handlers: OnceLock<&'static dyn Interrupts>,
}

#[derive(Debug, Default)]
#[repr(align(128))]
struct HostedCpu {
    kicked: AtomicBool,
    thread: OnceLock<Thread>,
}

pub(crate) type TwoCpuScheduler = Scheduler<TwoCpus, (), 2>;

thread_local! {
    static CPU: Cell<Option<CpuId>> = const { Cell::new(None) };
}

impl TwoCpus {
    /// A scheduler of two CPUs, which run for ever, and sleep when they have had nothing to do for so many steps.
    pub(crate) fn start(spin_steps: u32) -> &'static TwoCpuScheduler {
        let machine =
            Self { started: Instant::now(), cpus: Default::default(), handlers: OnceLock::new() };
        let mut settings = Settings::DEFAULT;
        settings.spin_steps = spin_steps;
        // Leaked: a scheduler lives for ever.
        let scheduler: &'static TwoCpuScheduler =
            Box::leak(Box::new(Scheduler::new(machine, (), settings)));
        assert!(scheduler.machine().handlers.set(scheduler).is_ok(), "it is new");
        for (place, cpu) in scheduler.machine().cpus.iter().enumerate() {
            let body = move || {
                pair::pin(place);
                CPU.set(Some(CpuId::new(place as u32)));
                cpu.thread.set(thread::current()).expect("one thread for each");
                scheduler.enter().expect("the first to enter").run();
            };
            drop(thread::spawn(body));
        }
        while scheduler.online().count() < 2 {
            thread::yield_now();
        }
        scheduler
    }

    /// Delivers a kick, and tells whether there was one.
    fn deliver(&self, cpu: CpuId) -> bool {
        let kicked = &self.cpus[cpu.index()].kicked;
        // The load keeps the line clean; Acquire pairs with the Release in `kick`.
        let is_kicked = kicked.load(Ordering::Relaxed) && kicked.swap(false, Ordering::Acquire);
        if let (true, Some(handlers)) = (is_kicked, self.handlers.get()) {
            handlers.on_kick();
        }
        is_kicked
    }
}

// SAFETY: 1. Each thread is a CPU of its own, for life. 2. The handler runs in `checkpoint` and `halt` only, never where the
// contract has interrupts masked. 3. Release and Acquire of `kicked` carry the sender's memory. 4. The token of `unpark` is sticky,
// and a halt ends only after it has seen the flag.
unsafe impl Machine for TwoCpus {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        CPU.get()
    }

    fn now_ns(&self) -> u64 {
        self.started.now_ns()
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, cpu: CpuId) {
        let target = &self.cpus[cpu.index()];
        target.kicked.store(true, Ordering::Release);
        target.thread.get().expect("it was there before it was online").unpark();
    }

    unsafe fn halt(&self) {
        let cpu = CPU.get().expect("the loop halts on its CPU");
        while !self.deliver(cpu) {
            thread::park();
        }
    }

    fn set_timer(&self, _: u64) {}

    fn seed(&self) -> u64 {
        0
    }

    fn checkpoint(&self) {
        CPU.get().into_iter().for_each(|cpu| {
            self.deliver(cpu);
        });
    }
}
