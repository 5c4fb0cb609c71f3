//! Use that is allowed and hostile: drops that panic, wheels and iterators forgotten, nodes shown to the
//! wrong wheel, calls in an order that makes no sense, numbers at their ends.
#![cfg(feature = "alloc")]

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Mutex;

use timer_wheel::{Entry, Linked, State, Wheel};

#[derive(Debug)]
struct Node {
    id: usize,
    /// Counts drops; that of number `panics` panics.
    drops: Rc<Cell<usize>>,
    panics: usize,
    entry: Entry<Node>,
}

// SAFETY: one entry, used for nothing else; no reference is made; a box owns its node.
unsafe impl Linked for Node {
    type Handle = Box<Node>;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
        assert!(self.id != self.panics, "planned");
    }
}

/// Nodes in slots of both levels, beyond the horizon, in flight and fired.
fn full(drops: &Rc<Cell<usize>>, panics: usize) -> Wheel<Node, 2, 4, 2> {
    let mut wheel = Wheel::new();
    for (id, deadline) in [1, 1, 5, 5, 6, 11, 99, 99].into_iter().enumerate() {
        let drops = drops.clone();
        wheel.arm(Box::new(Node { id, drops, panics, entry: Entry::new() }), deadline).unwrap();
    }
    let turn = wheel.turn(6, 3);
    assert_eq!((turn.fired, turn.moved, turn.more), (2, 1, true));
    wheel
}

#[test]
fn a_drop_that_panics_keeps_no_other_node_from_being_dropped() {
    for panics in 0..8 {
        let drops = Rc::new(Cell::new(0));
        let wheel = full(&drops, panics);
        assert!(catch_unwind(AssertUnwindSafe(|| drop(wheel))).is_err());
        assert_eq!(drops.get(), 8, "lost, when node {panics} panicked");
    }
}

