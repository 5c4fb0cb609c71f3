//! One owner, three thieves, every item exactly once.
//!
//! `STEAL_DEQUE_ITEMS=100000000` sets how many.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use steal_deque::{Deque, Item, Owner, Sharing, Steal, StealDeque, Stealer, Storage};

const THIEVES: usize = 3;

fn items() -> usize {
    let few = if cfg!(miri) { 128 } else { 1_000_000 };
    let set = std::env::var("STEAL_DEQUE_ITEMS");
    set.map_or(few, |number| number.parse().expect("STEAL_DEQUE_ITEMS is a number"))
}

/// What came out so far.
struct Ledger {
    bitmap: Vec<AtomicU64>,
    sum: AtomicUsize,
    count: AtomicUsize,
}

impl Ledger {
    fn new() -> Self {
        let bitmap = (0..items().div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { bitmap, sum: AtomicUsize::new(0), count: AtomicUsize::new(0) }
    }

    fn enter(&self, item: usize) {
        let bit = 1 << (item % 64);
        let before = self.bitmap[item / 64].fetch_or(bit, Ordering::Relaxed);
        assert_eq!(before & bit, 0, "item {item} came out twice");
        self.sum.fetch_add(item, Ordering::Relaxed);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn check(&self) {
        assert_eq!(self.count.load(Ordering::Relaxed), items(), "items were lost");
        assert_eq!(self.sum.load(Ordering::Relaxed), items() * (items() - 1) / 2);
    }
}

/// Three thieves run until the owner says that all is in and the deque is empty. The first takes one at a time, the others
/// take many into deques of their own.
fn run<T: Item + Send, S: Storage>(
    deque: &Deque<T, S>,
    number: impl Fn(T) -> usize + Sync,
    feed: impl FnOnce(&mut Owner<'_, T, S>, &dyn Fn(T)),
) {
    let ledger = Ledger::new();
    let all_in = AtomicBool::new(false);
    let enter = |item| ledger.enter(number(item));
    let thief = |stealer: Stealer<'_, T, S>, which: usize| {
        let own = StealDeque::<T, 16>::new();
        let (mut own, _) = own.split().unwrap();
        loop {
            let told = match which {
                0 => match stealer.steal() {
                    Steal::Taken(item) => {
                        enter(item);
                        Steal::Taken(0)
                    }
                    Steal::Empty => Steal::Empty,
                    Steal::Retry => Steal::Retry,
                },
                1 => stealer.steal_n_into(&mut own, 5),
                _ => stealer.steal_half_into(&mut own, 16),
            };
            match told {
                Steal::Taken(count) => {
                    let loot = own.pop_bulk(usize::MAX);
                    assert_eq!(loot.len(), count);
                    loot.for_each(enter);
                }
                Steal::Retry => {}
                Steal::Empty if all_in.load(Ordering::Acquire) => break,
                Steal::Empty => thread::yield_now(),
            }
        }
    };
    thread::scope(|scope| {
        let (mut owner, stealer) = deque.split().unwrap();
        let (thief, enter) = (&thief, &enter);
        for which in 0..THIEVES {
            scope.spawn(move || thief(stealer, which));
        }
        feed(&mut owner, enter);
        while let Some(item) = owner.pop() {
            enter(item);
        }
        all_in.store(true, Ordering::Release);
    });
    ledger.check();
}

/// Pushes all, pops every third time, and when the deque is full.
fn pushes<S: Storage>(owner: &mut Owner<'_, usize, S>, enter: &dyn Fn(usize)) {
    for number in 0..items() {
        let mut item = number;
        while let Err(full) = owner.push(item) {
            item = full.0;
            owner.pop().into_iter().for_each(enter);
        }
        if number % 3 == 0 {
            owner.pop().into_iter().for_each(enter);
        }
    }
}

#[test]
fn pushed_items_come_out_once() {
    static DEQUE: StealDeque<usize, 64> = StealDeque::new_at(u64::MAX - 100);
    run(&DEQUE, |item| item, pushes);
}

/// The same, where thieves have to ask.
#[test]
fn items_that_are_shared_on_demand_come_out_once() {
    let deque = StealDeque::<usize, 64>::new_at(u64::MAX - 100);
    run(
        &deque,
        |item| item,
        |owner, enter| {
            owner.set_sharing(Sharing::OnDemand);
            pushes(owner, enter);
        },
    );
}

/// The same in a ring that grows, from bursts of pushes; boxed, so that a double or lost take is a double free or a leak.
#[test]
#[cfg(feature = "alloc")]
fn boxes_in_a_ring_that_grows_come_out_once() {
    let deque = steal_deque::GrowableDeque::<Box<usize>>::new_at(u64::MAX - 100);
    run(&deque, |item| *item, bursts);
}

/// The same, where the ring shrinks between the bursts.
#[test]
#[cfg(feature = "epoch")]
fn boxes_in_a_ring_that_grows_and_shrinks_come_out_once() {
    let deque = steal_deque::EpochDeque::<Box<usize>>::new_at(u64::MAX - 100);
    run(
        &deque,
        |item| *item,
        |owner, enter| {
            let mut items = (0..items()).map(Box::new);
            while items.len() > 0 {
                burst(owner, &mut items, enter);
                owner.shrink_to(0);
            }
        },
    );
}

/// Bursts of 100, of which half is popped at once.
#[cfg(feature = "alloc")]
fn bursts<S: Storage>(owner: &mut Owner<'_, Box<usize>, S>, enter: &dyn Fn(Box<usize>)) {
    let mut items = (0..items()).map(Box::new);
    while items.len() > 0 {
        burst(owner, &mut items, enter);
    }
}

#[cfg(feature = "alloc")]
fn burst<S: Storage>(
    owner: &mut Owner<'_, Box<usize>, S>,
    items: &mut impl Iterator<Item = Box<usize>>,
    enter: &dyn Fn(Box<usize>),
) {
    owner.push_bulk(&mut items.take(100));
    owner.pop_bulk(50).for_each(enter);
    // So that it does not grow without bound where thieves get no time.
    while owner.len() > 1000 {
        owner.pop().into_iter().for_each(enter);
    }
}

/// Refill, some by bulk, the rest one by one until the deque is empty: a scheduler's owner. Boxed, so that a
/// double or lost take is a double free or a leak too.
#[test]
#[cfg(feature = "alloc")]
fn refilled_boxes_come_out_once() {
    let deque = StealDeque::<Box<usize>, 16>::new_at(i64::MAX as u64 - 100);
    run(
        &deque,
        |item| *item,
        |owner, enter| {
            let mut items = (0..items()).map(Box::new);
            while items.len() > 0 {
                owner.refill(&mut items).unwrap();
                owner.pop_bulk(5).for_each(enter);
                while let Some(item) = owner.pop() {
                    enter(item);
                }
            }
        },
    );
}

/// Everything by bulk, in a ring so small that every claim meets thieves.
#[test]
fn bulk_against_thieves_in_a_small_ring() {
    let deque = StealDeque::<usize, 4>::new();
    run(
        &deque,
        |item| item,
        |owner, enter| {
            let mut items = 0..items();
            while !items.is_empty() {
                if owner.refill(&mut items).is_err() {
                    owner.pop_bulk(3).for_each(enter);
                }
            }
        },
    );
}
