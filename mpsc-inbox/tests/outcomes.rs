//! What each operation answers in each state of the head word.

mod common;

use common::{Item, Owned, numbers, push, push_all};
use mpsc_inbox::{Closed, Inbox, Link, NotEmpty, Pushed};

static STATIC_INBOX: Inbox<Item> = Inbox::new();

#[test]
fn an_inbox_can_be_a_static() {
    let mut owner = STATIC_INBOX.take_owner().expect("nobody else takes it");
    assert_eq!(push(&STATIC_INBOX, 7), Ok(Pushed::First));
    assert_eq!(numbers(owner.drain(2)), [7]);
}

#[test]
fn the_first_push_says_so_and_the_others_join() {
    let inbox: Inbox<Item> = Inbox::new();
    assert!(inbox.is_empty());
    assert_eq!(push(&inbox, 0), Ok(Pushed::First));
    assert!(!inbox.is_empty());
    assert_eq!(push(&inbox, 1), Ok(Pushed::Joined));
    assert_eq!(push(&inbox, 2), Ok(Pushed::Joined));
}

#[test]
fn a_push_is_first_again_once_the_list_is_taken() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let _ = push(&inbox, 0);
    let _ = push(&inbox, 1);
    assert_eq!(owner.drain(1).count(), 0, "the one touch puts an item in order");
    assert!(inbox.is_empty() && !owner.is_empty());
    assert_eq!(push(&inbox, 2), Ok(Pushed::First));
}

#[test]
fn the_push_that_replaces_armed_owes_the_kick_and_no_other_does() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(owner.arm(), Ok(()));
    assert!(inbox.is_armed() && inbox.is_empty());
    assert_eq!(push(&inbox, 0), Ok(Pushed::KickOwed));
    assert!(!inbox.is_armed());
    assert_eq!(push(&inbox, 1), Ok(Pushed::Joined));
    assert_eq!(numbers(owner.drain(usize::MAX)), [0, 1]);
    assert_eq!(push(&inbox, 2), Ok(Pushed::First));
}

#[test]
fn arming_an_armed_inbox_succeeds() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(owner.arm(), Ok(()));
    assert_eq!(owner.arm(), Ok(()));
    assert!(inbox.is_armed());
}

#[test]
fn arming_is_refused_while_a_list_or_a_remainder_is_there() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..2);
    assert_eq!(owner.arm(), Err(NotEmpty));
    assert_eq!(owner.drain(1).count(), 0);
    assert!(owner.has_remainder() && inbox.is_empty());
    assert_eq!(owner.arm(), Err(NotEmpty));
    assert!(!inbox.is_armed());
    assert_eq!(numbers(owner.drain(2)), [0, 1]);
    assert_eq!(owner.arm(), Ok(()));
}

#[test]
fn disarming_tells_whether_the_arming_still_stood() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert!(!owner.disarm(), "never armed");
    assert_eq!(owner.arm(), Ok(()));
    assert!(owner.disarm());
    assert!(!inbox.is_armed());
    assert_eq!(push(&inbox, 0), Ok(Pushed::First), "disarmed: no kick");
    assert_eq!(numbers(owner.drain(2)), [0]);
    assert_eq!(owner.arm(), Ok(()));
    assert_eq!(push(&inbox, 1), Ok(Pushed::KickOwed));
    assert!(!owner.disarm(), "a pusher was faster");
    assert_eq!(numbers(owner.drain(2)), [1]);
}

#[test]
fn draining_an_armed_inbox_leaves_it_armed() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(owner.arm(), Ok(()));
    assert_eq!(owner.drain(8).count(), 0);
    assert_eq!(owner.drain_lifo(8).count(), 0);
    assert!(owner.take_all().is_empty());
    assert!(inbox.is_armed());
    assert_eq!(push(&inbox, 0), Ok(Pushed::KickOwed));
}

#[test]
fn a_closed_inbox_hands_the_item_back() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert!(owner.close().is_empty());
    assert!(inbox.is_closed() && inbox.is_empty() && !inbox.is_armed());
    let Err(refused) = inbox.push(Owned::new(5)) else { panic!("it is closed") };
    assert_eq!(refused.to_string(), "the inbox is closed");
    let Closed(handle) = refused;
    assert_eq!(handle.number(), 5);
    assert!(owner.reopen());
    assert_eq!(inbox.push(handle).ok(), Some(Pushed::First), "the same item can go in later");
}

