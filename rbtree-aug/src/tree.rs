//! The tree: insertion, removal, both ends, lookup.
//!
//! - T1. The nodes under `root` are a binary search tree by key, as far as keys answered
//!   consistently; equal keys stand in the order of insertion.
//! - T2. `ends` are the first and the last node, `len` counts them.
//! - T3. Code from outside (keys, augmentations, drops) runs only while R1 to R3 and T2 hold, and
//!   while every handle is in the tree or in a value that drops it: so a panic there loses nothing.

use core::fmt;
use core::marker::PhantomData;
use core::mem;
use core::ptr::NonNull;

use crate::augment::Augment;
use crate::cursor::{Cursor, Iter};
use crate::handle::Handle;
use crate::link::{Linked, SummaryOf};
use crate::node::{self, Node, Side};
use crate::settle::{Touched, propagate};

/// An intrusive red-black tree. See the [crate's page](crate) for what each operation costs.
///
/// Dropping it hands every handle back, once each, in O(n) and without recursion: boxes are freed,
/// raw pointers are only unlinked. It may be moved at any time; nodes do not point to it.
pub struct Tree<T: Linked> {
    pub(crate) root: Option<Node<T>>,
    pub(crate) ends: [Option<Node<T>>; 2],
    pub(crate) len: usize,
    owns: PhantomData<T::Handle>,
}

// SAFETY: The tree owns its handles and has no other state; whoever has the tree may take them out.
// Links go where the tree goes (see `Link`).
unsafe impl<T: Linked> Send for Tree<T> where T::Handle: Send {}
// SAFETY: A shared tree gives out `&T` alone and writes nothing.
unsafe impl<T: Linked + Sync> Sync for Tree<T> {}

const _: () = {
    #[allow(dead_code, reason = "checked by the compiler, never called")]
    fn tree_goes_with_its_handles<T: Linked + Sync>()
    where
        T::Handle: Send,
    {
        fn send_and_sync<X: Send + Sync>() {}
        send_and_sync::<Tree<T>>();
    }
};

impl<T: Linked> Tree<T> {
    /// An empty tree.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(align_of::<T>() >= 2, "the link is not a field of its node") };
        Tree { root: None, ends: [None, None], len: 0, owns: PhantomData }
    }

    /// How many nodes there are. Constant time.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no node. Constant time.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Inserts a node, behind all whose key is equal. O(log n), at most two rotations.
    ///
    /// If a key's comparison panics, the handle is dropped and the tree is as before. If the
    /// augmentation panics, the node is either dropped like that or a member already.
    ///
    /// # Errors
    ///
    /// [`AlreadyLinked`] with the handle inside, if the node is in a tree: this one or another.
    pub fn insert(&mut self, handle: T::Handle) -> Result<(), AlreadyLinked<T::Handle>> {
        let newcomer = Newcomer::<T>(handle.into_raw());
        let place = self.place_of(newcomer.value());
        let summary = T::Augment::measure(newcomer.value());

        // Asked after the last code from outside, which might have inserted the same node (behind
        // a shared handle) into another tree.
        // SAFETY: The pointer comes from a handle.
        if unsafe { node::is_linked(newcomer.0) } {
            return Err(AlreadyLinked(newcomer.into_handle()));
        }
        let parent = place.map(|(parent, _)| parent);
        // SAFETY: The pointer comes from a handle that is given away until `detach`, and was just
        // seen to be unlinked.
        let node = unsafe { Node::attach(newcomer.into_raw(), parent, summary) };
        match place {
            None => {
                self.root = Some(node);
                self.ends = [Some(node); 2];
            }
            Some((parent, side)) => {
                parent.set_child(side, Some(node));
                // T2: the newcomer is an end exactly if it is next to what was the end.
                if self.end(side) == Some(parent) {
                    self.ends[side as usize] = Some(node);
                }
            }
        }
        self.len += 1;

        let mut touched = Touched::new(parent, None);
        self.rebalance_inserted(node, &mut touched);
        touched.settle();
        Ok(())
    }

    /// Takes a node out and gives its handle back; `None` if it is in no tree. O(log n), at most
    /// three rotations. The pointer may be made from a `&T`; the handle comes from the tree.
    ///
    /// # Safety
    ///
    /// `node` points to a live value that is in this tree or in none.
    pub unsafe fn remove(&mut self, node: NonNull<T>) -> Option<T::Handle> {
        // SAFETY: Live, and linked here or nowhere, by the caller's promise.
        let node = unsafe { node::stored(node, self.root) }?;
        debug_assert!(self.is_under_root(node), "the node is in another tree");
        Some(self.take(node))
    }

    /// Takes the first node out. O(log n).
    pub fn pop_first(&mut self) -> Option<T::Handle> {
        self.end(Side::Left).map(|node| self.take(node))
    }

    /// Takes the last node out. O(log n).
    pub fn pop_last(&mut self) -> Option<T::Handle> {
        self.end(Side::Right).map(|node| self.take(node))
    }

    /// The first node: the least key, inserted first among its equals. Constant time.
    #[must_use]
    pub fn first(&self) -> Option<&T> {
        self.end(Side::Left).map(Node::value)
    }

    /// The last node: the greatest key, inserted last among its equals. Constant time.
    #[must_use]
    pub fn last(&self) -> Option<&T> {
        self.end(Side::Right).map(Node::value)
    }

    /// The first node whose key is equal to `key`. O(log n).
    #[must_use]
    pub fn get(&self, key: &T::Key) -> Option<&T> {
        self.lower_bound(key).get().filter(|node| node.key() == *key)
    }

    /// A cursor on the first node whose key is not less than `key`, or past the end. O(log n).
    #[must_use]
    pub fn lower_bound(&self, key: &T::Key) -> Cursor<'_, T> {
        let (mut next, mut found) = (self.root, None);
        while let Some(node) = next {
            let before = node.value().key() < *key;
            if !before {
                found = next;
            }
            next = node.child(if before { Side::Right } else { Side::Left });
        }
        Cursor::new(self, found)
    }

    /// A cursor on the first node, or past the end of an empty tree. Constant time.
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_, T> {
        Cursor::new(self, self.end(Side::Left))
    }

    /// All nodes in order; also backwards. Constant time per step, amortised.
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// The summary of all nodes, or `None` for an empty tree. Constant time.
    #[must_use]
    pub fn summary(&self) -> Option<SummaryOf<T>> {
        self.root.map(Node::summary)
    }

    /// Brings the summaries up to date after what is measured of `node` has changed. O(log n), and
    /// no further up than summaries change. Nothing happens if the node is in no tree.
    ///
    /// # Safety
    ///
    /// As for [`remove`](Self::remove).
    pub unsafe fn update_summary(&mut self, node: NonNull<T>) {
        // SAFETY: Live, and linked here or nowhere, by the caller's promise.
        if let Some(node) = unsafe { node::stored(node, self.root) } {
            debug_assert!(self.is_under_root(node), "the node is in another tree");
            propagate(node);
        }
    }

    /// Hands every handle back. O(n), without recursion. See [`Tree`] for what that means.
    ///
    /// If dropping a handle panics, the others are still dropped, and the tree is empty.
    pub fn clear(&mut self) {
        drop(mem::take(self));
    }

    pub(crate) fn end(&self, side: Side) -> Option<Node<T>> {
        self.ends[side as usize]
    }

    /// Under which node, and where, a newcomer goes. Runs the comparisons.
    fn place_of(&self, newcomer: &T) -> Option<(Node<T>, Side)> {
        let key = newcomer.key();
        let (mut next, mut place) = (self.root, None);
        while let Some(node) = next {
            let side = if key < node.value().key() { Side::Left } else { Side::Right };
            place = Some((node, side));
            next = node.child(side);
        }
        place
    }

    fn take(&mut self, node: Node<T>) -> T::Handle {
        for side in [Side::Left, Side::Right] {
            if self.end(side) == Some(node) {
                self.ends[side as usize] = node.neighbour(!side);
            }
        }
        self.len -= 1;
        let touched = self.erase(node);
        // SAFETY: N1: from `into_raw` of this handle type, and handed back once, as it is detached.
        let handle = unsafe { T::Handle::from_raw(node.detach()) };
        // T3: the handle is a value again before code from outside runs.
        touched.settle();
        handle
    }

    /// Whether the parents of `node` lead to this tree's root.
    fn is_under_root(&self, mut node: Node<T>) -> bool {
        while let Some(parent) = node.parent() {
            node = parent;
        }
        self.root == Some(node)
    }

    /// Takes any leaf out, from left to right and children first, without rebalancing.
    fn take_leaf(&mut self, from: Option<Node<T>>) -> Option<(T::Handle, Option<Node<T>>)> {
        let mut leaf = from.or(self.root)?;
        while let Some(child) = leaf.child(Side::Left).or(leaf.child(Side::Right)) {
            leaf = child;
        }
        let parent = leaf.parent();
        self.replace(leaf, None);
        // SAFETY: N1: from `into_raw` of this handle type, and handed back once, as it is detached.
        Some((unsafe { T::Handle::from_raw(leaf.detach()) }, parent))
    }
}

