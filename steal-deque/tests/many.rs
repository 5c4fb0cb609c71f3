//! Many at once, and what is private: exact, single-threaded.

use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use steal_deque::{Owner, Sharing, Steal, StealDeque, Storage};

fn pop_all<S: Storage>(owner: &mut Owner<'_, usize, S>) -> Vec<usize> {
    iter::from_fn(|| owner.pop()).collect()
}

#[test]
fn a_push_of_many_ends_where_the_deque_is_full() {
    for start in [0, u64::MAX - 1] {
        let deque = StealDeque::<usize, 4>::new_at(start);
        let (mut owner, stealer) = deque.split().unwrap();
        let mut items = 0..10;
        assert_eq!(owner.push_bulk(&mut items), 4);
        assert_eq!((items.clone(), owner.len(), stealer.len_hint()), (4..10, 4, 4));
        assert_eq!(owner.push_bulk(&mut items), 0);
        assert_eq!((stealer.steal(), stealer.steal()), (Steal::Taken(0), Steal::Taken(1)));
        assert_eq!(owner.push_bulk(&mut items), 2);
        assert_eq!(owner.push_bulk(&mut iter::empty()), 0);
        assert_eq!((items, pop_all(&mut owner)), (6..10, vec![5, 4, 3, 2]));
    }
}

#[test]
fn a_push_of_many_that_panics_keeps_what_came() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    let mut items = (0..4).inspect(|&item| assert!(item < 2, "out"));
    assert!(catch_unwind(AssertUnwindSafe(|| owner.push_bulk(&mut items))).is_err());
    assert_eq!((owner.len(), stealer.len_hint()), (2, 2));
    assert_eq!(pop_all(&mut owner), [1, 0]);
}

#[test]
fn loot_lies_as_it_lay() {
    let (victim, own) = (StealDeque::<usize, 8>::new(), StealDeque::<usize, 8>::new());
    let (mut owner, stealer) = victim.split().unwrap();
    let (mut mine, of_mine) = own.split().unwrap();
    assert_eq!(stealer.steal_n_into(&mut mine, 3), Steal::Empty);
    assert_eq!(owner.push_bulk(&mut (0..7)), 7);
    assert_eq!(stealer.steal_n_into(&mut mine, 0), Steal::Taken(0));
    assert_eq!(stealer.steal_n_into(&mut mine, 3), Steal::Taken(3));
    assert_eq!((of_mine.steal(), mine.pop()), (Steal::Taken(0), Some(2)));
    // Half of four, then half of two, then the last.
    assert_eq!(stealer.steal_half_into(&mut mine, 99), Steal::Taken(2));
    assert_eq!(stealer.steal_half_into(&mut mine, 99), Steal::Taken(1));
    assert_eq!(stealer.steal_half_into(&mut mine, 99), Steal::Taken(1));
    assert_eq!(stealer.steal_half_into(&mut mine, 99), Steal::Empty);
    assert_eq!(pop_all(&mut mine), [6, 5, 4, 3, 1]);
    assert_eq!(owner.pop(), None);
}

#[test]
fn half_is_rounded_up_and_bounded() {
    let (victim, own) = (StealDeque::<usize, 8>::new(), StealDeque::<usize, 8>::new());
    let (mut owner, stealer) = victim.split().unwrap();
    let (mut mine, _) = own.split().unwrap();
    for (there, max, half) in [(7, 9, 4), (8, 9, 4), (8, 3, 3), (1, 9, 1), (5, 0, 0)] {
        owner.push_bulk(&mut (0..there));
        assert_eq!(stealer.steal_half_into(&mut mine, max), Steal::Taken(half), "of {there}");
        assert_eq!((owner.pop_bulk(9).len(), mine.pop_bulk(9).len()), (there - half, half));
    }
}

#[test]
fn a_full_deque_of_ones_own_takes_no_loot() {
    let (victim, own) = (StealDeque::<usize, 8>::new(), StealDeque::<usize, 2>::new());
    let (mut owner, stealer) = victim.split().unwrap();
    let (mut mine, _) = own.split().unwrap();
    mine.push(9).unwrap();
    owner.push_bulk(&mut (0..4));
    assert_eq!(stealer.steal_n_into(&mut mine, 3), Steal::Taken(1));
    assert_eq!(stealer.steal_n_into(&mut mine, 3), Steal::Taken(0));
    assert_eq!((pop_all(&mut mine), pop_all(&mut owner)), (vec![0, 9], vec![3, 2, 1]));
}

/// From one's own back to one's own front.
#[test]
fn loot_from_oneself_goes_round() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.push_bulk(&mut (0..3));
    assert_eq!(stealer.steal_n_into(&mut owner, 2), Steal::Taken(2));
    assert_eq!(pop_all(&mut owner), [1, 0, 2]);
}

