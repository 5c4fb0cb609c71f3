//! A ring that grows while thieves look into it. Its first buffer has two slots here.

use super::World;

/// grow ∥ steal ∥ steal: three pushes into two slots. Thieves have the old buffer or the new one in their hands.
#[test]
fn grow_against_two_thieves() {
    loom::model(|| {
        let world = World::growing();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 3);
        world.settle(3, [], thieves, &mut owner);
    });
}

/// The first buffer comes while a thief looks: there is none, or it is there.
#[test]
fn the_first_buffer_against_two_thieves() {
    loom::model(|| {
        let world = World::growing();
        let mut owner = world.owner();
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 1);
        world.settle(1, [], thieves, &mut owner);
    });
}

/// (pop, push, push) ∥ steal: an item takes another one's place in the old buffer, is copied, and stolen from either.
#[test]
fn pop_then_grow_against_a_thief() {
    loom::model(|| {
        let world = World::growing();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thief = world.thief();
        let popped = world.pop(&mut owner);
        world.push(&mut owner, 3);
        world.push(&mut owner, 4);
        world.settle(4, popped, [thief], &mut owner);
    });
}

/// (pop, pop) ∥ steal ∥ steal right after it grew: claims are the same in any buffer.
#[test]
fn grow_and_pop_against_two_thieves() {
    loom::model(|| {
        let world = World::growing();
        let mut owner = world.owner();
        world.push(&mut owner, 1);
        world.push(&mut owner, 2);
        let thieves = [world.thief(), world.thief()];
        world.push(&mut owner, 3);
        let popped = [world.pop(&mut owner), world.pop(&mut owner)];
        world.settle(3, popped.into_iter().flatten(), thieves, &mut owner);
    });
}
