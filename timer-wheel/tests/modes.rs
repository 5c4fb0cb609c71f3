//! The ways to choose a tick: relative, coarse, with slack, periodic, and when to wake up.

mod common;

use std::num::NonZeroU64;

use common::{Node, Nodes, popped};
use timer_wheel::{State, Wheel, within};

/// Arms one timer for `tick` and sleeps from event to event: how often it was touched until it fired.
fn touches<const LEVELS: usize, const SLOTS: usize>(
    wheel: &mut Wheel<Node, LEVELS, SLOTS>,
    tick: u64,
) -> usize {
    let nodes = Nodes::new(1);
    wheel.arm(nodes.at(0), tick).unwrap();
    let mut touched = 0;
    while let Some(next) = wheel.next_event() {
        touched += wheel.turn(next, 9).touched();
    }
    assert_eq!((wheel.now(), popped(wheel)), (tick, vec![0]));
    touched
}

#[test]
fn relative_deadlines_count_from_the_wheels_time_and_end_with_it() {
    let nodes = Nodes::new(1);
    let mut wheel: Wheel<Node> = Wheel::starting_at(1_000);
    assert_eq!(wheel.after(0), 1_000);
    assert_eq!(touches(&mut wheel, 1_040), 2);
    assert_eq!(wheel.after(24), 1_064);
    assert_eq!(wheel.after(u64::MAX), u64::MAX);
    wheel.arm(nodes.at(0), wheel.after(5)).unwrap();
    // SAFETY: the node is live, and linked in this wheel.
    assert!(unsafe { wheel.rearm(nodes.at(0), wheel.after(7)) });
    assert_eq!(wheel.turn(1_046, 9).fired, 0);
    assert_eq!(wheel.turn(1_047, 9).fired, 1);
}

/// Starts right before and after the borders of blocks, distances of all sizes.
#[test]
fn coarse_timers_are_late_by_an_eighth_at_most_and_moved_twice_at_most() {
    fn check<const LEVELS: usize, const SLOTS: usize>(horizon_bits: u32) {
        let (mut coarse_touches, mut exact_touches) = (0, 0);
        let (mut coarse_worst, mut exact_worst) = (0, 0);
        let step = if cfg!(miri) { 17 } else { 1 };
        for start_bits in (0..horizon_bits).step_by(step) {
            for distance_bits in (0..horizon_bits - 2).step_by(step) {
                for (off, low) in [(0, 0), (1, 1), (1, 0x5a5a_5a5a_5a5a), (0, u64::MAX)] {
                    let start = (1 << start_bits) - off;
                    let distance = (1 << distance_bits) | (low & ((1 << distance_bits) - 1));
                    let deadline = start + distance;
                    if (start ^ (deadline + distance / 8)) >> horizon_bits != 0 {
                        continue;
                    }
                    let mut wheel: Wheel<Node, LEVELS, SLOTS> = Wheel::starting_at(start);
                    let tick = wheel.coarse(deadline);
                    assert!(tick >= deadline && tick - deadline <= distance / 8);
                    let touched = touches(&mut wheel, tick);
                    assert!(touched <= 3, "moved more than twice: {start:#x} {deadline:#x}");
                    coarse_touches += touched;
                    coarse_worst = coarse_worst.max(touched);
                    let mut wheel: Wheel<Node, LEVELS, SLOTS> = Wheel::starting_at(start);
                    let touched = touches(&mut wheel, deadline);
                    exact_touches += touched;
                    exact_worst = exact_worst.max(touched);
                }
            }
        }
        assert!(cfg!(miri) || (coarse_worst, exact_worst) == (3, LEVELS), "bounds not reached");
        assert!(coarse_touches < exact_touches, "{coarse_touches} {exact_touches}");
    }
    check::<6, 64>(36);
    check::<7, 32>(35);
    check::<4, 256>(32);
}

/// A timer whose slack is as long as a block of its level is never moved.
#[test]
fn with_slack_of_a_block_there_is_no_cascade() {
    for level in 0..6 {
        let block = 1_u64 << (6 * level);
        for ahead in [1, 2, 17, 63] {
            let mut wheel: Wheel<Node> = Wheel::starting_at(0);
            let earliest = ahead * block + block / 3;
            assert_eq!(touches(&mut wheel, timer_wheel::within(earliest, earliest + block - 1)), 1);
        }
    }
}

#[test]
fn overlapping_ranges_share_a_wake_up() {
    let nodes = Nodes::new(100);
    let wake_ups = |slack| {
        let mut wheel: Wheel<Node> = Wheel::new();
        for id in 0..100 {
            let earliest = 10_000 + 37 * id as u64;
            wheel.arm(nodes.at(id), within(earliest, earliest + slack)).unwrap();
        }
        let mut wake_ups = 0;
        while let Some(next) = wheel.next_event() {
            wake_ups += usize::from(wheel.turn(next, usize::MAX).fired > 0);
            for id in popped(&mut wheel) {
                let earliest = 10_000 + 37 * id as u64;
                assert!((earliest..=earliest + slack).contains(&wheel.now()), "out of its range");
            }
        }
        wake_ups
    };
    assert_eq!(wake_ups(0), 100);
    assert!(wake_ups(500) <= 16, "woken too often: {}", wake_ups(500));
}

