//! Handles that own their nodes: each comes back exactly once, and pointers stay good.
#![cfg(feature = "alloc")]
#![allow(clippy::arc_with_non_send_sync, reason = "an `Arc` is as good on one thread")]

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::pin::Pin;
use std::ptr::NonNull;
use std::rc::Rc;
use std::sync::Arc;

use timer_wheel::{Entry, Handle, Linked, State, Wheel};

/// A node that counts its drops, held by the handle `H::Of`.
#[derive(Debug)]
struct Node<H: Kind> {
    drops: Rc<Cell<usize>>,
    entry: Entry<Node<H>>,
    kind: PhantomData<H>,
}

impl<H: Kind> Node<H> {
    fn new(drops: &Rc<Cell<usize>>) -> Self {
        Self { drops: drops.clone(), entry: Entry::new(), kind: PhantomData }
    }
}

impl<H: Kind> Drop for Node<H> {
    fn drop(&mut self) {
        self.drops.set(self.drops.get() + 1);
    }
}

// SAFETY: one entry, used for nothing else; no reference is made; no handle here but owns its node.
unsafe impl<H: Kind> Linked for Node<H> {
    type Handle = H::Of;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

trait Kind: Debug + Sized + 'static {
    type Of: Handle<Target = Node<Self>>;

    fn make(node: Node<Self>) -> Self::Of;
    /// A pointer got through the handle, without giving the handle up.
    fn pointer(handle: &mut Self::Of) -> NonNull<Node<Self>>;
    /// For handles that borrow for ever: gives the node back to the heap.
    fn free(handle: Self::Of) {
        drop(handle);
    }
}

macro_rules! kind {
    ($name:ident, $of:ty, $make:expr, |$handle:ident| $pointer:expr $(, $free:expr)?) => {
        #[derive(Debug)]
        struct $name;
        impl Kind for $name {
            type Of = $of;
            fn make(node: Node<Self>) -> Self::Of {
                $make(node)
            }
            fn pointer($handle: &mut Self::Of) -> NonNull<Node<Self>> {
                $pointer
            }
            $(fn free(handle: Self::Of) {
                $free(handle)
            })?
        }
    };
}

kind!(Boxed, Box<Node<Self>>, Box::new, |handle| NonNull::from(&mut **handle));
kind!(Counted, Arc<Node<Self>>, Arc::new, |handle| NonNull::from(&**handle));
kind!(PinnedBox, Pin<Box<Node<Self>>>, Box::pin, |handle| NonNull::from(&**handle));
kind!(PinnedArc, Pin<Arc<Node<Self>>>, Arc::pin, |handle| NonNull::from(&**handle));
kind!(
    Unique,
    &'static mut Node<Self>,
    |node| Box::leak(Box::new(node)),
    |handle| NonNull::from(&mut **handle),
    // SAFETY: leaked by `make`.
    |handle: &'static mut _| drop(unsafe { Box::from_raw(handle) })
);
kind!(
    PinnedUnique,
    Pin<&'static mut Node<Self>>,
    // SAFETY: leaked, and not moved until `free`.
    |node| unsafe { Pin::new_unchecked(Box::leak(Box::new(node))) },
    |handle| NonNull::from(&**handle),
    // SAFETY: leaked by `make`, and not used any more.
    |handle| drop(unsafe { Box::from_raw(std::ptr::from_mut(Pin::into_inner_unchecked(handle))) })
);

