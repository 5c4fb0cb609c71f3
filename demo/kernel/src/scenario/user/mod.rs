//! Futures whose poll enters user mode, and comes back at the next interrupt: programs that never yield share a CPU with
//! each other and with a task that does, on each CPU.
//!
//! - **U1** A poll runs user code with interrupts unmasked, on pages that user code may touch, and returns at the first
//!   interrupt, whose handler has run by then.
//! - **U2** All that user code had in its registers is in its context meanwhile, and nowhere else.
//!
//! The kernel's per-CPU register stays as it is in user mode; a kernel whose programs may change it swaps it on the way.

#[cfg_attr(target_arch = "aarch64", path = "aarch64.rs")]
#[cfg_attr(target_arch = "x86_64", path = "x86_64.rs")]
mod arch;
mod memory;

use super::runner::{Fault, Found, cpus, ensure, pinned};
use crate::SCHEDULER;
use crate::options::Options;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use core::future::Future;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::task::{Context, Poll};
use sched::{CpuId, Machine as _, yield_now};

/// Times that each program is interrupted.
const SLICES: u64 = 6;

/// Programs on each CPU.
const PROGRAMS: usize = 2;

/// A program that counts, in a register and in its memory, for ever.
struct Program {
    context: Box<arch::UserContext>,
    memory: usize,
    slices_left: u64,
}

impl Future for Program {
    /// What it counted in its register, and in its memory.
    type Output = [u64; 2];

    fn poll(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<[u64; 2]> {
        let machine = SCHEDULER.machine();
        let saved = machine.mask();
        // SAFETY: masked, on the loop's stack, with the context of a program whose pages are mapped; `saved` is of the mask
        // above, as the poll comes back on the same CPU.
        unsafe {
            arch::enter_user(&mut self.context);
            machine.restore(saved);
        }
        self.slices_left -= 1;
        if self.slices_left > 0 {
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready([self.context.counted(), memory::counted(self.memory)])
    }
}

pub(super) async fn run(options: Options) -> Found {
    memory::map();
    let mut least = u64::MAX;
    for cpu in cpus(options) {
        least = least.min(one_cpu(cpu).await?);
    }
    Ok(format!(
        "{PROGRAMS} programs on each CPU, interrupted {SLICES} times each, counted to {least} or more"
    ))
}

/// The least that a program counted to.
async fn one_cpu(cpu: CpuId) -> Result<u64, Fault> {
    let over = Arc::new(AtomicBool::new(false));
    let turns = Arc::new(AtomicU64::new(0));
    let (ends, counts) = (over.clone(), turns.clone());
    let neighbour = pinned("neighbour", cpu).spawn(async move {
        while !ends.load(Ordering::Relaxed) {
            counts.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    let prepared = pinned("prepare", cpu).spawn(async move {
        let machine = SCHEDULER.machine();
        let saved = machine.mask();
        // SAFETY: masked, on that CPU; a CPU that is prepared again has no program yet.
        unsafe {
            arch::prepare(cpu);
            machine.restore(saved);
        }
    });
    ensure!(prepared.await.is_ok(), "{cpu} is not prepared");
    let programs: [_; PROGRAMS] = core::array::from_fn(|number| {
        memory::clear(number);
        let context = Box::new(arch::UserContext::new(memory::CODE, memory::data(number)));
        pinned("program", cpu).spawn(Program { context, memory: number, slices_left: SLICES })
    });
    let mut least = u64::MAX;
    for program in programs {
        let [register, memory] = program.await.map_err(|error| format!("{error:?}"))?;
        // Between the two it may have been interrupted.
        ensure!(register == memory || register == memory + 1, "{register} is not {memory}");
        ensure!(register > 0, "a program did nothing");
        least = least.min(register);
    }
    let turns = turns.load(Ordering::Relaxed);
    over.store(true, Ordering::Relaxed);
    ensure!(neighbour.await.is_ok(), "the neighbour was lost");
    ensure!(turns + 1 >= SLICES, "beside programs a task had {turns} turns on {cpu}");
    Ok(least)
}