#[test]
fn a_drop_that_panics_while_the_fired_are_handed_out_leaves_the_wheel_whole() {
    let drops = Rc::new(Cell::new(0));
    let mut wheel = full(&drops, 0);
    assert!(catch_unwind(AssertUnwindSafe(|| wheel.fired().for_each(drop))).is_err());
    assert_eq!((wheel.fired_len(), wheel.len(), drops.get()), (1, 6, 1));
    assert_eq!(wheel.turn(u64::MAX, usize::MAX).fired, 6);
    assert_eq!(wheel.fired().map(|node| node.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(drops.get(), 8);
}

#[test]
fn what_an_iterator_over_the_fired_does_not_take_stays() {
    let drops = Rc::new(Cell::new(0));
    let mut wheel = full(&drops, usize::MAX);
    assert_eq!(wheel.turn(11, usize::MAX).fired, 4);
    let mut fired = wheel.fired();
    assert_eq!((fired.len(), fired.size_hint()), (6, (6, Some(6))));
    assert_eq!(fired.next().map(|node| node.id), Some(0));
    assert!(format!("{fired:?}").contains("len: 5"));
    assert_eq!((wheel.fired_len(), drops.get()), (5, 1));
    _ = wheel.fired();
    assert_eq!(wheel.fired_len(), 5);
    let mut fired = wheel.fired();
    assert_eq!(fired.by_ref().map(|node| node.id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(fired.next().is_none() && fired.next().is_none());
    drop(wheel);
    assert_eq!(drops.get(), 8);
}

/// A node that is borrowed for ever.
#[derive(Debug)]
struct Shared {
    entry: Entry<Shared>,
}

// SAFETY: one entry, used for nothing else; no reference is made; a node is borrowed for ever.
unsafe impl Linked for Shared {
    type Handle = &'static Shared;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

fn shared() -> &'static Shared {
    keep(Shared { entry: Entry::new() })
}

/// Leaks on purpose. What a static still knows is no leak to a checker.
fn keep<T>(value: T) -> &'static mut T {
    struct Kept(#[expect(dead_code, reason = "only to be known")] *mut ());
    // SAFETY: nobody looks behind it.
    unsafe impl Send for Kept {}
    static KEPT: Mutex<Vec<Kept>> = Mutex::new(Vec::new());
    let kept = Box::into_raw(Box::new(value));
    KEPT.lock().unwrap().push(Kept(kept.cast()));
    // SAFETY: it is never freed, and this is its one reference.
    unsafe { &mut *kept }
}

#[test]
fn nodes_of_a_forgotten_wheel_stay_linked_and_are_refused_for_good() {
    let (first, second) = (shared(), shared());
    let mut wheel: Wheel<Shared> = Wheel::new();
    wheel.arm(first, 1).unwrap();
    wheel.arm(second, 100).unwrap();
    assert_eq!(wheel.turn(1, 9).fired, 1);
    keep(wheel);
    let mut other: Wheel<Shared> = Wheel::new();
    for node in [first, second] {
        assert!(std::ptr::eq(other.arm(node, 1).unwrap_err().handle, node));
    }
    assert_eq!((first.entry.state(), second.entry.state()), (State::Fired, State::Armed));
    assert!(other.is_empty());
}

/// It says what the node is in the wheel that has it, as far as the entry knows.
#[test]
fn a_node_may_be_shown_to_the_wrong_wheel() {
    let node = shared();
    let mut wheel: Wheel<Shared, 2, 4> = Wheel::new();
    let mut other: Wheel<Shared, 2, 4> = Wheel::new();
    assert_eq!(other.state(node), State::Idle);
    wheel.arm(node, 3).unwrap();
    other.arm(shared(), 7).unwrap();
    assert_eq!((wheel.state(node), other.state(node)), (State::Armed, State::Armed));
    assert_eq!(wheel.turn(3, 9).fired, 1);
    assert_eq!((wheel.state(node), other.state(node)), (State::Fired, State::Fired));
    assert!(wheel.pop_fired().is_some());
    assert_eq!((wheel.state(node), other.state(node)), (State::Idle, State::Idle));
}

#[test]
fn an_empty_wheel_answers_everything() {
    let mut wheel: Wheel<Shared> = Wheel::default();
    for now in [0, 5, 5, 0, 1 << 36, u64::MAX, 0, u64::MAX] {
        for budget in [0, 1, usize::MAX] {
            let turn = wheel.turn(now, budget);
            assert_eq!((turn.touched(), turn.slots, turn.more, turn.next), (0, 0, false, None));
        }
        assert_eq!((wheel.next_event(), wheel.next_wakeup(9)), (None, None));
        assert!(wheel.pop_fired().is_none() && wheel.pop_any().is_none());
        assert_eq!((wheel.len(), wheel.fired_len(), wheel.fired().len()), (0, 0, 0));
    }
    assert_eq!(wheel.now(), u64::MAX);
    let node = shared();
    // SAFETY: the node is live, and linked nowhere.
    unsafe {
        assert!(wheel.cancel(NonNull::from(node)).is_none());
        assert!(!wheel.rearm(NonNull::from(node), 5));
    }
    // At the end of time everything is due, whatever its deadline.
    for deadline in [0, 5, u64::MAX] {
        wheel.arm(node, deadline).unwrap();
        assert_eq!(wheel.state(node), State::InFlight);
        assert_eq!(wheel.turn(0, 1).fired, 1);
        assert!(wheel.pop_fired().is_some());
    }
}

#[test]
fn the_fired_can_be_rearmed_cancelled_and_drained_again_and_again() {
    let nodes = [shared(), shared(), shared()];
    let mut wheel: Wheel<Shared, 2, 4, 4> = Wheel::new();
    for round in 0..50_u64 {
        for (node, ahead) in nodes.into_iter().zip([0, 1, 5]) {
            // SAFETY: the node is live, and linked in no other wheel.
            if !unsafe { wheel.rearm(NonNull::from(node), wheel.after(ahead)) } {
                wheel.arm(node, wheel.after(ahead)).unwrap();
            }
        }
        assert_eq!(wheel.len() + wheel.fired_len(), 3);
        _ = wheel.turn(wheel.after(round % 7), (round % 3) as usize);
        if round % 5 == 0 {
            wheel.fired().for_each(|node| assert_eq!(node.entry.state(), State::Idle));
        }
    }
    let left = std::iter::from_fn(|| wheel.pop_any()).count();
    assert!(left <= 3 && wheel.is_empty() && wheel.fired_len() == 0);
    assert!(nodes.iter().all(|node| node.entry.state() == State::Idle));
}
