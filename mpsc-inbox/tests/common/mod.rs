//! A counted node, and a handle of our own for it, so that these tests need no feature.
#![allow(dead_code, reason = "no test file needs all of it")]

use mpsc_inbox::{Closed, Handle, Inbox, Link, Linked, Pushed, Unique};
use std::ptr::NonNull;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many items have been dropped.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drops(Arc<AtomicUsize>);

impl Drops {
    pub(crate) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn add(&self, count: usize) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }
}

#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) number: usize,
    drops: Drops,
    link: Link<Item>,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.drops.add(1);
    }
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Item {
    type Handle = Owned;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}

#[derive(Debug)]
pub(crate) struct Owned(pub(crate) Box<Item>);

impl Owned {
    pub(crate) fn new(number: usize) -> Self {
        Self::counted(number, &Drops::default())
    }

    pub(crate) fn counted(number: usize, drops: &Drops) -> Self {
        Self(Box::new(Item { number, drops: drops.clone(), link: Link::new() }))
    }

    pub(crate) fn number(&self) -> usize {
        self.0.number
    }
}

// SAFETY: a box and its pointer are one address with the whole item's provenance, and nobody else has it meanwhile.
unsafe impl Handle for Owned {
    type Target = Item;

    fn into_raw(self) -> NonNull<Item> {
        NonNull::new(Box::into_raw(self.0)).expect("a box is not null")
    }

    unsafe fn from_raw(raw: NonNull<Item>) -> Self {
        // SAFETY: `raw` was a box and is turned back once.
        Self(unsafe { Box::from_raw(raw.as_ptr()) })
    }
}

// SAFETY: a box owns its item alone.
unsafe impl Unique for Owned {}

/// Pushes a fresh item; the outcome, or the number of the item that was refused.
pub(crate) fn push(inbox: &Inbox<Item>, number: usize) -> Result<Pushed, usize> {
    inbox.push(Owned::new(number)).map_err(|Closed(refused)| refused.number())
}

/// The numbers of some handles.
pub(crate) fn numbers(handles: impl IntoIterator<Item = Owned>) -> Vec<usize> {
    handles.into_iter().map(|handle| handle.number()).collect()
}

/// Pushes fresh items into an open inbox.
pub(crate) fn push_all(inbox: &Inbox<Item>, numbers: std::ops::Range<usize>) {
    for number in numbers {
        let _ = push(inbox, number).expect("it is open");
    }
}
