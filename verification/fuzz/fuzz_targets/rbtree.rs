//! The tree against a sorted map.
#![no_main]

use fuzz::Choices;
use model::{Op, check};

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../rbtree-aug/tests/model.rs"]
mod model;

fn op(choices: &mut Choices<'_>) -> Option<Op> {
    let at = |choices: &mut Choices<'_>| choices.below(256);
    let key = |choices: &mut Choices<'_>| choices.below(16).map(|key| key as i32 - 8);
    let deadline = |choices: &mut Choices<'_>| choices.below(20).map(|deadline| deadline as u32);
    let coin = |choices: &mut Choices<'_>| choices.below(2).map(|side| side == 0);
    Some(match choices.below(48)? {
        0..12 => Op::Insert { key: key(choices)?, deadline: deadline(choices)? },
        12..16 => Op::InsertUnique { key: key(choices)?, deadline: deadline(choices)? },
        16..18 => {
            let len = choices.below(6)?;
            Op::Append((0..len).map(|_| key(choices)).collect::<Option<_>>()?)
        }
        18..24 => Op::Remove(at(choices)?),
        24..26 => Op::PopFirst,
        26..28 => Op::PopLast,
        28..30 => Op::SetDeadline(at(choices)?, deadline(choices)?),
        30..36 => Op::Move {
            at: at(choices)?,
            key: key(choices)?,
            deadline: deadline(choices)?,
            guarded: coin(choices)?,
        },
        36 => Op::MoveFirst(key(choices)?),
        37 => Op::MoveLast(key(choices)?),
        38..41 => Op::Replace { at: at(choices)?, key: key(choices)?, by_cursor: coin(choices)? },
        41..44 => Op::InsertBeside { at: at(choices)?, key: key(choices)?, before: coin(choices)? },
        44..47 => Op::RemoveAt(at(choices)?),
        _ => Op::Clear,
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| check(&Choices::new(bytes).history(op)));
