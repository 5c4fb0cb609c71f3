//! The deque against `VecDeque`.
#![no_main]

use fuzz::Choices;
use model::{Operation, agrees_with_vec_deque};
use steal_deque::Sharing;

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../steal-deque/tests/model.rs"]
mod model;

fn operation(choices: &mut Choices<'_>) -> Option<Operation> {
    Some(match choices.below(24)? {
        0..5 => Operation::Push,
        5..8 => Operation::Pop,
        8..10 => Operation::Steal,
        10 => Operation::StealIf,
        11..13 => Operation::Refill(choices.below(7)?),
        13..15 => Operation::PushBulk(choices.below(40)?),
        15 => Operation::PopBulk(choices.below(7)?),
        16 => Operation::StealMany(choices.below(7)?),
        17 => Operation::StealHalf(choices.below(7)?),
        18 => Operation::Drain,
        19 => Operation::Share(Sharing::Always),
        20 => Operation::Share(Sharing::OnDemand),
        21 => Operation::Publish,
        _ => Operation::SplitAgain,
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let start = choices.number().unwrap_or(0);
    let operations = choices.history(operation);
    agrees_with_vec_deque::<1>(start, operations.clone()).unwrap();
    agrees_with_vec_deque::<4>(start, operations.clone()).unwrap();
    agrees_with_vec_deque::<64>(start, operations).unwrap();
});
