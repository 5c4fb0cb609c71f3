//! The ring of word-sized slots: the only reads and writes of slots are here.
//!
//! Every access is a relaxed atomic one, so no interleaving of owner and thieves is a data race. A word that
//! is read is not yet an item: only the one who owns the position (`owner`, `stealer`) makes an item of it.
//! A thief that reads a slot too late reads the word of a later position, and throws it away, since its
//! compare-and-swap then fails (`stealer`, S3).

use crate::index::{self, Position};
use crate::sync::{AtomicPtr, Ordering};
use core::ptr;

pub(crate) struct Slots<const N: usize> {
    words: [AtomicPtr<()>; N],
}

impl<const N: usize> Slots<N> {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { words: [const { AtomicPtr::new(ptr::null_mut()) }; N] }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { words: core::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())) }
    }

    #[inline]
    pub(crate) fn load(&self, position: Position) -> *mut () {
        // Ordering: none of its own. A thief's acquire of `bottom` (S2) makes the word of its position
        // visible before this load; the owner reads what its own thread wrote.
        self.word(position).load(Ordering::Relaxed)
    }

    #[inline]
    pub(crate) fn store(&self, position: Position, word: *mut ()) {
        // Ordering: none of its own. The owner's release store of `bottom` (O2) publishes it.
        self.word(position).store(word, Ordering::Relaxed);
    }

    #[inline]
    fn word(&self, position: Position) -> &AtomicPtr<()> {
        &self.words[index::slot::<N>(position)]
    }
}
