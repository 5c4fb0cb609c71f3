//! The drain: order, budget, remainder, and what a drop does.

mod common;

use common::{Drops, Item, Owned, numbers, push, push_all};
use mpsc_inbox::Inbox;

const MOST: usize = if cfg!(miri) { 4 } else { 9 };

/// What it costs to hand out one list: each node but the oldest is put in order, and each is handed out.
fn touches(count: usize) -> usize {
    (2 * count).saturating_sub(1)
}

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
            assert_eq!(passes, touches(count).div_ceil(budget_nodes), "no touch is wasted");
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
            assert_eq!(delivered, (budget_nodes + 1).saturating_sub(count.max(1)).min(count));
            assert_eq!(drain.budget_left_nodes(), budget_nodes.saturating_sub(touches(count)));
            drop(drain);
            assert_eq!(owner.has_remainder(), (1..touches(count)).contains(&budget_nodes));
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
fn one_drain_takes_what_is_left_and_then_one_list() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..2);
    assert_eq!(numbers(owner.drain(2)), [0], "one is put in order, the other handed out");
    push_all(&inbox, 2..4);
    let mut drain = owner.drain(usize::MAX);
    assert_eq!(drain.next().map(|handle| handle.number()), Some(1));
    let _ = push(&inbox, 4);
    assert_eq!(drain.next().map(|handle| handle.number()), Some(2), "the list as it was then");
    let _ = push(&inbox, 5);
    assert_eq!(numbers(drain.by_ref()), [3, 4]);
    assert!(drain.next().is_none() && drain.next().is_none(), "the next list is the next drain's");
    drop(drain);
    assert_eq!(numbers(owner.drain(usize::MAX)), [5]);
}

#[test]
fn a_drain_ends_beside_a_pusher_that_never_rests() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let _ = push(&inbox, 0);
    for handle in owner.drain(usize::MAX) {
        assert_eq!(handle.number(), 0);
        assert!(inbox.push(Owned::new(1)).is_ok());
    }
    for handle in owner.drain_lifo(usize::MAX) {
        assert_eq!(handle.number(), 1);
        assert!(inbox.push(Owned::new(2)).is_ok());
    }
    assert_eq!(numbers(owner.drain(usize::MAX)), [2]);
}

#[test]
fn a_drain_that_found_nothing_looks_once_more_only_in_the_next() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let mut drain = owner.drain(1);
    assert!(drain.next().is_none());
    let _ = push(&inbox, 0);
    assert!(drain.next().is_none());
    assert_eq!(drain.size_hint(), (0, Some(1)));
    drop(drain);
    assert_eq!(numbers(owner.drain(1)), [0], "one alone costs one touch");
    let mut drain = owner.drain_lifo(1);
    assert!(drain.next().is_none());
    let _ = push(&inbox, 1);
    assert!(drain.next().is_none());
}

#[test]
fn an_abandoned_drain_loses_nothing() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..4);
    assert_eq!(owner.drain(usize::MAX).next().map(|handle| handle.number()), Some(0));
    assert_eq!(owner.drain_lifo(usize::MAX).next().map(|handle| handle.number()), Some(1));
    assert_eq!(numbers(owner.drain(usize::MAX)), [2, 3]);
}

#[test]
fn a_leaked_drain_leaks_what_it_had_taken_and_nothing_else() {
    let drops = Drops::default();
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    let kept: Vec<_> = (0..2).map(|number| Owned::counted(number, &drops)).collect();
    let nodes: Vec<_> = kept.iter().map(|handle| &raw const *handle.0).collect();
    kept.into_iter().for_each(|handle| drop(inbox.push(handle)));
    let mut drain = owner.drain(usize::MAX);
    drop(drain.next());
    std::mem::forget(drain);
    assert!(owner.is_empty());
    let _ = push(&inbox, 7);
    assert_eq!(numbers(owner.drain(usize::MAX)), [7], "the inbox is whole");
    drop(owner);
    drop(inbox);
    assert_eq!(drops.count(), 1);
    // SAFETY: the second item is in no structure any more, and nobody else has it.
    drop(unsafe { Box::from_raw(nodes[1].cast_mut()) });
}

#[test]
fn a_user_that_panics_in_mid_drain_loses_what_it_had_and_nothing_else() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..3);
    let drains = std::panic::AssertUnwindSafe(|| {
        owner.drain(usize::MAX).for_each(|handle| assert_ne!(handle.number(), 1));
    });
    assert!(std::panic::catch_unwind(drains).is_err());
    assert_eq!(numbers(owner.drain(usize::MAX)), [2]);
}

#[test]
fn newest_first_costs_one_touch_each_whatever_the_budget() {
    for count in 0..=MOST {
        for budget_nodes in 1..=MOST + 1 {
            let inbox: Inbox<Item> = Inbox::new();
            let mut owner = inbox.take_owner().unwrap();
            push_all(&inbox, 0..count);
            let mut got = Vec::new();
            while !owner.is_empty() {
                let mut drain = owner.drain_lifo(budget_nodes);
                let delivered = drain.by_ref().map(|handle| got.push(handle.number())).count();
                assert_eq!(drain.budget_left_nodes(), budget_nodes - delivered);
                assert_eq!(drain.size_hint(), (0, Some(budget_nodes - delivered)));
            }
            assert_eq!(got, Vec::from_iter((0..count).rev()));
        }
    }
}

#[test]
fn mixed_drains_hand_out_every_item_once_and_keep_lists_apart() {
    for budget_nodes in 1..=2 * MOST {
        for newest_first in 0..=MOST {
            let inbox: Inbox<Item> = Inbox::new();
            let mut owner = inbox.take_owner().unwrap();
            push_all(&inbox, 0..MOST);
            let mut got = numbers(owner.drain(budget_nodes));
            push_all(&inbox, MOST..MOST + 2);
            got.extend(numbers(owner.drain_lifo(newest_first)));
            while !owner.is_empty() {
                got.extend(numbers(owner.drain(3)));
            }
            got[..MOST].sort_unstable();
            got[MOST..].sort_unstable();
            assert_eq!(got, Vec::from_iter(0..MOST + 2), "budget {budget_nodes}");
        }
    }
}

#[test]
fn what_is_in_order_comes_before_what_is_not_when_the_newest_go_first() {
    let inbox: Inbox<Item> = Inbox::new();
    let mut owner = inbox.take_owner().unwrap();
    push_all(&inbox, 0..4);
    assert_eq!(owner.drain(2).count(), 0, "items 3 and 2 are put in order");
    assert_eq!(numbers(owner.drain_lifo(usize::MAX)), [2, 3, 1, 0]);
}

#[test]
fn taking_all_takes_remainder_and_list_in_push_order() {
    for budget_nodes in 0..=6 {
        let inbox: Inbox<Item> = Inbox::new();
        let mut owner = inbox.take_owner().unwrap();
        push_all(&inbox, 0..3);
        let mut got = numbers(owner.drain(budget_nodes));
        push_all(&inbox, 3..5);
        let mut all = owner.take_all();
        assert_eq!(all.len() + got.len(), 5);
        assert!(owner.is_empty() && owner.take_all().is_empty());
        // The list can be spliced on.
        all.push_back(Owned::new(5));
        got.extend(numbers(all));
        assert_eq!(got, Vec::from_iter(0..6), "budget {budget_nodes}");
        assert_eq!(push(&inbox, 6), Ok(mpsc_inbox::Pushed::First));
    }
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
