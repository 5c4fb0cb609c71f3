//! Steals of many, into a deque of the thief's own.

use super::{Small, Thief};
use loom::thread;
use std::sync::Arc;
use steal_deque::{Steal, StealDeque};

/// A thief that moves up to `most` items into a deque of its own, and empties that.
fn looter(world: &Arc<Small<4>>, most: usize) -> thread::JoinHandle<Vec<usize>> {
    let world = world.clone();
    thread::spawn(move || {
        let own = StealDeque::<usize, 4>::new_at(u64::MAX);
        let (mut owner, _) = own.split().unwrap();
        let told = world.deque.stealer().steal_n_into(&mut owner, most).taken().unwrap_or(0);
        let loot: Vec<_> = owner.pop_bulk(4).map(|item| world.read(item)).collect();
        assert_eq!(loot.len(), told, "not what it told");
        assert!(loot.is_sorted_by(|left, right| left > right), "not as it lay: {loot:?}");
        loot
    })
}

fn settle<const THIEVES: usize>(
    world: &Arc<Small<4>>,
    last: usize,
    popped: impl IntoIterator<Item = usize>,
    looters: [thread::JoinHandle<Vec<usize>>; THIEVES],
    thieves: Vec<Thief>,
    owner: &mut steal_deque::Owner<'_, usize, steal_deque::Fixed<4>>,
) {
    let mut out: Vec<_> = popped.into_iter().collect();
    looters.into_iter().for_each(|looter| out.extend(looter.join().unwrap()));
    world.settle(last, out, thieves, owner);
}

/// steal_n ∥ pop, pop on `ITEMS` items: between two of its compare-and-swaps the owner may pop what it is after, and
/// `top` tells nothing of it.
fn against_pops<const ITEMS: usize, const POPS: usize>() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=ITEMS {
            world.push(&mut owner, item);
        }
        let looter = looter(&world, ITEMS);
        let popped: Vec<_> = (0..POPS).filter_map(|_| world.pop(&mut owner)).collect();
        settle(&world, ITEMS, popped, [looter], vec![], &mut owner);
    });
}

#[test]
fn many_of_two_against_a_pop() {
    against_pops::<2, 1>();
}

#[test]
fn many_of_three_against_two_pops() {
    against_pops::<3, 2>();
}

/// Two looters and a pop, three items.
#[test]
fn two_looters_against_a_pop() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=3 {
            world.push(&mut owner, item);
        }
        let looters = [looter(&world, 2), looter(&world, 2)];
        let popped = world.pop(&mut owner);
        settle(&world, 3, popped, looters, vec![], &mut owner);
    });
}

/// A looter and a thief against a bulk, three items.
#[test]
fn a_looter_and_a_thief_against_a_bulk() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=3 {
            world.push(&mut owner, item);
        }
        let looter = looter(&world, 2);
        let thieves = vec![world.thief()];
        let popped: Vec<_> = owner.pop_bulk(2).map(|item| world.read(item)).collect();
        settle(&world, 3, popped, [looter], thieves, &mut owner);
    });
}

/// steal_half ∥ pop: two of four at most, and as many as it tells. What a thief has taken others can steal from its deque
/// with the payload.
#[test]
fn half_of_four_against_a_pop_and_a_thief_of_the_thief() {
    loom::model(|| {
        let world = Small::<4>::new();
        let own = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=4 {
            world.push(&mut owner, item);
        }
        let second = {
            let (world, own) = (world.clone(), own.clone());
            thread::spawn(move || own.deque.stealer().steal().taken().map(|item| world.read(item)))
        };
        let looter = {
            let (world, own) = (world.clone(), own.clone());
            thread::spawn(move || {
                let mut owner = own.owner();
                let told = world.deque.stealer().steal_half_into(&mut owner, 9);
                assert!(matches!(told, Steal::Taken(1 | 2) | Steal::Retry), "{told:?}");
            })
        };
        let popped = world.pop(&mut owner);
        looter.join().unwrap();
        let mut out: Vec<_> = popped.into_iter().collect();
        let mut looted = own.owner();
        out.extend(looted.pop_bulk(4).map(|item| world.read(item)));
        world.settle(4, out, [second], &mut owner);
    });
}