#[test]
fn a_thief_that_declines_takes_nothing_and_sees_one() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    assert_eq!(stealer.steal_if(|_| panic!("there is nothing to see")), Steal::Empty);
    owner.push_bulk(&mut (5..7));
    let mut seen = vec![];
    let declines = |word: *mut ()| {
        seen.push(word.addr());
        false
    };
    assert_eq!(stealer.steal_if(declines), Steal::Empty);
    assert_eq!(seen, [5]);
    assert_eq!(stealer.steal_if(|word| word.addr() == 5), Steal::Taken(5));
    assert_eq!(pop_all(&mut owner), [6]);
}

#[test]
fn what_does_not_fit_is_not_drained() {
    let (gone, own) = (StealDeque::<usize, 8>::new(), StealDeque::<usize, 4>::new());
    let (mut adopted, _) = gone.split().unwrap();
    let (mut mine, of_mine) = own.split().unwrap();
    assert_eq!(adopted.drain_into(&mut mine), 0);
    adopted.push_bulk(&mut (0..6));
    mine.push(9).unwrap();
    assert_eq!(adopted.drain_into(&mut mine), 3);
    assert_eq!((of_mine.len_hint(), adopted.drain_into(&mut mine)), (4, 0));
    assert_eq!((pop_all(&mut mine), pop_all(&mut adopted)), (vec![5, 4, 3, 9], vec![2, 1, 0]));
}

/// Half of what is private goes to who asked; an answer that was given is not given again.
#[test]
fn an_owner_on_demand_gives_half_to_who_asked() {
    let deque = StealDeque::<usize, 16>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.set_sharing(Sharing::OnDemand);
    owner.push_bulk(&mut (0..7));
    assert_eq!((owner.len(), stealer.len_hint()), (7, 0));
    assert_eq!((stealer.steal(), stealer.steal()), (Steal::Empty, Steal::Empty));
    owner.push(7).unwrap();
    assert_eq!(stealer.len_hint(), 4);
    owner.push(8).unwrap();
    assert_eq!((owner.pop(), owner.pop()), (Some(8), Some(7)));
    assert_eq!(stealer.len_hint(), 4, "it gave without being asked");
    // Private: 4, 5, 6.
    assert!(owner.pop_bulk(4).eq([6, 5, 4, 3]));
    assert_eq!(stealer.len_hint(), 3);
    // Takes one of three back.
    assert_eq!((owner.pop(), stealer.len_hint()), (Some(2), 2));
    owner.push(9).unwrap();
    assert_eq!(stealer.len_hint(), 2);
    owner.set_sharing(Sharing::Always);
    assert_eq!(stealer.len_hint(), 3);
    owner.push(10).unwrap();
    assert_eq!(stealer.len_hint(), 4);
    assert_eq!(pop_all(&mut owner), [10, 9, 1, 0]);
}

#[test]
fn an_owner_on_demand_that_goes_leaves_all() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.set_sharing(Sharing::OnDemand);
    owner.push_bulk(&mut (0..2));
    owner.publish();
    assert_eq!(stealer.len_hint(), 2);
    owner.push(2).unwrap();
    drop(owner);
    assert_eq!(stealer.len_hint(), 3);
    // The next one shares at once.
    let (mut owner, _) = deque.split().unwrap();
    owner.push(3).unwrap();
    assert_eq!(stealer.len_hint(), 4);
    assert_eq!(pop_all(&mut owner), [3, 2, 1, 0]);
}

/// There is no second owner; what was shared is there for thieves, and what was private is out of reach.
#[test]
fn an_owner_that_is_leaked_leaves_what_is_shared() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.set_sharing(Sharing::OnDemand);
    owner.push_bulk(&mut (0..2));
    owner.publish();
    owner.push(2).unwrap();
    std::mem::forget(owner);
    assert!(deque.split().is_none());
    assert_eq!((stealer.steal(), stealer.steal()), (Steal::Taken(0), Steal::Taken(1)));
    assert_eq!(stealer.steal(), Steal::Empty);
}

#[test]
fn everything_says_what_it_is() {
    let deque = StealDeque::<usize, 4>::new();
    let (mut owner, stealer) = deque.split().unwrap();
    owner.push(1).unwrap();
    assert!(format!("{deque:?}").contains("len_hint: 1"));
    assert!(format!("{stealer:?}").contains("len_hint: 1"));
    assert!(format!("{owner:?}").contains("capacity: 4, len: 1, sharing: Always"));
    assert!(format!("{:?}", owner.pop_bulk(1)).contains("len: 1"));
    assert_eq!(format!("{:?}", owner.push_bulk(&mut (0..5))), "4");
    let full = owner.push(9).unwrap_err();
    assert_eq!(format!("{full:?}: {full}"), "Full(..): the deque is full");
    let not_empty = owner.refill(&mut (0..1)).unwrap_err();
    assert_eq!(not_empty.to_string(), "the deque still holds items");
    assert_eq!(StealDeque::<usize, 2>::default().split().unwrap().0.len(), 0);
}
