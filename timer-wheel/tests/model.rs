//! Random histories against a sorted map: nothing early, lost, late or out of order.

mod common;

use common::Checked;
use proptest::prelude::*;
use timer_wheel::within;

const NODES: usize = 12;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Tick {
    Ahead(u64),
    Behind(u64),
    /// That of the last tick used for arming: equal deadlines are what FIFO is about.
    SameAgain,
    AtNextEvent,
    JustBeforeNextEvent,
    FromTheEnd(u64),
    /// With so much slack.
    Within(u64, u64),
    Coarse(u64),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
    Arm(usize, Tick),
    Rearm(usize, Tick),
    Cancel(usize),
    Turn(Tick, usize),
    Pop,
}

fn tick() -> impl Strategy<Value = Tick> {
    prop_oneof![
        6 => (0..24_u64).prop_map(Tick::Ahead),
        6 => (0..64_u64, 0..48_u32).prop_map(|(digit, bits)| Tick::Ahead(digit << bits)),
        2 => (any::<u64>(), 0..64_u32).prop_map(|(ticks, bits)| Tick::Ahead(ticks >> bits)),
        2 => (0..100_u64).prop_map(Tick::Behind),
        6 => Just(Tick::SameAgain),
        3 => Just(Tick::AtNextEvent),
        1 => Just(Tick::JustBeforeNextEvent),
        1 => (0..3_u64).prop_map(Tick::FromTheEnd),
        3 => (0..24_u64, 0..24_u64).prop_map(|(ticks, slack)| Tick::Within(ticks, slack)),
        2 => (0..64_u64, 0..38_u32).prop_map(|(digit, bits)| Tick::Coarse(digit << bits)),
    ]
}

/// Time mostly creeps, or soon everything would be past.
fn jump() -> impl Strategy<Value = Tick> {
    prop_oneof![
        6 => (0..8_u64).prop_map(Tick::Ahead),
        3 => (0..64_u64, 0..38_u32).prop_map(|(digit, bits)| Tick::Ahead(digit << bits)),
        1 => (0..100_u64).prop_map(Tick::Behind),
        2 => Just(Tick::SameAgain),
        4 => Just(Tick::AtNextEvent),
        1 => Just(Tick::JustBeforeNextEvent),
    ]
}

fn budget() -> impl Strategy<Value = usize> {
    prop_oneof![6 => 0..4_usize, 1 => Just(usize::MAX)]
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (0..NODES, tick()).prop_map(|(id, tick)| Op::Arm(id, tick)),
        2 => (0..NODES, tick()).prop_map(|(id, tick)| Op::Rearm(id, tick)),
        2 => (0..NODES).prop_map(Op::Cancel),
        8 => (jump(), budget()).prop_map(|(tick, budget)| Op::Turn(tick, budget)),
        4 => Just(Op::Pop),
    ]
}

pub(crate) fn start() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), any::<u64>(), (0..200_u64).prop_map(|ticks| u64::MAX - ticks)]
}

pub(crate) fn run<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>(
    start: u64,
    ops: &[Op],
) {
    let mut checked = Checked::<LEVELS, SLOTS, STRANDS>::new(start, NODES);
    let mut last = start;
    for &op in ops {
        let now = checked.wheel.now();
        let next = checked.wheel.next_event();
        let resolve = |tick| match tick {
            Tick::Ahead(ticks) => now.saturating_add(ticks),
            Tick::Behind(ticks) => now.saturating_sub(ticks),
            Tick::SameAgain => last,
            Tick::AtNextEvent => next.unwrap_or(now),
            Tick::JustBeforeNextEvent => next.unwrap_or(now).saturating_sub(1),
            Tick::FromTheEnd(ticks) => u64::MAX - ticks,
            Tick::Within(ticks, slack) => {
                let earliest = now.saturating_add(ticks);
                within(earliest, earliest.saturating_add(slack))
            }
            Tick::Coarse(ticks) => {
                let earliest = now.saturating_add(ticks);
                within(earliest, earliest.saturating_add(ticks / 8))
            }
        };
        match op {
            Op::Arm(id, tick) => {
                let deadline = resolve(tick);
                checked.arm(id, deadline);
                last = deadline;
            }
            Op::Rearm(id, tick) => {
                let deadline = resolve(tick);
                checked.rearm(id, deadline);
                last = deadline;
            }
            Op::Cancel(id) => checked.cancel(id),
            Op::Turn(tick, budget) => {
                let to = resolve(tick);
                let turn = checked.turn(to, budget);
                assert_eq!(turn.stepped_back_ticks, now.saturating_sub(to));
            }
            Op::Pop => {
                checked.pop();
            }
        }
    }
    checked.finish(u64::MAX);
    assert!(checked.wheel.is_empty(), "lost at the end of time");
}

fn config() -> ProptestConfig {
    if cfg!(miri) {
        ProptestConfig { cases: 1, failure_persistence: None, ..ProptestConfig::default() }
    } else {
        ProptestConfig { cases: 1_000, ..ProptestConfig::default() }
    }
}

const OPS: usize = if cfg!(miri) { 12 } else { 120 };

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_default_wheel_agrees_with_a_sorted_map(
        start in start(),
        ops in prop::collection::vec(op(), 0..OPS),
    ) {
        run::<6, 64, 1>(start, &ops);
    }

    #[test]
    fn a_wheel_of_two_levels_of_four_agrees_with_a_sorted_map(
        start in start(),
        ops in prop::collection::vec(op(), 0..OPS),
    ) {
        run::<2, 4, 1>(start, &ops);
    }

    #[test]
    fn a_wheel_of_all_64_bits_agrees_with_a_sorted_map(
        start in start(),
        ops in prop::collection::vec(op(), 0..OPS),
    ) {
        run::<11, 64, 2>(start, &ops);
    }

    #[test]
    fn the_smallest_wheel_agrees_with_a_sorted_map(
        start in start(),
        ops in prop::collection::vec(op(), 0..OPS),
    ) {
        run::<1, 2, 1>(start, &ops);
    }

    #[test]
    fn a_small_wheel_of_four_strands_agrees_with_a_sorted_map(
        start in start(),
        ops in prop::collection::vec(op(), 0..OPS),
    ) {
        run::<2, 4, 4>(start, &ops);
    }

    #[test]
    fn a_wide_wheel_of_eight_strands_agrees_with_a_sorted_map(
        start in start(),
        ops in prop::collection::vec(op(), 0..OPS),
    ) {
        run::<4, 256, 8>(start, &ops);
    }
}
