//! Sorted run queues: two intrusive trees, and the standard map and heap with the node's number behind the key.

use intrusive_collections::{KeyAdapter, RBTree, RBTreeLink, UnsafeRef, intrusive_adapter};
use rbtree_aug::{Deadline, Link, Linked, MinDeadline, Tree};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::ptr::NonNull;

/// A queue of entities that are served in the order of their vruntime.
pub(super) trait Queue: 'static {
    const NAME: &'static str;

    fn new() -> Self;
    fn enqueue(&mut self, id: u32, vruntime: u64);
    /// Takes the first out, and puts it back `advance` later.
    fn serve_first(&mut self, advance: u64);
}

/// What an entity asks for at once.
const REQUEST: u64 = 1_000;

/// Entities are leaked by the row that makes them: a queue lives as long as the process.
pub(super) struct Ours(Tree<OurEntity>);

pub(super) struct OurEntity {
    link: Link<OurEntity>,
    vruntime: u64,
    deadline: u64,
    _id: u32,
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made.
unsafe impl Linked for OurEntity {
    type Handle = &'static mut Self;
    type Key = u64;
    type Augment = MinDeadline;

    fn key(&self) -> u64 {
        self.vruntime
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: `node` points to an entity (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

impl Deadline for OurEntity {
    type Deadline = u64;

    fn deadline(&self) -> u64 {
        self.deadline
    }
}

impl Queue for Ours {
    const NAME: &'static str = crate::work::OURS;

    fn new() -> Self {
        Self(Tree::new())
    }

    fn enqueue(&mut self, id: u32, vruntime: u64) {
        let entity =
            OurEntity { link: Link::new(), vruntime, deadline: vruntime + REQUEST, _id: id };
        self.0.insert(Box::leak(Box::new(entity))).expect("new");
    }

    #[inline]
    fn serve_first(&mut self, advance: u64) {
        let entity = self.0.pop_first().expect("not empty");
        entity.vruntime += advance;
        entity.deadline = entity.vruntime + REQUEST;
        self.0.insert(entity).expect("out of the tree");
    }
}

pub(super) struct Intrusive(RBTree<EntityAdapter>);

pub(super) struct Entity {
    link: RBTreeLink,
    vruntime: u64,
    deadline: u64,
    _id: u32,
}

intrusive_adapter!(EntityAdapter = UnsafeRef<Entity>: Entity { link => RBTreeLink });

impl<'a> KeyAdapter<'a> for EntityAdapter {
    type Key = u64;

    fn get_key(&self, entity: &'a Entity) -> u64 {
        entity.vruntime
    }
}

impl Queue for Intrusive {
    const NAME: &'static str = "intrusive-collections";

    fn new() -> Self {
        Self(RBTree::new(EntityAdapter::new()))
    }

    fn enqueue(&mut self, id: u32, vruntime: u64) {
        let entity =
            Entity { link: RBTreeLink::new(), vruntime, deadline: vruntime + REQUEST, _id: id };
        self.0.insert(UnsafeRef::from_box(Box::new(entity)));
    }

    #[inline]
    fn serve_first(&mut self, advance: u64) {
        let entity = UnsafeRef::into_raw(self.0.front_mut().remove().expect("not empty"));
        // SAFETY: the entity came from a box that is never freed, and is in no tree now: nobody else has it.
        unsafe {
            (*entity).vruntime += advance;
            (*entity).deadline = (*entity).vruntime + REQUEST;
            self.0.insert(UnsafeRef::from_raw(entity));
        }
    }
}

/// The entity lies in the map: no node of its own to touch.
pub(super) struct Map(BTreeMap<(u64, u32), u64>);

impl Queue for Map {
    const NAME: &'static str = "BTreeMap";

    fn new() -> Self {
        Self(BTreeMap::new())
    }

    fn enqueue(&mut self, id: u32, vruntime: u64) {
        self.0.insert((vruntime, id), vruntime + REQUEST);
    }

    #[inline]
    fn serve_first(&mut self, advance: u64) {
        let ((vruntime, id), _) = self.0.pop_first().expect("not empty");
        self.enqueue(id, vruntime + advance);
    }
}

/// Has the least at hand and nothing else in order: no removal, no search.
pub(super) struct Heap(BinaryHeap<Reverse<(u64, u32, u64)>>);

impl Queue for Heap {
    const NAME: &'static str = "BinaryHeap";

    fn new() -> Self {
        Self(BinaryHeap::new())
    }

    fn enqueue(&mut self, id: u32, vruntime: u64) {
        self.0.push(Reverse((vruntime, id, vruntime + REQUEST)));
    }

    #[inline]
    fn serve_first(&mut self, advance: u64) {
        let Reverse((vruntime, id, _)) = self.0.pop().expect("not empty");
        self.enqueue(id, vruntime + advance);
    }
}
