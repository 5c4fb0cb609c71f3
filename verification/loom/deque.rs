//! Models of the deque. Each runs under every schedule with at most `LOOM_MAX_PREEMPTIONS` (3) preemptions, on
//! every weak outcome loom knows; the bounds of each are in its comment.
//!
//! An item is the number of a payload, a loom cell that is written before the item is put in. To read it without that
//! write having been published is a failure ("Causality violation"), and so is to find a slot that was not yet
//! written, to lose an item, or to have one twice. Items are numbered from 1: 0 is what an unwritten slot holds.

mod adopt;
mod asks;
mod grow;
mod lazy;
mod litmus;
mod loot;
mod many;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering, fence};
use loom::thread;
use std::array;
use std::sync::Arc;
use steal_deque::{Deque, Fixed, Growable, GrowableDeque, Owner, StealDeque, Storage};

/// A deque and the payloads of its items.
struct World<S: Storage> {
    deque: Deque<usize, S>,
    payloads: [UnsafeCell<usize>; 6],
}

/// A world whose ring has so many slots.
type Small<const N: usize> = World<Fixed<N>>;

// SAFETY: what the models ask; loom answers.
unsafe impl<S: Storage> Sync for World<S> {}

impl<const N: usize> Small<N> {
    /// Its positions start just before they wrap, so that every model crosses the edge.
    fn new() -> Arc<Self> {
        Self::of(StealDeque::new_at(u64::MAX))
    }
}

impl World<Growable> {
    fn growing() -> Arc<Self> {
        Self::of(GrowableDeque::new_at(u64::MAX))
    }
}

impl<S: Storage + 'static> World<S> {
    /// std's `Arc`: its counts are not what is modelled, and every thread is joined before the world goes.
    fn of(deque: Deque<usize, S>) -> Arc<Self> {
        Arc::new(Self { deque, payloads: array::from_fn(|_| UnsafeCell::new(0)) })
    }

    fn owner(&self) -> Owner<'_, usize, S> {
        self.deque.split().expect("there is no owner").0
    }

    /// Makes an item.
    fn write(&self, item: usize) -> usize {
        // SAFETY: the item is not in the deque yet; loom checks.
        self.payloads[item].with_mut(|payload| unsafe { *payload = item });
        item
    }

    /// Looks into an item that came out.
    fn read(&self, item: usize) -> usize {
        assert_ne!(item, 0, "a slot was read that was not yet written");
        // SAFETY: the item was put in after its payload was written; loom checks.
        assert_eq!(self.payloads[item].with(|payload| unsafe { *payload }), item);
        item
    }

    fn push(&self, owner: &mut Owner<'_, usize, S>, item: usize) {
        owner.push(self.write(item)).expect("it fits");
    }

    fn pop(&self, owner: &mut Owner<'_, usize, S>) -> Option<usize> {
        owner.pop().map(|item| self.read(item))
    }

    fn refill<const N: usize>(&self, owner: &mut Owner<'_, usize, S>, items: [usize; N]) {
        assert_eq!(owner.refill(&mut items.into_iter().map(|item| self.write(item))), Ok(N));
    }

    /// A thread that tries to steal once.
    fn thief(self: &Arc<Self>) -> Thief {
        let world = self.clone();
        thread::spawn(move || world.deque.stealer().steal().taken().map(|item| world.read(item)))
    }

    /// Joins the thieves, takes what is left, and checks that the items `1 … last` came out, each exactly once.
    fn settle(
        &self,
        last: usize,
        out: impl IntoIterator<Item = usize>,
        thieves: impl IntoIterator<Item = Thief>,
        owner: &mut Owner<'_, usize, S>,
    ) {
        let mut out: Vec<_> = out.into_iter().collect();
        out.extend(thieves.into_iter().filter_map(|thief| thief.join().unwrap()));
        while let Some(item) = self.pop(owner) {
            out.push(item);
        }
        out.sort_unstable();
        assert!(out.iter().copied().eq(1..=last), "each item exactly once, but got {out:?}");
    }
}

/// What it stole.
type Thief = thread::JoinHandle<Option<usize>>;

/// pop ∥ steal ∥ steal on `ITEMS` items that were there before the thieves.
fn pop_against_two_thieves<const ITEMS: usize>() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=ITEMS {
            world.push(&mut owner, item);
        }
        let thieves = [world.thief(), world.thief()];
        let popped = world.pop(&mut owner);
        world.settle(ITEMS, popped, thieves, &mut owner);
    });
}

/// One item, three takers: owner and both thieves race for it by compare-and-swap. One pop, one steal each.
#[test]
fn one_item_goes_to_one_of_three() {
    pop_against_two_thieves::<1>();
}

/// Two items: the fence in the pop decides whether the owner may take without compare-and-swap.
#[test]
fn two_items_go_out_once_each() {
    pop_against_two_thieves::<2>();
}

/// Three items: the owner's is never in reach of two steals, but for a stale `bottom`.
#[test]
fn three_items_go_out_once_each() {
    pop_against_two_thieves::<3>();
}