fn every_handle_comes_back_once<H: Kind>() {
    let drops = Rc::new(Cell::new(0));
    let mut wheel: Wheel<Node<H>, 2, 4> = Wheel::new();
    // In slots of both levels, beyond the horizon, and past.
    let deadlines = [1, 1, 1, 9, 9, 9, 99, 99, 99, 0];
    let pointers = deadlines.map(|deadline| {
        let mut handle = H::make(Node::new(&drops));
        let pointer = H::pointer(&mut handle);
        assert!(wheel.arm(handle, deadline).is_ok());
        pointer
    });
    for pointer in pointers {
        // SAFETY: the wheel keeps the node alive.
        let entry = unsafe { &pointer.as_ref().entry };
        assert_eq!(entry.state(), State::Armed);
        assert!(deadlines.contains(&entry.deadline()));
    }
    // One each of the first, the middle and the last of a list.
    for pointer in [pointers[0], pointers[4], pointers[8]] {
        // SAFETY: the node is live, and linked in this wheel.
        H::free(unsafe { wheel.cancel(pointer) }.expect("armed"));
    }
    assert_eq!(drops.get(), 3);
    assert_eq!(wheel.turn(9, 4).fired, 3);
    H::free(wheel.pop_fired().expect("fired"));
    assert_eq!(drops.get(), 4);
    // Of the rest, one by hand …
    H::free(wheel.pop_any().expect("held"));
    assert_eq!(drops.get(), 5);
    assert_eq!(wheel.len() + wheel.fired_len(), 5);
    let rest = std::iter::from_fn(|| wheel.pop_any()).map(H::free).count();
    assert_eq!((rest, drops.get()), (5, 10));
}

#[test]
fn boxes_come_back_once() {
    every_handle_comes_back_once::<Boxed>();
}

#[test]
fn arcs_come_back_once() {
    every_handle_comes_back_once::<Counted>();
}

#[test]
fn pinned_boxes_come_back_once() {
    every_handle_comes_back_once::<PinnedBox>();
}

#[test]
fn pinned_arcs_come_back_once() {
    every_handle_comes_back_once::<PinnedArc>();
}

#[test]
fn unique_references_come_back_once() {
    every_handle_comes_back_once::<Unique>();
}

#[test]
fn pinned_references_come_back_once() {
    every_handle_comes_back_once::<PinnedUnique>();
}

/// With entries in slots, beyond the horizon, in flight and fired.
#[test]
fn dropping_a_wheel_drops_every_handle_once() {
    let drops = Rc::new(Cell::new(0));
    let mut wheel: Wheel<Node<Boxed>, 2, 4> = Wheel::new();
    for deadline in [1, 1, 5, 5, 6, 11, 99, 99] {
        assert!(wheel.arm(Box::new(Node::new(&drops)), deadline).is_ok());
    }
    let turn = wheel.turn(6, 3);
    assert_eq!((turn.fired, turn.moved, turn.more), (2, 1, true));
    assert_eq!(drops.get(), 0);
    drop(wheel);
    assert_eq!(drops.get(), 8);
}

/// A chain so long that a recursive drop would not survive it.
#[test]
fn dropping_a_long_list_needs_no_stack() {
    let timers = if cfg!(miri) { 100 } else { 300_000 };
    let drops = Rc::new(Cell::new(0));
    let mut wheel: Wheel<Node<Boxed>> = Wheel::new();
    for _ in 0..timers {
        assert!(wheel.arm(Box::new(Node::new(&drops)), 1_000).is_ok());
    }
    drop(wheel);
    assert_eq!(drops.get(), timers);
}

/// The wheel writes the entry while a shared reference to the node is in use.
#[test]
fn a_shared_node_can_be_read_while_it_is_linked_and_refused() {
    let drops = Rc::new(Cell::new(0));
    let node = Arc::new(Node::<Counted>::new(&drops));
    let reader: &Node<Counted> = &node;
    let mut wheel: Wheel<Node<Counted>> = Wheel::new();
    assert!(wheel.arm(node.clone(), 5).is_ok());
    let refused = wheel.arm(node.clone(), 6).expect_err("armed already");
    assert!(Arc::ptr_eq(&refused.handle, &node));
    drop(refused);
    assert_eq!((Arc::strong_count(&node), reader.entry.deadline()), (2, 5));
    assert_eq!(wheel.turn(5, 1).fired, 1);
    assert_eq!(reader.entry.state(), State::Fired);
    drop(wheel);
    assert_eq!(reader.entry.state(), State::Idle);
    assert_eq!((Arc::strong_count(&node), drops.get()), (1, 0));
}
