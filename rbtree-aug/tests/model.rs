//! Random histories beside a sorted list and brute force, with a full check after every step.

mod common;

use std::ptr::NonNull;

use common::{Coarse, Entity, Fine, Kind, Lives, Owned, entity};
use proptest::prelude::*;
use rbtree_aug::{Augment, Contains, CursorMut, MinDeadline, Refused, Tree};

/// Ranks are counted around.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Insert {
        key: i32,
        deadline: u32,
    },
    InsertUnique {
        key: i32,
        deadline: u32,
    },
    Append(Vec<i32>),
    Remove(usize),
    PopFirst,
    PopLast,
    SetDeadline(usize, u32),
    /// New key and deadline, by node or through the guard.
    Move {
        at: usize,
        key: i32,
        deadline: u32,
        guarded: bool,
    },
    MoveFirst(i32),
    MoveLast(i32),
    /// A node with this key in the place of another, by node or by cursor.
    Replace {
        at: usize,
        key: i32,
        by_cursor: bool,
    },
    /// At a cursor on a rank, or past the end.
    InsertBeside {
        at: usize,
        key: i32,
        before: bool,
    },
    RemoveAt(usize),
    Clear,
}

pub(crate) fn op() -> impl Strategy<Value = Op> {
    // Few keys and deadlines, so that equal ones are common.
    let key = || -8..8;
    let deadline = || prop_oneof![9 => 0..20_u32, 1 => Just(u32::MAX)];
    let at = any::<usize>;
    prop_oneof![
        30 => (key(), deadline()).prop_map(|(key, deadline)| Op::Insert { key, deadline }),
        10 => (key(), deadline()).prop_map(|(key, deadline)| Op::InsertUnique { key, deadline }),
        2 => prop::collection::vec(key(), 0..6).prop_map(|mut keys| { keys.sort(); Op::Append(keys) }),
        1 => prop::collection::vec(key(), 0..6).prop_map(Op::Append),
        15 => at().prop_map(Op::Remove),
        4 => Just(Op::PopFirst),
        4 => Just(Op::PopLast),
        5 => (at(), deadline()).prop_map(|(at, to)| Op::SetDeadline(at, to)),
        10 => (at(), key(), deadline(), any::<bool>())
            .prop_map(|(at, key, deadline, guarded)| Op::Move { at, key, deadline, guarded }),
        2 => key().prop_map(Op::MoveFirst),
        2 => key().prop_map(Op::MoveLast),
        5 => (at(), key(), any::<bool>())
            .prop_map(|(at, key, by_cursor)| Op::Replace { at, key, by_cursor }),
        5 => (at(), key(), any::<bool>())
            .prop_map(|(at, key, before)| Op::InsertBeside { at, key, before }),
        3 => at().prop_map(Op::RemoveAt),
        1 => Just(Op::Clear),
    ]
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Entry {
    key: i32,
    id: u32,
    deadline: u32,
}

/// What the tree is, in order.
struct Model(Vec<Entry>);

impl Model {
    fn insert(&mut self, entry: Entry) {
        let at = self.0.partition_point(|other| other.key <= entry.key);
        self.0.insert(at, entry);
    }

    /// Whether a key may stand in front of `at`, the next one being at `next`.
    fn fits(&self, key: i32, at: usize, next: usize) -> bool {
        at.checked_sub(1).is_none_or(|before| self.0[before].key <= key)
            && self.0.get(next).is_none_or(|next| key <= next.key)
    }

    fn move_to(&mut self, at: usize, key: i32, deadline: u32) {
        let moved = Entry { key, deadline, ..self.0[at] };
        if self.fits(key, at, at + 1) {
            self.0[at] = moved;
        } else {
            self.0.remove(at);
            self.insert(moved);
        }
    }
}

fn seen<K: Kind>(node: &Entity<K>) -> Entry {
    Entry { key: node.key.get(), id: node.id, deadline: node.deadline.get() }
}

fn nth<K: Kind>(tree: &Tree<Entity<K>>, rank: usize) -> NonNull<Entity<K>> {
    NonNull::from(tree.iter().nth(rank).expect("in range"))
}

/// A cursor on that rank, or past the end.
fn cursor_at<K: Kind>(tree: &mut Tree<Entity<K>>, rank: usize) -> CursorMut<'_, Entity<K>> {
    let mut cursor = tree.cursor_mut();
    (0..rank).for_each(|_| cursor.move_next());
    cursor
}

