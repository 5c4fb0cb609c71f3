//! Many at once: refill and bulk pop.

use super::Small;
use loom::thread;
use steal_deque::Steal;

/// refill ∥ steal: a thief finds nothing or the newest, with its payload, and never has to retry. Two items, one
/// thief of one steal; the owner pops after it is done, oldest first.
#[test]
fn refill_gives_thieves_the_newest() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        let thief = {
            let world = world.clone();
            thread::spawn(move || match world.deque.stealer().steal() {
                Steal::Taken(item) => Some(world.read(item)),
                Steal::Empty => None,
                Steal::Retry => panic!("nobody else takes"),
            })
        };
        world.refill(&mut owner, [1, 2]);
        let stolen = thief.join().unwrap();
        assert!(matches!(stolen, None | Some(2)), "not the newest: {stolen:?}");
        assert_eq!(world.pop(&mut owner), Some(1), "not oldest first");
        world.settle(2, [1].into_iter().chain(stolen), [], &mut owner);
    });
}

/// (refill, pop) ∥ steal ∥ steal: two items, two thieves of one steal each, one pop.
#[test]
fn refill_and_pop_against_two_thieves() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        let thieves = [world.thief(), world.thief()];
        world.refill(&mut owner, [1, 2]);
        let popped = world.pop(&mut owner);
        world.settle(2, popped, thieves, &mut owner);
    });
}

/// Refill after refill: the second writes slots that thieves of the first may still look at. Two items, and two more
/// when they are gone; two thieves of one steal each, in a ring of two.
#[test]
fn refill_again_against_two_thieves() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        world.refill(&mut owner, [1, 2]);
        let thieves = [world.thief(), world.thief()];
        let mut popped = vec![];
        while let Some(item) = world.pop(&mut owner) {
            popped.push(item);
        }
        world.refill(&mut owner, [3, 4]);
        world.settle(4, popped, thieves, &mut owner);
    });
}

/// bulk ∥ steal ∥ steal on `ITEMS` items that were there before the thieves.
fn bulk_against_two_thieves<const ITEMS: usize, const MOST: usize>() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=ITEMS {
            world.push(&mut owner, item);
        }
        let thieves = [world.thief(), world.thief()];
        let popped: Vec<_> = owner.pop_bulk(MOST).map(|item| world.read(item)).collect();
        assert!(popped.is_sorted_by(|left, right| left > right), "not front first: {popped:?}");
        world.settle(ITEMS, popped, thieves, &mut owner);
    });
}

/// Two of three at once: thieves may leave the claim alone, meet it, or have emptied part of it.
#[test]
fn bulk_of_two_from_three() {
    bulk_against_two_thieves::<3, 2>();
}

/// All of two: the owner races for one and has the other.
#[test]
fn bulk_of_two_from_two() {
    bulk_against_two_thieves::<2, 2>();
}

/// All of three: the owner races for one and has the others.
#[test]
fn bulk_of_three_from_three() {
    bulk_against_two_thieves::<3, 3>();
}

/// push_bulk ∥ steal ∥ steal: what thieves find has its payload. Two items by one publication, a pop; two thieves of one
/// steal.
#[test]
fn push_bulk_and_pop_against_two_thieves() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        let thieves = [world.thief(), world.thief()];
        assert_eq!(owner.push_bulk(&mut (1..=3).map(|item| world.write(item))), 2);
        let popped = world.pop(&mut owner);
        world.settle(2, popped, thieves, &mut owner);
    });
}

/// A bulk that claimed what thieves were after, then a push to the place it gave up: the thief that stalled over it
/// must not take both. Two items, a bulk of two, a push; two thieves of one steal each.
#[test]
fn bulk_then_push_against_two_thieves() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thieves = [world.thief(), world.thief()];
        let popped: Vec<_> = owner.pop_bulk(2).map(|item| world.read(item)).collect();
        world.push(&mut owner, 3);
        world.settle(3, popped, thieves, &mut owner);
    });
}