#[test]
fn closing_takes_out_remainder_and_list_in_push_order() {
    for budget_nodes in 0..=6 {
        let inbox: Inbox<Item> = Inbox::new();
        let mut owner = inbox.take_owner().unwrap();
        push_all(&inbox, 0..3);
        let mut got = numbers(owner.drain(budget_nodes));
        push_all(&inbox, 3..5);
        let list = owner.close();
        assert_eq!(list.len() + got.len(), 5);
        got.extend(numbers(list));
        assert_eq!(got, [0, 1, 2, 3, 4], "budget {budget_nodes}");
        assert!(owner.is_empty());
    }
}

#[test]
fn closing_closed_is_empty_handed_and_closing_armed_is_allowed() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert_eq!(owner.arm(), Ok(()));
    assert!(owner.close().is_empty());
    assert!(owner.close().is_empty());
    assert_eq!(push(&inbox, 3), Err(3));
}

#[test]
fn a_closed_inbox_stays_closed_whatever_its_owner_does_but_reopen() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    drop(owner.close());
    assert_eq!(owner.arm(), Ok(()), "nothing can arrive: nothing to be told of");
    assert!(!owner.disarm());
    assert_eq!(owner.drain(4).count(), 0);
    assert_eq!(owner.drain_lifo(4).count(), 0);
    assert!(owner.take_all().is_empty());
    assert!(inbox.is_closed());
    assert!(owner.reopen());
    assert!(!inbox.is_closed() && !inbox.is_armed());
}

#[test]
fn reopening_an_open_inbox_does_nothing() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    assert!(!owner.reopen());
    assert_eq!(owner.arm(), Ok(()));
    assert!(!owner.reopen());
    assert!(inbox.is_armed());
    let _ = push(&inbox, 1);
    assert!(!owner.reopen());
    assert_eq!(numbers(owner.drain(2)), [1]);
}

#[test]
fn there_is_one_owner_at_a_time() {
    let inbox: Inbox<Item> = Inbox::new();
    let owner = inbox.take_owner().unwrap();
    assert!(inbox.take_owner().is_none());
    drop(owner);
    assert!(inbox.take_owner().is_some());
}

#[test]
fn the_next_owner_finds_the_remainder_in_order() {
    let inbox: Inbox<Item> = Inbox::new();
    push_all(&inbox, 0..4);
    let mut got = Vec::new();
    while got.len() < 4 {
        got.extend(numbers(inbox.take_owner().expect("the last one is gone").drain(1)));
    }
    assert_eq!(got, [0, 1, 2, 3]);
}

#[test]
fn a_dropped_owner_leaves_the_state_as_it_is() {
    let inbox: Inbox<Item> = Inbox::new();
    assert_eq!(inbox.take_owner().unwrap().arm(), Ok(()));
    assert!(inbox.is_armed());
    assert_eq!(push(&inbox, 0), Ok(Pushed::KickOwed), "whoever comes next finds it, kicked");
    assert_eq!(numbers(inbox.take_owner().unwrap().close()), [0]);
    assert_eq!(push(&inbox, 1), Err(1));
    assert!(inbox.take_owner().unwrap().reopen());
    assert_eq!(push(&inbox, 2), Ok(Pushed::First));
}

#[test]
fn a_leaked_owner_blocks_the_next_one_and_loses_nothing() {
    let drops = common::Drops::default();
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    (0..2).for_each(|number| drop(inbox.push(Owned::counted(number, &drops))));
    assert_eq!(owner.drain(1).count(), 0);
    std::mem::forget(owner);
    assert!(inbox.take_owner().is_none());
    drop(inbox);
    assert_eq!(drops.count(), 2);
}

#[test]
fn debug_shows_the_state_and_needs_no_debug_of_the_item() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let _ = owner.arm();
    assert_eq!(
        format!("{owner:?} {:?}", owner.inbox()),
        "Owner { inbox: Inbox { head: Armed, .. }, has_remainder: false } Inbox { head: Armed, .. }"
    );
    assert_eq!(format!("{:?}", owner.drain(3)), "Drain { budget_nodes: 3, .. }");
    assert_eq!(format!("{:?}", owner.drain_lifo(3)), "DrainLifo { budget_nodes: 3, .. }");
    assert_eq!(format!("{:?}", owner.close()), "List { len: 0, .. }");
    assert_eq!(format!("{:?}", Closed(Owned::new(1))), "Closed(..)");
    assert_eq!(format!("{:?}", Link::<Item>::new()), "Link");
}
