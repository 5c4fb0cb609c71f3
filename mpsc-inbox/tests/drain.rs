//! The drain: order, budget, remainder, and what a drop does.

mod common;

use common::{Drops, Item, Owned, numbers, push, push_all};
use mpsc_inbox::Inbox;

const MOST: usize = if cfg!(miri) { 4 } else { 9 };

#[test]
fn every_budget_delivers_everything_in_push_order() {
    for count in 0..=MOST {
        for budget_nodes in 1..=2 * MOST + 1 {
            let inbox: Inbox<Item> = Inbox::new();
            let mut owner = inbox.take_owner().unwrap();
            push_all(&inbox, 0..count);
            let mut got = Vec::new();
            let mut passes = 0;
            while !owner.is_empty() {
                got.extend(numbers(owner.drain(budget_nodes)));
                passes += 1;
            }
            assert_eq!(got, Vec::from_iter(0..count));
            assert_eq!(passes, (2 * count).div_ceil(budget_nodes), "two touches for each item");
        }
    }
}

#[test]
fn a_drain_delivers_exactly_what_its_budget_pays_for() {
    for count in 0..=MOST {
        for budget_nodes in 0..=2 * MOST + 1 {
            let inbox: Inbox<Item> = Inbox::new();
            let mut owner = inbox.take_owner().unwrap();
            push_all(&inbox, 0..count);
            let mut drain = owner.drain(budget_nodes);
            let delivered = drain.by_ref().count();
            assert_eq!(delivered, budget_nodes.saturating_sub(count).min(count));
            assert_eq!(drain.budget_left_nodes(), budget_nodes.saturating_sub(2 * count));
            let touched = budget_nodes.min(2 * count);
            assert_eq!(owner.has_remainder(), (1..2 * count).contains(&touched));
        }
    }
}

#[test]
fn a_budget_of_zero_takes_nothing_out_of_the_head() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let _ = push(&inbox, 0);
    assert_eq!(owner.drain(0).count(), 0);
    assert!(!owner.has_remainder() && !inbox.is_empty());
}

#[test]
fn items_pushed_between_partial_drains_come_after_the_remainder() {
    // Every way to spread the pushes of two batches over the passes of one budget.
    for budget_nodes in 1..=MOST {
        for passes_between in 0..=MOST {
            let inbox: Inbox<Item> = Inbox::new();
            let mut owner = inbox.take_owner().unwrap();
            let mut got = Vec::new();
            push_all(&inbox, 0..3);
            (0..passes_between).for_each(|_| got.extend(numbers(owner.drain(budget_nodes))));
            push_all(&inbox, 3..7);
            while !owner.is_empty() {
                got.extend(numbers(owner.drain(budget_nodes)));
            }
            assert_eq!(got, Vec::from_iter(0..7));
        }
    }
}

#[test]
fn one_drain_goes_on_to_lists_that_arrive_meanwhile_within_its_budget() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let _ = push(&inbox, 0);
    let mut drain = owner.drain(5);
    assert_eq!(drain.next().map(|handle| handle.number()), Some(0));
    assert!(drain.next().is_none());
    let _ = push(&inbox, 1);
    assert_eq!(drain.next().map(|handle| handle.number()), Some(1));
    let _ = push(&inbox, 2);
    assert_eq!(drain.size_hint(), (0, Some(1)));
    assert!(drain.next().is_none(), "the fifth touch puts item 2 in order");
    assert_eq!(numbers(owner.drain(1)), [2]);
}

#[test]
fn an_abandoned_drain_loses_nothing() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..4);
    assert_eq!(owner.drain(usize::MAX).next().map(|handle| handle.number()), Some(0));
    assert_eq!(numbers(owner.drain(usize::MAX)), [1, 2, 3]);
}

#[test]
fn an_item_can_be_pushed_again_once_it_is_out() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let mut handle = Owned::new(3);
    for _ in 0..4 {
        assert!(inbox.push(handle).is_ok());
        handle = owner.drain(2).next().expect("two touches deliver it");
    }
    assert_eq!(handle.number(), 3);
}

#[test]
fn dropping_the_inbox_drops_head_and_remainder_once() {
    for taken in 0..=MOST {
        for budget_nodes in 0..=2 * taken {
            for behind in 0..=2 {
                let drops = Drops::default();
                let inbox: Inbox<Item> = Inbox::new();
                (0..taken).for_each(|number| drop(inbox.push(Owned::counted(number, &drops))));
                let delivered = inbox.take_owner().unwrap().drain(budget_nodes).count();
                assert_eq!(drops.count(), delivered);
                (0..behind).for_each(|number| drop(inbox.push(Owned::counted(number, &drops))));
                drop(inbox);
                assert_eq!(drops.count(), taken + behind);
            }
        }
    }
}

#[test]
fn dropping_an_armed_or_closed_inbox_is_fine() {
    let inbox: Inbox<Item> = Inbox::new();
    let _ = inbox.take_owner().unwrap().arm();
    drop(inbox);
    let inbox: Inbox<Item> = Inbox::new();
    drop(inbox.take_owner().unwrap().close());
    drop(inbox);
}
