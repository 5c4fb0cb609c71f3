//! A node that counts its lives, with an owning handle that needs no feature.
#![allow(dead_code, unreachable_pub, reason = "shared by the tests, each of which uses its part")]

use std::cell::Cell;
use std::fmt;
use std::marker::PhantomData;
use std::ptr::NonNull;
use std::rc::Rc;

use rbtree_aug::{Augment, Count, Deadline, Handle, Link, Linked, MinDeadline};

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

pub struct Entity<K: Kind = Coarse> {
    link: Link<Entity<K>>,
    pub key: Cell<i32>,
    pub deadline: Cell<u32>,
    pub id: u32,
    lives: Lives,
    kind: PhantomData<K>,
}

/// What entities are augmented with.
pub trait Kind: Sized {
    type Augment: Augment<Entity<Self>>;
}

/// Updates often stop early.
pub enum Coarse {}

/// A join left out or turned round shows, and every update goes to the root.
pub enum Fine {}

impl Kind for Coarse {
    type Augment = MinDeadline;
}

impl Kind for Fine {
    type Augment = ((Sequence, MinDeadline), Count);
}

impl<K: Kind> Entity<K> {
    pub fn is_linked(&self) -> bool {
        self.link.is_linked()
    }
}

impl<K: Kind> fmt::Debug for Entity<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} due {}", self.id, self.key.get(), self.deadline.get())
    }
}

impl<K: Kind> Drop for Entity<K> {
    fn drop(&mut self) {
        assert!(!self.is_linked(), "dropped while linked");
        self.lives.0.0.set(self.lives.0.0.get() - 1);
        self.lives.0.1.set(self.lives.0.1.get() + 1);
    }
}

/// Owns its entity, like a box.
#[derive(Debug)]
pub struct Owned<K: Kind = Coarse>(pub Box<Entity<K>>);

pub fn entity<K: Kind>(lives: &Lives, id: u32, key: i32, deadline: u32) -> Owned<K> {
    lives.0.0.set(lives.0.0.get() + 1);
    Owned(Box::new(Entity {
        link: Link::new(),
        key: Cell::new(key),
        deadline: Cell::new(deadline),
        id,
        lives: lives.clone(),
        kind: PhantomData,
    }))
}

// SAFETY: As for a box: the place is stable and owned, and nothing panics.
unsafe impl<K: Kind> Handle for Owned<K> {
    type Target = Entity<K>;

    fn into_raw(self) -> NonNull<Entity<K>> {
        NonNull::from(Box::leak(self.0))
    }

    unsafe fn from_raw(pointer: NonNull<Entity<K>>) -> Self {
        // SAFETY: From a leaked box, once (contract of `from_raw`).
        Owned(unsafe { Box::from_raw(pointer.as_ptr()) })
    }
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl<K: Kind> Linked for Entity<K> {
    type Handle = Owned<K>;
    type Key = i32;
    type Augment = K::Augment;

    fn key(&self) -> i32 {
        self.key.get()
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl<K: Kind> Deadline for Entity<K> {
    type Deadline = u32;

    fn deadline(&self) -> u32 {
        self.deadline.get()
    }
}

/// A polynomial hash of the ids in order: associative, does not commute, and sees every node.
#[derive(Debug)]
pub enum Sequence {}

pub const BASE: u64 = 0x9E37_79B9_7F4A_7C15;

impl<K: Kind> Augment<Entity<K>> for Sequence {
    /// Hash and the power of the base for the length.
    type Summary = (u64, u64);

    fn measure(node: &Entity<K>) -> (u64, u64) {
        (u64::from(node.id) + 1, BASE)
    }

    fn join(left: (u64, u64), right: (u64, u64)) -> (u64, u64) {
        let hash = left.0.wrapping_mul(right.1).wrapping_add(right.0);
        (hash, left.1.wrapping_mul(right.1))
    }
}
