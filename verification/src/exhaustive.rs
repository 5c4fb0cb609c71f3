//! For models under loom.

use loom::cell::UnsafeCell;
use mpsc_inbox::{Link, Linked};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Branches of one execution: more than any takes, so that one that goes round in circles fails.
const MOST_BRANCHES: usize = 5_000;

/// Explores every interleaving of `body` with at most three preemptions, unless `LOOM_MAX_PREEMPTIONS` says otherwise.
pub fn model(body: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(3));
    builder.max_branches = builder.max_branches.max(MOST_BRANCHES);
    builder.check(body);
}

/// A cell without synchronisation of its own: loom fails the model where two accesses are not ordered.
#[derive(Debug, Default)]
pub struct Plain<T>(UnsafeCell<T>);

// SAFETY: whoever touches it must have been ordered after whoever did before; that this is so is what loom checks, and
// it fails the model before the access happens.
unsafe impl<T: Send> Sync for Plain<T> {}

impl<T> Plain<T> {
    /// A cell with a value.
    pub fn new(value: T) -> Self {
        Self(UnsafeCell::new(value))
    }

    /// Reads.
    #[track_caller]
    pub fn read(&self) -> T
    where
        T: Copy,
    {
        // SAFETY: loom has checked that no write is concurrent.
        self.0.with(|value| unsafe { *value })
    }

    /// Writes.
    #[track_caller]
    pub fn write(&self, to: T) {
        // SAFETY: loom has checked that no access is concurrent.
        self.0.with_mut(|value| unsafe { *value = to });
    }
}

/// Says "one at a time" of something: entering while another one is in fails the model.
///
/// Invisible to loom, so that it orders nothing.
#[derive(Debug, Default)]
pub struct Exclusive(AtomicUsize);

impl Exclusive {
    /// Nobody is in.
    pub const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Comes in; fails with `otherwise` if somebody is in.
    #[track_caller]
    pub fn enter(&self, otherwise: &str) {
        assert_eq!(self.0.fetch_add(1, Ordering::SeqCst), 0, "{otherwise}");
    }

    /// Goes out.
    pub fn leave(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// What goes through an inbox or a deque: a number, and a mark that its maker leaves, which whoever has it must see.
#[derive(Debug)]
pub struct Node {
    number: usize,
    mark: Plain<usize>,
    link: Link<Node>,
}

impl Node {
    /// A node with a number.
    pub fn new(number: usize) -> Box<Self> {
        let node = Self { number, mark: Plain::new(0), link: Link::new() };
        let node = Box::new(node);
        node.mark.write(number);
        node
    }

    /// Its number; fails the model if the node was not handed over properly.
    pub fn number(&self) -> usize {
        assert_eq!(self.mark.read(), self.number, "the mark is its maker's");
        self.number
    }
}

// SAFETY: `link` projects to the one link field, by address.
unsafe impl Linked for Node {
    type Handle = Box<Node>;

    unsafe fn link(node: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller's node is live; `&raw mut` makes an address and no reference.
        unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).link) }
    }
}
