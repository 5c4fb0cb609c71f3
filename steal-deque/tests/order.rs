//! Which item comes out where: exact, single-threaded, at every capacity and over every edge of the positions.

use std::iter;
use steal_deque::{Fixed, Full, NotEmpty, Owner, Steal, StealDeque, Stealer};

/// Positions from which a few steps cross an edge of the arithmetic.
const STARTS: [u64; 4] = [0, i64::MAX as u64 - 1, u64::MAX - 1, u64::MAX];

fn pop_all<const N: usize>(owner: &mut Owner<'_, usize, Fixed<N>>) -> Vec<usize> {
    iter::from_fn(|| owner.pop()).collect()
}

fn steal_all<const N: usize>(stealer: &Stealer<'_, usize, Fixed<N>>) -> Vec<usize> {
    iter::from_fn(|| stealer.steal().taken()).collect()
}

#[test]
fn owner_pops_the_last_pushed_and_thieves_take_the_first() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    for item in 0..4 {
        owner.push(item).unwrap();
    }
    assert_eq!(owner.pop(), Some(3));
    assert_eq!(stealer.steal(), Steal::Taken(0));
    assert_eq!(owner.pop(), Some(2));
    assert_eq!(stealer.steal(), Steal::Taken(1));
    assert_eq!(owner.pop(), None);
    assert_eq!(stealer.steal(), Steal::Empty);
}

fn full_hands_back<const N: usize>(start: u64) {
    let deque = StealDeque::<usize, N>::new_at(start);
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!((owner.capacity(), deque.capacity()), (N, N));
    for item in 0..N {
        assert_eq!((owner.len(), stealer.len_hint()), (item, item));
        owner.push(item).unwrap();
    }
    assert_eq!(owner.push(77), Err(Full(77)));
    assert_eq!(owner.len(), N);
    assert_eq!(stealer.steal(), Steal::Taken(0));
    owner.push(N).unwrap();
    assert_eq!(owner.push(77), Err(Full(77)));
    assert!(pop_all(&mut owner).into_iter().eq((1..=N).rev()));
    assert!(owner.is_empty() && stealer.is_empty());
}

#[test]
fn a_full_deque_hands_the_item_back() {
    for start in STARTS {
        full_hands_back::<1>(start);
        full_hands_back::<2>(start);
        full_hands_back::<8>(start);
    }
}

#[test]
fn every_slot_is_used_over_and_over_across_the_wrap() {
    for start in STARTS {
        let deque = StealDeque::<usize, 2>::new_at(start);
        let (mut owner, stealer) = deque.split().unwrap();
        for round in 0..20 {
            owner.push(2 * round).unwrap();
            owner.push(2 * round + 1).unwrap();
            assert_eq!(stealer.steal(), Steal::Taken(2 * round), "start {start}, round {round}");
            assert_eq!(owner.pop(), Some(2 * round + 1), "start {start}, round {round}");
            assert_eq!(owner.pop(), None);
        }
    }
}

#[test]
fn refill_pops_oldest_first_and_steals_newest_first() {
    for start in STARTS {
        let deque = StealDeque::<usize, 8>::new_at(start);
        let (mut owner, stealer) = deque.split().unwrap();
        assert_eq!(owner.refill(&mut (0..5)), Ok(5));
        assert_eq!(pop_all(&mut owner), [0, 1, 2, 3, 4]);
        assert_eq!(owner.refill(&mut (0..5)), Ok(5));
        assert_eq!(steal_all(&stealer), [4, 3, 2, 1, 0]);
        assert_eq!(owner.refill(&mut (0..5)), Ok(5));
        assert_eq!(owner.pop(), Some(0));
        assert_eq!(stealer.steal(), Steal::Taken(4));
        assert_eq!(pop_all(&mut owner), [1, 2, 3]);
    }
}

#[test]
fn refill_takes_the_oldest_that_fit_and_leaves_the_others() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, _) = deque.split().unwrap();
    let mut items = 0..10;
    assert_eq!(owner.refill(&mut items), Ok(4));
    assert_eq!(items, 4..10);
    assert_eq!(pop_all(&mut owner), [0, 1, 2, 3]);
    assert_eq!(owner.refill(&mut items.by_ref().take(2)), Ok(2));
    assert_eq!(items, 6..10);
    assert_eq!(pop_all(&mut owner), [4, 5]);
    assert_eq!(owner.refill(&mut iter::empty()), Ok(0));
    assert!(owner.is_empty());
}

