//! The deque against `VecDeque`.
#![no_main]

use fuzz::Choices;
use model::{Operation, agrees_with_vec_deque};

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../steal-deque/tests/model.rs"]
mod model;

fn operation(choices: &mut Choices<'_>) -> Option<Operation> {
    Some(match choices.below(12)? {
        0..4 => Operation::Push,
        4..6 => Operation::Pop,
        6..8 => Operation::Steal,
        8..10 => Operation::Refill(choices.below(7)?),
        10 => Operation::PopBulk(choices.below(7)?),
        _ => Operation::SplitAgain,
    })
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut choices = Choices::new(bytes);
    let start = choices.number().unwrap_or(0);
    let operations = choices.history(operation);
    agrees_with_vec_deque::<1>(start, operations.clone()).unwrap();
    agrees_with_vec_deque::<4>(start, operations).unwrap();
});
