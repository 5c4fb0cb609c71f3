//! The inbox against a model made of queues, over all short histories and over random long ones.

mod common;

use common::{Item, Owned, numbers};
use mpsc_inbox::{Batch, Closed, Inbox, List, NotEmpty, Pushed};
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Push,
    PushBatch(usize),
    Drain(usize),
    DrainLifo(usize),
    TakeAll,
    Arm,
    Disarm,
    Close,
    Reopen,
    NewOwner,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    Open,
    Armed,
    Closed,
}

/// What the inbox should be: two queues, how much of the older one's front is not yet in order, and the state.
#[derive(Debug)]
struct Model {
    state: State,
    list: VecDeque<usize>,
    remainder: VecDeque<usize>,
    not_in_order: usize,
    next_number: usize,
}

impl Model {
    /// The numbers of what is pushed next.
    fn next(&mut self, count: usize) -> std::ops::Range<usize> {
        self.next_number += count;
        self.next_number - count..self.next_number
    }

    /// `None` if they are refused.
    fn push(&mut self, numbers: std::ops::Range<usize>) -> Option<Pushed> {
        if numbers.is_empty() {
            return Some(Pushed::Joined);
        }
        if self.state == State::Closed {
            return None;
        }
        let armed = std::mem::replace(&mut self.state, State::Open) == State::Armed;
        let first = self.list.is_empty();
        self.list.extend(numbers);
        Some(match (armed, first) {
            (true, _) => Pushed::KickOwed,
            (false, true) => Pushed::First,
            (false, false) => Pushed::Joined,
        })
    }

    fn drain(&mut self, budget_nodes: usize, touch: fn(&mut Self) -> Option<usize>) -> Vec<usize> {
        let mut delivered = Vec::new();
        let mut may_take = true;
        for _ in 0..budget_nodes {
            if self.remainder.is_empty() && std::mem::take(&mut may_take) {
                self.remainder = std::mem::take(&mut self.list);
                self.not_in_order = self.remainder.len();
            }
            delivered.extend(touch(self));
        }
        delivered
    }

    /// The oldest is handed out as it is reached.
    fn oldest(&mut self) -> Option<usize> {
        if self.not_in_order > 1 {
            self.not_in_order -= 1;
            return None;
        }
        self.not_in_order = 0;
        self.remainder.pop_front()
    }

    fn first(&mut self) -> Option<usize> {
        if self.not_in_order < self.remainder.len() {
            return self.remainder.remove(self.not_in_order);
        }
        self.not_in_order = self.not_in_order.saturating_sub(1);
        self.remainder.pop_back()
    }

    fn take_all(&mut self) -> Vec<usize> {
        self.not_in_order = 0;
        self.remainder.drain(..).chain(self.list.drain(..)).collect()
    }

    fn arm(&mut self) -> Result<(), NotEmpty> {
        if !self.is_empty() {
            return Err(NotEmpty);
        }
        if self.state == State::Open {
            self.state = State::Armed;
        }
        Ok(())
    }

    fn disarm(&mut self) -> bool {
        let armed = self.state == State::Armed;
        if armed {
            self.state = State::Open;
        }
        armed
    }

    fn close(&mut self) -> Vec<usize> {
        self.state = State::Closed;
        self.take_all()
    }

    fn reopen(&mut self) -> bool {
        let closed = self.state == State::Closed;
        if closed {
            self.state = State::Open;
        }
        closed
    }

    fn is_empty(&self) -> bool {
        self.list.is_empty() && self.remainder.is_empty()
    }
}

/// Runs one history on both and compares every answer and every visible state.
pub(crate) fn check(history: &[Step]) {
    let mut model = Model {
        state: State::Open,
        list: VecDeque::new(),
        remainder: VecDeque::new(),
        not_in_order: 0,
        next_number: 0,
    };
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().expect("it is new");
    for step in history {
        match *step {
            Step::Push => {
                let numbers_next = model.next(1);
                let pushed = inbox.push(Owned::new(numbers_next.start));
                let pushed = pushed.map_err(|Closed(handle)| vec![handle.number()]);
                let expected = model.push(numbers_next.clone());
                assert_eq!(pushed, expected.ok_or(numbers_next.collect()), "{history:?}");
            }
            Step::PushBatch(count) => {
                let numbers_next = model.next(count);
                let mut batch = Batch::new();
                numbers_next.clone().for_each(|number| batch.push(Owned::new(number)));
                let pushed = inbox.push_batch(batch);
                let pushed = pushed.map_err(|Closed(batch)| numbers(List::from(batch)));
                let expected = model.push(numbers_next.clone());
                assert_eq!(pushed, expected.ok_or(numbers_next.collect()), "{history:?}");
            }
            Step::Drain(budget_nodes) => {
                let drained = numbers(owner.drain(budget_nodes));
                assert_eq!(drained, model.drain(budget_nodes, Model::oldest), "{history:?}");
            }
            Step::DrainLifo(budget_nodes) => {
                let drained = numbers(owner.drain_lifo(budget_nodes));
                assert_eq!(drained, model.drain(budget_nodes, Model::first), "{history:?}");
            }
            Step::TakeAll => assert_eq!(numbers(owner.take_all()), model.take_all(), "{history:?}"),
            Step::Arm => assert_eq!(owner.arm(), model.arm(), "{history:?}"),
            Step::Disarm => assert_eq!(owner.disarm(), model.disarm(), "{history:?}"),
            Step::Close => assert_eq!(numbers(owner.close()), model.close(), "{history:?}"),
            Step::Reopen => assert_eq!(owner.reopen(), model.reopen(), "{history:?}"),
            Step::NewOwner => {
                drop(owner);
                owner = inbox.take_owner().expect("the last one is gone");
            }
        }
        assert_eq!(inbox.is_empty(), model.list.is_empty(), "{history:?}");
        assert_eq!(owner.has_remainder(), !model.remainder.is_empty(), "{history:?}");
        assert_eq!(owner.is_empty(), model.is_empty(), "{history:?}");
        assert_eq!(inbox.is_armed(), model.state == State::Armed, "{history:?}");
        assert_eq!(inbox.is_closed(), model.state == State::Closed, "{history:?}");
    }
    assert_eq!(numbers(owner.close()), model.close(), "{history:?}");
}

#[test]
fn every_short_history_agrees_with_the_model() {
    const STEPS: [Step; 10] = [
        Step::Push,
        Step::PushBatch(2),
        Step::Drain(1),
        Step::Drain(3),
        Step::DrainLifo(1),
        Step::TakeAll,
        Step::Arm,
        Step::Disarm,
        Step::Close,
        Step::Reopen,
    ];
    let length: u32 = if cfg!(miri) { 2 } else { 5 };
    for mut code in 0..STEPS.len().pow(length) {
        let history: [_; 5] = std::array::from_fn(|_| {
            let step = STEPS[code % STEPS.len()];
            code /= STEPS.len();
            step
        });
        check(&history[..length as usize]);
    }
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => Just(Step::Push),
        3 => (0_usize..4).prop_map(Step::PushBatch),
        6 => (0_usize..12).prop_map(Step::Drain),
        3 => (0_usize..6).prop_map(Step::DrainLifo),
        1 => Just(Step::TakeAll),
        2 => Just(Step::Arm),
        1 => Just(Step::Disarm),
        1 => Just(Step::Close),
        2 => Just(Step::Reopen),
        1 => Just(Step::NewOwner),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 1 } else { 512 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn long_random_histories_agree_with_the_model(
        history in prop::collection::vec(step(), 0..if cfg!(miri) { 20 } else { 200 })
    ) {
        check(&history);
    }
}
