//! What is in flight: the lists of one slot, taken whole, and worked off one entry at a time.
//!
//! - **F1** Bit `s` of `occupied` is set exactly while strand `s` holds something. `turn` is a part of
//!   `occupied`, and empty only with it: the strands that still have their turn in this round.
//! - **F2** With anything in flight, an entry of this wheel is in flight exactly if its place is
//!   `origin` or [`Place::Flight`]. (A slot stays empty while its block is worked off, and what is
//!   put back beyond the horizon gets the next lap's mark; so the mark of the place that was taken
//!   is on no other entry.)

use core::ptr::NonNull;

use crate::entry::{Linked, Place};
use crate::list::List;

pub(crate) struct Flight<T, const STRANDS: usize> {
    lists: [List<T>; STRANDS],
    occupied: u32,
    turn: u32,
    origin: Place,
    /// The last tick of the block.
    last: u64,
}

impl<T: Linked, const STRANDS: usize> Flight<T, STRANDS> {
    /// Nothing in flight, in the block that ends at `last`.
    pub(crate) const fn none(last: u64) -> Self {
        Self {
            lists: [const { List::new() }; STRANDS],
            occupied: 0,
            turn: 0,
            origin: Place::Flight,
            last,
        }
    }

    /// With nothing in flight: takes all of `lists`, the strands from `from_strand` on, which are the
    /// lists of `origin`, and due in the block that ends at `last`. No node is touched.
    pub(crate) fn take(
        &mut self,
        lists: &mut [List<T>],
        from_strand: usize,
        origin: Place,
        last: u64,
    ) {
        for (strand, list) in (from_strand..).zip(lists) {
            if !list.is_empty() {
                self.lists[strand] = list.take();
                self.occupied |= 1 << strand;
            }
        }
        self.turn = self.occupied;
        (self.origin, self.last) = (origin, last);
    }

    /// Goes on with nothing in flight, in the block that ends at `last`.
    pub(crate) fn restart(&mut self, last: u64) {
        (self.origin, self.last) = (Place::Flight, last);
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.turn == 0
    }

    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Whether an entry of this wheel that was put in `place` is in flight now (F2).
    pub(crate) fn holds(&self, place: Place) -> bool {
        place == Place::Flight || place == self.origin && !self.is_empty()
    }

    pub(crate) fn first(&self) -> Option<NonNull<T>> {
        self.lists.iter().find_map(List::first)
    }

    /// # Safety
    ///
    /// As for [`List::push_back`](crate::list::List::push_back).
    pub(crate) unsafe fn push_back(&mut self, strand: usize, node: NonNull<T>) {
        // SAFETY: by contract.
        unsafe { self.lists[strand].push_back(node) };
        self.occupied |= 1 << strand;
        self.next_round();
    }

    /// Takes the first node off the strand whose turn it is.
    pub(crate) fn pop_front(&mut self) -> Option<NonNull<T>> {
        if self.is_empty() {
            return None;
        }
        let strand = self.turn.trailing_zeros();
        self.turn &= self.turn - 1;
        let list = &mut self.lists[strand as usize];
        let node = list.pop_front();
        self.occupied &= !(u32::from(list.is_empty()) << strand);
        self.next_round();
        node
    }

    /// # Safety
    ///
    /// `node` is in flight, on this strand. The caller may access the entries of all nodes in flight.
    pub(crate) unsafe fn unlink(&mut self, strand: usize, node: NonNull<T>) -> NonNull<T> {
        let list = &mut self.lists[strand];
        // SAFETY: by contract.
        let node = unsafe { list.unlink(node) };
        if list.is_empty() {
            self.occupied &= !(1 << strand);
            self.turn &= self.occupied;
            self.next_round();
        }
        node
    }

    fn next_round(&mut self) {
        self.turn = if self.turn == 0 { self.occupied } else { self.turn };
    }
}
