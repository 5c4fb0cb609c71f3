//! Operations whose instructions are counted: each is called [`CALLS`] times through one function, and Callgrind
//! collects only inside that function. What prepares a call and cleans up after it costs nothing.

mod leaves;
mod loops;

/// How often each operation is called.
const CALLS: u32 = 100;

/// Name, and what calls it.
const OPERATIONS: &[(&str, fn())] = &[
    ("inbox-push-first", leaves::inbox_push_first),
    ("inbox-push-joined", leaves::inbox_push_joined),
    ("inbox-push-kick-owed", leaves::inbox_push_kick_owed),
    ("inbox-push-batch-64", leaves::inbox_push_batch_64),
    ("inbox-push-once-first", leaves::inbox_push_once_first),
    ("inbox-push-once-queued", leaves::inbox_push_once_queued),
    ("inbox-drain-nothing", leaves::inbox_drain_nothing),
    ("inbox-drain-1", leaves::inbox_drain_1),
    ("inbox-drain-64", leaves::inbox_drain_64),
    ("inbox-drain-lifo-64", leaves::inbox_drain_lifo_64),
    ("inbox-take-all-64", leaves::inbox_take_all_64),
    ("inbox-arm", leaves::inbox_arm),
    ("inbox-disarm", leaves::inbox_disarm),
    ("deque-push", leaves::deque_push),
    ("deque-pop", leaves::deque_pop),
    ("deque-pop-last", leaves::deque_pop_last),
    ("deque-steal", leaves::deque_steal),
    ("deque-push-bulk-8", leaves::deque_push_bulk_8),
    ("deque-pop-bulk-8", leaves::deque_pop_bulk_8),
    ("deque-steal-half-of-16", leaves::deque_steal_half_of_16),
    ("deque-push-on-demand", leaves::deque_push_on_demand),
    ("deque-pop-on-demand", leaves::deque_pop_on_demand),
    ("tree-insert-1024", leaves::tree_insert),
    ("tree-remove-1024", leaves::tree_remove),
    ("tree-pick-1024", leaves::tree_pick),
    ("wheel-arm", leaves::wheel_arm::<1_000>),
    ("wheel-arm-of-100000", leaves::wheel_arm::<100_000>),
    ("wheel-cancel", leaves::wheel_cancel::<1_000>),
    ("wheel-cancel-of-100000", leaves::wheel_cancel::<100_000>),
    ("wheel-turn-nothing-due", leaves::wheel_turn_nothing_due::<1_000>),
    ("wheel-turn-nothing-due-of-100000", leaves::wheel_turn_nothing_due::<100_000>),
    ("wheel-turn-64-fire", leaves::wheel_turn_64_fire::<1_000>),
    ("wheel-turn-64-fire-of-100000", leaves::wheel_turn_64_fire::<100_000>),
    ("sched-wake", loops::wake),
    ("sched-step-yield", loops::step_yield),
    ("sched-spawn-and-run", loops::spawn_and_run),
    ("sched-on-kick", loops::on_kick),
    ("sched-on-timer-nothing-due", loops::on_timer_nothing_due),
    ("sched-on-timer-32-due", loops::on_timer_32_due),
];

/// The operations, in the order of the table.
pub fn names() -> impl Iterator<Item = &'static str> {
    OPERATIONS.iter().map(|(name, _)| *name)
}

/// Calls one operation `CALLS` times; `None` if there is none of that name.
pub fn call(name: &str) -> Option<u32> {
    let (_, operation) = OPERATIONS.iter().find(|(known, _)| *known == name)?;
    operation();
    Some(CALLS)
}

/// The one place where instructions are collected: `--toggle-collect` names this function.
#[inline(never)]
fn counted_call<R>(operation: impl FnOnce() -> R) -> R {
    operation()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_operation_runs_under_a_name_of_its_own() {
        let known: HashSet<_> = names().collect();
        assert_eq!(known.len(), OPERATIONS.len());
        for name in names() {
            assert_eq!(call(name), Some(CALLS), "{name}");
        }
        assert_eq!(call("no-such-operation"), None);
    }
}
