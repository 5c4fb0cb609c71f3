//! How much each operation does at most, by size: the table of the crate's page.

use core::cell::Cell;
use core::cmp::Ordering;
use core::ptr::NonNull;
use std::format;
use std::string::String;
use std::vec::Vec;

use crate::link::{Link, Linked};
use crate::node::Side;
use crate::provided::{Deadline, MinDeadline};
use crate::trace::{
    Case,
    recorded::{hits, touches},
};
use crate::tree::Tree;

std::thread_local! {
    static COMPARISONS: Cell<usize> = const { Cell::new(0) };
}

#[derive(PartialEq, Eq)]
struct Key(u32);

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

struct Entity {
    link: Link<Entity>,
    vruntime: Cell<u32>,
    deadline: Cell<u32>,
}

// SAFETY: `link` is the field of that name. Pointers come from one vector, which outlives the tree.
unsafe impl Linked for Entity {
    type Handle = NonNull<Entity>;
    type Key = Key;
    type Augment = MinDeadline;

    fn key(&self) -> Key {
        Key(self.vruntime.get())
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

/// The most seen of each.
#[derive(Clone, Copy, Default)]
struct Most {
    comparisons: usize,
    touches: usize,
    rotations: u64,
}

impl Most {
    fn count(&mut self, action: impl FnOnce()) {
        let rotations = || hits(Case::Rotation, Side::Left) + hits(Case::Rotation, Side::Right);
        let before = (COMPARISONS.get(), rotations());
        let touched = touches(action);
        self.touches = self.touches.max(touched);
        self.comparisons = self.comparisons.max(COMPARISONS.get() - before.0);
        self.rotations = self.rotations.max(rotations() - before.1);
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % u64::from(bound)) as u32
    }
}

const OPERATIONS: [&str; 5] = ["insert", "remove", "pop_first", "earliest_deadline", "reposition"];

fn measured(size: u32, steps: u32) -> [Most; 5] {
    let span = 4 * size;
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let new = |vruntime| Entity {
        link: Link::new(),
        vruntime: Cell::new(vruntime),
        deadline: Cell::new(vruntime),
    };
    let mut entities: Vec<Entity> = (0..size).map(|_| new(random.below(span))).collect();
    let base: *mut Entity = entities.as_mut_ptr();
    // SAFETY: In bounds, and of the vector's own provenance; the vector is not touched below.
    let at = |index: u32| unsafe { NonNull::new_unchecked(base.add(index as usize)) };
    let mut most = [Most::default(); 5];
    let [insert, remove, pop_first, pick, reposition] = &mut most;
    let mut tree = Tree::new();
    (0..size).for_each(|index| tree.insert(at(index)).expect("unlinked"));
    for _ in 0..steps {
        let node = at(random.below(size));
        // SAFETY: Live, and in this tree or in none.
        let entity = unsafe { node.as_ref() };
        let removed = |out: Option<NonNull<Entity>>| assert!(out.is_some());
        if random.below(2) == 0 {
            // SAFETY: In this tree.
            remove.count(|| removed(unsafe { tree.remove(node) }));
            entity.vruntime.set(random.below(span));
            entity.deadline.set(random.below(span));
            insert.count(|| tree.insert(node).expect("unlinked"));
        } else {
            let mut popped = None;
            pop_first.count(|| popped = tree.pop_first());
            let popped = popped.expect("not empty");
            // SAFETY: Live.
            unsafe { popped.as_ref() }.vruntime.set(random.below(span));
            insert.count(|| tree.insert(popped).expect("unlinked"));
        }
        let bound = Key(random.below(span));
        pick.count(|| assert!(tree.earliest_deadline(&bound).is_none_or(|e| e.key() <= bound)));
        entity.vruntime.set(random.below(span));
        // SAFETY: In this tree.
        reposition.count(|| unsafe { tree.reposition(node) });
    }
    assert_eq!(tree.check(), Ok(()));
    tree.clear();
    drop(entities);
    most
}

/// The height of a red-black tree of `size` nodes is at most this.
fn height_max(size: u32) -> usize {
    2 * (size + 1).ilog2() as usize + 2
}

#[test]
fn no_operation_does_more_than_its_page_says() {
    let sizes: &[u32] = if cfg!(miri) { &[8] } else { &[8, 128, 1_024, 16_384] };
    let steps = if cfg!(miri) { 2 } else { 4_000 };
    let page = include_str!("../README.md");
    let mut rows = String::new();
    for size in sizes {
        let height = height_max(*size);
        let bounds = [
            // Down; and each rotation looks at the children of the node that goes down.
            ("insert", height, 2 * height + 6, 2),
            // To the heir, and up; beside each node on the way up its other child and its children.
            ("remove", 0, 4 * height + 8, 3),
            ("pop_first", 0, 4 * height + 8, 3),
            ("earliest_deadline", height, 2 * height, 0),
            // Neighbours, down, out, in.
            ("reposition", height + 5, 8 * height + 16, 5),
        ];
        let mut row = format!("| {size} |");
        let most = measured(*size, steps);
        for ((most, name), (bound, comparisons, touches, rotations)) in
            most.iter().zip(OPERATIONS).zip(bounds)
        {
            assert_eq!(name, bound);
            // The pick's own assertion compares once.
            let compared = most.comparisons - usize::from(name == "earliest_deadline");
            assert!(compared <= comparisons, "{compared} comparisons in {name} of {size}");
            assert!(most.touches <= touches, "{} nodes touched in {name} of {size}", most.touches);
            assert!(most.rotations <= rotations, "{} rotations in {name}", most.rotations);
            row += &format!(" {} · {} · {} |", compared, most.touches, most.rotations);
        }
        row += "\n";
        rows += &row;
    }
    assert!(cfg!(miri) || page.contains(&rows), "the page should say\n{rows}");
}