#[test]
fn a_periodic_timer_does_not_drift_and_counts_what_it_missed() {
    let period = NonZeroU64::new(100).unwrap();
    let nodes = Nodes::new(1);
    let mut wheel: Wheel<Node> = Wheel::starting_at(7);
    let deadline = |nodes: &Nodes| {
        // SAFETY: the node is live, and nobody makes a `&mut` to it.
        unsafe { nodes.at(0).as_ref() }.entry.deadline()
    };
    wheel.arm(nodes.at(0), 50).unwrap();
    let mut fired = Vec::new();
    // Each turn is late by a little; one by 3 periods and a bit, one to the very tick.
    for (now, tick, missed) in [
        (53, 150, 0),
        (151, 250, 0),
        (560, 650, 3),
        (650, 750, 0),
        (850, 950, 1),
        (1_049, 1_050, 0),
    ] {
        assert_eq!(wheel.turn(now, 9).fired, 1);
        assert_eq!(popped(&mut wheel), [0]);
        fired.push(deadline(&nodes));
        let next = wheel.next_period(deadline(&nodes), period);
        assert_eq!((next.tick, next.missed), (tick, missed), "at {now}");
        assert!(next.tick > now, "a period in the past");
        wheel.arm(nodes.at(0), next.tick).unwrap();
    }
    assert_eq!(fired, [50, 150, 250, 650, 750, 950]);
}

#[test]
fn periods_at_the_ends_of_time() {
    let one = NonZeroU64::MIN;
    let wheel: Wheel<Node> = Wheel::starting_at(u64::MAX);
    let next = wheel.next_period(0, one);
    assert_eq!((next.tick, next.missed), (u64::MAX, u64::MAX));
    let next = wheel.next_period(u64::MAX, NonZeroU64::MAX);
    assert_eq!((next.tick, next.missed), (u64::MAX, 0));
    let wheel: Wheel<Node> = Wheel::new();
    assert_eq!(wheel.next_period(u64::MAX, one).tick, u64::MAX);
    // Asked before its time: the next one is one period on.
    assert_eq!(wheel.next_period(500, one).tick, 501);
    assert_eq!(wheel.coarse(u64::MAX), u64::MAX);
}

#[test]
fn a_wake_up_with_slack_is_round_and_not_too_late() {
    let nodes = Nodes::new(3);
    let mut wheel: Wheel<Node> = Wheel::new();
    assert_eq!(wheel.next_wakeup(1_000), None);
    wheel.arm(nodes.at(0), 40).unwrap();
    assert_eq!(wheel.next_wakeup(0), wheel.next_event());
    assert_eq!(wheel.next_wakeup(7), Some(40));
    assert_eq!(wheel.next_wakeup(10), Some(48));
    assert_eq!(wheel.next_wakeup(100), Some(128));
    assert_eq!(wheel.next_wakeup(u64::MAX), Some(1 << 63));
    // With work left over there is no sleep, whatever the slack.
    wheel.arm(nodes.at(1), 40).unwrap();
    assert!(wheel.turn(45, 1).more);
    assert_eq!(wheel.next_wakeup(1_000), Some(40), "sleeps with work left over");
    _ = wheel.turn(45, 1);
    wheel.arm(nodes.at(2), 45).unwrap();
    assert_eq!(wheel.next_wakeup(1_000), Some(45));
    assert_eq!(nodes.state(2), State::Armed);
}

/// Sleeping with slack: no timer fires later than its deadline and the slack.
#[test]
fn sleeping_with_slack_makes_no_timer_later_than_that() {
    for slack in [0, 1, 15, 200, 5_000] {
        let nodes = Nodes::new(60);
        let mut wheel: Wheel<Node> = Wheel::starting_at(12_345);
        let deadline = |id: usize| 12_345 + (id as u64 + 1) * (id as u64 * 7 + 13);
        for id in 0..60 {
            wheel.arm(nodes.at(id), deadline(id)).unwrap();
        }
        let mut wake_ups = 0;
        while let Some(wake_up) = wheel.next_wakeup(slack) {
            _ = wheel.turn(wake_up, usize::MAX);
            wake_ups += 1;
            for id in popped(&mut wheel) {
                let late = wheel.now() - deadline(id);
                assert!(late <= slack, "{id}: {late} ticks late, {slack} allowed");
            }
        }
        assert!(slack < 5_000 || wake_ups < 20, "{wake_ups}");
    }
}
