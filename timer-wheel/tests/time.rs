//! Time that jumps, stands still, steps back, or ends.

mod common;

use common::{Node, Nodes, popped};
use timer_wheel::Wheel;

/// Nanoseconds.
const DAY: u64 = 86_400 * 1_000_000_000;

#[test]
fn days_of_missed_ticks_lose_nothing_and_cost_only_what_they_make_due() {
    let deadlines = [1, 63, 64, 4_095, 4_096, 1 << 30, 1 << 36, DAY, DAY + 1, 3 * DAY, 40 * DAY];
    let nodes = Nodes::new(deadlines.len());
    let mut wheel: Wheel<Node> = Wheel::new();
    // Armed latest first: they must come out earliest first.
    for (id, &deadline) in deadlines.iter().enumerate().rev() {
        wheel.arm(nodes.at(id), deadline).unwrap();
    }
    let turn = wheel.turn(30 * DAY, 1_000);
    assert_eq!((turn.fired, turn.more), (10, false));
    assert!(turn.touched() <= 7 * deadlines.len(), "{turn:?}");
    assert!(popped(&mut wheel).into_iter().eq(0..10));
    assert_eq!(wheel.turn(31 * DAY, 1_000).fired, 0);
    assert_eq!(wheel.turn(1_000 * DAY, 1_000).fired, 1);
    assert_eq!(wheel.turn(u64::MAX, 1_000).touched(), 0);
}

#[test]
fn time_that_steps_back_stands_still_and_is_reported() {
    let nodes = Nodes::new(2);
    let mut wheel: Wheel<Node> = Wheel::starting_at(1_000);
    wheel.arm(nodes.at(0), 1_001).unwrap();
    let turn = wheel.turn(400, 9);
    assert_eq!((turn.stepped_back_ticks, turn.fired, turn.next), (600, 0, Some(1_001)));
    assert_eq!(wheel.now(), 1_000);
    // What is due already fires all the same.
    wheel.arm(nodes.at(1), 700).unwrap();
    let turn = wheel.turn(0, 9);
    assert_eq!((turn.stepped_back_ticks, turn.fired), (1_000, 1));
    assert_eq!(wheel.turn(1_001, 9).stepped_back_ticks, 0);
    assert_eq!(popped(&mut wheel), [1, 0]);
}

#[test]
fn past_deadlines_fire_on_the_next_turn_even_if_time_stands_still() {
    let nodes = Nodes::new(4);
    let mut wheel: Wheel<Node> = Wheel::starting_at(100);
    for (id, deadline) in [100, 0, 99, 100].into_iter().enumerate() {
        wheel.arm(nodes.at(id), deadline).unwrap();
        assert_eq!(wheel.next_event(), Some(100));
    }
    let turn = wheel.turn(100, 9);
    assert_eq!((turn.fired, turn.moved, turn.next), (4, 0, None));
    assert_eq!(popped(&mut wheel), [0, 1, 2, 3]);
}

#[test]
fn the_last_tick_is_a_tick_like_any_other() {
    let nodes = Nodes::new(3);
    let mut wheel: Wheel<Node> = Wheel::new();
    wheel.arm(nodes.at(0), u64::MAX).unwrap();
    wheel.arm(nodes.at(1), u64::MAX - 1).unwrap();
    assert!(!wheel.turn(u64::MAX - 2, 99).more);
    assert_eq!(popped(&mut wheel), []);
    assert_eq!(wheel.turn(u64::MAX - 1, 99).fired, 1);
    assert_eq!(wheel.turn(u64::MAX, 99).fired, 1);
    wheel.arm(nodes.at(2), u64::MAX).unwrap();
    assert_eq!(wheel.next_event(), Some(u64::MAX));
    assert_eq!(wheel.turn(u64::MAX, 99).fired, 1);
    assert_eq!(popped(&mut wheel), [1, 0, 2]);
}

/// Sleeping until `next_event` each time finds every deadline, without an early look more than
/// there are levels above the lowest, and one for the horizon.
#[test]
fn sleeping_until_the_next_event_is_never_late() {
    for deadline in [1, 64, 65, 4_097, (1 << 36) - 1, 1 << 36, (5 << 36) + 12_345, u64::MAX] {
        let nodes = Nodes::new(1);
        let mut wheel: Wheel<Node> = Wheel::new();
        wheel.arm(nodes.at(0), deadline).unwrap();
        let mut early = 0;
        loop {
            let next = wheel.next_event().expect("armed");
            assert!(next <= deadline, "next_event lies after the deadline");
            let turn = wheel.turn(next, 9);
            if turn.fired == 1 {
                break;
            }
            early += 1;
        }
        assert_eq!(wheel.now(), deadline);
        assert!(early <= 6, "{deadline}: {early}");
    }
}
