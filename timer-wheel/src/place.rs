//! Which list a node goes to, which it is on, and which is worked off next: where the invariants
//! W2 to W7 of `wheel.rs` are made true.
//!
//! An entry remembers the list it was put on, not whether that list has since been taken into
//! flight. There is no need to: it is the first in flight, or else its own links tell all.

use core::ptr::NonNull;

use crate::entry::{Linked, Place, fields};
use crate::level::{Block, Geometry};
use crate::list::List;
use crate::wheel::{Beyond, Flight, Wheel};

impl<T: Linked, const LEVELS: usize, const SLOTS: usize> Wheel<T, LEVELS, SLOTS> {
    /// Puts `node` where W2 to W5 want it.
    ///
    /// # Safety
    ///
    /// `node` was made of a handle which is the wheel's, and is on no list.
    pub(crate) unsafe fn link(&mut self, node: NonNull<T>, deadline_tick: u64) {
        if self.flight.list.is_empty() {
            self.flight.last = self.cursor;
        }
        // SAFETY: by contract `node` is live, ours, and on no list.
        unsafe {
            (*fields(node)).deadline_tick = deadline_tick;
            if deadline_tick <= self.flight.last {
                (*fields(node)).place = Place::Flight;
                self.flight.list.push_back(node);
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
        let slot = Geometry::<LEVELS, SLOTS>::slot(self.cursor, deadline_tick);
        let (place, list) = match slot {
            Some(slot) => {
                self.occupancy.set(slot);
                (
                    Place::Slot(slot),
                    &mut self.slots[usize::from(slot.level)][usize::from(slot.index)],
                )
            }
            None => {
                let Beyond { list, earliest } = &mut self.beyond;
                *earliest =
                    if list.is_empty() { deadline_tick } else { deadline_tick.min(*earliest) };
                (Place::Beyond, list)
            }
        };
        // SAFETY: by contract `node` is live, ours, and on no list.
        unsafe {
            (*fields(node)).place = place;
            list.push_back(node);
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
        let place = unsafe { (*fields(node)).place };
        // If the list `node` was put on has been taken into flight, only the first node there needs
        // its list named; the others are inner nodes, for which any other list will do.
        let held_by = if self.flight.list.starts_with(node) { Place::Flight } else { place };
        let list = self.list_mut(held_by)?;
        // SAFETY: `node` is linked in this wheel; if not on `list`, it is an inner node of the flight.
        let node = unsafe { list.unlink(node) };
        if let (Place::Slot(slot), true) = (held_by, list.is_empty()) {
            self.occupancy.clear(slot);
        }
        match place {
            Place::Fired => self.fired_len -= 1,
            _ => self.armed_len -= 1,
        }
        // SAFETY: `node` is live.
        unsafe { (*fields(node)).place = Place::Idle };
        Some(node)
    }

    /// The list that `place` names.
    pub(crate) fn list_mut(&mut self, place: Place) -> Option<&mut List<T>> {
        match place {
            Place::Idle => None,
            Place::Slot(slot) => {
                Some(&mut self.slots[usize::from(slot.level)][usize::from(slot.index)])
            }
            Place::Beyond => Some(&mut self.beyond.list),
            Place::Flight => Some(&mut self.flight.list),
            Place::Fired => Some(&mut self.fired),
        }
    }

    /// The list to be taken into flight next, and the block that will be in flight then.
    pub(crate) fn next_block(&self) -> Option<(Place, Block)> {
        if let Some(slot) = self.occupancy.first() {
            return Some((Place::Slot(slot), Geometry::<LEVELS, SLOTS>::block(self.cursor, slot)));
        }
        if self.beyond.list.is_empty() {
            return None;
        }
        let first = Geometry::<LEVELS, SLOTS>::horizon_start(self.beyond.earliest);
        Some((Place::Beyond, Block { first, last: u64::MAX }))
    }

    /// Takes the list of `block`, as found by [`next_block`](Self::next_block), into flight: O(1).
    pub(crate) fn take_into_flight(&mut self, place: Place, block: Block) {
        debug_assert!(self.flight.list.is_empty(), "one block at a time");
        if let Place::Slot(slot) = place {
            self.occupancy.clear(slot);
        }
        if let Some(list) = self.list_mut(place) {
            self.flight = Flight { list: list.take(), last: block.last };
            self.cursor = block.first;
        }
    }
}
