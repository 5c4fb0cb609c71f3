//! What `cargo xtask verify trace-cost` counts the instructions of: two CPUs on one thread, in an order that is always
//! the same, with tasks that yield, wake each other across CPUs, sleep, and are stolen.
//!
//! With the argument `on` the scheduler has a trace; else `()`.

use sched::trace::{Event, Trace};
use sched::{Core, CpuId, CpuSet, Interrupts, Machine, Scheduler, Settings, yield_now};
use std::cell::Cell;
use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::{Poll, Waker};

const CPUS: usize = 2;
const ROUNDS: u64 = 2_000;

thread_local!(static CPU: Cell<Option<u32>> = const { Cell::new(None) });

#[derive(Default)]
struct Virtual {
    now_ns: AtomicU64,
    kicked: [AtomicBool; CPUS],
    timer_ns: [AtomicU64; CPUS],
}

// SAFETY: each CPU is what the one thread is at the moment, and handlers run between steps only; a kick is a flag that
// stays until it is delivered; a halt returns at once, and the next step looks at the flag.
unsafe impl Machine for Virtual {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        CPU.get().map(CpuId::new)
    }

    fn now_ns(&self) -> u64 {
        self.now_ns.load(SeqCst)
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, cpu: CpuId) {
        self.kicked[cpu.index()].store(true, SeqCst);
    }

    unsafe fn halt(&self) {}

    fn set_timer(&self, at_ns: u64) {
        if let Some(cpu) = CPU.get() {
            self.timer_ns[cpu as usize].store(at_ns, SeqCst);
        }
    }

    fn seed(&self) -> u64 {
        0
    }
}

/// A trace that counts.
#[derive(Default)]
struct Counting(AtomicU64);

impl Trace for Counting {
    fn record(&self, _: Option<CpuId>, _: u64, _: Event) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A task of CPU 1 waits here for each ring of a task of CPU 0.
#[derive(Default)]
struct Bell {
    rings: AtomicU64,
    waker: spin::Mutex<Option<Waker>>,
}

fn spawn_all<T: Trace + Send>(scheduler: &'static Scheduler<Virtual, T, CPUS>) {
    for _ in 0..8 {
        drop(scheduler.spawn(async {
            for _ in 0..ROUNDS / 8 {
                yield_now().await;
            }
        }));
    }
    drop(scheduler.spawn(async move {
        for _ in 0..ROUNDS / 16 {
            scheduler.sleep_ns(20_000).await;
        }
    }));
    let bell = Arc::new(Bell::default());
    let ringer = bell.clone();
    let on = |cpu| CpuSet::EMPTY.with(CpuId::new(cpu));
    let pinned = |name, cpu| scheduler.task(name).affinity(on(cpu)).expect("there is such a CPU");
    drop(pinned("ringer", 0).spawn(async move {
        for _ in 0..ROUNDS / 4 {
            ringer.rings.fetch_add(1, SeqCst);
            let waker = ringer.waker.lock().clone();
            if let Some(waker) = waker {
                waker.wake();
            }
            yield_now().await;
        }
    }));
    drop(pinned("listener", 1).spawn(poll_fn(move |context| {
        *bell.waker.lock() = Some(context.waker().clone());
        if bell.rings.load(SeqCst) == ROUNDS / 4 { Poll::Ready(()) } else { Poll::Pending }
    })));
}

fn step_all<T: Trace>(
    scheduler: &Scheduler<Virtual, T, CPUS>,
    cores: &mut [Core<Virtual, T, CPUS>],
) {
    let machine = scheduler.machine();
    for _ in 0..ROUNDS {
        let now_ns = machine.now_ns.fetch_add(3_000, SeqCst);
        for (cpu, core) in cores.iter_mut().enumerate() {
            CPU.set(Some(cpu as u32));
            if machine.kicked[cpu].swap(false, SeqCst) {
                scheduler.on_kick();
            }
            if machine.timer_ns[cpu].load(SeqCst) <= now_ns {
                machine.timer_ns[cpu].store(u64::MAX, SeqCst);
                scheduler.on_timer();
            }
            core.step();
        }
    }
}

fn prepare<T: Trace + Send>(
    trace: T,
) -> (&'static Scheduler<Virtual, T, CPUS>, Vec<Core<Virtual, T, CPUS>>) {
    let scheduler: &'static Scheduler<Virtual, T, CPUS> =
        Box::leak(Box::new(Scheduler::new(Virtual::default(), trace, Settings::DEFAULT)));
    let enter = |cpu| {
        CPU.set(Some(cpu));
        scheduler.enter().expect("it is new")
    };
    (scheduler, (0..CPUS as u32).map(enter).collect())
}

/// Its instructions, with all that it calls, are what is counted: the name is the tool's handle.
#[unsafe(no_mangle)]
#[inline(never)]
fn trace_cost_off(
    scheduler: &'static Scheduler<Virtual, (), CPUS>,
    cores: &mut [Core<Virtual, (), CPUS>],
) {
    spawn_all(scheduler);
    step_all(scheduler, cores);
}

/// As [`trace_cost_off`].
#[unsafe(no_mangle)]
#[inline(never)]
fn trace_cost_on(
    scheduler: &'static Scheduler<Virtual, Counting, CPUS>,
    cores: &mut [Core<Virtual, Counting, CPUS>],
) {
    spawn_all(scheduler);
    step_all(scheduler, cores);
}

fn main() {
    let totals = if std::env::args().nth(1).as_deref() == Some("on") {
        let (scheduler, mut cores) = prepare(Counting::default());
        trace_cost_on(scheduler, &mut cores);
        println!("{} events", scheduler.trace().0.load(SeqCst));
        scheduler.totals()
    } else {
        let (scheduler, mut cores) = prepare(());
        trace_cost_off(scheduler, &mut cores);
        scheduler.totals()
    };
    // What is counted must be work of every kind.
    assert!(totals.polls > ROUNDS && totals.steals_won > 0 && totals.timers_fired > 0);
    assert!(totals.kicks_sent > 0 && totals.halts > 0, "{totals:?}");
}
