//! Many items, one compare-and-swap.

mod common;

use common::{Drops, Item, Owned, numbers, push, push_all};
use mpsc_inbox::{Batch, Closed, Inbox, List, Pushed};

fn batch_of(range: std::ops::Range<usize>) -> Batch<Item> {
    let mut batch = Batch::new();
    range.for_each(|number| batch.push(Owned::new(number)));
    batch
}

#[test]
fn a_batch_comes_out_in_its_order_between_what_was_pushed_before_and_after() {
    for count in 1..5 {
        let inbox: Inbox<Item> = Inbox::new();
        let mut owner = inbox.take_owner().unwrap();
        push_all(&inbox, 0..2);
        assert_eq!(inbox.push_batch(batch_of(2..2 + count)).ok(), Some(Pushed::Joined));
        assert_eq!(push(&inbox, 2 + count), Ok(Pushed::Joined));
        assert_eq!(numbers(owner.drain(usize::MAX)), Vec::from_iter(0..3 + count));
    }
}

#[test]
fn a_batch_is_first_or_owes_the_kick_as_one_item_would() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(inbox.push_batch(batch_of(0..3)).ok(), Some(Pushed::First));
    assert_eq!(numbers(owner.drain(usize::MAX)), [0, 1, 2]);
    assert_eq!(owner.arm(), Ok(()));
    assert_eq!(inbox.push_batch(batch_of(3..5)).ok(), Some(Pushed::KickOwed));
    assert_eq!(inbox.push_batch(batch_of(5..6)).ok(), Some(Pushed::Joined));
    assert_eq!(numbers(owner.drain(usize::MAX)), [3, 4, 5]);
}

#[test]
fn an_empty_batch_changes_nothing_and_is_never_refused() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(owner.arm(), Ok(()));
    assert_eq!(inbox.push_batch(Batch::default()).ok(), Some(Pushed::Joined));
    assert!(inbox.is_armed());
    drop(owner.close());
    assert_eq!(inbox.push_batch(Batch::new()).ok(), Some(Pushed::Joined));
    assert!(inbox.is_closed());
}

#[test]
fn a_closed_inbox_hands_the_batch_back_whole() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..1);
    drop(owner.close());
    let Err(Closed(mut batch)) = inbox.push_batch(batch_of(0..3)) else { panic!("it is closed") };
    assert_eq!((batch.len(), format!("{batch:?}")), (3, "Batch { len: 3, .. }".into()));
    batch.push(Owned::new(3));
    assert!(owner.reopen());
    assert!(inbox.push_batch(batch).is_ok(), "the same batch can go in later");
    assert_eq!(numbers(owner.drain(usize::MAX)), [0, 1, 2, 3]);
}

#[test]
fn a_batch_becomes_a_list_and_a_list_a_batch_in_the_same_order() {
    for count in 0..4 {
        let batch = batch_of(0..count);
        assert_eq!((batch.len(), batch.is_empty()), (count, count == 0));
        let mut list = List::from(batch);
        assert_eq!(list.len(), count);
        list.push_back(Owned::new(count));
        let mut batch = Batch::from(list);
        assert_eq!(batch.len(), count + 1);
        batch.push(Owned::new(count + 1));
        assert_eq!(numbers(List::from(batch)), Vec::from_iter(0..count + 2));
    }
}

#[test]
fn what_a_closer_took_out_goes_to_a_survivor_as_one_batch() {
    let (leaving, survivor): (Inbox<Item>, Inbox<Item>) = (Inbox::new(), Inbox::new());
    push_all(&survivor, 0..2);
    push_all(&leaving, 2..5);
    let left = leaving.take_owner().unwrap().close();
    assert_eq!(survivor.push_batch(left.into()).ok(), Some(Pushed::Joined));
    assert_eq!(numbers(survivor.take_owner().unwrap().take_all()), [0, 1, 2, 3, 4]);
}

#[test]
fn a_dropped_batch_drops_each_item_once() {
    let length = if cfg!(miri) { 100 } else { 200_000 };
    let drops = Drops::default();
    let mut batch: Batch<Item> = Batch::new();
    (0..length).for_each(|number| batch.push(Owned::counted(number, &drops)));
    let small_stack = std::thread::Builder::new().stack_size(64 << 10);
    small_stack.spawn(move || drop(batch)).unwrap().join().unwrap();
    assert_eq!(drops.count(), length);
}

#[test]
fn a_batch_that_went_in_is_dropped_with_its_inbox_once() {
    let drops = Drops::default();
    let inbox: Inbox<Item> = Inbox::new();
    let mut batch = Batch::new();
    (0..3).for_each(|number| batch.push(Owned::counted(number, &drops)));
    assert!(inbox.push_batch(batch).is_ok());
    assert_eq!(drops.count(), 0);
    drop(inbox);
    assert_eq!(drops.count(), 3);
}
