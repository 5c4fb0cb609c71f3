//! The deque of a CPU that went goes over to another one.

use super::Small;
use loom::thread;
use std::sync::Arc;

/// drain_into ∥ steal ∥ steal: the survivor moves all of `ITEMS` into its own deque, thieves take from either end of the
/// way.
fn drained_against_two_thieves<const ITEMS: usize>() {
    loom::model(|| {
        let (gone, own) = (Small::<4>::new(), Small::<4>::new());
        let mut owner = gone.owner();
        for item in 1..=ITEMS {
            gone.push(&mut owner, item);
        }
        drop(owner);
        let thieves = [gone.thief(), thief_of(&own, &gone)];
        let (mut adopted, mut mine) = (gone.owner(), own.owner());
        let moved = adopted.drain_into(&mut mine);
        assert!(moved <= ITEMS && moved + 1 >= ITEMS, "{moved} of {ITEMS} beside one thief");
        assert!(adopted.is_empty(), "something stayed behind");
        let out: Vec<_> = std::iter::from_fn(|| mine.pop()).map(|item| gone.read(item)).collect();
        assert!(out.is_sorted_by(|left, right| left > right), "not as they lay: {out:?}");
        gone.settle(ITEMS, out, thieves, &mut adopted);
    });
}

/// Steals from one world an item of another one.
fn thief_of(own: &Arc<Small<4>>, maker: &Arc<Small<4>>) -> super::Thief {
    let (own, maker) = (own.clone(), maker.clone());
    thread::spawn(move || own.deque.stealer().steal().taken().map(|item| maker.read(item)))
}

#[test]
fn one_item_is_drained() {
    drained_against_two_thieves::<1>();
}

#[test]
fn three_items_are_drained() {
    drained_against_two_thieves::<3>();
}

/// What does not fit stays: two of three, by lowering `bottom`.
#[test]
fn what_does_not_fit_stays() {
    loom::model(|| {
        let (gone, own) = (Small::<4>::new(), Small::<2>::new());
        let mut owner = gone.owner();
        for item in 1..=3 {
            gone.push(&mut owner, item);
        }
        let thieves = [gone.thief(), gone.thief()];
        let mut mine = own.owner();
        let moved = owner.drain_into(&mut mine);
        let out: Vec<_> = mine.pop_bulk(2).map(|item| gone.read(item)).collect();
        assert_eq!(out.len(), moved);
        gone.settle(3, out, thieves, &mut owner);
    });
}
