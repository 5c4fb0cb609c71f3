//! Models of the deque: an owner that schedules as a real one does, or one that shares on demand, and four thieves, under
//! random and PCT schedules.
//!
//! Shuttle's atomics are sequentially consistent and its runs long: it looks for wrong logic, where loom looks for
//! wrong orderings.

use shuttle::sync::Mutex;
use shuttle::sync::atomic::{AtomicBool, Ordering};
use shuttle::thread;
use std::collections::VecDeque;
use std::sync::Arc;
use steal_deque::{Sharing, Steal, StealDeque};

const THIEVES: usize = 4;
const ITEMS: usize = 24;
const CAPACITY: usize = 4;

/// What the thieves share with the owner.
struct Shared {
    deque: StealDeque<usize, CAPACITY>,
    done: AtomicBool,
    stolen: Mutex<Vec<usize>>,
}

fn thief(shared: &Shared) {
    loop {
        // Before the attempt: the deque stays empty once this is set.
        let done = shared.done.load(Ordering::SeqCst);
        match shared.deque.stealer().steal() {
            Steal::Taken(item) => shared.stolen.lock().unwrap().push(item),
            Steal::Empty if done => break,
            Steal::Empty | Steal::Retry => thread::yield_now(),
        }
    }
}

/// A FIFO of `ITEMS` goes through the deque by refill. In turn the owner pops one, pops several, gives up the deque
/// and takes it again, and pushes one more itself. Every item comes out exactly once, and those that come
/// out on the owner's side come out oldest first.
fn fair_owner_against_four_thieves() {
    let shared = Arc::new(Shared {
        deque: StealDeque::new_at(u64::MAX - ITEMS as u64 / 2),
        done: AtomicBool::new(false),
        stolen: Mutex::new(vec![]),
    });
    let thieves: Vec<_> = (0..THIEVES)
        .map(|_| {
            let shared = shared.clone();
            thread::spawn(move || thief(&shared))
        })
        .collect();

    let mut fifo: VecDeque<usize> = (0..ITEMS).collect();
    let mut popped = vec![];
    let mut pushed = ITEMS;
    let (mut owner, _) = shared.deque.split().unwrap();
    for turn in 0.. {
        match turn % 4 {
            0 => popped.extend(owner.pop()),
            1 => popped.extend(owner.pop_bulk(3)),
            2 => {
                drop(owner);
                owner = shared.deque.split().expect("its owner was dropped").0;
            }
            _ => {
                // At the front: pushed last, popped at once, or stolen.
                if owner.push(pushed).is_ok() {
                    pushed += 1;
                    if let Some(item) = owner.pop() {
                        shared.stolen.lock().unwrap().push(item);
                    }
                }
            }
        }
        if owner.is_empty() {
            if fifo.is_empty() {
                break;
            }
            let mut oldest = fifo.drain(..fifo.len().min(CAPACITY));
            owner.refill(&mut oldest).expect("it is empty");
            assert_eq!(oldest.len(), 0, "all of it fits");
        }
    }
    shared.done.store(true, Ordering::SeqCst);
    for thief in thieves {
        thief.join().unwrap();
    }
    assert!(popped.is_sorted(), "the owner's are not oldest first: {popped:?}");
    let mut out = shared.stolen.lock().unwrap().clone();
    out.extend(popped);
    out.sort_unstable();
    assert!(out.iter().copied().eq(0..pushed), "each item exactly once, but got {out:?}");
}

/// A thief with a deque of its own: takes half of what there is, and runs it.
fn looter(shared: &Shared) {
    let own = StealDeque::<usize, 2>::new_at(u64::MAX);
    let (mut own, _) = own.split().unwrap();
    loop {
        let done = shared.done.load(Ordering::SeqCst);
        match shared.deque.stealer().steal_half_into(&mut own, 2) {
            Steal::Taken(_) => shared.stolen.lock().unwrap().extend(own.pop_bulk(2)),
            Steal::Empty if done => break,
            Steal::Empty | Steal::Retry => thread::yield_now(),
        }
    }
}

/// An owner that shares on demand pushes one by one and by bulk, pops every now and then, and leaves the rest; two thieves
/// and two looters ask for it. Then another one adopts what is left. Every item comes out exactly once.
fn lazy_owner_against_four_thieves() {
    let shared = Arc::new(Shared {
        deque: StealDeque::new_at(u64::MAX - ITEMS as u64 / 2),
        done: AtomicBool::new(false),
        stolen: Mutex::new(vec![]),
    });
    let thieves: Vec<_> = (0..THIEVES)
        .map(|which| {
            let shared = shared.clone();
            thread::spawn(move || if which % 2 == 0 { thief(&shared) } else { looter(&shared) })
        })
        .collect();

    let mut out = vec![];
    let mut items = 0..ITEMS;
    let (mut owner, _) = shared.deque.split().unwrap();
    owner.set_sharing(Sharing::OnDemand);
    while !items.is_empty() {
        owner.push_bulk(&mut items.by_ref().take(3));
        out.extend(owner.pop());
        if items.len() % 2 == 0 {
            out.extend(owner.pop());
        }
    }
    drop(owner);
    let heir = StealDeque::<usize, CAPACITY>::new();
    let (mut heir, _) = heir.split().unwrap();
    let (mut adopted, _) = shared.deque.split().expect("its owner was dropped");
    adopted.drain_into(&mut heir);
    out.extend(heir.pop_bulk(CAPACITY));
    assert!(adopted.is_empty(), "something stayed behind");
    shared.done.store(true, Ordering::SeqCst);
    for thief in thieves {
        thief.join().unwrap();
    }
    out.extend(shared.stolen.lock().unwrap().iter());
    out.sort_unstable();
    assert!(out.iter().copied().eq(0..ITEMS), "each item exactly once, but got {out:?}");
}

/// 2 000 random schedules.
#[test]
fn lazy_owner_random() {
    shuttle::check_random(lazy_owner_against_four_thieves, 2_000);
}

/// 2 000 schedules of probabilistic concurrency testing with 4 points of priority change.
#[test]
fn lazy_owner_pct() {
    shuttle::check_pct(lazy_owner_against_four_thieves, 2_000, 4);
}

/// 2 000 random schedules.
#[test]
fn fair_owner_random() {
    shuttle::check_random(fair_owner_against_four_thieves, 2_000);
}

/// 2 000 schedules of probabilistic concurrency testing with 4 points of priority change.
#[test]
fn fair_owner_pct() {
    shuttle::check_pct(fair_owner_against_four_thieves, 2_000, 4);
}
