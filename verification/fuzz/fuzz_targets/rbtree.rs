//! The tree against a sorted map.
#![no_main]

use fuzz::Choices;
use model::{Op, check};

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../rbtree-aug/tests/model.rs"]
mod model;

fn op(choices: &mut Choices<'_>) -> Option<Op> {
    let rank = |choices: &mut Choices<'_>| choices.below(256);
    let deadline = |choices: &mut Choices<'_>| choices.below(20).map(|deadline| deadline as u32);
    Some(match choices.below(32)? {
        0..16 => Op::Insert { key: choices.below(16)? as i32 - 8, deadline: deadline(choices)? },
        16..24 => Op::Remove(rank(choices)?),
        24..26 => Op::PopFirst,
        26..28 => Op::PopLast,
        28..31 => Op::SetDeadline(rank(choices)?, deadline(choices)?),
        _ => Op::Clear,
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(Choices::new(bytes).history(op)));
