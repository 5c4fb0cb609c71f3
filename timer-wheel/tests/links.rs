//! Who holds a node when: cancelling in every state, arming twice, two wheels.

mod common;

use common::{Node, Nodes, id, popped};
use timer_wheel::{State, Wheel};

const DEADLINES: [u64; 3] = [70, 71, 72];

/// Each node of a flight is cancelled while the others are still to be looked at, or were.
#[test]
fn entries_in_flight_can_be_cancelled_whichever_they_are() {
    for looked_at in 0..4 {
        for cancelled in 0..4 {
            let nodes = Nodes::new(4);
            let mut wheel: Wheel<Node> = Wheel::new();
            for id in 0..4 {
                wheel.arm(nodes.at(id), DEADLINES[id % 3]).unwrap();
            }
            assert_eq!(wheel.turn(64, looked_at).moved, looked_at);
            assert_eq!(nodes.state(cancelled), State::Armed);
            // SAFETY: the node is live, and linked in this wheel.
            let handle = unsafe { wheel.cancel(nodes.at(cancelled)) };
            assert_eq!(handle.map(id), Some(cancelled));
            assert_eq!(nodes.state(cancelled), State::Idle);
            assert_eq!(wheel.len(), 3);
            // SAFETY: as above.
            assert!(unsafe { wheel.cancel(nodes.at(cancelled)) }.is_none());
            // Armed anew it is the last among its equals.
            wheel.arm(nodes.at(cancelled), 70).unwrap();
            assert_eq!(wheel.turn(80, 99).fired, 4, "the others fire, and it again");
            let expected: &[usize] = match cancelled {
                0 => &[3, 0, 1, 2],
                1 => &[0, 3, 1, 2],
                2 => &[0, 3, 2, 1],
                _ => &[0, 3, 1, 2],
            };
            assert_eq!(popped(&mut wheel), expected, "{looked_at} {cancelled}");
        }
    }
}

/// With the whole flight cancelled there is nothing in flight any more.
#[test]
fn cancelling_all_in_flight_ends_the_flight() {
    let nodes = Nodes::new(3);
    let mut wheel: Wheel<Node> = Wheel::new();
    for id in 0..3 {
        wheel.arm(nodes.at(id), [70, 70, 200][id]).unwrap();
    }
    assert!(wheel.turn(65, 1).more);
    for id in 0..2 {
        // SAFETY: the node is live, and linked in this wheel.
        assert!(unsafe { wheel.cancel(nodes.at(id)) }.is_some());
    }
    assert_eq!((wheel.len(), wheel.next_event()), (1, Some(192)));
    wheel.arm(nodes.at(0), 70).unwrap();
    assert_eq!(wheel.next_event(), Some(70));
    assert_eq!(wheel.turn(200, 99).fired, 2);
    assert_eq!(popped(&mut wheel), [0, 2]);
}

/// What was beyond the horizon and is gone tells nothing about what comes there later.
#[test]
fn a_cancelled_timer_beyond_the_horizon_is_forgotten() {
    let nodes = Nodes::new(2);
    let mut wheel: Wheel<Node, 2, 4, 2> = Wheel::new();
    wheel.arm(nodes.at(0), 20).unwrap();
    // SAFETY: the node is live, and linked in this wheel.
    assert!(unsafe { wheel.cancel(nodes.at(0)) }.is_some());
    assert_eq!((wheel.next_event(), wheel.turn(50, 9).touched()), (None, 0));
    wheel.arm(nodes.at(1), 1_000).unwrap();
    assert_eq!(wheel.next_event(), Some(992), "woken for a timer that is gone");
    // With another one left there, it wakes once for nothing.
    wheel.arm(nodes.at(0), 200).unwrap();
    // SAFETY: as above.
    assert!(unsafe { wheel.cancel(nodes.at(0)) }.is_some());
    assert_eq!(wheel.next_event(), Some(192));
    let turn = wheel.turn(192, 9);
    assert_eq!((turn.skipped, turn.next), (1, Some(992)));
}

#[test]
fn the_fired_can_be_cancelled_until_they_are_popped() {
    let nodes = Nodes::new(3);
    let mut wheel: Wheel<Node> = Wheel::new();
    for id in 0..3 {
        wheel.arm(nodes.at(id), 5).unwrap();
    }
    assert_eq!(wheel.turn(5, 99).fired, 3);
    assert_eq!((wheel.len(), wheel.fired_len(), nodes.state(1)), (0, 3, State::Fired));
    assert_eq!(wheel.pop_fired().map(id), Some(0));
    // SAFETY: the nodes are live, and linked, if at all, in this wheel.
    unsafe {
        assert!(wheel.cancel(nodes.at(0)).is_none(), "already firing");
        assert_eq!(wheel.cancel(nodes.at(1)).map(id), Some(1));
        assert!(wheel.rearm(nodes.at(2), 9), "taken back");
        assert!(!wheel.rearm(nodes.at(0), 9), "not held");
    }
    assert_eq!((wheel.len(), wheel.fired_len()), (1, 0));
    assert!(wheel.pop_fired().is_none());
    assert_eq!(wheel.turn(9, 99).fired, 1);
    assert_eq!(popped(&mut wheel), [2]);
}

#[test]
fn a_linked_node_is_refused_and_handed_back_by_any_wheel() {
    let nodes = Nodes::new(1);
    let mut wheel: Wheel<Node> = Wheel::new();
    let mut other: Wheel<Node> = Wheel::new();
    wheel.arm(nodes.at(0), 5).unwrap();
    for _ in 0..2 {
        assert_eq!(id(wheel.arm(nodes.at(0), 1).unwrap_err().handle), 0);
        assert_eq!(id(other.arm(nodes.at(0), 1).unwrap_err().handle), 0);
        assert_eq!((wheel.len() + wheel.fired_len(), other.len()), (1, 0));
        // Armed the first time round, fired the second.
        assert_eq!(wheel.turn(4, 9).fired, 0);
        _ = wheel.turn(5, 9);
    }
    let error = wheel.arm(nodes.at(0), 1).unwrap_err();
    assert_eq!(format!("{error:?}: {error}"), "AlreadyArmed { .. }: the node is already armed");
    let _: &dyn core::error::Error = &error;
    assert_eq!(popped(&mut wheel), [0]);
    other.arm(nodes.at(0), 1).unwrap();
}

#[test]
fn a_wheel_can_be_built_in_a_const_and_moved_while_it_holds_nodes() {
    const EMPTY: Wheel<Node, 3, 16> = Wheel::starting_at(7);
    let nodes = Nodes::new(3);
    let mut wheel = EMPTY;
    for id in 0..3 {
        wheel.arm(nodes.at(id), [8, 300, 1 << 40][id]).unwrap();
    }
    let mut moved = Box::new(wheel);
    assert_eq!(moved.turn(u64::MAX, 99).fired, 3);
    assert_eq!(popped(&mut moved), [0, 1, 2]);
    assert!(format!("{moved:?}").contains("fired_len: 0"));
    let entry = timer_wheel::Entry::<Node>::new();
    assert!(format!("{entry:?}").starts_with("Entry { state: Idle, deadline_tick: "), "{entry:?}");
}
