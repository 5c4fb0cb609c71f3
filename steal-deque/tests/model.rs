//! Any sequence of operations, against `VecDeque`.

use proptest::prelude::*;
use std::collections::VecDeque;
use steal_deque::{Deque, Full, NotEmpty, Sharing, Steal, StealDeque, Storage};

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Push,
    Pop,
    Steal,
    /// If it is an even one.
    StealIf,
    /// So many are offered.
    Refill(usize),
    /// So many are offered.
    PushBulk(usize),
    /// So many are asked for.
    PopBulk(usize),
    /// So many are asked for, into a deque of another's.
    StealMany(usize),
    /// Half, but at most so many.
    StealHalf(usize),
    /// All that fits goes to the other deque, and comes back.
    Drain,
    Share(Sharing),
    Publish,
    /// The owner goes, and a new one comes.
    SplitAgain,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => Just(Operation::Push),
        3 => Just(Operation::Pop),
        2 => Just(Operation::Steal),
        1 => Just(Operation::StealIf),
        2 => (0..7_usize).prop_map(Operation::Refill),
        2 => (0..40_usize).prop_map(Operation::PushBulk),
        1 => (0..7_usize).prop_map(Operation::PopBulk),
        1 => (0..7_usize).prop_map(Operation::StealMany),
        1 => (0..7_usize).prop_map(Operation::StealHalf),
        1 => Just(Operation::Drain),
        1 => Just(Operation::Share(Sharing::Always)),
        1 => Just(Operation::Share(Sharing::OnDemand)),
        1 => Just(Operation::Publish),
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
    let cases = if cfg!(miri) { 1 } else { 512 };
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// What a deque should be: its back is the owner's end, its front the thieves'.
#[derive(Default)]
struct Model {
    items: VecDeque<usize>,
    /// How many at the back thieves do not see.
    private: usize,
    sharing: Sharing,
    is_wanted: bool,
}

impl Model {
    fn shared(&self) -> usize {
        self.items.len() - self.private
    }

    /// Something was put in.
    fn share(&mut self) {
        match self.sharing {
            Sharing::Always => self.private = 0,
            Sharing::OnDemand => self.answer(),
        }
    }

    fn answer(&mut self) {
        if self.is_wanted && self.private != 0 {
            self.is_wanted = false;
            self.private /= 2;
        }
    }

    fn push(&mut self, item: usize) {
        self.items.push_back(item);
        self.private += 1;
    }

    fn pop(&mut self) -> Option<usize> {
        if self.private == 0 && self.sharing == Sharing::OnDemand {
            self.private = self.items.len() / 2;
        }
        let item = self.items.pop_back();
        if self.private != 0 {
            self.private -= 1;
            self.answer();
        }
        item
    }

    /// The back of it, front first.
    fn pop_bulk(&mut self, most: usize) -> Vec<usize> {
        let count = most.min(self.items.len());
        self.private = self.private.saturating_sub(count);
        self.items.split_off(self.items.len() - count).into_iter().rev().collect()
    }

    fn steal(&mut self, wanted: impl FnOnce(usize) -> bool) -> Steal<usize> {
        if self.shared() == 0 {
            self.is_wanted = true;
            return Steal::Empty;
        }
        if !wanted(self.items[0]) {
            return Steal::Empty;
        }
        self.items.pop_front().map_or(Steal::Empty, Steal::Taken)
    }

    fn steal_many(&mut self, most: usize) -> (Steal<usize>, Vec<usize>) {
        if self.shared() == 0 {
            self.is_wanted = true;
            return (Steal::Empty, vec![]);
        }
        let count = most.min(self.shared());
        (Steal::Taken(count), self.items.drain(..count).collect())
    }
}

