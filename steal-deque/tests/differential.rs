//! A long random history, operation by operation the same as crossbeam's deque.
//!
//! `STEAL_DEQUE_OPERATIONS=10000000` sets how long; the seed is fixed.
#![cfg(not(miri))]

use crossbeam_deque as crossbeam;
use std::collections::BTreeMap;
use steal_deque::{Deque, Sharing, Steal, StealDeque, Storage};

fn operations() -> u64 {
    let set = std::env::var("STEAL_DEQUE_OPERATIONS");
    set.map_or(200_000, |number| number.parse().expect("STEAL_DEQUE_OPERATIONS is a number"))
}

/// Steele, Lea and Flood's generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// The same calls to both; the worker's LIFO form has its front where our back is. What there is no call for there is made
/// of single ones.
fn same_as_crossbeam<S: Storage>(deque: &Deque<usize, S>, most: usize, seed: u64) {
    let (mut owner, stealer) = deque.split().unwrap();
    let loot = StealDeque::<usize, 64>::new();
    let (mut loot, _) = loot.split().unwrap();
    let worker = crossbeam::Worker::new_lifo();
    let thief = worker.stealer();
    let mut random = Random(seed);
    let mut numbers = 0..;
    // How often each item was put in, less how often it came out: the multiset, in case an order were the same by chance.
    let mut inside = BTreeMap::new();
    for step in 0..operations() {
        let mut out = vec![];
        // Thieves see all, so that the order of steals is the same.
        owner.publish();
        match random.below(16) {
            0..5 => {
                let item = numbers.next().unwrap();
                if owner.push(item).is_ok() {
                    worker.push(item);
                    inside.insert(item, ());
                }
            }
            5 => {
                let count = random.below(20) as usize;
                let items: Vec<_> = numbers.by_ref().take(count).collect();
                let taken = owner.push_bulk(&mut items.iter().copied());
                assert_eq!(taken, count.min(most - worker.len()));
                for &item in &items[..taken] {
                    worker.push(item);
                    inside.insert(item, ());
                }
            }
            6 => {
                let count = random.below(20) as usize;
                let items: Vec<_> = numbers.by_ref().take(count).collect();
                // Newest first, pushed.
                let taken = owner.refill(&mut items.iter().copied()).unwrap_or(0);
                for &item in items[..taken].iter().rev() {
                    worker.push(item);
                    inside.insert(item, ());
                }
            }
            7..10 => out.push((owner.pop(), worker.pop())),
            10 => {
                for item in owner.pop_bulk(random.below(9) as usize) {
                    out.push((Some(item), worker.pop()));
                }
            }
            11..13 => out.push((stealer.steal().taken(), thief.steal().success())),
            13 => {
                let most = random.below(9) as usize;
                if let Steal::Taken(count) = stealer.steal_n_into(&mut loot, most) {
                    let stolen: Vec<_> = loot.pop_bulk(count).collect();
                    assert_eq!(stolen.len(), count.min(most));
                    for &item in stolen.iter().rev() {
                        out.push((Some(item), thief.steal().success()));
                    }
                }
            }
            14 => {
                let half = worker.len().div_ceil(2).min(32);
                let told = stealer.steal_half_into(&mut loot, 32).taken();
                assert_eq!(told, (half != 0).then_some(half));
                let stolen: Vec<_> = loot.pop_bulk(half).collect();
                for &item in stolen.iter().rev() {
                    out.push((Some(item), thief.steal().success()));
                }
            }
            _ => {
                let lazy = random.below(2) == 0;
                owner.set_sharing(if lazy { Sharing::OnDemand } else { Sharing::Always });
            }
        }
        for (ours, theirs) in out {
            assert_eq!(ours, theirs, "step {step}");
            if let Some(item) = ours {
                assert!(inside.remove(&item).is_some(), "step {step}: {item} came out twice");
            }
        }
        assert_eq!(owner.len(), worker.len(), "step {step}");
    }
    while let Some(item) = owner.pop() {
        assert_eq!(Some(item), worker.pop());
        assert!(inside.remove(&item).is_some());
    }
    assert!(inside.is_empty() && worker.is_empty(), "{} were lost", inside.len());
}

#[test]
fn a_long_history_is_the_same_as_crossbeams() {
    same_as_crossbeam(&StealDeque::<usize, 64>::new_at(u64::MAX - 1000), 64, 1);
}

#[test]
#[cfg(feature = "alloc")]
fn a_long_history_where_the_ring_grows_is_the_same_as_crossbeams() {
    same_as_crossbeam(&steal_deque::GrowableDeque::new_at(u64::MAX - 1000), usize::MAX, 2);
}

#[test]
#[cfg(feature = "epoch")]
fn a_long_history_with_epochs_is_the_same_as_crossbeams() {
    same_as_crossbeam(&steal_deque::EpochDeque::new_at(u64::MAX - 1000), usize::MAX, 3);
}
