//! The tree: what it is, its ends, its end.
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

use crate::link::Linked;
use crate::newcomer::Newcomer;
use crate::node::{self, Node, Side};

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

    /// Hands every handle back. O(n), without recursion. See [`Tree`] for what that means.
    ///
    /// If dropping a handle panics, the others are still dropped, and the tree is empty.
    pub fn clear(&mut self) {
        drop(mem::take(self));
    }

    pub(crate) fn end(&self, side: Side) -> Option<Node<T>> {
        self.ends[side as usize]
    }

    /// The node at `pointer` as the tree has it; `None` if it is in no tree.
    ///
    /// # Safety
    ///
    /// `pointer` points to a live value that is in this tree or in none.
    pub(crate) unsafe fn member(&self, pointer: NonNull<T>) -> Option<Node<T>> {
        // SAFETY: The caller's promise.
        let node = unsafe { node::stored(pointer, self.root) }?;
        debug_assert!(self.is_under_root(node), "the node is in another tree");
        Some(node)
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
        self.put_in_place_of(leaf, None);
        Some((Newcomer::detached(leaf).into_handle(), parent))
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
