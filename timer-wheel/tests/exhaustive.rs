//! Every history up to a bound, on a wheel of two levels of four slots: 16 ticks of horizon.

mod common;

use common::Checked;
use timer_wheel::State;

const NODES: usize = 3;

#[derive(Clone, Copy, Debug)]
enum Op {
    /// Arm the first idle node, so many ticks ahead.
    Arm(u64),
    /// Move the first armed node, so many ticks ahead.
    Rearm(u64),
    Cancel(usize),
    Turn(u64, usize),
    Pop,
}

/// The deadlines are: due at once, on the lowest level, at the start and inside of the next block,
/// beyond the horizon. The turns stop within a block, at its start, past it, past the horizon.
const OPS: [Op; 14] = [
    Op::Arm(0),
    Op::Arm(1),
    Op::Arm(4),
    Op::Arm(5),
    Op::Arm(18),
    Op::Rearm(5),
    Op::Cancel(0),
    Op::Cancel(1),
    Op::Turn(0, 1),
    Op::Turn(1, 1),
    Op::Turn(4, 1),
    Op::Turn(4, 2),
    Op::Turn(17, 1),
    Op::Pop,
];

const DEPTH: usize = if cfg!(miri) { 2 } else { 5 };

/// Applies one operation; `false` if there is nothing for it to do.
fn apply<const STRANDS: usize>(checked: &mut Checked<2, 4, STRANDS>, op: Op) -> bool {
    let now = checked.wheel.now();
    let first = |state| (0..NODES).find(|&id| checked.nodes.state(id) == state);
    match op {
        Op::Arm(ahead) => first(State::Idle).map(|id| checked.arm(id, now + ahead)).is_some(),
        Op::Rearm(ahead) => first(State::Armed).map(|id| checked.rearm(id, now + ahead)).is_some(),
        Op::Cancel(id) => {
            let held = checked.nodes.state(id) != State::Idle;
            checked.cancel(id);
            held
        }
        Op::Turn(ahead, budget) => {
            _ = checked.turn(now + ahead, budget);
            true
        }
        Op::Pop => checked.pop(),
    }
}

/// Plays `history`, then all its continuations. One whose last operation did nothing is the same
/// as the history without it, and is not continued.
fn explore<const STRANDS: usize>(start: u64, history: &mut Vec<Op>) -> usize {
    let mut checked = Checked::<2, 4, STRANDS>::new(start, NODES);
    let mut did = true;
    for &op in &*history {
        did = apply(&mut checked, op);
    }
    let end = checked.wheel.now() + 32;
    checked.finish(end);
    assert!(checked.wheel.is_empty(), "lost: {history:?}");
    if !did || history.len() == DEPTH {
        return 1;
    }
    let mut played = 1;
    for op in OPS {
        history.push(op);
        played += explore::<STRANDS>(start, history);
        history.pop();
    }
    played
}

/// Start 0 lies at the start of all its blocks, 14 at the end of its own and two ticks before the
/// end of the horizon.
#[test]
fn every_history_of_five_operations_agrees_with_a_sorted_map() {
    let wheels = if cfg!(miri) { &[(14, 2)][..] } else { &[(0, 1), (14, 1), (14, 2)] };
    for &(start, strands) in wheels {
        let played = match strands {
            1 => explore::<1>(start, &mut Vec::new()),
            _ => explore::<2>(start, &mut Vec::new()),
        };
        assert!(cfg!(miri) || played > 200_000, "only {played} histories");
    }
}

/// All starts, all pairs of deadlines within three horizons, turned by all small steps and budgets.
#[test]
fn every_pair_of_deadlines_fires_on_time_however_time_runs() {
    let (starts, deadlines) = if cfg!(miri) { (14..15, 0..2) } else { (0..16, 0..36) };
    for start in starts {
        for (first, second) in
            deadlines.clone().flat_map(|a| deadlines.clone().map(move |b| (a, b)))
        {
            for (step, budget) in
                [(1, 1), (1, 9), (3, 1), (4, 9), (7, 1), (16, 1), (16, 9), (40, 1)]
            {
                let mut checked = Checked::<2, 4, 2>::new(start, 2);
                checked.arm(0, start + first);
                checked.arm(1, start + second);
                let mut now = start;
                while !checked.wheel.is_empty() {
                    let turn = checked.turn(now, budget);
                    now += if turn.more { 0 } else { step };
                    while checked.pop() {}
                }
                assert!(now <= start + first.max(second) + 2 * step);
            }
        }
    }
}
