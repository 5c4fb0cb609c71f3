//! Wakes that come at any moment between a CPU's last look and its halt: none is lost.
//!
//! Tasks on neighbouring CPUs wake each other, each after a while that differs from time to time by less than it takes to
//! go idle; a lone CPU is woken by its timer instead. A lost wake-up leaves both waiting, and the scenario hangs.

use super::runner::{Fault, Found, cpus, ensure, pinned};
use crate::SCHEDULER;
use crate::bell::Bell;
use crate::options::Options;
use alloc::format;
use alloc::sync::Arc;
use alloc::vec::Vec;

const HALTS: u64 = 5_000;
const LONG_HALTS: u64 = 1_000_000;

/// Rounds between two looks at how often the CPUs have halted.
const ROUNDS: u64 = 250;

pub(super) async fn run(options: Options) -> Found {
    let wanted = if options.long { LONG_HALTS } else { HALTS };
    let halts = || SCHEDULER.totals().halts;
    let before = halts();
    let mut rounds = 0;
    while halts() - before < wanted {
        ensure!(rounds < wanted * 100, "the CPUs hardly halt: {} times", halts() - before);
        if options.cpus == 1 {
            alone(rounds).await
        } else {
            in_pairs(options, rounds).await?
        }
        rounds += ROUNDS;
    }
    Ok(format!("{} halts, each ended by a wake, in {rounds} rounds", halts() - before))
}

/// A while from a sequence that does not repeat soon, in turns of an empty loop.
fn while_away(state: &mut u64) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    for _ in 0..*state % 512 {
        core::hint::spin_loop();
    }
}

async fn alone(seed: u64) {
    let mut state = seed + 1;
    for _ in 0..ROUNDS {
        while_away(&mut state);
        SCHEDULER.sleep_ns(state % 20_000).await;
    }
}

async fn in_pairs(options: Options, seed: u64) -> Result<(), Fault> {
    let mut tasks = Vec::new();
    for pair in 0..options.cpus / 2 {
        let bells = Arc::new([Bell::new(), Bell::new()]);
        for side in 0..2 {
            let Some(cpu) = cpus(options).nth(pair * 2 + side) else { continue };
            let bells = bells.clone();
            tasks.push(pinned("stress", cpu).spawn(async move {
                let mut state = (seed << 8 | cpu.index() as u64) + 1;
                for turn in 0..2 * ROUNDS {
                    if turn % 2 == side as u64 {
                        while_away(&mut state);
                        bells[1 - side].ring();
                    } else {
                        bells[side].wait().await;
                    }
                }
            }));
        }
    }
    for task in tasks {
        ensure!(task.await.is_ok(), "a task was lost");
    }
    Ok(())
}
