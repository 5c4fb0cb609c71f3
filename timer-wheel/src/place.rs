//! Which list a node goes to, which it is on, and which is worked off next: where the invariants
//! W2 to W7 of `wheel.rs` are made true.
//!
//! An entry remembers where it was put, and the flight where it was taken from: together they tell
//! where the entry is (F2).

use core::ptr::NonNull;

use crate::entry::{Linked, Place, fields};
use crate::level::{Block, Geometry};
use crate::list::{List, all_empty};
use crate::wheel::Wheel;

/// The entries beyond the horizon.
pub(crate) struct Beyond<T, const STRANDS: usize> {
    pub(crate) lists: [List<T>; STRANDS],
    /// A lower bound of their deadlines; `u64::MAX` while there are none.
    pub(crate) earliest: u64,
    /// The mark of those that are put here now.
    pub(crate) lap: bool,
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Wheel<T, LEVELS, SLOTS, STRANDS>
{
    /// Puts `node` where W2 to W5 want it.
    ///
    /// # Safety
    ///
    /// `node` was made of a handle which is the wheel's, and is on no list.
    pub(crate) unsafe fn link(&mut self, node: NonNull<T>, deadline_tick: u64) {
        if self.flight.is_empty() {
            self.flight.restart(self.cursor);
        }
        // SAFETY: by contract `node` is live, ours, and on no list.
        unsafe {
            (*fields(node)).deadline_tick = deadline_tick;
            if deadline_tick <= self.flight.last() {
                (*fields(node)).place = Place::Flight;
                self.flight.push_back(self.strand(deadline_tick), node);
            } else {
                self.place(node, deadline_tick);
            }
        }
        self.armed_len += 1;
    }

    /// Puts `node` into its slot (W2). Says whether it has one, or went beyond the horizon.
    ///
    /// # Safety
    ///
    /// `node` was made of a handle which is the wheel's, is on no list, and `deadline_tick`, its
    /// deadline, is after `cursor`.
    pub(crate) unsafe fn place(&mut self, node: NonNull<T>, deadline_tick: u64) -> bool {
        let slot = Geometry::<LEVELS, SLOTS, STRANDS>::slot(self.cursor, deadline_tick);
        let strand = self.strand(deadline_tick);
        // SAFETY: by contract `node` is live, ours, and on no list.
        unsafe {
            if let Some(slot) = slot {
                (*fields(node)).place = Place::Slot(slot);
                self.slots.push_back(slot, strand, node);
            } else {
                let Beyond { lists, earliest, lap } = &mut self.beyond;
                (*fields(node)).place = Place::Beyond(*lap);
                lists[strand].push_back(node);
                *earliest = deadline_tick.min(*earliest);
            }
        }
        slot.is_some()
    }

    /// Takes `node` off the list it is on, if any, and makes it idle.
    ///
    /// # Safety
    ///
    /// As for [`cancel`](Self::cancel).
    pub(crate) unsafe fn unlink(&mut self, node: NonNull<T>) -> Option<NonNull<T>> {
        // SAFETY: `node` is live, by contract.
        let (place, deadline_tick) =
            unsafe { ((*fields(node)).place, (*fields(node)).deadline_tick) };
        let strand = self.strand(deadline_tick);
        // SAFETY: `node` is linked in this wheel if it is not idle: where its place says, by F2 and W2.
        let node = unsafe {
            match place {
                Place::Idle => return None,
                Place::Fired => self.fired.list.unlink(node),
                _ if self.flight.holds(place) => self.flight.unlink(strand, node),
                Place::Slot(slot) => self.slots.unlink(slot, strand, node),
                _ => self.unlink_from_beyond(strand, node),
            }
        };
        match place {
            Place::Fired => self.fired.len -= 1,
            _ => self.armed_len -= 1,
        }
        // SAFETY: `node` is live.
        unsafe { (*fields(node)).place = Place::Idle };
        Some(node)
    }

    /// # Safety
    ///
    /// `node` is on that list. The caller may access the entries of all nodes of the list.
    unsafe fn unlink_from_beyond(&mut self, strand: usize, node: NonNull<T>) -> NonNull<T> {
        let Beyond { lists, earliest, .. } = &mut self.beyond;
        // SAFETY: by contract.
        let node = unsafe { lists[strand].unlink(node) };
        if all_empty(lists) {
            *earliest = u64::MAX;
        }
        node
    }

    /// The strand of an armed entry. What is due shares one, whatever its deadline.
    fn strand(&self, deadline_tick: u64) -> usize {
        Geometry::<LEVELS, SLOTS, STRANDS>::strand(deadline_tick.max(self.cursor))
    }

    /// Where what is taken into flight next lies, and the block that will be in flight then.
    pub(crate) fn next_block(&self) -> Option<(Place, Block)> {
        if let Some(slot) = self.slots.first_occupied() {
            let block = Geometry::<LEVELS, SLOTS, STRANDS>::block(self.cursor, slot);
            return Some((Place::Slot(slot), block));
        }
        let Beyond { lists, earliest, lap } = &self.beyond;
        if all_empty(lists) {
            return None;
        }
        let first = Geometry::<LEVELS, SLOTS, STRANDS>::horizon_start(*earliest);
        Some((Place::Beyond(*lap), Block { first, last: u64::MAX }))
    }

    /// Takes what lies at `place`, as found by [`next_block`](Self::next_block), into flight: O(1).
    pub(crate) fn take_into_flight(&mut self, place: Place, block: Block) {
        debug_assert!(self.flight.is_empty(), "one block at a time");
        debug_assert!(self.cursor <= block.first && block.first <= self.now, "W1");
        self.cursor = block.first;
        let Self { slots, beyond, flight, .. } = self;
        match place {
            Place::Slot(slot) => {
                // A slot of level 0 has one list: that of the strand of its tick.
                let strand = match slot.level {
                    0 => Geometry::<LEVELS, SLOTS, STRANDS>::strand(block.first),
                    _ => 0,
                };
                flight.take(slots.take(slot), strand, place, block.last);
            }
            _ => {
                beyond.earliest = u64::MAX;
                beyond.lap = !beyond.lap;
                flight.take(&mut beyond.lists, 0, place, block.last);
            }
        }
    }

    /// Any node that is held.
    pub(crate) fn any(&mut self) -> Option<NonNull<T>> {
        if let Some(node) = self.fired.list.first().or_else(|| self.flight.first()) {
            return Some(node);
        }
        match self.slots.first_occupied() {
            Some(slot) => self.slots.first_node(slot),
            None => self.beyond.lists.iter().find_map(List::first),
        }
    }
}
