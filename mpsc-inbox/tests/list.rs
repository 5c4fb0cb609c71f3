//! The sequential list.

mod common;

use common::{Drops, Item, Owned, numbers};
use mpsc_inbox::List;

fn list_of(range: std::ops::Range<usize>) -> List<Item> {
    let mut list: List<Item> = List::new();
    range.for_each(|number| list.push_back(Owned::new(number)));
    list
}

#[test]
fn items_leave_in_the_order_they_came() {
    let mut list: List<Item> = List::new();
    assert!(list.is_empty() && list.pop_front().is_none() && list.front().is_none());
    for number in 0..3 {
        list.push_back(Owned::new(number));
        assert_eq!((list.len(), list.front().map(|item| item.number)), (number + 1, Some(0)));
    }
    for number in 0..3 {
        assert_eq!(list.front().map(|item| item.number), Some(number));
        assert_eq!(list.pop_front().map(|handle| handle.number()), Some(number));
        assert_eq!((list.len(), list.is_empty()), (2 - number, number == 2));
    }
    assert!(list.pop_front().is_none());
    list.push_back(Owned::new(9));
    assert_eq!(numbers(list), [9], "an emptied list takes new items");
}

#[test]
fn append_joins_every_pair_of_lengths_and_empties_the_other() {
    for left in 0..4 {
        for right in 0..4 {
            let mut list = list_of(0..left);
            let mut other = list_of(left..left + right);
            list.append(&mut other);
            assert_eq!((list.len(), other.len()), (left + right, 0));
            assert!(other.is_empty() && other.pop_front().is_none());
            // Both go on working: the seam and the ends are right.
            list.push_back(Owned::new(left + right));
            other.push_back(Owned::new(70));
            assert_eq!(numbers(list), Vec::from_iter(0..=left + right));
            assert_eq!(numbers(other), [70]);
        }
    }
}

#[test]
fn iterating_pops_and_knows_its_length() {
    let mut rest = list_of(0..3).into_iter();
    assert_eq!(rest.len(), 3);
    assert_eq!(rest.next().map(|handle| handle.number()), Some(0));
    assert_eq!((rest.len(), format!("{rest:?}")), (2, "IntoIter { len: 2, .. }".into()));
    assert_eq!(numbers(rest), [1, 2]);
}

#[test]
fn dropping_a_list_drops_each_item_once() {
    let drops = Drops::default();
    let mut list: List<Item> = List::default();
    (0..5).for_each(|number| list.push_back(Owned::counted(number, &drops)));
    drop(list.pop_front());
    assert_eq!(drops.count(), 1);
    drop(list);
    assert_eq!(drops.count(), 5);
}

#[test]
fn dropping_a_long_list_does_not_recurse() {
    let length = if cfg!(miri) { 100 } else { 200_000 };
    let drops = Drops::default();
    let mut list: List<Item> = List::new();
    (0..length).for_each(|number| list.push_back(Owned::counted(number, &drops)));
    let small_stack = std::thread::Builder::new().stack_size(64 << 10);
    small_stack.spawn(move || drop(list)).unwrap().join().unwrap();
    assert_eq!(drops.count(), length);
}
