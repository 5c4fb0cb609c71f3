//! What threads cost, in instructions: see the module above.

use super::{TIMES, masked, per_time};
use crate::SCHEDULER;
use crate::scenario::hog::{spawn, stack, thread_on};
use crate::scenario::runner::{Fault, ensure, here, now_ns};
use alloc::format;
use alloc::string::String;
use core::cell::Cell;
use core::ptr::NonNull;
use core::sync::atomic::{AtomicBool, Ordering};
use sched::Machine as _;
use sched_arch::{Context, Switch as _};

pub(super) async fn run() -> Result<String, Fault> {
    let bare = masked(bare_switch);
    let kicked = spawn(thread_on("counts", [here()]), || {
        let before = SCHEDULER.current_thread().map(|thread| thread.stats().preempted);
        let machine = SCHEDULER.machine();
        let count = per_time(|| {
            let saved = machine.mask();
            machine.kick(here());
            // SAFETY: of the `mask` above. The interrupt comes here, and the loop after it.
            unsafe { machine.restore(saved) };
        });
        (count, before)
    });
    let thread = kicked.thread();
    let (preempted, before) = kicked.await.map_err(|error| format!("{error:?}"))?;
    let times = thread.map(|thread| thread.stats().preempted).zip(before);
    ensure!(times.is_some_and(|(after, before)| after - before >= TIMES), "not preempted");
    let yielded = yields().await?;
    Ok(format!(
        "switch {bare}, yield to another thread {yielded}, kick and preemption and back {preempted}"
    ))
}

/// There and back again, between two contexts, nothing else.
struct Pair {
    here: Cell<Context>,
    there: Cell<Context>,
}

/// The half of a round trip.
fn bare_switch() -> u64 {
    unsafe extern "C-unwind" fn back(pair: *mut ()) -> ! {
        // SAFETY: `bare_switch` waits, with the pair, whenever this runs.
        let pair = unsafe { &*pair.cast::<Pair>() };
        loop {
            // SAFETY: saved by the switch to here; masked.
            unsafe { SCHEDULER.machine().switch(pair.there.as_ptr(), pair.here.get()) };
        }
    }
    let machine = SCHEDULER.machine();
    let pair = Pair { here: Cell::new(Context::EMPTY), there: Cell::new(Context::EMPTY) };
    let mut memory = [0u64; 256];
    let memory = NonNull::from(&mut memory[..]);
    let memory = NonNull::slice_from_raw_parts(memory.cast(), size_of_val(&[0u64; 256]));
    // SAFETY: the memory outlives the last switch, and nobody else uses it.
    pair.there.set(unsafe { machine.prepare(memory, back, (&raw const pair).cast_mut().cast()) });
    // SAFETY: prepared, or saved by `back`; masked by the caller.
    per_time(|| unsafe { machine.switch(pair.here.as_ptr(), pair.there.get()) }) / 2
}

/// From one thread's yield to the return of another's: back to the loop, requeued, the other picked, and out.
async fn yields() -> Result<u64, Fault> {
    static OVER: AtomicBool = AtomicBool::new(false);
    OVER.store(false, Ordering::Relaxed);
    let partner = thread_on("partner", [here()]).spawn(stack(), || {
        while !OVER.load(Ordering::Relaxed) {
            SCHEDULER.yield_thread();
        }
    });
    let counter = spawn(thread_on("counter", [here()]), || {
        // The partner has begun when this comes back.
        SCHEDULER.yield_thread();
        let runs = || SCHEDULER.totals().thread_runs;
        let (before, begin_ns) = (runs(), now_ns());
        for _ in 0..TIMES {
            SCHEDULER.yield_thread();
        }
        let took_ns = now_ns() - begin_ns;
        OVER.store(true, Ordering::Relaxed);
        took_ns / (runs() - before).max(1)
    });
    let count = counter.await.map_err(|error| format!("{error:?}"))?;
    partner.map_err(|error| format!("{error}"))?.await.map_err(|error| format!("{error:?}"))?;
    Ok(count)
}
