//! Real threads: several producers and an owner that halts.

mod common;

use common::{Drops, Item, Owned, push_all};
use mpsc_inbox::{Closed, Inbox, Pushed};
use std::thread;

const PRODUCERS: usize = 4;
const EACH: usize = if cfg!(miri) { 20 } else { 20_000 };

/// Drains until every item has come, halting (parking) whenever the inbox can be armed. Nothing but the kick wakes it:
/// a lost one hangs the test.
fn run_owner(inbox: &Inbox<Item>, total: usize, budget_nodes: usize) -> Vec<Owned> {
    let mut owner = inbox.take_owner().expect("nobody else takes it");
    let mut got = Vec::new();
    while got.len() < total {
        got.extend(owner.drain(budget_nodes));
        if got.len() < total && owner.arm().is_ok() {
            thread::park();
        }
    }
    got
}

#[test]
fn each_item_comes_once_in_its_producers_order_and_no_kick_is_lost() {
    for budget_nodes in [1, 7, usize::MAX] {
        let drops = Drops::default();
        let inbox: Inbox<Item> = Inbox::new();
        let got = thread::scope(|scope| {
            // The items are kept until all are pushed: see "Limits" in the README.
            let owner = scope.spawn(|| run_owner(&inbox, PRODUCERS * EACH, budget_nodes));
            for producer in 0..PRODUCERS {
                let (inbox, drops, owner) = (&inbox, &drops, owner.thread().clone());
                scope.spawn(move || {
                    for number in producer * EACH..(producer + 1) * EACH {
                        match inbox.push(Owned::counted(number, drops)).expect("it is open") {
                            Pushed::KickOwed => owner.unpark(),
                            Pushed::First | Pushed::Joined => {}
                        }
                    }
                });
            }
            owner.join().unwrap()
        });
        let mut next: [usize; PRODUCERS] = std::array::from_fn(|producer| producer * EACH);
        for handle in &got {
            let due = &mut next[handle.number() / EACH];
            assert_eq!(handle.number(), *due, "budget {budget_nodes}");
            *due += 1;
        }
        drop(got);
        assert_eq!(drops.count(), PRODUCERS * EACH);
    }
}

#[test]
fn closing_beside_pushers_loses_nothing_and_doubles_nothing() {
    let (rounds, each) = if cfg!(miri) { (2, 8) } else { (50, 64) };
    for round in 0..rounds {
        let inbox: Inbox<Item> = Inbox::new();
        let mut seen = thread::scope(|scope| {
            let producers: Vec<_> = (0..PRODUCERS)
                .map(|producer| {
                    let inbox = &inbox;
                    scope.spawn(move || {
                        let mut refused = Vec::new();
                        for number in producer * 64..producer * 64 + each {
                            if let Err(Closed(handle)) = inbox.push(Owned::new(number)) {
                                refused.push(handle);
                            }
                        }
                        refused
                    })
                })
                .collect();
            let mut owner = inbox.take_owner().unwrap();
            let mut seen: Vec<_> = owner.drain(round).collect();
            seen.extend(owner.close());
            for producer in producers {
                seen.extend(producer.join().unwrap());
            }
            seen
        });
        assert!(inbox.is_empty() && inbox.is_closed());
        seen.sort_by_key(Owned::number);
        let expected = (0..PRODUCERS).flat_map(|producer| producer * 64..producer * 64 + each);
        assert!(seen.iter().map(Owned::number).eq(expected), "round {round}");
    }
}

#[test]
fn ownership_passes_between_threads_with_its_remainder() {
    let inbox: Inbox<Item> = Inbox::new();
    let count = if cfg!(miri) { 24 } else { 4_000 };
    push_all(&inbox, 0..count);
    let got = std::sync::Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                loop {
                    let Some(mut owner) = inbox.take_owner() else {
                        thread::yield_now();
                        continue;
                    };
                    if owner.is_empty() {
                        break;
                    }
                    got.lock().unwrap().extend(owner.drain(3).map(|handle| handle.number()));
                }
            });
        }
    });
    assert_eq!(got.into_inner().unwrap(), Vec::from_iter(0..count));
}