/// Two pops against two thieves of one steal each, two items: the second pop follows the first's claim.
#[test]
fn two_pops_against_two_thieves() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thieves = [world.thief(), world.thief()];
        let popped = [world.pop(&mut owner), world.pop(&mut owner)];
        world.settle(2, popped.into_iter().flatten(), thieves, &mut owner);
    });
}

/// Thieves take both of two items while the owner has lowered `bottom` for one: until it is given back, `bottom` is below
/// `top`, which is empty. One thief of two steals, one of one, one pop.
#[test]
fn a_bottom_below_top_is_empty() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let twice = {
            let world = world.clone();
            let steal = move || world.deque.stealer().steal().taken().map(|item| world.read(item));
            thread::spawn(move || [steal(), steal()])
        };
        let once = world.thief();
        let popped = world.pop(&mut owner);
        let out = popped.into_iter().chain(twice.join().unwrap().into_iter().flatten());
        world.settle(2, out.collect::<Vec<_>>(), [once], &mut owner);
    });
}

/// push ∥ steal ∥ steal: a thief that finds an item finds its payload. One push, two thieves of one steal.
#[test]
fn push_publishes_payload() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 1);
        world.settle(1, [], thieves, &mut owner);
    });
}

/// The release-sequence trap, on the deque: a thief that reads `bottom` as *a pop* lowered it needs the payload
/// below it as well. Two pushes and a pop against one thief of one steal.
#[test]
fn a_lowered_bottom_publishes_what_is_below() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        let thieves = [world.thief()];
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let popped = world.pop(&mut owner);
        world.settle(2, popped, thieves, &mut owner);
    });
}

/// The same when the right to be the owner went to another thread: whatever the push did there, the pop's store
/// must release what is below. Two pushes by the first owner, one pop by the second, if it comes late
/// enough to find the deque free; one thief of one steal.
#[test]
fn the_next_owner_publishes_what_is_below() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        let thief = world.thief();
        let next_owner = {
            let world = world.clone();
            thread::spawn(move || world.pop(&mut world.deque.split()?.0))
        };
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        drop(owner);
        let popped = next_owner.join().unwrap();
        world.settle(2, popped, [thief], &mut world.owner());
    });
}

/// A new owner goes on where the last one stopped: a thief that stalled with the word of an item that the last
/// owner popped must not win its compare-and-swap. One item by each owner, one thief of one steal, one slot.
#[test]
fn positions_are_never_reset() {
    loom::model(|| {
        let world = Small::<1>::new();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        let thieves = [world.thief()];
        let popped = world.pop(&mut owner);
        drop(owner);
        let mut owner = world.owner();
        world.push(&mut owner, 2);
        world.settle(2, popped, thieves, &mut owner);
    });
}

/// A capacity of one, so that every item goes through the same slot: a thief that was slow has the word of a
/// later item in its hand, and must not get to keep it. Two pushes against two thieves of one steal each; what
/// does not fit stays here.
#[test]
fn a_word_read_too_late_is_thrown_away() {
    loom::model(|| {
        let world = Small::<1>::new();
        let mut owner = world.owner();
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 1);
        let refused = owner.push(world.write(2)).err().map(|full| full.0);
        world.settle(2, refused, thieves, &mut owner);
    });
}

/// An owner that took all that was left moved `top`: a thief that sees it there must see that `bottom` is as low as that,
/// also when another thread had lowered it. Two items; the first owner pops one by lowering, the second one the other
/// by taking all, if it comes late enough to find the deque free; one thief of one steal.
#[test]
fn the_next_owner_takes_all_that_is_left() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thief = world.thief();
        let next_owner = {
            let world = world.clone();
            thread::spawn(move || world.pop(&mut world.deque.split()?.0))
        };
        let first = world.pop(&mut owner);
        drop(owner);
        let second = next_owner.join().unwrap();
        world.settle(2, first.into_iter().chain(second), [thief], &mut world.owner());
    });
}

/// What a pop that gives an item promises: it stands between what the owner wrote before and what it reads after. Store
/// buffering on `ITEMS` items that are there: one of the two sees the other's store.
fn a_pop_is_a_fence<const ITEMS: usize>() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        for item in 1..=ITEMS {
            world.push(&mut owner, item);
        }
        let flags = Arc::new([AtomicUsize::new(0), AtomicUsize::new(0)]);
        let other = {
            let flags = flags.clone();
            thread::spawn(move || {
                flags[1].store(1, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                flags[0].load(Ordering::Relaxed)
            })
        };
        flags[0].store(1, Ordering::Relaxed);
        assert_eq!(world.pop(&mut owner), Some(ITEMS));
        let seen = flags[1].load(Ordering::Relaxed);
        assert_eq!(other.join().unwrap() | seen, 1, "the pop did not fence");
    });
}

/// By lowering `bottom`.
#[test]
fn a_pop_of_one_of_two_is_a_fence() {
    a_pop_is_a_fence::<2>();
}

/// By moving `top`.
#[test]
fn a_pop_of_the_last_is_a_fence() {
    a_pop_is_a_fence::<1>();
}
