//! A thief that looks behind the word it is shown (`steal_if`): whatever happens meanwhile, it is shown the word of an item,
//! and that item as it was when it was put in, or later; and it gets just that one, or none. What it looks at is atomic, as
//! it must be.

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::array;
use std::sync::Arc;
use steal_deque::{Deque, Fixed, Growable, GrowableDeque, Owner, StealDeque, Storage};

/// A deque, and what is behind its items: a mark that is set before the item is put in.
struct World<S: Storage> {
    deque: Deque<usize, S>,
    marks: [AtomicUsize; 6],
}

impl World<Fixed<1>> {
    fn small() -> Arc<Self> {
        Self::of(StealDeque::new_at(u64::MAX))
    }
}

impl World<Growable> {
    fn growing() -> Arc<Self> {
        Self::of(GrowableDeque::new_at(u64::MAX))
    }
}

impl<S: Storage + 'static> World<S> {
    fn of(deque: Deque<usize, S>) -> Arc<Self> {
        Arc::new(Self { deque, marks: array::from_fn(|_| AtomicUsize::new(0)) })
    }

    fn push(&self, owner: &mut Owner<'_, usize, S>, item: usize) {
        self.marks[item].store(item, Ordering::Relaxed);
        owner.push(item).expect("it fits");
    }

    /// A thread that asks once, and takes what it is shown.
    fn thief(self: &Arc<Self>) -> thread::JoinHandle<Option<usize>> {
        let world = self.clone();
        thread::spawn(move || {
            let mut shown = 0;
            let wanted = |word: *mut ()| {
                shown = word.addr();
                assert_ne!(shown, 0, "a slot was shown that was not yet written");
                let mark = world.marks[shown].load(Ordering::Relaxed);
                assert_eq!(mark, shown, "an item was shown before what is behind it");
                true
            };
            let stolen = world.deque.stealer().steal_if(wanted).taken();
            assert!(
                stolen.is_none_or(|item| item == shown),
                "it was shown {shown}, not {stolen:?}"
            );
            stolen
        })
    }

    /// Checks that with what is left the items `1 … last` came out, each exactly once.
    fn settle(
        &self,
        last: usize,
        out: impl IntoIterator<Item = Option<usize>>,
        owner: &mut Owner<'_, usize, S>,
    ) {
        let mut out: Vec<_> = out.into_iter().flatten().collect();
        out.extend(std::iter::from_fn(|| owner.pop()));
        out.sort_unstable();
        assert!(out.iter().copied().eq(1..=last), "each item exactly once, but got {out:?}");
    }
}

/// steal_if ∥ (pop, push): one slot, in which another item comes to lie.
#[test]
fn a_thief_that_is_late_is_shown_a_later_item_whole() {
    loom::model(|| {
        let world = World::small();
        let (mut owner, _) = world.deque.split().expect("it is new");
        world.push(&mut owner, 1);
        let thief = world.thief();
        let popped = owner.pop();
        world.push(&mut owner, 2);
        world.settle(2, [popped, thief.join().unwrap()], &mut owner);
    });
}

/// The same in two slots on the heap: three items, of which the last comes to lie where the first was.
#[test]
fn a_thief_that_is_late_in_a_ring_that_grows_is_shown_a_later_item_whole() {
    loom::model(|| {
        let world = World::growing();
        let (mut owner, _) = world.deque.split().expect("it is new");
        world.push(&mut owner, 1);
        let thief = world.thief();
        let popped = [2, 3].map(|next| {
            let popped = owner.pop();
            world.push(&mut owner, next);
            popped
        });
        world.settle(3, popped.into_iter().chain([thief.join().unwrap()]), &mut owner);
    });
}

/// steal_if ∥ (steal, push, push): the ring grows after the item is gone, and the new buffer has a word for it all the same.
#[test]
fn a_thief_that_is_late_is_shown_an_item_in_a_buffer_that_never_held_its_own() {
    loom::model(|| {
        let world = World::growing();
        let (mut owner, other) = world.deque.split().expect("it is new");
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thief = world.thief();
        let first = other.steal().taken();
        world.push(&mut owner, 3);
        world.push(&mut owner, 4);
        world.settle(4, [first, thief.join().unwrap()], &mut owner);
    });
}
