//! The timer wheel against a sorted map.
#![no_main]

use fuzz::Choices;
use model::{Op, Tick, run};

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../timer-wheel/tests/model.rs"]
mod model;

const NODES: usize = 12;

fn tick(choices: &mut Choices<'_>) -> Option<Tick> {
    Some(match choices.below(10)? {
        0..2 => Tick::Ahead(choices.below(24)? as u64),
        2 => Tick::Ahead(choices.number()?),
        3 => Tick::Behind(choices.below(100)? as u64),
        4 => Tick::SameAgain,
        5 => Tick::AtNextEvent,
        6 => Tick::JustBeforeNextEvent,
        7 => Tick::FromTheEnd(choices.below(3)? as u64),
        8 => Tick::Within(choices.below(24)? as u64, choices.below(24)? as u64),
        _ => Tick::Coarse(choices.number()?),
    })
}

fn op(choices: &mut Choices<'_>) -> Option<Op> {
    Some(match choices.below(24)? {
        0..8 => Op::Arm(choices.below(NODES)?, tick(choices)?),
        8..10 => Op::Rearm(choices.below(NODES)?, tick(choices)?),
        10..12 => Op::Cancel(choices.below(NODES)?),
        12..19 => Op::Turn(tick(choices)?, choices.below(4)?),
        19 => Op::Turn(tick(choices)?, usize::MAX),
        _ => Op::Pop,
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let start = choices.number().unwrap_or(0);
    let ops = choices.history(op);
    run::<2, 4, 2>(start, &ops);
    run::<6, 64, 1>(start, &ops);
    run::<4, 256, 8>(start, &ops);
});
