//! The leaves' operations.

use super::{CALLS, counted_call};
use crate::rng::Rng;
use mpsc_inbox::{Batch, Coalescing, Inbox, Owner, Pushed, Queued, QueuedBit};
use rbtree_aug::{Deadline, MinDeadline, Tree};
use std::hint::black_box;
use std::ptr::NonNull;
use steal_deque::{Fixed, Sharing, Steal, StealDeque};
use timer_wheel::{Entry, Wheel};

#[derive(Default)]
struct Letter {
    link: mpsc_inbox::Link<Letter>,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl mpsc_inbox::Linked for Letter {
    type Handle = Box<Self>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<mpsc_inbox::Link<Self>> {
        // SAFETY: `node` points to a letter (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

/// Counts a push that must find what `prepare` has made.
fn inbox_push(expected: Pushed, mut prepare: impl FnMut(&Inbox<Letter>, &mut Owner<'_, Letter>)) {
    let inbox = Inbox::new();
    let mut owner = inbox.take_owner().expect("free");
    for _ in 0..CALLS {
        prepare(&inbox, &mut owner);
        let letter = Box::default();
        let pushed = counted_call(|| black_box(&inbox).push(letter));
        assert!(pushed.is_ok_and(|pushed| pushed == expected));
        owner.drain(usize::MAX).for_each(drop);
    }
}

pub(super) fn inbox_push_first() {
    inbox_push(Pushed::First, |_, _| {});
}

pub(super) fn inbox_push_joined() {
    inbox_push(Pushed::Joined, |inbox, _| assert!(inbox.push(Box::default()).is_ok()));
}

pub(super) fn inbox_push_kick_owed() {
    inbox_push(Pushed::KickOwed, |_, owner| owner.arm().expect("empty"));
}

pub(super) fn inbox_push_batch_64() {
    let inbox = Inbox::<Letter>::new();
    let mut owner = inbox.take_owner().expect("free");
    for _ in 0..CALLS {
        let mut batch = Batch::new();
        (0..64).for_each(|_| batch.push(Box::default()));
        assert!(counted_call(|| black_box(&inbox).push_batch(batch)).is_ok());
        owner.drain(usize::MAX).for_each(drop);
    }
}

/// A letter on its way, as it goes in and comes out.
type Sent = <Letter as mpsc_inbox::Linked>::Handle;

/// Counts what takes out `COUNT` letters, which have been pushed.
fn inbox_drain<const COUNT: usize>(mut take: impl FnMut(&mut Owner<'_, Letter>, &mut Vec<Sent>)) {
    let inbox = Inbox::new();
    let mut owner = inbox.take_owner().expect("free");
    let mut drained = Vec::with_capacity(COUNT);
    for _ in 0..CALLS {
        (0..COUNT).for_each(|_| assert!(inbox.push(Box::default()).is_ok()));
        counted_call(|| take(black_box(&mut owner), &mut drained));
        assert_eq!(drained.len(), COUNT);
        drained.clear();
    }
}

/// Keeps what comes out, without a check of the vector's room for each.
fn keep(letters: impl Iterator<Item = Sent>, drained: &mut Vec<Sent>) {
    let mut count = 0;
    for (letter, place) in letters.zip(drained.spare_capacity_mut()) {
        place.write(letter);
        count += 1;
    }
    // SAFETY: so many places were written.
    unsafe { drained.set_len(count) };
}

pub(super) fn inbox_drain_nothing() {
    inbox_drain::<0>(|owner, drained| keep(owner.drain(64), drained));
}

pub(super) fn inbox_drain_1() {
    inbox_drain::<1>(|owner, drained| keep(owner.drain(64), drained));
}

pub(super) fn inbox_drain_64() {
    inbox_drain::<64>(|owner, drained| keep(owner.drain(128), drained));
}

pub(super) fn inbox_drain_lifo_64() {
    inbox_drain::<64>(|owner, drained| keep(owner.drain_lifo(128), drained));
}

pub(super) fn inbox_take_all_64() {
    let inbox = Inbox::<Letter>::new();
    let mut owner = inbox.take_owner().expect("free");
    for _ in 0..CALLS {
        (0..64).for_each(|_| assert!(inbox.push(Box::default()).is_ok()));
        assert_eq!(counted_call(|| black_box(&mut owner).take_all()).len(), 64);
    }
}

pub(super) fn inbox_arm() {
    let inbox = Inbox::<Letter>::new();
    let mut owner = inbox.take_owner().expect("free");
    for _ in 0..CALLS {
        counted_call(|| black_box(&mut owner).arm()).expect("empty");
        assert!(owner.disarm());
    }
}

pub(super) fn inbox_disarm() {
    let inbox = Inbox::<Letter>::new();
    let mut owner = inbox.take_owner().expect("free");
    for _ in 0..CALLS {
        owner.arm().expect("empty");
        assert!(counted_call(|| black_box(&mut owner).disarm()));
    }
}

#[derive(Default)]
struct Bell {
    link: mpsc_inbox::Link<Bell>,
    queued: QueuedBit,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl mpsc_inbox::Linked for Bell {
    type Handle = Queued<&'static Bell>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<mpsc_inbox::Link<Self>> {
        // SAFETY: `node` points to a bell (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

// SAFETY: the one bit of this node.
unsafe impl Coalescing for Bell {
    fn queued_bit(&self) -> &QueuedBit {
        &self.queued
    }
}

/// Counts a push of a bell, queued already or not.
fn inbox_push_once(queued: bool) {
    let inbox = Inbox::<Bell>::new();
    let mut owner = inbox.take_owner().expect("free");
    let bell: &'static Bell = Box::leak(Box::default());
    for _ in 0..CALLS {
        if queued {
            assert!(inbox.push_once(bell).is_ok());
        }
        let pushed = counted_call(|| black_box(&inbox).push_once(black_box(bell)));
        assert_eq!(pushed.is_err(), queued);
        drop(pushed);
        owner.drain(1).for_each(drop);
    }
}

pub(super) fn inbox_push_once_first() {
    inbox_push_once(false);
}

pub(super) fn inbox_push_once_queued() {
    inbox_push_once(true);
}

fn deque<const RESIDENT: usize>(
    mut call: impl FnMut(
        &mut steal_deque::Owner<'_, usize, Fixed<64>>,
        &steal_deque::Stealer<'_, usize, Fixed<64>>,
    ),
) {
    let deque = StealDeque::new();
    let (mut owner, stealer) = deque.split().expect("free");
    for _ in 0..CALLS {
        (0..RESIDENT).for_each(|item| owner.push(item).expect("room"));
        call(&mut owner, &stealer);
        while owner.pop().is_some() {}
    }
}

pub(super) fn deque_push() {
    deque::<0>(|owner, _| counted_call(|| owner.push(black_box(7))).expect("room"));
}

pub(super) fn deque_pop() {
    deque::<2>(|owner, _| assert_eq!(counted_call(|| owner.pop()), Some(1)));
}

pub(super) fn deque_pop_last() {
    deque::<1>(|owner, _| assert_eq!(counted_call(|| owner.pop()), Some(0)));
}

pub(super) fn deque_steal() {
    deque::<2>(|_, stealer| assert_eq!(counted_call(|| stealer.steal()), Steal::Taken(0)));
}

pub(super) fn deque_push_bulk_8() {
    deque::<0>(|owner, _| assert_eq!(counted_call(|| owner.push_bulk(&mut (0..8))), 8));
}

pub(super) fn deque_pop_bulk_8() {
    deque::<9>(|owner, _| {
        counted_call(|| {
            owner.pop_bulk(8).for_each(|item| {
                black_box(item);
            })
        });
    });
}

pub(super) fn deque_steal_half_of_16() {
    let own = StealDeque::<usize, 64>::new();
    let (mut own, _) = own.split().expect("free");
    deque::<16>(|_, stealer| {
        assert_eq!(counted_call(|| stealer.steal_half_into(&mut own, 64)), Steal::Taken(8));
        assert_eq!(own.pop_bulk(64).len(), 8);
    });
}

pub(super) fn deque_push_on_demand() {
    deque::<0>(|owner, _| {
        owner.set_sharing(Sharing::OnDemand);
        counted_call(|| owner.push(black_box(7))).expect("room");
    });
}

pub(super) fn deque_pop_on_demand() {
    deque::<0>(|owner, _| {
        owner.set_sharing(Sharing::OnDemand);
        owner.push(7).expect("room");
        assert_eq!(counted_call(|| owner.pop()), Some(7));
    });
}

struct Entity {
    link: rbtree_aug::Link<Entity>,
    vruntime: u64,
    deadline: u64,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl rbtree_aug::Linked for Entity {
    type Handle = &'static mut Entity;
    type Key = u64;
    type Augment = MinDeadline;

    fn key(&self) -> u64 {
        self.vruntime
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<rbtree_aug::Link<Self>> {
        // SAFETY: `node` points to an entity (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl Deadline for Entity {
    type Deadline = u64;

    fn deadline(&self) -> u64 {
        self.deadline
    }
}

const SPAN: u64 = 1_000_000;

fn tree(mut call: impl FnMut(&mut Tree<Entity>, &mut Rng)) {
    let mut rng = Rng::new();
    let mut tree = Tree::new();
    for _ in 0..1_024 {
        let vruntime = rng.below(SPAN);
        let deadline = vruntime + 1 + rng.below(10_000);
        let entity = Entity { link: rbtree_aug::Link::new(), vruntime, deadline };
        tree.insert(Box::leak(Box::new(entity))).expect("new");
    }
    (0..CALLS).for_each(|_| call(&mut tree, &mut rng));
}

/// Any node: the first one from a random key on.
fn any(tree: &Tree<Entity>, rng: &mut Rng) -> NonNull<Entity> {
    let cursor = tree.lower_bound(&rng.below(SPAN / 2));
    NonNull::from(cursor.get().expect("there are later ones"))
}

fn requeue(entity: &mut Entity, rng: &mut Rng) {
    entity.vruntime = rng.below(SPAN);
    entity.deadline = entity.vruntime + 1 + rng.below(10_000);
}

pub(super) fn tree_insert() {
    tree(|tree, rng| {
        let node = any(tree, rng);
        // SAFETY: entities live for ever, and this one is in the tree.
        let entity = unsafe { tree.remove(node) }.expect("linked");
        requeue(entity, rng);
        counted_call(|| tree.insert(entity)).expect("out of the tree");
    });
}

pub(super) fn tree_remove() {
    tree(|tree, rng| {
        let node = any(tree, rng);
        // SAFETY: entities live for ever, and this one is in the tree.
        let entity = counted_call(|| unsafe { tree.remove(node) }).expect("linked");
        requeue(entity, rng);
        tree.insert(entity).expect("out of the tree");
    });
}

pub(super) fn tree_pick() {
    tree(|tree, rng| {
        let bound = rng.below(SPAN);
        black_box(counted_call(|| tree.earliest_deadline(&bound)));
    });
}

struct Timer {
    entry: Entry<Timer>,
}

// SAFETY: `entry` is the field of that name, used for nothing else, and no reference is made.
unsafe impl timer_wheel::Linked for Timer {
    type Handle = &'static Timer;

    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
        // SAFETY: `node` is live, so the place exists; its address is not null.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
    }
}

fn timer() -> &'static Timer {
    Box::leak(Box::new(Timer { entry: Entry::new() }))
}

/// A wheel with `ARMED` others armed far away.
fn wheel<const ARMED: u32>(mut call: impl FnMut(&mut Wheel<Timer>, &mut Rng)) {
    const FAR: u64 = 1 << 30;
    let mut rng = Rng::new();
    let mut wheel = Wheel::new();
    (0..ARMED).for_each(|_| wheel.arm(timer(), FAR + rng.below(SPAN)).expect("idle"));
    (0..CALLS).for_each(|_| call(&mut wheel, &mut rng));
}

pub(super) fn wheel_arm<const ARMED: u32>() {
    let timer = timer();
    wheel::<ARMED>(|wheel, rng| {
        let deadline = wheel.now() + 1 + rng.below(SPAN);
        counted_call(|| wheel.arm(timer, deadline)).expect("idle");
        // SAFETY: the timer is live, and was armed in this wheel.
        assert!(unsafe { wheel.cancel(NonNull::from(timer)) }.is_some());
    });
}

pub(super) fn wheel_cancel<const ARMED: u32>() {
    let timer = timer();
    wheel::<ARMED>(|wheel, rng| {
        wheel.arm(timer, wheel.now() + 1 + rng.below(SPAN)).expect("idle");
        // SAFETY: the timer is live, and was armed in this wheel.
        assert!(counted_call(|| unsafe { wheel.cancel(NonNull::from(timer)) }).is_some());
    });
}

pub(super) fn wheel_turn_nothing_due<const ARMED: u32>() {
    wheel::<ARMED>(|wheel, _| {
        let now = wheel.now() + 1;
        assert_eq!(counted_call(|| wheel.turn(now, 64)).touched(), 0);
    });
}

pub(super) fn wheel_turn_64_fire<const ARMED: u32>() {
    let timers: Vec<_> = (0..64).map(|_| timer()).collect();
    wheel::<ARMED>(|wheel, _| {
        let now = wheel.now() + 1;
        timers.iter().for_each(|timer| wheel.arm(timer, now).expect("idle"));
        assert_eq!(counted_call(|| wheel.turn(now, 64)).fired, 64);
        while wheel.pop_fired().is_some() {}
    });
}