impl<T: Linked> Default for Tree<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Linked> Drop for Tree<T> {
    fn drop(&mut self) {
        /// Goes on where a drop that panicked stopped.
        struct Rest<'a, T: Linked>(&'a mut Tree<T>);

        impl<T: Linked> Rest<'_, T> {
            fn hand_back(&mut self) {
                let mut from = None;
                while let Some((handle, parent)) = self.0.take_leaf(from) {
                    from = parent;
                    drop(handle);
                }
            }
        }

        impl<T: Linked> Drop for Rest<'_, T> {
            fn drop(&mut self) {
                self.hand_back();
            }
        }

        Rest(self).hand_back();
    }
}

impl<T: Linked> fmt::Debug for Tree<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").field("len", &self.len).finish_non_exhaustive()
    }
}

/// A handle on its way in. If that way ends early, the handle is dropped.
struct Newcomer<T: Linked>(NonNull<T>);

impl<T: Linked> Newcomer<T> {
    fn value(&self) -> &T {
        // SAFETY: From a handle: live, and no `&mut` exists.
        unsafe { self.0.as_ref() }
    }

    fn into_raw(self) -> NonNull<T> {
        let pointer = self.0;
        mem::forget(self);
        pointer
    }

    fn into_handle(self) -> T::Handle {
        // SAFETY: From `into_raw` of this handle type; `self` is forgotten, so this is the one.
        unsafe { T::Handle::from_raw(self.into_raw()) }
    }
}

impl<T: Linked> Drop for Newcomer<T> {
    fn drop(&mut self) {
        // SAFETY: From `into_raw` of this handle type; neither `into_raw` nor `into_handle` ran.
        drop(unsafe { T::Handle::from_raw(self.0) });
    }
}

/// The node is in a tree already. The handle is inside.
pub struct AlreadyLinked<H>(pub H);

impl<H> AlreadyLinked<H> {
    /// The handle that was refused.
    #[must_use]
    pub fn into_inner(self) -> H {
        self.0
    }
}

impl<H> fmt::Debug for AlreadyLinked<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlreadyLinked").finish_non_exhaustive()
    }
}

impl<H> fmt::Display for AlreadyLinked<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node is in a tree already")
    }
}

impl<H> core::error::Error for AlreadyLinked<H> {}
