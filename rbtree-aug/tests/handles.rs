//! Linking twice, removing what is not there, and every kind of handle.

mod common;

use std::cell::Cell;
use std::fmt::Debug;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::ptr::NonNull;

use common::{Lives, entity};
use rbtree_aug::{AlreadyLinked, Handle, Link, Linked, Refused, Tree};

/// A node whose handle is of kind `K`.
struct Node<K: Kind> {
    link: Link<Node<K>>,
    key: Cell<u32>,
    kind: PhantomData<K>,
}

trait Kind: Sized {
    type Handle: Handle<Target = Node<Self>>;
}

// SAFETY: `link` is the field of that name, of this node alone, and no reference is made. The raw
// pointers of this file are to values that outlive their trees.
unsafe impl<K: Kind> Linked for Node<K> {
    type Handle = K::Handle;
    type Key = u32;
    type Augment = ();

    fn key(&self) -> u32 {
        self.key.get()
    }

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: In bounds of the value that `node` points to.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

fn node<K: Kind>(key: u32) -> Node<K> {
    Node { link: Link::new(), key: Cell::new(key), kind: PhantomData }
}

/// In, found, out by node, in again, out by an end; and what comes back can be used.
fn goes_round<K: Kind>(handles: [K::Handle; 3]) -> [K::Handle; 3] {
    let mut tree = Tree::<Node<K>>::new();
    for handle in handles {
        tree.insert(handle).expect("unlinked");
    }
    assert_eq!(tree.check(), Ok(()));
    let middle = NonNull::from(tree.get(&2).expect("there"));
    // SAFETY: In this tree.
    let handle = unsafe { tree.remove(middle) }.expect("linked");
    tree.insert(handle).expect("unlinked again");
    assert!(tree.iter().map(|node| node.key.get()).eq([1, 2, 3]));
    std::array::from_fn(|_| tree.pop_first().expect("three"))
}

macro_rules! kind {
    ($name:ident, $handle:ty) => {
        struct $name;
        impl Kind for $name {
            type Handle = $handle;
        }
    };
}

kind!(ByPointer, NonNull<Node<ByPointer>>);
kind!(ByShared, &'static Node<ByShared>);
kind!(ByExclusive, &'static mut Node<ByExclusive>);
kind!(ByPinned, Pin<&'static mut Node<ByPinned>>);

/// A leak that Miri can see is meant.
struct Leaked<T>(NonNull<T>);

impl<T> Leaked<T> {
    fn new(value: T) -> Self {
        Leaked(NonNull::from(Box::leak(Box::new(value))))
    }
}

impl<T> Drop for Leaked<T> {
    fn drop(&mut self) {
        // SAFETY: Leaked once, in `new`; the test is over with it.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

#[test]
fn pointers_go_round() {
    let nodes = [1, 2, 3].map(|key| Leaked::new(node(key)));
    let back = goes_round::<ByPointer>(nodes.each_ref().map(|node| node.0));
    assert_eq!(back, nodes.each_ref().map(|node| node.0));
}

#[test]
fn shared_references_go_round() {
    let nodes = [1, 2, 3].map(|key| Leaked::new(node(key)));
    // SAFETY: Not freed before the end of the test, after the last use.
    let back = goes_round::<ByShared>(nodes.each_ref().map(|node| unsafe { node.0.as_ref() }));
    assert!(back.iter().all(|node| !node.link.is_linked()));
}

#[test]
fn exclusive_references_go_round() {
    let nodes = [1, 2, 3].map(|key| Leaked::new(node(key)));
    // SAFETY: Not freed before the end of the test, after the last use; one reference each.
    let handles = nodes.each_ref().map(|node| unsafe { &mut *node.0.as_ptr() });
    for node in goes_round::<ByExclusive>(handles) {
        *node.key.get_mut() += 1;
    }
}

#[test]
fn pinned_references_go_round() {
    let nodes = [1, 2, 3].map(|key| Leaked::new(node(key)));
    // SAFETY: Not freed before the end of the test, after the last use; one reference each.
    let handles = nodes.each_ref().map(|node| unsafe { Pin::new_unchecked(&mut *node.0.as_ptr()) });
    let back = goes_round::<ByPinned>(handles);
    assert_eq!(back[2].key.get(), 3);
}

#[cfg(feature = "alloc")]
#[allow(clippy::arc_with_non_send_sync, reason = "one thread is what is tested")]
mod owned {
    use super::*;
    use std::sync::Arc;

    kind!(ByBox, Box<Node<ByBox>>);
    kind!(ByArc, Arc<Node<ByArc>>);
    kind!(ByPinnedBox, Pin<Box<Node<ByPinnedBox>>>);
    kind!(ByPinnedArc, Pin<Arc<Node<ByPinnedArc>>>);

    #[test]
    fn boxes_go_round() {
        for mut node in goes_round::<ByBox>([1, 2, 3].map(|key| Box::new(node(key)))) {
            *node.key.get_mut() += 1;
        }
        goes_round::<ByPinnedBox>([1, 2, 3].map(|key| Box::pin(node(key))));
    }

    #[test]
    fn counts_go_round() {
        let kept = [1, 2, 3].map(|key| Arc::new(node(key)));
        let back = goes_round::<ByArc>(kept.each_ref().map(Arc::clone));
        assert!(back.iter().all(|node| Arc::strong_count(node) == 2 && !node.link.is_linked()));
        goes_round::<ByPinnedArc>([1, 2, 3].map(|key| Arc::pin(node(key))));
    }

    #[test]
    fn a_tree_holds_one_count_and_gives_it_up() {
        let kept = Arc::new(node::<ByArc>(1));
        let mut tree = Tree::<Node<ByArc>>::new();
        tree.insert(kept.clone()).expect("unlinked");
        assert_eq!(Arc::strong_count(&kept), 2);
        drop(tree);
        assert_eq!(Arc::strong_count(&kept), 1);
        assert!(!kept.link.is_linked());
    }
}

#[test]
fn a_linked_node_is_refused_and_handed_back() {
    let nodes = [1, 2].map(|key| Leaked::new(node::<ByShared>(key)));
    // SAFETY: Not freed before the end of the test, after the last use.
    let [first, second] = nodes.each_ref().map(|node| unsafe { node.0.as_ref() });
    // Not dropped when the test fails: a walk through a node that was linked twice need not end.
    let mut tree = ManuallyDrop::new(Tree::<Node<ByShared>>::new());
    let mut other = ManuallyDrop::new(Tree::<Node<ByShared>>::new());
    tree.insert(first).expect("unlinked");
    tree.insert(second).expect("unlinked");
    assert!(first.link.is_linked() && second.link.is_linked());
    for node in [first, second] {
        let AlreadyLinked(back) = tree.insert(node).expect_err("linked here");
        assert!(std::ptr::eq(back, node));
        let error = other.insert(node).expect_err("linked elsewhere");
        assert!(std::ptr::eq(error.into_inner(), node));
    }
    assert_eq!((tree.len(), other.len()), (2, 0));
    assert_eq!((tree.check(), other.check()), (Ok(()), Ok(())));
    tree.clear();
}

#[test]
fn a_linked_node_is_refused_on_every_way_in() {
    let nodes = [1, 2, 3].map(|key| Leaked::new(node::<ByShared>(key)));
    // SAFETY: Not freed before the end of the test, after the last use.
    let [first, second, third] = nodes.each_ref().map(|node| unsafe { node.0.as_ref() });
    let mut tree = ManuallyDrop::new(Tree::<Node<ByShared>>::new());
    let mut other = ManuallyDrop::new(Tree::<Node<ByShared>>::new());
    tree.insert_unique(first).expect("unlinked");
    tree.insert_unique(second).expect("unlinked");
    other.insert(third).expect("unlinked");

    let mut refused = Vec::new();
    for target in [&mut tree, &mut other] {
        refused.push(target.insert_unique(first));
        refused.push(target.cursor_mut().insert_before(first));
        refused.push(target.cursor_mut().insert_after(first));
        refused.push(target.cursor_mut().replace(first).map(drop));
        let there = NonNull::from(target.last().expect("not empty"));
        // SAFETY: In this tree.
        refused.push(unsafe { target.replace(there, first) }.map(drop));
    }
    for error in refused {
        assert!(matches!(error, Err(Refused::Linked(back)) if std::ptr::eq(back, first)));
    }

    // The rest of a batch stays with whoever lent it.
    let mut batch = [first, second].into_iter();
    let error = other.append(&mut batch).expect_err("linked elsewhere");
    assert!(std::ptr::eq(error.into_inner(), first) && batch.len() == 1);
    assert!(Tree::<Node<ByShared>>::from_sorted([second]).is_err());
    assert_eq!((tree.check(), other.check()), (Ok(()), Ok(())));
    assert_eq!((tree.len(), other.len()), (2, 1));
    tree.clear();
    other.clear();
}

#[test]
fn what_is_refused_can_go_in_afterwards() {
    let nodes = [1, 1, 5].map(|key| Leaked::new(node::<ByShared>(key)));
    // SAFETY: Not freed before the end of the test, after the last use.
    let [one, twin, five] = nodes.each_ref().map(|node| unsafe { node.0.as_ref() });
    let mut tree = Tree::<Node<ByShared>>::new();
    tree.insert_unique(one).expect("unlinked");
    let refused = tree.insert_unique(twin).expect_err("there is one with key 1");
    assert!(matches!(refused, Refused::Equal(_)) && !twin.link.is_linked());
    let refused = tree.cursor_mut().insert_before(five).expect_err("5 is not before 1");
    assert!(matches!(refused, Refused::OutOfOrder(_)) && !five.link.is_linked());
    // SAFETY: In no tree.
    let refused = unsafe { tree.replace(NonNull::from(twin), five) }.err().expect("not there");
    assert!(matches!(refused, Refused::Absent(_)));
    tree.insert(refused.into_inner()).expect("unlinked");
    tree.insert(twin).expect("unlinked");
    assert!(tree.iter().map(|node| node.key.get()).eq([1, 1, 5]));
    assert_eq!(tree.check(), Ok(()));
    let zero = Leaked::new(node::<ByShared>(0));
    // SAFETY: In this tree; and not freed before the end of the test, after the last use.
    let old = unsafe { tree.replace(NonNull::from(one), zero.0.as_ref()) };
    assert!(old.is_ok_and(|old| std::ptr::eq(old, one)) && !one.link.is_linked());
    assert_eq!(tree.first().map(|node| node.key.get()), Some(0));
    tree.clear();
}

#[test]
fn nothing_maintained_is_no_room_taken() {
    let words = 3 * size_of::<usize>();
    assert_eq!(size_of::<Link<Node<ByShared>>>(), words);
    assert_eq!(size_of::<Link<common::Entity>>(), words + size_of::<usize>());
}

#[test]
fn a_guard_that_is_leaked_leaves_a_sound_tree() {
    let lives = Lives::default();
    let mut tree = Tree::<common::Entity>::new();
    for key in 0..9 {
        tree.insert(entity(&lives, 0, key, 0)).expect("unlinked");
    }
    let first = NonNull::from(tree.first().expect("not empty"));
    let guard = tree.update_first().expect("not empty");
    assert!(format!("{guard:?}").starts_with("Update"));
    guard.key.set(5);
    std::mem::forget(guard);
    assert_eq!(tree.check(), Err(rbtree_aug::Fault::Order));
    // SAFETY: In this tree.
    unsafe { tree.reposition(first) };
    assert_eq!(tree.check(), Ok(()));
    assert!(tree.iter().map(|node| node.key.get()).eq([1, 2, 3, 4, 5, 5, 6, 7, 8]));
}

#[test]
fn an_unlinked_node_cannot_be_removed() {
    let lives = Lives::default();
    let mut tree = Tree::<common::Entity>::new();
    let outsider = entity(&lives, 0, 0, 0);
    // SAFETY: Live, and in no tree.
    assert!(unsafe { tree.remove(NonNull::from(&*outsider.0)) }.is_none());
    tree.insert(outsider).expect("unlinked");
    let removed = tree.pop_first().expect("one");
    assert!(!removed.0.is_linked());
    // SAFETY: Live, and in no tree any more.
    unsafe {
        assert!(tree.remove(NonNull::from(&*removed.0)).is_none());
        tree.update_summary(NonNull::from(&*removed.0));
        tree.reposition(NonNull::from(&*removed.0));
        assert!(tree.update(NonNull::from(&*removed.0)).is_none());
    }
    assert!(tree.is_empty() && tree.pop_first().is_none() && tree.pop_last().is_none());
    assert!(tree.first().is_none() && tree.last().is_none() && tree.summary().is_none());
    assert!(tree.earliest_deadline(&i32::MAX).is_none() && tree.get(&0).is_none());
    assert_eq!(tree.check(), Ok(()));
}

#[test]
fn a_dropped_tree_hands_every_node_back_once() {
    let lives = Lives::default();
    for len in 0..if cfg!(miri) { 8 } else { 100 } {
        let mut tree = Tree::<common::Entity>::new();
        for id in 0..len {
            tree.insert(entity(&lives, id, (id * 37 % 64) as i32, 0)).expect("unlinked");
        }
        let before = lives.dropped();
        assert_eq!(lives.alive(), len as usize);
        drop(tree);
        assert_eq!((lives.alive(), lives.dropped() - before), (0, len as usize));
    }
}

#[test]
fn a_tree_may_be_static_and_may_move() {
    const EMPTY: Tree<common::Entity> = Tree::new();
    let lives = Lives::default();
    let mut tree = EMPTY;
    for key in 0..5 {
        tree.insert(entity(&lives, 0, key, 0)).expect("unlinked");
    }
    let moved = Box::new(tree);
    assert_eq!(moved.check(), Ok(()));
    assert_eq!(moved.iter().count(), 5);
}

#[test]
fn nothing_public_is_without_debug_and_the_error_is_an_error() {
    fn shown(value: &impl Debug) -> String {
        format!("{value:?}")
    }
    let lives = Lives::default();
    let mut tree = Tree::<common::Entity>::new();
    tree.insert(entity(&lives, 7, 1, 2)).expect("unlinked");
    assert_eq!(shown(&tree), "Tree { len: 1, .. }");
    assert_eq!(shown(&Link::<common::Entity>::new()), "Link { linked: false, .. }");
    assert!(shown(&tree.cursor()).starts_with("Cursor { at: Some(0x"));
    assert!(shown(&tree.cursor_mut()).starts_with("CursorMut"));
    assert_eq!(shown(&tree.iter()), "Iter { left: 1, .. }");
    assert_eq!(shown(&AlreadyLinked(())), "AlreadyLinked { .. }");
    let all = [
        (Refused::Linked(()), "Linked", "in a tree already"),
        (Refused::Equal(()), "Equal", "equal key"),
        (Refused::OutOfOrder(()), "OutOfOrder", "does not fit"),
        (Refused::Absent(()), "Absent", "no node"),
    ];
    for (refused, name, why) in all {
        assert!(shown(&refused).starts_with(name) && refused.to_string().contains(why));
    }
    let error: &dyn std::error::Error = &AlreadyLinked(());
    assert_eq!(error.to_string(), "the node is in a tree already");
}
