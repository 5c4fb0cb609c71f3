//! The inbox against queues.
#![no_main]

use fuzz::Choices;
use model::{Step, check};

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../mpsc-inbox/tests/model.rs"]
mod model;

fn step(choices: &mut Choices<'_>) -> Option<Step> {
    Some(match choices.below(16)? {
        0..4 => Step::Push,
        4 => Step::PushBatch(choices.below(4)?),
        5 => Step::DrainLifo(choices.below(6)?),
        6..10 => Step::Drain(choices.below(12)?),
        10 => Step::TakeAll,
        11 => Step::Arm,
        12 => Step::Disarm,
        13 => Step::Close,
        14 => Step::Reopen,
        _ => Step::NewOwner,
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(&Choices::new(bytes).history(step)));
