//! The state word: what a pusher and the owner say to each other in one pointer. Pure: no atomics here.
//!
//! | word | means |
//! |---|---|
//! | `EMPTY` (null) | nothing pushed; the owner will look by itself |
//! | `ARMED` (address 1) | nothing pushed; the owner wants to be told |
//! | `CLOSED` (address 2) | pushes are refused |
//! | any other | the newest node of a chain that runs to the oldest |
//!
//! The transitions, and who makes them:
//!
//! | from | pusher: push | owner: take | owner: arm | owner: disarm | owner: close | owner: reopen |
//! |---|---|---|---|---|---|---|
//! | `EMPTY` | list, *first* | – | `ARMED` | – | `CLOSED` | – |
//! | `ARMED` | list, *kick owed* | – | – | `EMPTY` | `CLOSED` | – |
//! | list | list, *joined* | `EMPTY` | refused | – | `CLOSED`, and the list comes out | – |
//! | `CLOSED` | refused | – | – | – | – | `EMPTY` |
//!
//! - **H1** Only a push makes a word a list, and only the owner makes a list another word than a longer list.
//! - **H2** Only the owner enters or leaves `CLOSED`.
//! - **H3** No node has the address of a sentinel: nodes are aligned to 4 at least ([`Link`](crate::Link)).

use core::fmt;
use core::ptr::{self, NonNull};

/// A state word, read.
pub(crate) enum Head<T> {
    Empty,
    Armed,
    Closed,
    /// The newest node.
    List(NonNull<T>),
}

impl<T> Head<T> {
    pub(crate) const EMPTY: *mut T = ptr::null_mut();
    pub(crate) const ARMED: *mut T = ptr::without_provenance_mut(1);
    pub(crate) const CLOSED: *mut T = ptr::without_provenance_mut(2);

    /// H3, as a check of the node type when an inbox for it is made.
    pub(crate) const NODES_MISS_THE_SENTINELS: () =
        assert!(align_of::<T>() >= 4, "a node embeds its link, and so has a link's alignment");

    pub(crate) fn decode(word: *mut T) -> Self {
        match NonNull::new(word) {
            None => Self::Empty,
            Some(_) if word == Self::ARMED => Self::Armed,
            Some(_) if word == Self::CLOSED => Self::Closed,
            Some(newest) => Self::List(newest),
        }
    }

    /// The newest node, if the word was a list.
    pub(crate) fn list(self) -> Option<NonNull<T>> {
        match self {
            Self::List(newest) => Some(newest),
            Self::Empty | Self::Armed | Self::Closed => None,
        }
    }
}

impl<T> fmt::Debug for Head<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "Empty",
            Self::Armed => "Armed",
            Self::Closed => "Closed",
            Self::List(_) => "List",
        })
    }
}
