//! A node that counts its lives, with an owning handle that needs no feature.
#![allow(dead_code, unreachable_pub, reason = "shared by the tests, each of which uses its part")]

use std::cell::Cell;
use std::fmt;
use std::ptr::NonNull;
use std::rc::Rc;

use rbtree_aug::{Augment, Deadline, Handle, Link, Linked, MinDeadline};

/// How many nodes are alive, and how many were dropped.
#[derive(Clone, Debug, Default)]
pub struct Lives(Rc<(Cell<usize>, Cell<usize>)>);

impl Lives {
    pub fn alive(&self) -> usize {
        self.0.0.get()
    }

    pub fn dropped(&self) -> usize {
        self.0.1.get()
    }
}

pub struct Entity {
    link: Link<Entity>,
    pub key: i32,
    pub deadline: Cell<u32>,
    pub id: u32,
    lives: Lives,
}

impl Entity {
    pub fn is_linked(&self) -> bool {
        self.link.is_linked()
    }
}

impl fmt::Debug for Entity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} due {}", self.id, self.key, self.deadline.get())
    }
}

impl Drop for Entity {
    fn drop(&mut self) {
        assert!(!self.is_linked(), "dropped while linked");
        self.lives.0.0.set(self.lives.0.0.get() - 1);
        self.lives.0.1.set(self.lives.0.1.get() + 1);
    }
}

/// Owns its entity, like a box.
#[derive(Debug)]
pub struct Owned(pub Box<Entity>);

pub fn entity(lives: &Lives, id: u32, key: i32, deadline: u32) -> Owned {
    lives.0.0.set(lives.0.0.get() + 1);
    let deadline = Cell::new(deadline);
    Owned(Box::new(Entity { link: Link::new(), key, deadline, id, lives: lives.clone() }))
}

// SAFETY: As for a box: the place is stable and owned, and nothing panics.
unsafe impl Handle for Owned {
    type Target = Entity;

    fn into_raw(self) -> NonNull<Entity> {
        NonNull::from(Box::leak(self.0))
    }

    unsafe fn from_raw(pointer: NonNull<Entity>) -> Self {
        // SAFETY: From a leaked box, once (contract of `from_raw`).
        Owned(unsafe { Box::from_raw(pointer.as_ptr()) })
    }
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl Linked for Entity {
    type Handle = Owned;
    type Key = i32;
    // Coarse, so that updates often stop early.
    type Augment = MinDeadline;

    fn key(&self) -> i32 {
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

/// A polynomial hash of the ids in order: associative, does not commute, and sees every node.
#[derive(Debug)]
pub struct Sequence;

pub const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

impl Augment<Entity> for Sequence {
    /// Hash and the power of the base for the length.
    type Summary = (u64, u64);

    fn measure(node: &Entity) -> (u64, u64) {
        (u64::from(node.id) + 1, BASE)
    }

    fn join(left: (u64, u64), right: (u64, u64)) -> (u64, u64) {
        let hash = left.0.wrapping_mul(right.1).wrapping_add(right.0);
        (hash, left.1.wrapping_mul(right.1))
    }
}
