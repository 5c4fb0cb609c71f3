//! An owner that shares on demand.

use super::Small;
use loom::thread;
use steal_deque::{Sharing, Steal};

/// push, push, pop, pop ∥ steal ∥ steal: thieves find nothing, ask, and may get what the owner gives.
#[test]
fn pushes_and_pops_against_two_thieves() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        owner.set_sharing(Sharing::OnDemand);
        // It has been asked, so that the first call gives.
        assert_eq!(world.deque.stealer().steal(), Steal::Empty);
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let popped = [world.pop(&mut owner), world.pop(&mut owner)];
        world.settle(2, popped.into_iter().flatten(), thieves, &mut owner);
    });
}

/// The owner takes half of three or four shared items back, by one fence, and pops two: the second without.
fn takes_back_half<const ITEMS: usize>() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        for item in 1..=ITEMS {
            world.push(&mut owner, item);
        }
        owner.set_sharing(Sharing::OnDemand);
        let thieves = [world.thief(), world.thief()];
        let popped = [world.pop(&mut owner), world.pop(&mut owner)];
        world.settle(ITEMS, popped.into_iter().flatten(), thieves, &mut owner);
    });
}

#[test]
fn half_of_two_is_taken_back() {
    takes_back_half::<2>();
}

#[test]
fn half_of_three_is_taken_back() {
    takes_back_half::<3>();
}

#[test]
fn half_of_four_is_taken_back() {
    takes_back_half::<4>();
}

/// Who comes back with what was asked for: a thief that found nothing gets an item if it tries long enough, as long as
/// the owner goes on calling. Here the owner calls once after the question.
#[test]
fn a_question_is_answered_by_the_next_call() {
    loom::model(|| {
        let world = Small::<4>::new();
        let mut owner = world.owner();
        owner.set_sharing(Sharing::OnDemand);
        world.push(&mut owner, 1);
        let asked = {
            let world = world.clone();
            thread::spawn(move || assert_eq!(world.deque.stealer().steal(), Steal::Empty))
        };
        asked.join().unwrap();
        world.push(&mut owner, 2);
        let stolen = world.thief().join().unwrap();
        assert_eq!(stolen, Some(1), "it was asked, and called, and gave nothing");
        world.settle(2, stolen, [], &mut owner);
    });
}

/// What is private is shared when the owner goes.
#[test]
fn a_lazy_owner_that_goes_leaves_all() {
    loom::model(|| {
        let world = Small::<2>::new();
        let mut owner = world.owner();
        owner.set_sharing(Sharing::OnDemand);
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        drop(owner);
        world.settle(2, [], thieves, &mut world.owner());
    });
}