fn apply<K: Kind>(tree: &mut Tree<Entity<K>>, model: &mut Model, lives: &Lives, id: u32, op: Op) {
    let len = model.0.len();
    let new = |key, deadline| (entity::<K>(lives, id, key, deadline), Entry { key, id, deadline });
    let of = |owned: Owned<K>| seen(&owned.0);
    match op {
        Op::Insert { key, deadline } => {
            let (node, entry) = new(key, deadline);
            tree.insert(node).expect("unlinked");
            model.insert(entry);
        }
        Op::InsertUnique { key, deadline } => {
            let (node, entry) = new(key, deadline);
            let is_there = model.0.iter().any(|other| other.key == key);
            match tree.insert_unique(node) {
                Ok(()) => assert!(!is_there, "two with key {key}"),
                Err(Refused::Equal(node)) => assert!(is_there && of(node) == entry),
                Err(refused) => panic!("{refused}"),
            }
            if !is_there {
                model.insert(entry);
            }
        }
        Op::Append(keys) => {
            let nodes: Vec<_> = keys.iter().map(|key| new(*key, 7)).collect();
            nodes.iter().for_each(|(_, entry)| model.insert(*entry));
            let appended = tree.append(nodes.into_iter().map(|(node, _)| node));
            assert_eq!(appended.expect("unlinked"), keys.len());
        }
        Op::PopFirst => {
            let expected = (len > 0).then(|| model.0.remove(0));
            assert_eq!(tree.pop_first().map(of), expected);
        }
        Op::PopLast => assert_eq!(tree.pop_last().map(of), model.0.pop()),
        Op::InsertBeside { at, key, before } => {
            let at = at % (len + 1);
            let (node, entry) = new(key, 3);
            let mut cursor = cursor_at(tree, at);
            let (inserted, gap) = match before {
                true => (cursor.insert_before(node), at),
                // Behind what is past the end is in front of all.
                false => (cursor.insert_after(node), if at == len { 0 } else { at + 1 }),
            };
            assert_eq!(inserted.is_ok(), model.fits(key, gap, gap));
            match inserted {
                Ok(()) => model.0.insert(gap, entry),
                Err(Refused::OutOfOrder(node)) => assert_eq!(of(node), entry),
                Err(refused) => panic!("{refused}"),
            }
        }
        Op::Clear => {
            tree.clear();
            model.0.clear();
        }
        _ if len == 0 => {
            assert!(tree.update_first().is_none() && tree.update_last().is_none());
            assert!(tree.cursor_mut().remove().is_none() && tree.cursor_mut().update().is_none());
            assert!(matches!(tree.cursor_mut().replace(new(1, 1).0), Err(Refused::Absent(_))));
        }
        Op::Remove(at) => {
            let rank = at % len;
            // SAFETY: In this tree.
            let removed = unsafe { tree.remove(nth(tree, rank)) };
            assert_eq!(removed.map(of), Some(model.0.remove(rank)));
        }
        Op::RemoveAt(at) => {
            let rank = at % len;
            let mut cursor = cursor_at(tree, rank);
            assert_eq!(cursor.remove().map(of), Some(model.0.remove(rank)));
            assert_eq!(cursor.get().map(seen), model.0.get(rank).copied(), "on to the next");
            assert_eq!(cursor.as_cursor().get().map(seen), model.0.get(rank).copied());
        }
        Op::SetDeadline(at, to) => {
            let rank = at % len;
            model.0[rank].deadline = to;
            let node = nth(tree, rank);
            // SAFETY: Live, and in this tree.
            unsafe {
                node.as_ref().deadline.set(to);
                tree.update_summary(node);
            }
        }
        Op::Move { at, key, deadline, guarded } => {
            let rank = at % len;
            model.move_to(rank, key, deadline);
            let node = nth(tree, rank);
            // SAFETY: Live, and in this tree.
            unsafe {
                if guarded {
                    let guard = tree.update(node).expect("linked");
                    guard.key.set(key);
                    guard.as_ptr().as_ref().deadline.set(deadline);
                } else {
                    node.as_ref().key.set(key);
                    node.as_ref().deadline.set(deadline);
                    tree.reposition(node);
                }
            }
        }
        Op::MoveFirst(key) => {
            model.move_to(0, key, model.0[0].deadline);
            tree.update_first().expect("not empty").key.set(key);
        }
        Op::MoveLast(key) => {
            model.move_to(len - 1, key, model.0[len - 1].deadline);
            tree.update_last().expect("not empty").key.set(key);
        }
        Op::Replace { at, key, by_cursor } => {
            let rank = at % len;
            let (node, entry) = new(key, 11);
            let replaced = if by_cursor {
                let mut cursor = cursor_at(tree, rank);
                let replaced = cursor.replace(node);
                let there = if replaced.is_ok() { entry } else { model.0[rank] };
                assert_eq!(cursor.get().map(seen), Some(there));
                // A guard that changes nothing moves nothing.
                drop(cursor.update().expect("on a node"));
                replaced
            } else {
                // SAFETY: In this tree.
                unsafe { tree.replace(nth(tree, rank), node) }
            };
            assert_eq!(replaced.is_ok(), model.fits(key, rank, rank + 1));
            match replaced {
                Ok(old) => assert_eq!(of(old), std::mem::replace(&mut model.0[rank], entry)),
                Err(Refused::OutOfOrder(node)) => assert_eq!(of(node), entry),
                Err(refused) => panic!("{refused}"),
            }
        }
    }
}

