//! A handle on its way into a tree.

use core::fmt;
use core::mem;
use core::ptr::NonNull;

use crate::handle::Handle;
use crate::link::{Linked, SummaryOf};
use crate::node::{self, Node};

/// A node that is claimed: nobody else can link it, whatever code from outside does meanwhile. If its
/// way in ends early, the handle is dropped.
pub(crate) struct Newcomer<T: Linked>(NonNull<T>);

impl<T: Linked> Newcomer<T> {
    pub(crate) fn claim(handle: T::Handle) -> Result<Self, AlreadyLinked<T::Handle>> {
        let pointer = handle.into_raw();
        // SAFETY: The pointer comes from a handle.
        if unsafe { node::claim(pointer) } {
            Ok(Newcomer(pointer))
        } else {
            // SAFETY: From `into_raw` of this handle type, and the only `from_raw` since.
            Err(AlreadyLinked(unsafe { T::Handle::from_raw(pointer) }))
        }
    }

    /// What was a member: its membership ends here.
    pub(crate) fn detached(node: Node<T>) -> Self {
        Newcomer(node.detach())
    }

    pub(crate) fn value(&self) -> &T {
        // SAFETY: From a handle: live, and no `&mut` exists.
        unsafe { self.0.as_ref() }
    }

    /// Makes it a childless member under `parent`.
    pub(crate) fn attach(self, parent: Option<Node<T>>, summary: SummaryOf<T>) -> Node<T> {
        let pointer = self.0;
        mem::forget(self);
        // SAFETY: The pointer comes from a handle that is given away until `detach`, and the claim
        // keeps it out of other trees.
        unsafe { Node::attach(pointer, parent, summary) }
    }

    pub(crate) fn into_handle(self) -> T::Handle {
        let pointer = self.0;
        mem::forget(self);
        // SAFETY: Claimed, and in no tree, by this type's invariant.
        unsafe { node::unclaim(pointer) };
        // SAFETY: From `into_raw` of this handle type; `self` is forgotten, so this is the one.
        unsafe { T::Handle::from_raw(pointer) }
    }
}

impl<T: Linked> Drop for Newcomer<T> {
    fn drop(&mut self) {
        drop(Newcomer(self.0).into_handle());
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

/// Why a node was not let in where it was meant to stand. The handle is inside.
pub enum Refused<H> {
    /// The node is in a tree already.
    Linked(H),
    /// A node with an equal key is in the tree.
    Equal(H),
    /// Its key does not fit between those on both sides.
    OutOfOrder(H),
    /// There is no node in whose place it could stand.
    Absent(H),
}

impl<H> Refused<H> {
    /// The handle that was refused.
    #[must_use]
    pub fn into_inner(self) -> H {
        match self {
            Refused::Linked(handle)
            | Refused::Equal(handle)
            | Refused::OutOfOrder(handle)
            | Refused::Absent(handle) => handle,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Refused::Linked(_) => "Linked",
            Refused::Equal(_) => "Equal",
            Refused::OutOfOrder(_) => "OutOfOrder",
            Refused::Absent(_) => "Absent",
        }
    }
}

impl<H> From<AlreadyLinked<H>> for Refused<H> {
    fn from(AlreadyLinked(handle): AlreadyLinked<H>) -> Self {
        Refused::Linked(handle)
    }
}

impl<H> fmt::Debug for Refused<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(self.name()).finish_non_exhaustive()
    }
}

impl<H> fmt::Display for Refused<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refused::Linked(_) => "the node is in a tree already",
            Refused::Equal(_) => "a node with an equal key is in the tree",
            Refused::OutOfOrder(_) => "the key does not fit between its neighbours",
            Refused::Absent(_) => "there is no node in whose place it could stand",
        })
    }
}

impl<H> core::error::Error for Refused<H> {}
