//! Threads that the timer takes off their CPU: none of those that work here ever yields.

pub(super) mod affinity;
pub(super) mod fairness;
pub(super) mod parking;
pub(super) mod side_by_side;

use super::runner::Found;
use crate::options::Options;
use crate::{SCHEDULER, arch};
use alloc::sync::Arc;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use sched::thread::{Policy, Stack, ThreadBuilder};
use sched::{CpuId, JoinHandle};

const STACK_BYTES: usize = 32 << 10;

pub(super) fn stack() -> Stack {
    match Stack::new(STACK_BYTES) {
        Some(stack) => stack,
        None => panic!("no memory for a stack"),
    }
}

/// A thread that stays on `cpu`.
pub(super) fn thread<R: Send + 'static>(
    name: &'static str,
    cpu: CpuId,
    policy: Policy,
    closure: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<R> {
    on(cpu, SCHEDULER.thread(name).policy(policy), closure)
}

/// The same for a thread of which more is to be said.
pub(super) fn on<R: Send + 'static>(
    cpu: CpuId,
    builder: ThreadBuilder<arch::Machine, crate::Tracing, { crate::MAX_CPUS }>,
    closure: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<R> {
    let builder = match builder.pinned_to(cpu) {
        Ok(builder) => builder,
        Err(error) => panic!("{cpu}: {error}"),
    };
    match builder.spawn(stack(), closure) {
        Ok(handle) => handle,
        Err(error) => panic!("{error}"),
    }
}

/// Work that some thread or task has done, and that it is to stop.
#[derive(Default)]
struct Work {
    done: AtomicU64,
    over: AtomicBool,
}

impl Work {
    /// Works until it is over, and never gives way.
    fn work(self: &Arc<Self>) {
        // Ordering: Relaxed, here and below; numbers and a flag.
        while !self.over.load(Ordering::Relaxed) {
            self.one_piece();
        }
    }

    fn one_piece(&self) {
        for _ in 0..1_000 {
            spin_loop();
        }
        self.done.fetch_add(1, Ordering::Relaxed);
    }
}

/// Overwrites what lies below its stack: the canary is to be missed. Not to pass.
pub(super) async fn overflow(_: Options) -> Found {
    let stack = stack();
    let bytes = stack.bytes();
    let spawned = SCHEDULER.thread("overflow").spawn(stack, move || {
        let here = 0_u8;
        // The stack proper is what the thread itself leaves of its memory; the canary is its lowest word.
        let mut word = (&raw const here).cast_mut().map_addr(|address| address & !7).cast::<u64>();
        for _ in 0..bytes / 8 {
            word = word.wrapping_sub(1);
            // SAFETY: down to the canary it is this thread's stack, below the frames in use.
            if unsafe { word.read_volatile() } == sched::thread::CANARY {
                // SAFETY: as above; what is wrong with it is the point.
                unsafe { word.write_volatile(0) };
                return;
            }
        }
    });
    match spawned {
        Ok(handle) => drop(handle.await),
        Err(error) => return Err(alloc::format!("{error}").into()),
    }
    Ok("nothing happened".into())
}
