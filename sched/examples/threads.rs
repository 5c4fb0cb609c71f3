//! Threads and futures on one CPU that is a thread of the host: each thread counts its own work, and the shares follow the
//! weights. On hardware the timer interrupt ends by `SCHEDULER.preempt()`, and nobody has to ask; here the threads do.

use sched::class::Nice;
use sched::thread::{Policy, Stack};
use sched::{CpuId, Interrupts, Machine, Scheduler, Settings, yield_now};
use sched_arch::Switch;
use std::hint::black_box;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// One CPU, whose timer is looked at when somebody asks.
struct OneCpu {
    started: LazyLock<Instant>,
    timer_ns: AtomicU64,
}

// SAFETY: there is one CPU, and handlers run in `checkpoint` only, which nobody calls with interrupts masked.
unsafe impl Machine for OneCpu {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        Some(CpuId::new(0))
    }

    fn now_ns(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    fn mask(&self) {}

    unsafe fn restore(&self, (): ()) {}

    fn kick(&self, _: CpuId) {}

    unsafe fn halt(&self) {}

    fn set_timer(&self, at_ns: u64) {
        self.timer_ns.store(at_ns, Relaxed);
    }

    fn seed(&self) -> u64 {
        0
    }

    fn checkpoint(&self) {
        if self.timer_ns.load(Relaxed) <= self.now_ns() {
            self.timer_ns.store(u64::MAX, Relaxed);
            SCHEDULER.on_timer();
        }
    }
}

// SAFETY: the architecture's switch, and no mask.
unsafe impl Switch for OneCpu {
    unsafe fn begin(&self) {}
}

static SCHEDULER: Scheduler<OneCpu, (), 1> = Scheduler::new(
    OneCpu { started: LazyLock::new(Instant::now), timer_ns: AtomicU64::new(u64::MAX) },
    (),
    Settings::DEFAULT,
);

static WORK: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];

#[inline(never)]
fn work(which: usize) {
    black_box((0..10_000_u64).map(black_box).sum::<u64>());
    WORK[which].fetch_add(1, Relaxed);
}

fn main() {
    let nices = [-5, 0, 5];
    for (which, nice) in nices.into_iter().enumerate() {
        let policy = Policy::fair(Nice::new(nice));
        let stack = Stack::new(64 * 1024).expect("memory");
        let thread = SCHEDULER.thread("worker").policy(policy).spawn(stack, move || {
            loop {
                work(which);
                SCHEDULER.resched_point();
            }
        });
        drop(thread.expect("the stack is big enough"));
    }
    // All futures of a CPU together have the weight of one thread of nice 0.
    SCHEDULER.spawn(async {
        loop {
            work(3);
            yield_now().await;
        }
    });
    SCHEDULER.spawn(async {
        SCHEDULER.sleep_ms(1_000).await;
        SCHEDULER.stop();
    });
    let mut cpu = SCHEDULER.enter().expect("the only CPU");
    cpu.lend_stack(Stack::new(64 * 1024).expect("memory")).expect("it has none");
    cpu.run();

    let work = WORK.each_ref().map(|work| work.load(Relaxed) as f64);
    let weights = [-5, 0, 5, 0].map(|nice| f64::from(Nice::new(nice).weight()));
    let names = ["nice -5", "nice 0", "nice 5", "futures"];
    println!("{:8} {:>7} {:>7}", "", "share", "weight");
    for ((name, work_done), weight) in names.iter().zip(work).zip(weights) {
        let share = work_done / work.iter().sum::<f64>() * 100.0;
        let due = weight / weights.iter().sum::<f64>() * 100.0;
        println!("{name:8} {share:6.1}% {due:6.1}%");
    }
}
