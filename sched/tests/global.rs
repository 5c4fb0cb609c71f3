//! H8: one scheduler for a kernel, declared in a line.

use sched::{CpuId, CpuSet, Machine, Settings, Tier};
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};

thread_local!(static CPU: Cell<Option<u32>> = const { Cell::new(None) });

/// Of no devices.
#[derive(Debug)]
pub struct Board;

static NOW_NS: AtomicU64 = AtomicU64::new(0);

// SAFETY: 1. One thread is one CPU after the other. 2. to 4. Nothing interrupts, and a halt returns at once.
unsafe impl Machine for Board {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        CPU.get().map(CpuId::new)
    }

    fn now_ns(&self) -> u64 {
        NOW_NS.load(SeqCst)
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

sched::global!(
    /// The kernel's.
    mod kernel: Board, 8 CPUs = Board, Settings::DEFAULT
);

#[test]
fn h8_free_functions_of_one_scheduler_before_and_after_a_late_cpu_with_a_sparse_id() {
    // Before any CPU is there, from no CPU.
    let early = kernel::spawn(async { kernel::current_task_info().map(|task| task.name) });
    let critical = kernel::spawn_critical("critical", kernel::sleep_ms(3));
    let background = kernel::spawn_background("background", async {});
    let there = CpuSet::EMPTY.with(CpuId::new(6));
    let there = kernel::task("there").affinity(there).unwrap().spawn(async { CPU.get() });
    assert_eq!(critical.task_ref().info().tier, Tier::Critical);
    assert_eq!(background.name(), "background");
    assert!(critical.task_ref().info().location.file().ends_with("global.rs"));
    assert!(kernel::enter().is_err(), "no CPU");
    CPU.set(Some(6));
    let mut core = kernel::enter().unwrap();
    kernel::on_kick();
    assert!(kernel::should_yield());
    while core.tick().has_remaining {}
    assert_eq!(poll(early), Poll::Ready(Ok(Some(""))));
    assert_eq!(poll(there), Poll::Ready(Ok(Some(6))));
    assert!(background.is_complete() && !critical.is_complete());
    for (now_ns, is_over) in [(2_999_999, false), (3_000_000 + sched::time::TICK_NS, true)] {
        NOW_NS.store(now_ns, SeqCst);
        kernel::on_timer();
        while core.tick().has_remaining {}
        assert_eq!(critical.is_complete(), is_over, "never early");
    }
    assert_eq!(kernel::SCHEDULER.totals().completed, 4);
}

fn poll<F: Future + Unpin>(mut future: F) -> Poll<F::Output> {
    Pin::new(&mut future).poll(&mut Context::from_waker(Waker::noop()))
}
