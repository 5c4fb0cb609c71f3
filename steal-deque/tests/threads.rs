//! One owner, three thieves, every item exactly once.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use steal_deque::{Fixed, Item, Owner, Steal, StealDeque, Stealer};

const ITEMS: usize = if cfg!(miri) { 128 } else { 1_000_000 };
const THIEVES: usize = 3;

/// What came out so far.
struct Ledger {
    bitmap: Vec<AtomicU64>,
    sum: AtomicUsize,
    count: AtomicUsize,
}

impl Ledger {
    fn new() -> Self {
        let bitmap = (0..ITEMS.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
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
        assert_eq!(self.count.load(Ordering::Relaxed), ITEMS, "items were lost");
        assert_eq!(self.sum.load(Ordering::Relaxed), ITEMS * (ITEMS - 1) / 2);
    }
}

/// Three thieves run until the owner says that all is in and the deque is empty.
fn run<T: Item + Send, const N: usize>(
    deque: &StealDeque<T, N>,
    number: impl Fn(T) -> usize + Sync,
    feed: impl FnOnce(&mut Owner<'_, T, Fixed<N>>, &dyn Fn(T)),
) {
    let ledger = Ledger::new();
    let all_in = AtomicBool::new(false);
    let enter = |item| ledger.enter(number(item));
    let thief = |stealer: Stealer<'_, T, Fixed<N>>| {
        loop {
            match stealer.steal() {
                Steal::Taken(item) => enter(item),
                Steal::Retry => {}
                Steal::Empty if all_in.load(Ordering::Acquire) => break,
                Steal::Empty => thread::yield_now(),
            }
        }
    };
    thread::scope(|scope| {
        let (mut owner, stealer) = deque.split().unwrap();
        let (thief, enter) = (&thief, &enter);
        for _ in 0..THIEVES {
            scope.spawn(move || thief(stealer));
        }
        feed(&mut owner, enter);
        while let Some(item) = owner.pop() {
            enter(item);
        }
        all_in.store(true, Ordering::Release);
    });
    ledger.check();
}

/// The owner pushes, and pops every third time, and when the deque is full.
#[test]
fn pushed_items_come_out_once() {
    static DEQUE: StealDeque<usize, 64> = StealDeque::new_at(u64::MAX - 100);
    run(
        &DEQUE,
        |item| item,
        |owner, enter| {
            for number in 0..ITEMS {
                let mut item = number;
                while let Err(full) = owner.push(item) {
                    item = full.0;
                    owner.pop().into_iter().for_each(enter);
                }
                if number % 3 == 0 {
                    owner.pop().into_iter().for_each(enter);
                }
            }
        },
    );
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
            let mut items = (0..ITEMS).map(Box::new);
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
            let mut items = 0..ITEMS;
            while !items.is_empty() {
                if owner.refill(&mut items).is_err() {
                    owner.pop_bulk(3).for_each(enter);
                }
            }
        },
    );
}
