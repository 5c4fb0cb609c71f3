//! The least that runs the scheduler on every CPU of a real machine, beside what a kernel has already: `docs/integration.md`
//! walks through it. It says hello from each CPU, passes a message between them a thousand times beside a thread
//! that never yields, sleeps, and ends.

#![no_std]
#![no_main]

extern crate alloc;

// What a kernel has already, here from the full one: boot code, interrupt table, serial line, heap, panic handler.
#[cfg_attr(target_arch = "x86_64", path = "../src/x86_64/mod.rs")]
#[cfg_attr(target_arch = "aarch64", path = "../src/aarch64/mod.rs")]
mod arch;
#[path = "../src/console.rs"]
mod console;
#[path = "../src/cpus.rs"]
mod cpus;
#[path = "../src/heap.rs"]
mod heap;
#[path = "../src/options.rs"]
mod options;
#[path = "../src/panic.rs"]
mod panic;

use crate::console::println;
use crate::options::Options;
use alloc::vec::Vec;
use atomic_waker::AtomicWaker;
use core::future::poll_fn;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::Poll;
use sched::class::Nice;
use sched::thread::{Policy, StackMemory};
use sched::{CpuId, CpuSet, Machine as _, Scheduler, Settings};

const MAX_CPUS: usize = 16;

/// The scheduler, on the ready machine of the architecture. A kernel of its own implements `Machine` instead, or takes its
/// parts.
static SCHEDULER: Scheduler<arch::Machine, (), MAX_CPUS> =
    Scheduler::new(arch::machine(), (), Settings::DEFAULT);

/// What the two interrupt handlers call: nothing else is to be done there.
mod handlers {
    use crate::SCHEDULER;
    use sched::Interrupts;

    pub(crate) struct Handlers;

    impl Interrupts for Handlers {
        fn on_kick(&self) {
            SCHEDULER.on_kick();
        }

        fn on_timer(&self) {
            SCHEDULER.on_timer();
        }
    }
}

/// A number that goes around: whose turn it is, and how often it went.
static BALL: AtomicU64 = AtomicU64::new(0);
static PLAYERS: [AtomicWaker; MAX_CPUS] = [const { AtomicWaker::new() }; MAX_CPUS];

const PASSES: u64 = 1_000;

/// What the thread counts, and whether it may stop.
static COUNTED: AtomicU64 = AtomicU64::new(0);
static OVER: AtomicBool = AtomicBool::new(false);
static STACK: StackMemory<16_384> = StackMemory::new();

/// Called once by `cpus::start`, before the CPU that booted enters the scheduler like all others.
fn first_tasks(options: Options) {
    let players = (0..options.cpus as u32).map(CpuId::new).map(|cpu| {
        let task = SCHEDULER.task("player").affinity(CpuSet::from_iter([cpu]));
        let Ok(task) = task else { panic!("{cpu} is out of range") };
        task.spawn(play(cpu, options.cpus as u64))
    });
    let players: Vec<_> = players.collect();
    let stack = STACK.claim().expect("nobody else has it");
    let thread = SCHEDULER.thread("counter").policy(Policy::fair(Nice::new(5)));
    let thread = thread.spawn(stack, || {
        // It never yields: the timer interrupt takes the CPU from it.
        while !OVER.load(Ordering::Relaxed) {
            COUNTED.fetch_add(1, Ordering::Relaxed);
        }
    });
    let thread = thread.expect("the stack is big enough");
    SCHEDULER.spawn(async move {
        for player in players {
            player.await.expect("nobody cancels a player");
        }
        let before_ns = SCHEDULER.machine().now_ns();
        SCHEDULER.sleep_ms(10).await;
        let slept_ns = SCHEDULER.machine().now_ns() - before_ns;
        assert!(slept_ns >= 10_000_000, "woken early, after {slept_ns} ns");
        println!(
            "{} passes, and slept {} µs of 10 ms",
            BALL.load(Ordering::Relaxed),
            slept_ns / 1_000
        );
        OVER.store(true, Ordering::Relaxed);
        thread.await.expect("nobody cancels the thread");
        println!("a thread counted to {} meanwhile", COUNTED.load(Ordering::Relaxed));
        println!("verdict: 1 passed, 0 failed");
        arch::exit(true);
    });
}

/// Passes the ball on whenever it is this CPU's turn.
async fn play(cpu: CpuId, players: u64) {
    println!("hello from {cpu}");
    let me = cpu.index() as u64;
    loop {
        let ball = poll_fn(|context| {
            PLAYERS[cpu.index()].register(context.waker());
            let ball = BALL.load(Ordering::Acquire);
            if ball % players == me || ball >= PASSES { Poll::Ready(ball) } else { Poll::Pending }
        })
        .await;
        if ball >= PASSES {
            break;
        }
        BALL.store(ball + 1, Ordering::Release);
        if ball + 1 == PASSES {
            PLAYERS.iter().for_each(AtomicWaker::wake);
        } else {
            PLAYERS[((ball + 1) % players) as usize].wake();
        }
    }
}