/// A deque that never holds more than `most`.
pub(crate) fn agrees<S: Storage>(
    deque: &Deque<usize, S>,
    most: usize,
    operations: Vec<Operation>,
) -> Result<(), TestCaseError> {
    let other = StealDeque::<usize, 8>::new();
    let (mut other, _) = other.split().unwrap();
    let (mut owner, stealer) = deque.split().unwrap();
    let mut model = Model::default();
    let mut numbers = 0..;
    for operation in operations {
        match operation {
            Operation::Push => {
                let item = numbers.next().unwrap();
                let expected = if model.items.len() == most { Err(Full(item)) } else { Ok(()) };
                if expected.is_ok() {
                    model.push(item);
                    model.share();
                }
                prop_assert_eq!(owner.push(item), expected);
            }
            Operation::Pop => prop_assert_eq!(owner.pop(), model.pop()),
            Operation::Steal => prop_assert_eq!(stealer.steal(), model.steal(|_| true)),
            Operation::StealIf => {
                let stolen = stealer.steal_if(|word| word.addr() % 2 == 0);
                prop_assert_eq!(stolen, model.steal(|item| item % 2 == 0));
            }
            Operation::Refill(offered) => {
                let mut items = numbers.by_ref().take(offered).collect::<Vec<_>>().into_iter();
                let room = if owner.capacity() == 0 { 32 } else { owner.capacity() };
                let is_empty = model.items.is_empty();
                let expected = if is_empty { Ok(offered.min(room)) } else { Err(NotEmpty) };
                for &item in &items.as_slice()[..expected.unwrap_or(0)] {
                    model.items.push_front(item);
                    model.private += 1;
                }
                if is_empty {
                    model.share();
                }
                prop_assert_eq!(owner.refill(&mut items), expected);
                prop_assert_eq!(items.len(), offered - expected.unwrap_or(0));
            }
            Operation::PushBulk(offered) => {
                let mut items = numbers.by_ref().take(offered).collect::<Vec<_>>().into_iter();
                let expected = offered.min(most - model.items.len());
                items.as_slice()[..expected].iter().for_each(|&item| model.push(item));
                model.share();
                prop_assert_eq!(owner.push_bulk(&mut items), expected);
                prop_assert_eq!(items.len(), offered - expected);
            }
            Operation::PopBulk(most) => {
                prop_assert!(owner.pop_bulk(most).eq(model.pop_bulk(most)));
            }
            Operation::StealMany(most) => {
                let (told, items) = model.steal_many(most);
                prop_assert_eq!(stealer.steal_n_into(&mut other, most), told);
                prop_assert!(other.pop_bulk(8).eq(items.into_iter().rev()));
            }
            Operation::StealHalf(max) => {
                let (told, items) = model.steal_many(model.shared().div_ceil(2).min(max));
                prop_assert_eq!(stealer.steal_half_into(&mut other, max), told);
                prop_assert!(other.pop_bulk(8).eq(items.into_iter().rev()));
            }
            Operation::Drain => {
                let items = model.pop_bulk(8);
                prop_assert_eq!(owner.drain_into(&mut other), items.len());
                items.iter().rev().for_each(|&item| model.push(item));
                model.share();
                prop_assert_eq!(other.drain_into(&mut owner), items.len());
                prop_assert!(other.is_empty());
            }
            Operation::Share(sharing) => {
                owner.set_sharing(sharing);
                model.sharing = sharing;
                model.share();
            }
            Operation::Publish => {
                owner.publish();
                model.private = 0;
            }
            Operation::SplitAgain => {
                prop_assert!(deque.split().is_none());
                drop(owner);
                owner = deque.split().unwrap().0;
                (model.private, model.sharing) = (0, Sharing::Always);
            }
        }
        prop_assert_eq!(owner.len(), model.items.len());
        prop_assert_eq!(owner.is_empty(), model.items.is_empty());
        prop_assert_eq!(stealer.len_hint(), model.shared());
        prop_assert_eq!(stealer.is_empty(), model.shared() == 0);
    }
    Ok(())
}

pub(crate) fn agrees_with_vec_deque<const N: usize>(
    start: u64,
    operations: Vec<Operation>,
) -> Result<(), TestCaseError> {
    agrees(&StealDeque::<usize, N>::new_at(start), N, operations)
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
        agrees_with_vec_deque::<4>(start, operations.clone())?;
        agrees_with_vec_deque::<64>(start, operations)?;
    }

    #[test]
    #[cfg(feature = "alloc")]
    fn any_sequence_agrees_with_vec_deque_where_the_ring_grows(
        start in start(),
        operations in operations(),
    ) {
        let deque = steal_deque::GrowableDeque::<usize>::new_at(start);
        agrees(&deque, usize::MAX, operations.clone())?;
        #[cfg(feature = "epoch")]
        agrees(&steal_deque::EpochDeque::<usize>::new_at(start), usize::MAX, operations)?;
    }
}
