//! What interrupts and threads cost, in instructions.
//!
//! Under `-icount shift=0` an instruction of the emulated CPU takes one nanosecond of its clock, neither more nor less: then
//! the times measured here are counts, the same in every run. Otherwise they are times, and nothing is to be read in them.

mod threads;

use super::runner::{Found, ensure, here, now_ns, pinned};
use crate::options::Options;
use crate::{SCHEDULER, arch};
use alloc::format;
use alloc::vec::Vec;
use sched::time::TICK_NS;
use sched::{Interrupts as _, Machine as _};

/// What is measured is repeated so often: the counter of aarch64 ticks every 16 ns only.
pub(super) const TIMES: u64 = 256;

/// What one interrupt may fire, by the scheduler's word.
const BATCH: u64 = 32;

pub(super) async fn run(options: Options) -> Found {
    ensure!(options.cpus == 1, "counts are taken with one CPU");
    let received = || SCHEDULER.totals().kicks_received;
    let before = received();
    let kick = pinned("counts", here()).spawn(async { kicks() }).await;
    ensure!(received() - before >= TIMES, "{} of {TIMES} kicks came", received() - before);
    let empty = pinned("counts", here()).spawn(async { timers_with_nothing_due() }).await;
    let full = full_batch().await?;
    let (Ok(kick), Ok(empty)) = (kick, empty) else { return Err("a task was lost".into()) };
    let threads = threads::run().await?;
    Ok(format!(
        "instructions: kick sent and received {kick}, timer interrupt with nothing due {empty}, with {BATCH} due {full}; {threads}"
    ))
}

/// From the command to the controller to the instruction after the interrupt, entry and exit included; what is interrupted goes on.
fn kicks() -> u64 {
    let _stays = SCHEDULER.no_reschedule();
    let (machine, cpu) = (SCHEDULER.machine(), here());
    let one = || {
        let saved = machine.mask();
        machine.kick(cpu);
        // SAFETY: of the `mask` above. The interrupt comes here.
        unsafe { machine.restore(saved) };
    };
    per_time(one)
}

/// The handler alone: the entry and the exit are those of a kick.
fn timers_with_nothing_due() -> u64 {
    masked(|| per_time(|| SCHEDULER.on_timer()))
}

/// The handler alone, with as many due as it fires at once.
async fn full_batch() -> Result<u64, super::runner::Fault> {
    // The end of a block of the wheel: at its beginning all move to the slots of single ticks, and are near then.
    const BLOCK_TICKS: u64 = 64;
    let deadline_ns = ((now_ns() / TICK_NS + 3_000) | (BLOCK_TICKS - 1)) * TICK_NS;
    let sleeper =
        |_| pinned("due", here()).spawn(async move { SCHEDULER.sleep_until(deadline_ns).await });
    let sleepers: Vec<_> = (0..BATCH).map(sleeper).collect();
    // They arm their timers; then no interrupt comes until all are due.
    SCHEDULER.sleep_until(deadline_ns - BLOCK_TICKS / 2 * TICK_NS).await;
    let (took_ns, fired) = masked(|| {
        while now_ns() < deadline_ns + 1_000 {
            core::hint::spin_loop();
        }
        let before = SCHEDULER.totals().timers_fired;
        let begin_ns = now_ns();
        SCHEDULER.on_timer();
        (now_ns() - begin_ns, SCHEDULER.totals().timers_fired - before)
    });
    for sleeper in sleepers {
        ensure!(sleeper.await.is_ok(), "a sleeper was lost");
    }
    ensure!(fired == BATCH, "{fired} of {BATCH} timers fired in one interrupt");
    Ok(took_ns)
}

pub(super) fn per_time(mut what: impl FnMut()) -> u64 {
    let begin_ns = now_ns();
    for _ in 0..TIMES {
        what();
    }
    (now_ns() - begin_ns) / TIMES
}

pub(super) fn masked<R>(what: impl FnOnce() -> R) -> R {
    let machine: &arch::Machine = SCHEDULER.machine();
    let saved = machine.mask();
    let result = what();
    // SAFETY: of the `mask` above, on this CPU.
    unsafe { machine.restore(saved) };
    result
}
