//! One CPU's last records.
//!
//! A seqlock over the whole ring: two counters say which records may be half-written, so that a record needs no word
//! beside its own four, and a writer never waits.
//!
//! ```text
//!        done − CAPACITY                    done    begun
//!   ───────────┴──────── readable ───────────┴─ now ──┴───
//! ```
//!
//! # Invariants
//!
//! - **TR1** There is one writer at a time: the CPU itself, with interrupts masked. (Two at a time mix up records, and do
//!   no other harm.)
//! - **TR2** Record `n` stands in slot `n % CAPACITY`; `begun > n` before its first word is written, `done > n` after
//!   its last.
//! - **TR3** A reader's copy of record `n` is whole if `done > n` before the copy and `begun <= n + CAPACITY` after it:
//!   the record that will overwrite it had not begun.

use super::record::{Kind, Record, WORDS};
use crate::sync::{AtomicU64, Ordering, const_fn, fence};
use core::fmt;

/// Room for the last `CAPACITY` records of one writer; older ones are overwritten.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`push`](Self::push) | wait-free | the one writer, interrupts masked | no | seven stores |
/// | [`read`](Self::read), [`Reader::next`] | wait-free | anywhere | no | `CAPACITY` copies, if the writer is fast |
/// | [`written`](Self::written), [`count`](Self::count) | wait-free | anywhere | no | one load |
///
/// `CAPACITY` is a power of two; anything else does not compile.
#[repr(align(128))]
pub struct Ring<const CAPACITY: usize> {
    /// Records whose writing has begun.
    begun: AtomicU64,
    /// Records that are written.
    done: AtomicU64,
    /// How many of each kind.
    counts: [AtomicU64; Kind::ALL.len()],
    slots: [[AtomicU64; WORDS]; CAPACITY],
}

impl<const CAPACITY: usize> Ring<CAPACITY> {
    const_fn! {
        /// An empty ring.
        pub const fn new() -> Self {
            const { assert!(CAPACITY.is_power_of_two(), "CAPACITY is a power of two") };
            Self {
                begun: AtomicU64::new(0),
                done: AtomicU64::new(0),
                #[cfg(not(loom))]
                counts: [const { AtomicU64::new(0) }; Kind::ALL.len()],
                #[cfg(loom)]
                counts: core::array::from_fn(|_| AtomicU64::new(0)),
                #[cfg(not(loom))]
                slots: [const { [const { AtomicU64::new(0) }; WORDS] }; CAPACITY],
                #[cfg(loom)]
                slots: core::array::from_fn(|_| core::array::from_fn(|_| AtomicU64::new(0))),
            }
        }
    }

    fn slot(&self, number: u64) -> &[AtomicU64; WORDS] {
        &self.slots[number as usize % CAPACITY]
    }

    /// Writes a record over the oldest one, by the one writer (TR1).
    pub fn push(&self, record: Record) {
        // Ordering: Relaxed; the writer's own.
        let number = self.begun.load(Ordering::Relaxed);
        // Ordering: Relaxed; ordered before the words by the fence.
        self.begun.store(number + 1, Ordering::Relaxed);
        // Ordering: Release pairs with the Acquire fence in `Reader::next`: who copies a word of this record sees that
        // it has begun (TR3).
        fence(Ordering::Release);
        for (slot, word) in self.slot(number).iter().zip(record.to_words()) {
            // Ordering: Relaxed; see the fence above and the store below.
            slot.store(word, Ordering::Relaxed);
        }
        let count = &self.counts[record.kind.index()];
        // Ordering: Relaxed; one writer, and readers want a number only.
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        // Ordering: Release pairs with the Acquire in `read`: who sees the number sees the words.
        self.done.store(number + 1, Ordering::Release);
    }

    /// The records that are there now, the oldest first. The writer may go on meanwhile; what it overwrites before it
    /// was read is passed over, and counted by [`Reader::lost`].
    pub fn read(&self) -> Reader<'_, CAPACITY> {
        let end = self.written();
        let oldest = end.saturating_sub(CAPACITY as u64);
        Reader { ring: self, next: oldest, end, lost: oldest }
    }

    /// Records that were ever written: the last `CAPACITY` of them are there.
    pub fn written(&self) -> u64 {
        // Ordering: Acquire pairs with the Release in `push`.
        self.done.load(Ordering::Acquire)
    }

    /// Records of one kind that were ever written.
    pub fn count(&self, kind: Kind) -> u64 {
        // Ordering: Relaxed; a number for people.
        self.counts[kind.index()].load(Ordering::Relaxed)
    }
}

impl<const CAPACITY: usize> Default for Ring<CAPACITY> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAPACITY: usize> fmt::Debug for Ring<CAPACITY> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ring")
            .field("capacity", &CAPACITY)
            .field("written", &self.written())
            .finish_non_exhaustive()
    }
}

/// The records of a ring as they were when reading began, see [`Ring::read`].
#[must_use = "records are read as the iterator is driven"]
pub struct Reader<'a, const CAPACITY: usize> {
    ring: &'a Ring<CAPACITY>,
    next: u64,
    end: u64,
    lost: u64,
}

impl<const CAPACITY: usize> Reader<'_, CAPACITY> {
    /// Records written before the last one that was read, and not to be read any more: overwritten, before this reader
    /// came or under its eyes.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

impl<const CAPACITY: usize> Iterator for Reader<'_, CAPACITY> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while self.next < self.end {
            let number = self.next;
            let mut words = [0; WORDS];
            for (word, slot) in words.iter_mut().zip(self.ring.slot(number)) {
                // Ordering: Relaxed; ordered by the Acquire in `written` and the fence below.
                *word = slot.load(Ordering::Relaxed);
            }
            // Ordering: Acquire pairs with the Release fence in `push`.
            fence(Ordering::Acquire);
            // Ordering: Relaxed; ordered after the words by the fence.
            let begun = self.ring.begun.load(Ordering::Relaxed);
            let oldest = begun.saturating_sub(CAPACITY as u64);
            if number < oldest {
                self.next = oldest.min(self.end);
                self.lost += self.next - number;
                continue;
            }
            self.next += 1;
            match Record::from_words(words) {
                Some(record) => return Some(record),
                // The work of two writers at once.
                None => self.lost += 1,
            }
        }
        None
    }
}

impl<const CAPACITY: usize> fmt::Debug for Reader<'_, CAPACITY> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("next", &self.next)
            .field("end", &self.end)
            .field("lost", &self.lost)
            .finish_non_exhaustive()
    }
}
