//! What a call touches, counted: every access to an entry goes through `Linked::entry`, which counts.

#![cfg(feature = "alloc")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ptr::NonNull;

use timer_wheel::{Entry, Linked, Wheel};

thread_local! {
    static ACCESSES: Cell<usize> = const { Cell::new(0) };
    static NODES: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
}

#[derive(Debug, Default)]
struct Node {
    entry: Entry<Node>,
}

// SAFETY: one entry, used for nothing else; no reference is made; the boxes live as long as the wheel.
unsafe impl Linked for Node {
    type Handle = Box<Node>;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        ACCESSES.set(ACCESSES.get() + 1);
        NODES.with_borrow_mut(|nodes| nodes.insert(node.as_ptr().addr()));
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

/// Accesses to entries, and different nodes accessed, in `work`.
fn counted<R>(work: impl FnOnce() -> R) -> (R, usize, usize) {
    ACCESSES.set(0);
    NODES.with_borrow_mut(BTreeSet::clear);
    let result = work();
    (result, ACCESSES.get(), NODES.with_borrow(BTreeSet::len))
}

const TIMERS: usize = if cfg!(miri) { 10 } else { 2_000 };

/// What one unit of budget may cost: its entry, the neighbours it leaves and those it gets; and the
/// number of accesses to them.
const NODES_PER_UNIT: usize = 5;
const ACCESSES_PER_UNIT: usize = 16;

fn armed<const STRANDS: usize>(
    deadlines: impl Iterator<Item = u64>,
) -> Box<Wheel<Node, 6, 64, STRANDS>> {
    let mut wheel = Box::new(Wheel::new());
    deadlines.for_each(|deadline| wheel.arm(Box::default(), deadline).unwrap());
    wheel
}

/// Turns `wheel` to `end` by `budget`, popping nothing, and checks each turn.
fn check_turns<const STRANDS: usize>(
    wheel: &mut Wheel<Node, 6, 64, STRANDS>,
    end: u64,
    budget: usize,
) {
    loop {
        let (turn, accesses, nodes) = counted(|| wheel.turn(end, budget));
        assert!(turn.touched() <= budget && turn.slots <= turn.touched(), "{turn:?}");
        assert!(nodes <= NODES_PER_UNIT * turn.touched(), "{nodes} nodes for {turn:?}");
        assert!(accesses <= ACCESSES_PER_UNIT * turn.touched(), "{accesses} accesses: {turn:?}");
        if !turn.more {
            return;
        }
    }
}

/// The worst there is: all timers in one slot of the top level, each to come down through all levels;
/// all of one deadline, or each of its own, so that each turn takes slot after slot.
#[test]
fn no_turn_touches_more_than_its_budget_allows() {
    let last = (2 << 30) - 1;
    let budgets = if cfg!(miri) { &[3][..] } else { &[1, 3, 32, usize::MAX] };
    for &budget in budgets {
        check_turns(&mut *armed::<1>((0..TIMERS).map(|_| last)), last, budget);
        check_turns(&mut *armed::<8>((0..TIMERS).map(|_| last)), last, budget);
        let spread =
            |timer: usize| (1 << 30) + (timer as u64).wrapping_mul(0x9e37_79b9) % (1 << 30);
        check_turns(&mut *armed::<1>((0..TIMERS).map(spread)), last, budget);
        check_turns(&mut *armed::<8>((0..TIMERS).map(spread)), last, budget);
        // Beyond the horizon: put back, horizon after horizon.
        let beyond = |timer: usize| ((timer as u64 % 7) + 1) << 36;
        check_turns(&mut *armed::<8>((0..TIMERS).map(beyond)), 9 << 36, budget);
    }
}

/// Each call costs the same, however many timers there are.
#[test]
fn what_a_call_touches_does_not_grow_with_the_number_of_timers() {
    let costs = |timers: usize| {
        // All in one slot, which is the worst for lists.
        let mut wheel = armed::<4>((0..timers).map(|_| 70));
        let node = Box::<Node>::default();
        let pointer = NonNull::from(&*node);
        let (_, arm, _) = counted(|| wheel.arm(node, 70).unwrap());
        // SAFETY: the node is live, and linked in this wheel, here and below.
        let (_, rearm, _) = counted(|| assert!(unsafe { wheel.rearm(pointer, 71) }));
        let (_, next, _) = counted(|| wheel.next_event());
        let (turn, turned, _) = counted(|| wheel.turn(64, 8));
        assert_eq!(turn.moved, 8);
        // SAFETY: as above.
        let (handle, cancel, _) = counted(|| unsafe { wheel.cancel(pointer) });
        assert!(handle.is_some());
        _ = wheel.turn(70, usize::MAX);
        let (popped, pop, _) = counted(|| wheel.pop_fired());
        assert!(popped.is_some());
        [arm, rearm, next, turned, cancel, pop]
    };
    let few = costs(10);
    assert_eq!(few[2], 0, "to ask for the next event touches no entry");
    assert_eq!(few, costs(TIMERS));
}

/// Looking at the time, with nothing due, touches nothing, however far it goes and whatever is armed.
#[test]
fn time_that_makes_nothing_due_touches_nothing() {
    let mut wheel = armed::<2>((0..TIMERS).map(|timer| (1 << 35) + timer as u64));
    for bits in 0..35 {
        let (turn, accesses, _) = counted(|| wheel.turn(1 << bits, usize::MAX));
        assert_eq!((turn.touched(), turn.slots, accesses), (0, 0, 0));
    }
}
