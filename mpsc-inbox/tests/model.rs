//! The inbox against a model made of queues, over all short histories and over random long ones.

mod common;

use common::{Item, Owned, numbers};
use mpsc_inbox::{Closed, Inbox, NotEmpty, Pushed};
use proptest::prelude::*;
use std::collections::VecDeque;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Push,
    Drain(usize),
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

/// What the inbox should be: two queues, how much of the older one is not yet in order, and the state.
#[derive(Debug)]
struct Model {
    state: State,
    list: VecDeque<usize>,
    remainder: VecDeque<usize>,
    not_in_order: usize,
    next_number: usize,
}

impl Model {
    fn push(&mut self) -> Result<Pushed, usize> {
        let number = self.next_number;
        self.next_number += 1;
        if self.state == State::Closed {
            return Err(number);
        }
        let armed = std::mem::replace(&mut self.state, State::Open) == State::Armed;
        self.list.push_back(number);
        Ok(match (armed, self.list.len()) {
            (true, _) => Pushed::KickOwed,
            (false, 1) => Pushed::First,
            (false, _) => Pushed::Joined,
        })
    }

    fn drain(&mut self, budget_nodes: usize) -> Vec<usize> {
        let mut delivered = Vec::new();
        for _ in 0..budget_nodes {
            if self.remainder.is_empty() {
                self.remainder = std::mem::take(&mut self.list);
                self.not_in_order = self.remainder.len();
            }
            if self.not_in_order > 0 {
                self.not_in_order -= 1;
            } else {
                delivered.extend(self.remainder.pop_front());
            }
        }
        delivered
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
        self.not_in_order = 0;
        self.remainder.drain(..).chain(self.list.drain(..)).collect()
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
                let pushed = inbox.push(Owned::new(model.next_number));
                let pushed = pushed.map_err(|Closed(handle)| handle.number());
                assert_eq!(pushed, model.push(), "{history:?}");
            }
            Step::Drain(budget_nodes) => {
                assert_eq!(
                    numbers(owner.drain(budget_nodes)),
                    model.drain(budget_nodes),
                    "{history:?}"
                );
            }
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
    const STEPS: [Step; 7] = [
        Step::Push,
        Step::Drain(1),
        Step::Drain(3),
        Step::Arm,
        Step::Disarm,
        Step::Close,
        Step::Reopen,
    ];
    let length: u32 = if cfg!(miri) { 3 } else { 6 };
    for mut code in 0..STEPS.len().pow(length) {
        let history: [_; 6] = std::array::from_fn(|_| {
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
        6 => (0_usize..12).prop_map(Step::Drain),
        2 => Just(Step::Arm),
        1 => Just(Step::Disarm),
        1 => Just(Step::Close),
        2 => Just(Step::Reopen),
        1 => Just(Step::NewOwner),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 512 },
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
