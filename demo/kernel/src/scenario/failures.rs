//! How a kernel fails: not among `all`, and not to pass.

use super::hog::{STACK_BYTES, thread_on};
use super::runner::{Found, cpus, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::boxed::Box;
use alloc::{format, vec};
use core::hint::black_box;
use core::ptr::NonNull;
use sched::thread::Stack;
use sched_arch::Machine as _;

/// Panics on the last CPU while the others are busy.
pub(super) async fn panic(options: Options) -> Found {
    // Until all of them are there.
    SCHEDULER.sleep_ms(20).await;
    for cpu in cpus(options) {
        let last = cpu.index() + 1 == options.cpus;
        let task = pinned("failing", cpu).spawn(async move {
            assert!(!last, "as it was asked for");
            spin()
        });
        if last {
            let _ = task.await;
        }
    }
    Ok("nothing happened".into())
}

/// A thread on the last CPU calls deeper than its stack is, into memory that is nobody's.
pub(super) async fn overflow(options: Options) -> Found {
    let memory = Box::leak(vec![0u128; 2 * STACK_BYTES / size_of::<u128>()].into_boxed_slice());
    let (_, upper) = memory.split_at_mut(memory.len() / 2);
    let lowest = upper.as_ptr().addr();
    let memory = NonNull::slice_from_raw_parts(NonNull::from(upper).cast(), STACK_BYTES);
    // SAFETY: leaked, and nobody else's.
    let stack = unsafe { Stack::from_raw(memory, None) };
    let thread = thread_on("deep", cpus(options).last()).spawn(stack, move || {
        let depth = call_down_to(lowest);
        // Its CPU's loop looks.
        SCHEDULER.yield_thread();
        depth
    });
    let depth = thread.map_err(|error| format!("{error}"))?.await;
    Ok(format!("nobody saw {depth:?} calls"))
}

/// Calls itself until it uses memory below `lowest`; answers how often.
#[inline(never)]
fn call_down_to(lowest: usize) -> u64 {
    let frame = black_box([0u64; 32]);
    if frame.as_ptr().addr() < lowest { frame[0] } else { call_down_to(lowest) + 1 }
}

/// Never comes back, and lets nobody in.
pub(super) async fn hang(_: Options) -> Found {
    SCHEDULER.machine().mask();
    spin()
}

fn spin() -> ! {
    loop {
        core::hint::spin_loop();
    }
}
