//! Small scope, exhaustively: every shape that any history can reach, and every operation on it.

use core::cell::Cell;
use core::ptr::NonNull;
use std::boxed::Box;
use std::collections::{BTreeMap, VecDeque};
use std::vec::Vec;

use crate::augment::Augment;
use crate::link::{Link, Linked};
use crate::node::{Node, Side};
use crate::provided::{Deadline, MinDeadline};
use crate::trace::{Case, recorded::hits};
use crate::tree::Tree;

struct Entity {
    link: Link<Entity>,
    key: u128,
    deadline: Cell<u32>,
}

// SAFETY: `link` is the field of that name. Pointers come from `Bed`, which outlives its tree.
unsafe impl Linked for Entity {
    type Handle = NonNull<Entity>;
    type Key = u128;
    type Augment = (MinDeadline, InOrder);

    fn key(&self) -> u128 {
        self.key
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl Deadline for Entity {
    type Deadline = u32;

    fn deadline(&self) -> u32 {
        self.deadline.get()
    }
}

/// First key, last key and their number: wrong as soon as a join is left out or turned round.
struct InOrder;

impl Augment<Entity> for InOrder {
    type Summary = (u128, u128, usize);

    fn measure(node: &Entity) -> Self::Summary {
        (node.key, node.key, 1)
    }

    fn join(left: Self::Summary, right: Self::Summary) -> Self::Summary {
        assert!(left.1 < right.0, "a summary was joined out of order");
        (left.0, right.1, left.2 + right.2)
    }
}

/// A tree and the nodes in it.
struct Bed {
    tree: Tree<Entity>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// Insert behind so many nodes.
    Insert(usize),
    /// Remove the node behind so many.
    Remove(usize),
}

impl Bed {
    fn new() -> Self {
        Bed { tree: Tree::new() }
    }

    fn replay(steps: &[Step]) -> Self {
        let mut bed = Bed::new();
        steps.iter().for_each(|step| bed.step(*step));
        bed
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Insert(gap) => {
                let before = gap.checked_sub(1).map_or(0, |last| self.nth(last).key);
                let behind = if gap < self.tree.len() { self.nth(gap).key } else { u128::MAX };
                let key = before + (behind - before) / 2;
                assert!(before < key && key < behind, "keys are used up");
                let deadline = Cell::new((key >> 7) as u32 % 5);
                let node = Box::new(Entity { link: Link::new(), key, deadline });
                self.tree.insert(NonNull::from(Box::leak(node))).expect("unlinked");
            }
            Step::Remove(rank) => {
                let node = NonNull::from(self.nth(rank));
                // SAFETY: In this tree.
                let node = unsafe { self.tree.remove(node) }.expect("linked");
                free(node);
            }
        }
    }

    fn nth(&self, rank: usize) -> &Entity {
        self.tree.iter().nth(rank).expect("in range")
    }

    /// Colours and structure in pre-order.
    fn shape(&self) -> Vec<u8> {
        fn walk(node: Option<Node<Entity>>, out: &mut Vec<u8>) {
            let Some(node) = node else { return out.push(b'.') };
            out.push(if node.is_red() { b'r' } else { b'B' });
            walk(node.child(Side::Left), out);
            walk(node.child(Side::Right), out);
        }
        let mut out = Vec::new();
        walk(self.tree.root, &mut out);
        out
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        while let Some(node) = self.tree.pop_last() {
            free(node);
        }
    }
}

fn free(node: NonNull<Entity>) {
    // SAFETY: Leaked by `Bed::step`, and out of its tree.
    drop(unsafe { Box::from_raw(node.as_ptr()) });
}

/// Every shape of at most `nodes_max` nodes, with the shortest history that makes it, each of
/// whose steps, and every other step from every shape, goes through `visit`.
fn every_shape(nodes_max: usize, mut visit: impl FnMut(&[Step], Step)) -> Vec<Vec<Step>> {
    let mut known = BTreeMap::from([(Bed::new().shape(), Vec::new())]);
    let mut todo = VecDeque::from([Vec::new()]);
    while let Some(history) = todo.pop_front() {
        let len = Bed::replay(&history).tree.len();
        let inserts = (0..=len).map(Step::Insert).filter(|_| len < nodes_max);
        for step in inserts.chain((0..len).map(Step::Remove)) {
            visit(&history, step);
            let mut longer = history.clone();
            longer.push(step);
            let shape = Bed::replay(&longer).shape();
            known.entry(shape).or_insert_with(|| {
                todo.push_back(longer.clone());
                longer
            });
        }
    }
    known.into_values().collect()
}

fn rotations() -> u64 {
    hits(Case::Rotation, Side::Left) + hits(Case::Rotation, Side::Right)
}

#[test]
fn every_step_from_every_shape_keeps_every_invariant() {
    let nodes_max = if cfg!(miri) { 3 } else { 9 };
    let mut rotations_max = [0; 2];
    let shapes = every_shape(nodes_max, |history, step| {
        let mut bed = Bed::replay(history);
        let before = rotations();
        bed.step(step);
        let taken = rotations() - before;
        let (kind, bound) = match step {
            Step::Insert(_) => (0, 2),
            Step::Remove(_) => (1, 3),
        };
        assert!(taken <= bound, "{taken} rotations in {step:?} after {history:?}");
        rotations_max[kind] = taken.max(rotations_max[kind]);

        assert_eq!(bed.tree.check(), Ok(()), "{step:?} after {history:?}");
        let all: Vec<u128> = bed.tree.iter().map(|node| node.key).collect();
        let back: Vec<u128> = bed.tree.iter().rev().map(|node| node.key).collect();
        assert!(all.is_sorted() && all.iter().rev().eq(&back) && all.len() == bed.tree.len());
    });
    if cfg!(miri) {
        return;
    }
    // Of the 213 red-black trees that there are of 0 to 9 nodes. The others have no history at
    // all, or none that stays within 9 nodes.
    assert_eq!(shapes.len(), 172, "the scope has changed");
    assert_eq!(rotations_max, [2, 3], "the bounds are reached");
    for side in [Side::Left, Side::Right] {
        for case in [
            Case::InsertRedUncle,
            Case::InsertInner,
            Case::InsertOuter,
            Case::EraseRedSibling,
            Case::EraseBlackNephewsBlackParent,
            Case::EraseBlackNephewsRedParent,
            Case::EraseInnerNephew,
            Case::EraseOuterNephew,
        ] {
            assert!(hits(case, side) > 0, "no step took {case:?} on the {side:?}");
        }
    }
    for case in [Case::InsertRoot, Case::InsertBlackParent, Case::EraseRoot] {
        assert!(hits(case, Side::Left) > 0, "no step took {case:?}");
    }
}

#[test]
fn every_search_in_every_shape_finds_the_first_of_the_earliest() {
    let nodes_max = if cfg!(miri) { 2 } else { 6 };
    for history in every_shape(nodes_max, |_, _| {}) {
        let mut bed = Bed::replay(&history);
        let len = bed.tree.len();
        let values = len.min(4);
        for assignment in 0..values.pow(len as u32) {
            let mut digits = assignment;
            for node in &bed.tree {
                node.deadline.set((digits % values) as u32);
                digits /= values;
            }
            bed.tree.recompute_all();
            assert_eq!(bed.tree.check(), Ok(()));
            for prefix in 0..=len {
                let bound = prefix.checked_sub(1).map_or(0, |last| bed.nth(last).key);
                let expected = bed.tree.iter().take(prefix).min_by_key(|node| node.deadline());
                let found = bed.tree.earliest_deadline(&bound);
                assert_eq!(
                    found.map(|node| node.key),
                    expected.map(|node| node.key),
                    "deadlines number {assignment} in a prefix of {prefix} after {history:?}"
                );
            }
        }
    }
}
