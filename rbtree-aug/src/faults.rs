//! The self-check finds what is wrong: one invariant after the other is broken, and named.

use core::cell::Cell;
use core::mem::ManuallyDrop;
use core::ptr::NonNull;
use std::string::ToString;
use std::vec::Vec;

use crate::check::Fault;
use crate::link::{Link, Linked};
use crate::node::{Colour, Node, Side};
use crate::provided::Count;
use crate::tree::Tree;

struct Entity {
    link: Link<Entity>,
    key: Cell<u32>,
}

// SAFETY: `link` is the field of that name. Pointers come from one vector, which outlives the tree.
unsafe impl Linked for Entity {
    type Handle = NonNull<Entity>;
    type Key = u32;
    type Augment = Count;

    fn key(&self) -> u32 {
        self.key.get()
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

type Change = fn(&mut Tree<Entity>);

/// What `check` says of `len` nodes with the keys 0, 1, … after `change`. Of seven:
///
/// ```text
///      1
///     / \
///    0   r3
///       /  \
///      2    5
///          / \
///        r4   r6
/// ```
fn found(len: u32, change: Change) -> Result<(), Fault> {
    let new = |key| Entity { link: Link::new(), key: Cell::new(key) };
    let mut entities: Vec<Entity> = (0..len).map(new).collect();
    let base = entities.as_mut_ptr();
    // Not dropped: it may no longer end.
    let mut tree = ManuallyDrop::new(Tree::new());
    for index in 0..len as usize {
        // SAFETY: In bounds, and of the vector's own provenance; the vector is not touched below.
        let node = unsafe { NonNull::new_unchecked(base.add(index)) };
        tree.insert(node).expect("unlinked");
    }
    assert_eq!(tree.check(), Ok(()));
    change(&mut tree);
    let found = tree.check();
    drop(entities);
    found
}

fn nth(tree: &Tree<Entity>, rank: usize) -> Node<Entity> {
    let first = tree.end(Side::Left).expect("not empty");
    (0..rank).fold(first, |node, _| node.neighbour(Side::Right).expect("in range"))
}

#[test]
fn every_fault_is_found_and_named() {
    use Colour::{Black, Red};
    let all: [(u32, Change, Fault); 16] = [
        (7, |tree| tree.ends[0] = tree.root, Fault::End),
        (7, |tree| tree.ends[1] = tree.root, Fault::End),
        (7, |tree| nth(tree, 1).set_parent(Some(nth(tree, 3))), Fault::Parent),
        (7, |tree| nth(tree, 0).set_parent(Some(nth(tree, 3))), Fault::Parent),
        (7, |tree| nth(tree, 6).set_parent(None), Fault::Parent),
        (7, |tree| nth(tree, 1).paint(Red), Fault::RedRoot),
        (7, |tree| nth(tree, 5).paint(Red), Fault::RedRed),
        (7, |tree| nth(tree, 0).paint(Red), Fault::BlackHeight),
        (7, |tree| nth(tree, 6).paint(Black), Fault::BlackHeight),
        (7, |tree| tree.len = 6, Fault::Length),
        (7, |tree| tree.len = 8, Fault::Length),
        (0, |tree| tree.len = 1, Fault::Length),
        (7, |tree| nth(tree, 3).value().key.set(1), Fault::Order),
        (7, |tree| nth(tree, 0).value().key.set(2), Fault::Order),
        (7, |tree| nth(tree, 1).set_summary(6), Fault::Summary),
        (7, |tree| nth(tree, 6).set_summary(2), Fault::Summary),
    ];
    // One at a time: what is not found may not end either.
    for (at, (len, change, fault)) in all.into_iter().enumerate() {
        assert_eq!(found(len, change), Err(fault), "number {at}");
    }
    let said = [
        (Fault::Parent, "point to its parent"),
        (Fault::RedRoot, "root is red"),
        (Fault::RedRed, "red child"),
        (Fault::BlackHeight, "black nodes"),
        (Fault::Length, "number of nodes"),
        (Fault::End, "not the end"),
        (Fault::Order, "less than the one before"),
        (Fault::Summary, "not that of its subtree"),
    ];
    for (fault, part) in said {
        assert!(fault.to_string().contains(part), "{fault}");
    }
}