#[test]
fn refill_of_a_deque_that_is_not_empty_takes_nothing() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.push(9).unwrap();
    let mut items = 0..3;
    assert_eq!(owner.refill(&mut items), Err(NotEmpty));
    assert_eq!(items, 0..3);
    assert_eq!(stealer.steal(), Steal::Taken(9));
    assert_eq!(owner.refill(&mut items), Ok(3));
}

/// An iterator that says `claimed` and gives what it has.
struct Liar<I> {
    claimed: usize,
    items: I,
}

impl<I: Iterator> Iterator for Liar<I> {
    type Item = I::Item;
    fn next(&mut self) -> Option<I::Item> {
        self.items.next()
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.claimed, Some(self.claimed))
    }
}

impl<I: Iterator> ExactSizeIterator for Liar<I> {}

#[test]
fn an_iterator_that_ends_early_gives_what_it_gave() {
    for start in STARTS {
        for claimed in [4, 8, 99, usize::MAX] {
            let deque = StealDeque::<usize, 8>::new_at(start);
            let (mut owner, stealer) = deque.split().unwrap();
            assert_eq!(owner.refill(&mut Liar { claimed, items: 0..3 }), Ok(3));
            assert_eq!(owner.len(), 3);
            assert_eq!(stealer.steal(), Steal::Taken(2));
            assert_eq!(pop_all(&mut owner), [0, 1]);
            assert_eq!(owner.refill(&mut Liar { claimed, items: 0..0 }), Ok(0));
            assert!(owner.is_empty());
        }
    }
}

#[test]
fn an_iterator_that_understates_keeps_the_rest() {
    let deque = StealDeque::<usize, 8>::new();
    let (mut owner, _) = deque.split().unwrap();
    let mut liar = Liar { claimed: 2, items: 0..5 };
    assert_eq!(owner.refill(&mut liar), Ok(2));
    assert_eq!(liar.items, 2..5);
    assert_eq!(pop_all(&mut owner), [0, 1]);
}

#[test]
fn bulk_pops_in_the_order_of_single_pops() {
    for start in STARTS {
        let deque = StealDeque::<usize, 8>::new_at(start);
        let (mut owner, stealer) = deque.split().unwrap();
        assert_eq!(owner.refill(&mut (0..8)), Ok(8));
        assert_eq!(owner.pop_bulk(0).len(), 0);
        let some = owner.pop_bulk(3);
        assert_eq!(some.len(), 3);
        assert!(some.eq([0, 1, 2]));
        assert_eq!(stealer.steal(), Steal::Taken(7));
        assert_eq!(owner.pop(), Some(3));
        assert!(owner.pop_bulk(usize::MAX).eq([4, 5, 6]));
        assert_eq!(owner.pop_bulk(3).len(), 0);
        assert_eq!(stealer.steal(), Steal::Empty);
        owner.push(1).unwrap();
        assert_eq!(stealer.steal(), Steal::Taken(1));
    }
}

#[test]
fn thieves_find_nothing_of_a_bulk_under_way() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!(owner.refill(&mut (0..4)), Ok(4));
    let mut bulk = owner.pop_bulk(4);
    assert_eq!(bulk.next(), Some(0));
    assert_eq!(stealer.steal(), Steal::Empty);
    assert!(bulk.eq(1..4));
}

#[test]
fn a_bulk_refills_another_deque_in_order() {
    let (here, there) = (StealDeque::<usize, 4>::new(), StealDeque::<usize, 4>::new());
    let (mut here, _) = here.split().unwrap();
    let (mut there, _) = there.split().unwrap();
    assert_eq!(here.refill(&mut (0..4)), Ok(4));
    assert_eq!(there.refill(&mut here.pop_bulk(3)), Ok(3));
    assert_eq!(pop_all(&mut there), [0, 1, 2]);
    assert_eq!(pop_all(&mut here), [3]);
}