fn compare<K: Kind, At>(tree: &Tree<Entity<K>>, model: &Model)
where
    K::Augment: Contains<Entity<K>, MinDeadline, At>,
{
    assert_eq!(tree.check(), Ok(()));
    let all = &model.0;
    assert_eq!((tree.len(), tree.is_empty()), (all.len(), all.is_empty()));
    assert!(tree.iter().map(seen).eq(all.iter().copied()), "forwards");
    assert!(tree.iter().rev().map(seen).eq(all.iter().rev().copied()), "backwards");
    assert_eq!(tree.iter().size_hint(), (all.len(), Some(all.len())));
    assert_eq!(tree.first().map(seen), all.first().copied());
    assert_eq!(tree.last().map(seen), all.last().copied());

    let fold = tree.iter().map(K::Augment::measure).reduce(K::Augment::join);
    assert!(tree.summary() == fold, "the summary of all");

    for bound in if cfg!(miri) { -1..=1 } else { -9..=8 } {
        let below = all.partition_point(|entry| entry.key < bound);
        let up_to = all.partition_point(|entry| entry.key <= bound);
        let at = |rank: usize| all.get(rank).copied();
        assert_eq!(tree.lower_bound(&bound).get().map(seen), at(below), "from {bound}");
        assert_eq!(tree.upper_bound(&bound).get().map(seen), at(up_to), "behind {bound}");
        assert_eq!(tree.get(&bound).map(seen), at(below).filter(|_| below < up_to), "at {bound}");

        // `min_by_key` answers with the first of the least.
        let expected = all[..up_to].iter().min_by_key(|entry| entry.deadline).copied();
        let picked = tree.earliest_deadline(&bound).map(seen);
        let while_below = tree.earliest_deadline_while(|key| *key <= bound).map(seen);
        assert_eq!(while_below, picked, "the same prefix, by what it answers");
        assert_eq!(picked, expected, "the earliest up to {bound}");
    }
}

fn run<K: Kind, At>(history: &[Op])
where
    K::Augment: Contains<Entity<K>, MinDeadline, At>,
{
    let lives = Lives::default();
    let (mut tree, mut model) = (Tree::<Entity<K>>::new(), Model(Vec::new()));
    for (id, op) in history.iter().enumerate() {
        apply(&mut tree, &mut model, &lives, id as u32, op.clone());
        compare(&tree, &model);
        assert_eq!(lives.alive(), model.0.len(), "a node was lost, or kept");
    }
    drop(tree);
    assert_eq!(lives.alive(), 0);
}

/// Runs one history, and compares after every step; with each of two augmentations.
pub(crate) fn check(history: &[Op]) {
    run::<Coarse, _>(history);
    run::<Fine, _>(history);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 1 } else { 256 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn every_history_does_what_a_sorted_map_does(
        ops in prop::collection::vec(op(), 1..if cfg!(miri) { 16 } else { 150 })
    ) {
        check(&ops);
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
    let key = |node: &Entity| node.key.get();
    let mut keys = Vec::new();
    for _ in 0..4 {
        keys.push(cursor.get().map(key));
        cursor.move_next();
    }
    assert_eq!(keys, [Some(2), Some(3), None, Some(1)]);
    cursor.move_prev();
    cursor.move_prev();
    assert_eq!(cursor.get().map(key), None);
    cursor.move_prev();
    assert_eq!(cursor.get().map(key), Some(3));

    let mut ends = tree.iter();
    assert_eq!(ends.next().map(key), Some(1));
    assert_eq!(ends.next_back().map(key), Some(3));
    assert_eq!(ends.len(), 1);
    assert_eq!(ends.next().map(key), Some(2));
    assert!(ends.next().is_none() && ends.next_back().is_none());

    let mut cursor = tree.lower_bound_mut(&2);
    cursor.move_prev();
    assert_eq!(cursor.get().map(key), Some(1));
    cursor.move_prev();
    assert_eq!(cursor.get().map(key), None);
    cursor.move_prev();
    assert_eq!(cursor.get().map(key), Some(3));
    assert_eq!(tree.upper_bound_mut(&2).get().map(key), Some(3));
    assert_eq!(tree.cursor_mut().get().map(key), Some(1));
}
