//! The bound on the work of one call, against the worst that can be armed.

mod common;

use common::{Node, Nodes, popped};
use timer_wheel::{State, Wheel};

const TIMERS: usize = if cfg!(miri) { 40 } else { 4_000 };

/// All timers in one slot of the top level, all with the last deadline of that slot's block: each
/// of them comes down through every level.
#[test]
fn no_call_exceeds_its_budget_when_all_timers_share_a_top_level_slot() {
    const LEVELS: usize = 6;
    for budget in [1, 7, 64] {
        let nodes = Nodes::new(TIMERS);
        let mut wheel: Wheel<Node> = Wheel::new();
        let deadline = (2 << 30) - 1;
        for id in 0..nodes.len() {
            wheel.arm(nodes.at(id), deadline).unwrap();
        }
        assert_eq!(wheel.next_event(), Some(1 << 30));
        let (mut fired, mut moved, mut slots, mut calls) = (0, 0, 0, 0);
        loop {
            let turn = wheel.turn(deadline, budget);
            assert!(turn.touched() <= budget, "over budget: {turn:?}");
            assert_eq!(turn.skipped, 0);
            (fired, moved, calls) = (fired + turn.fired, moved + turn.moved, calls + 1);
            slots += turn.slots;
            if !turn.more {
                break;
            }
            assert_eq!(turn.touched(), budget, "budget left unused");
            assert!(turn.next.is_some_and(|tick| tick <= deadline));
        }
        assert_eq!(fired, TIMERS);
        assert_eq!(moved, TIMERS * (LEVELS - 1), "once per level above the lowest");
        assert_eq!(calls, (TIMERS * LEVELS).div_ceil(budget));
        assert_eq!(slots, LEVELS, "each level's slot is taken once");
        assert!(popped(&mut wheel).into_iter().eq(0..TIMERS), "not in the order of arming");
    }
}

#[test]
fn timers_kept_beyond_the_horizon_are_charged_as_skipped() {
    let nodes = Nodes::new(4);
    let mut wheel: Wheel<Node, 2, 4> = Wheel::new();
    wheel.arm(nodes.at(0), 20).unwrap();
    for id in 1..4 {
        wheel.arm(nodes.at(id), 1_000).unwrap();
    }
    assert_eq!(wheel.next_event(), Some(16), "the horizon that reaches the earliest");
    assert_eq!(wheel.turn(15, 9).touched(), 0);
    let turn = wheel.turn(19, 3);
    assert_eq!((turn.moved, turn.skipped, turn.fired, turn.more), (1, 2, 0, true));
    let turn = wheel.turn(19, 3);
    assert_eq!((turn.moved, turn.skipped, turn.fired, turn.more), (0, 1, 0, false));
    assert_eq!(turn.next, Some(20));
    let turn = wheel.turn(20, 3);
    assert_eq!((turn.moved, turn.skipped, turn.fired), (0, 0, 1));
    // No look at 32, 48, …: the next is where the horizon reaches 1 000.
    assert_eq!(turn.next, Some(1_000 - 1_000 % 16));
    assert!(!wheel.turn(999, 9).more);
    assert_eq!(popped(&mut wheel), [0]);
    assert_eq!(wheel.turn(1_000, 9).fired, 3);
    assert_eq!(popped(&mut wheel), [1, 2, 3]);
}

/// Whatever the deadline and however time runs, a timer is touched once per level at most.
#[test]
fn no_timer_is_touched_more_often_than_there_are_levels() {
    for bits in 0..36 {
        for low in [0, 1, u64::MAX] {
            let deadline = (1 << bits) | (low & ((1 << bits) - 1));
            let nodes = Nodes::new(1);
            let mut wheel: Wheel<Node> = Wheel::new();
            wheel.arm(nodes.at(0), deadline).unwrap();
            let mut touched = 0;
            while let Some(next) = wheel.next_event() {
                let turn = wheel.turn(next, 1);
                assert_eq!(turn.touched(), 1, "woken for nothing");
                touched += 1;
            }
            assert_eq!(wheel.now(), deadline);
            assert!(touched <= 1 + bits / 6, "{deadline:#x}: {touched}");
        }
    }
}

/// A timer armed while its own block is being worked off joins the flight, behind those armed
/// earlier that are not in their slot yet.
#[test]
fn arming_in_mid_drain_keeps_the_order_of_arming() {
    let nodes = Nodes::new(4);
    let mut wheel: Wheel<Node> = Wheel::new();
    for id in 0..3 {
        wheel.arm(nodes.at(id), 70).unwrap();
    }
    let turn = wheel.turn(64, 1);
    assert_eq!((turn.moved, turn.more, turn.next), (1, true, Some(64)));
    wheel.arm(nodes.at(3), 70).unwrap();
    let turn = wheel.turn(64, 3);
    assert_eq!((turn.more, turn.next), (false, Some(70)));
    assert_eq!(wheel.turn(70, 4).fired, 4);
    assert_eq!(popped(&mut wheel), [0, 1, 2, 3], "not in the order of arming");
    assert_eq!(turn.moved, 3, "the newcomer was not in flight");
}

#[test]
fn a_budget_of_nothing_only_notes_the_time() {
    let nodes = Nodes::new(1);
    let mut wheel: Wheel<Node> = Wheel::new();
    wheel.arm(nodes.at(0), 5).unwrap();
    let turn = wheel.turn(9, 0);
    assert_eq!((turn.touched(), turn.more, turn.next), (0, true, Some(5)));
    assert_eq!((wheel.now(), nodes.state(0)), (9, State::Armed));
    assert_eq!(wheel.turn(9, 1).fired, 1);
}
