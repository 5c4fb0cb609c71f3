//! Random histories beside a sorted map and brute force, with a full check after every step.

mod common;

use std::collections::BTreeMap;
use std::ptr::NonNull;

use common::{Entity, Lives, Sequence, entity};
use proptest::prelude::*;
use rbtree_aug::{Augment, MinDeadline, Tree};

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Insert {
        key: i32,
        deadline: u32,
    },
    /// The node of this rank, counted around.
    Remove(usize),
    PopFirst,
    PopLast,
    SetDeadline(usize, u32),
    Clear,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    // Few keys and deadlines, so that equal ones are common.
    let (key, deadline) = (-8..8, prop_oneof![9 => 0..20_u32, 1 => Just(u32::MAX)]);
    prop_oneof![
        40 => (key, deadline.clone()).prop_map(|(key, deadline)| Op::Insert { key, deadline }),
        20 => any::<usize>().prop_map(Op::Remove),
        5 => Just(Op::PopFirst),
        5 => Just(Op::PopLast),
        10 => (any::<usize>(), deadline).prop_map(|(at, to)| Op::SetDeadline(at, to)),
        1 => Just(Op::Clear),
    ]
}

/// Key and order of arrival → id and deadline.
type Model = BTreeMap<(i32, u32), u32>;

fn nth(tree: &Tree<Entity>, rank: usize) -> NonNull<Entity> {
    NonNull::from(tree.iter().nth(rank).expect("in range"))
}

fn apply(tree: &mut Tree<Entity>, model: &mut Model, lives: &Lives, id: u32, op: Op) {
    let id_of = |owned: common::Owned| (owned.0.key, owned.0.id);
    match op {
        Op::Insert { key, deadline } => {
            tree.insert(entity(lives, id, key, deadline)).expect("unlinked");
            model.insert((key, id), deadline);
        }
        Op::Remove(at) if !model.is_empty() => {
            let rank = at % model.len();
            let expected = *model.keys().nth(rank).expect("in range");
            // SAFETY: In this tree.
            let removed = unsafe { tree.remove(nth(tree, rank)) };
            assert_eq!(removed.map(id_of), Some(expected));
            model.remove(&expected);
        }
        Op::PopFirst => {
            assert_eq!(tree.pop_first().map(id_of), model.pop_first().map(|(key, _)| key));
        }
        Op::PopLast => {
            assert_eq!(tree.pop_last().map(id_of), model.pop_last().map(|(key, _)| key));
        }
        Op::SetDeadline(at, to) if !model.is_empty() => {
            let rank = at % model.len();
            *model.values_mut().nth(rank).expect("in range") = to;
            let node = nth(tree, rank);
            // SAFETY: Live, and in this tree.
            unsafe {
                node.as_ref().deadline.set(to);
                tree.update_summary(node);
            }
        }
        Op::Clear => {
            tree.clear();
            model.clear();
        }
        Op::Remove(_) | Op::SetDeadline(..) => {}
    }
}

fn compare(tree: &Tree<Entity>, model: &Model) {
    assert_eq!(tree.check(), Ok(()));
    assert_eq!((tree.len(), tree.is_empty()), (model.len(), model.is_empty()));
    let place = |node: &Entity| (node.key, node.id);
    assert!(tree.iter().map(place).eq(model.keys().copied()), "forwards");
    assert!(tree.iter().rev().map(place).eq(model.keys().rev().copied()), "backwards");
    assert_eq!(tree.first().map(place), model.keys().next().copied());
    assert_eq!(tree.last().map(place), model.keys().next_back().copied());

    assert_eq!(tree.summary(), model.values().min().copied(), "the summary of all");

    for bound in -9..=8 {
        let from = |key| model.range((key, 0)..).next().map(|(place, _)| *place);
        assert_eq!(tree.lower_bound(&bound).get().map(place), from(bound), "from {bound}");
        let equal = from(bound).filter(|(key, _)| *key == bound);
        assert_eq!(tree.get(&bound).map(place), equal, "at {bound}");

        // `min_by_key` answers with the first of the least.
        let prefix = model.range(..=(bound, u32::MAX));
        let expected = prefix.min_by_key(|(_, deadline)| **deadline).map(|(place, _)| *place);
        let picked = tree.earliest_deadline(&bound).map(place);
        let while_below = tree.earliest_deadline_while(|key| *key <= bound).map(place);
        assert_eq!(while_below, picked, "the same prefix, by what it answers");
        assert_eq!(picked, expected, "the earliest up to {bound}");
    }
}

/// Runs one history on both, and compares after every step.
pub(crate) fn check(history: Vec<Op>) {
    let lives = Lives::default();
    let (mut tree, mut model) = (Tree::new(), Model::new());
    for (id, op) in history.into_iter().enumerate() {
        apply(&mut tree, &mut model, &lives, id as u32, op);
        compare(&tree, &model);
        assert_eq!(lives.alive(), model.len(), "a node was lost, or kept");
    }
    drop(tree);
    assert_eq!(lives.alive(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_does_what_a_sorted_map_does(
        ops in prop::collection::vec(op(), 1..if cfg!(miri) { 16 } else { 200 })
    ) {
        check(ops);
    }

    #[test]
    fn summaries_join_associatively(nodes in prop::array::uniform3((any::<u32>(), any::<u32>()))) {
        type Pair = (MinDeadline, Sequence);
        let lives = Lives::default();
        let [a, b, c] = nodes.map(|(id, deadline)| {
            <Pair as Augment<Entity>>::measure(&entity(&lives, id, 0, deadline).0)
        });
        let join = <Pair as Augment<Entity>>::join;
        prop_assert_eq!(join(join(a, b), c), join(a, join(b, c)));
    }
}

#[test]
fn a_cursor_walks_both_ways_and_through_the_end() {
    let lives = Lives::default();
    let mut tree = Tree::<Entity>::new();
    for key in [2, 1, 3] {
        tree.insert(entity(&lives, 0, key, 0)).expect("unlinked");
    }
    let mut cursor = tree.lower_bound(&2);
    let mut keys = Vec::new();
    for _ in 0..4 {
        keys.push(cursor.get().map(|node| node.key));
        cursor.move_next();
    }
    assert_eq!(keys, [Some(2), Some(3), None, Some(1)]);
    cursor.move_prev();
    cursor.move_prev();
    assert_eq!(cursor.get().map(|node| node.key), None);
    cursor.move_prev();
    assert_eq!(cursor.get().map(|node| node.key), Some(3));

    let mut ends = tree.iter();
    assert_eq!(ends.next().map(|node| node.key), Some(1));
    assert_eq!(ends.next_back().map(|node| node.key), Some(3));
    assert_eq!(ends.len(), 1);
    assert_eq!(ends.next().map(|node| node.key), Some(2));
    assert!(ends.next().is_none() && ends.next_back().is_none());
}
