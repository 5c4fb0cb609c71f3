//! Any sequence of operations, against `VecDeque` and against `crossbeam-deque`.

use crossbeam_deque as crossbeam;
use proptest::prelude::*;
use std::collections::VecDeque;
use steal_deque::{Full, NotEmpty, Steal, StealDeque};

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Push,
    Pop,
    Steal,
    /// So many items are offered.
    Refill(usize),
    /// So many are asked for.
    PopBulk(usize),
    /// The owner goes, and a new one comes.
    SplitAgain,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        4 => Just(Operation::Push),
        2 => Just(Operation::Pop),
        2 => Just(Operation::Steal),
        2 => (0..7_usize).prop_map(Operation::Refill),
        1 => (0..7_usize).prop_map(Operation::PopBulk),
        1 => Just(Operation::SplitAgain),
    ]
}

/// A start near an edge of the positions, or anywhere.
pub(crate) fn start() -> impl Strategy<Value = u64> {
    prop_oneof![u64::MAX - 9..=u64::MAX, i64::MAX as u64 - 9..i64::MAX as u64 + 9, any::<u64>()]
}

pub(crate) fn operations() -> impl Strategy<Value = Vec<Operation>> {
    prop::collection::vec(operation(), 0..if cfg!(miri) { 20 } else { 120 })
}

fn config() -> ProptestConfig {
    let cases = if cfg!(miri) { 3 } else { 512 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// The back of the `VecDeque` is the owner's end, its front the thieves'.
pub(crate) fn agrees_with_vec_deque<const N: usize>(
    start: u64,
    operations: Vec<Operation>,
) -> Result<(), TestCaseError> {
    let deque = StealDeque::<usize, N>::new_at(start);
    let (mut owner, stealer) = deque.split().unwrap();
    let mut model = VecDeque::new();
    let mut numbers = 0..;
    for operation in operations {
        match operation {
            Operation::Push => {
                let item = numbers.next().unwrap();
                let expected = if model.len() == N { Err(Full(item)) } else { Ok(()) };
                if expected.is_ok() {
                    model.push_back(item);
                }
                prop_assert_eq!(owner.push(item), expected);
            }
            Operation::Pop => prop_assert_eq!(owner.pop(), model.pop_back()),
            Operation::Steal => {
                let expected = model.pop_front().map_or(Steal::Empty, Steal::Taken);
                prop_assert_eq!(stealer.steal(), expected);
            }
            Operation::Refill(offered) => {
                let mut items = numbers.by_ref().take(offered).collect::<Vec<_>>().into_iter();
                let expected = if model.is_empty() { Ok(offered.min(N)) } else { Err(NotEmpty) };
                for &item in &items.as_slice()[..expected.unwrap_or(0)] {
                    model.push_front(item);
                }
                prop_assert_eq!(owner.refill(&mut items), expected);
                prop_assert_eq!(items.len(), offered - expected.unwrap_or(0));
            }
            Operation::PopBulk(most) => {
                let expected = model.split_off(model.len() - most.min(model.len()));
                prop_assert!(owner.pop_bulk(most).eq(expected.into_iter().rev()));
            }
            Operation::SplitAgain => {
                prop_assert!(deque.split().is_none());
                drop(owner);
                owner = deque.split().unwrap().0;
            }
        }
        prop_assert_eq!(owner.len(), model.len());
        prop_assert_eq!(stealer.len_hint(), model.len());
        prop_assert_eq!(owner.is_empty(), model.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn any_sequence_agrees_with_vec_deque(
        start in start(),
        operations in operations(),
    ) {
        agrees_with_vec_deque::<1>(start, operations.clone())?;
        agrees_with_vec_deque::<2>(start, operations.clone())?;
        agrees_with_vec_deque::<4>(start, operations)?;
    }

    /// crossbeam's worker in its LIFO form, whose front is our back. It has no refill: newest first, pushed.
    #[test]
    #[cfg_attr(miri, ignore = "crossbeam-epoch is not clean under Miri")]
    fn any_sequence_agrees_with_crossbeam(
        start in start(),
        operations in operations(),
    ) {
        let deque = StealDeque::<usize, 4>::new_at(start);
        let (mut owner, stealer) = deque.split().unwrap();
        let worker = crossbeam::Worker::new_lifo();
        let thief = worker.stealer();
        let mut numbers = 0..;
        for operation in operations {
            match operation {
                Operation::Push => {
                    let item = numbers.next().unwrap();
                    if owner.push(item).is_ok() {
                        worker.push(item);
                    }
                }
                Operation::Pop => prop_assert_eq!(owner.pop(), worker.pop()),
                Operation::Steal => {
                    prop_assert_eq!(stealer.steal().taken(), thief.steal().success());
                }
                Operation::Refill(offered) => {
                    let items: Vec<_> = numbers.by_ref().take(offered).collect();
                    let taken = owner.refill(&mut items.iter().copied()).unwrap_or(0);
                    items[..taken].iter().rev().for_each(|&item| worker.push(item));
                }
                Operation::PopBulk(most) => {
                    for item in owner.pop_bulk(most) {
                        prop_assert_eq!(Some(item), worker.pop());
                    }
                }
                Operation::SplitAgain => {}
            }
            prop_assert_eq!(owner.len(), worker.len());
        }
    }
}
