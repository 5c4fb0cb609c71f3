//! Bringing up every CPU, and what each then does: the same.

use crate::console::println;
use crate::options::Options;
use crate::{MAX_CPUS, SCHEDULER, arch};
use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use sched::thread::StackMemory;
use sched::{CpuId, Machine as _};
use sched_arch::Masked;

/// Bytes of each CPU's stack, on which its loop runs.
const STACK_BYTES: usize = 64 << 10;

/// A CPU's stack. The first CPU leaves the one it booted on for its own.
#[repr(C, align(4096))]
struct Stack(UnsafeCell<[u8; STACK_BYTES]>);

// SAFETY: only the CPU it belongs to uses it.
unsafe impl Sync for Stack {}

static STACKS: [Stack; MAX_CPUS] = [const { Stack(UnsafeCell::new([0; STACK_BYTES])) }; MAX_CPUS];

/// Each CPU's second stack, on which its futures are polled, so that they can be preempted.
static EXECUTOR_STACKS: [StackMemory<STACK_BYTES>; MAX_CPUS] =
    [const { StackMemory::new() }; MAX_CPUS];

/// CPUs that run Rust.
static UP: AtomicUsize = AtomicUsize::new(0);

/// The end of the stack of a CPU.
pub(crate) fn stack_top(cpu: usize) -> *mut u8 {
    STACKS[cpu].0.get().cast::<u8>().wrapping_add(STACK_BYTES)
}

/// The first CPU, after its architecture's beginning: brings up the others one after the other. From there on it is one of
/// them, but for the one call that leaves the first tasks in the scheduler.
pub(crate) fn start(options: Options) -> ! {
    println!("kernel: {} CPUs, scenario {}", options.cpus, options.scenario);
    for index in 1..options.cpus {
        let up = UP.load(Ordering::Acquire);
        arch::start_cpu(index, stack_top(index));
        let machine = SCHEDULER.machine();
        let deadline_ns = machine.now_ns() + 10_000_000_000;
        while UP.load(Ordering::Acquire) == up {
            assert!(machine.now_ns() < deadline_ns, "cpu{index} does not come up");
            core::hint::spin_loop();
        }
    }
    crate::first_tasks(options);
    run(0)
}

/// CPUs that went offline and are to come back.
static PLUGGED: [AtomicBool; MAX_CPUS] = [const { AtomicBool::new(false) }; MAX_CPUS];

/// Has a CPU that went offline come back.
#[cfg(feature = "alloc")]
#[allow(dead_code, reason = "the minimal kernel, which has this file too, takes no CPU away")]
pub(crate) fn plug(cpu: CpuId) {
    PLUGGED[cpu.index()].store(true, Ordering::Release);
    // SAFETY: dropped here, on a stack on which nobody halts.
    let masked = unsafe { Masked::new(SCHEDULER.machine()) };
    SCHEDULER.machine().kick(cpu);
    drop(masked);
}

/// Halts until the CPU is to come back.
fn stay_away(index: usize) {
    loop {
        // SAFETY: one mask, on the CPU's own stack, which the halt undoes.
        let masked = unsafe { Masked::new(SCHEDULER.machine()) };
        // Looked at after masking: the kick that follows it ends the halt.
        if PLUGGED[index].swap(false, Ordering::Acquire) {
            return;
        }
        masked.halt();
    }
}

/// Every CPU, the first included, on its own stack or the one it booted on.
pub(crate) fn run(index: usize) -> ! {
    arch::enter_cpu(CpuId::new(index as u32));
    UP.fetch_add(1, Ordering::Release);
    loop {
        let mut core = match SCHEDULER.enter() {
            Ok(core) => core,
            Err(error) => panic!("cpu{index} cannot enter: {error}"),
        };
        // It stays the CPU's when that leaves.
        if let Some(stack) = EXECUTOR_STACKS[index].claim() {
            core.lend_stack(stack).expect("it is big enough, and the first");
        }
        core.run();
        drop(core);
        if !SCHEDULER.has_left(CpuId::new(index as u32)) {
            arch::park()
        }
        stay_away(index);
    }
}
