//! The lists of the slots, and which slots hold something.
//!
//! A slot's timers lie on `STRANDS` lists, each on the one that its tick selects. To walk one list is
//! to wait, node after node, for the memory that says where the next node is. Walked in turn, several
//! lists have as many such waits under way at once; and since equal ticks share a list, their order
//! costs nothing.
//!
//! A slot of level 0 is a single tick, so it has one list. Those lie side by side in the first lists
//! of the level (the caches care), and the others there stay unused.

use core::ptr::NonNull;

use crate::entry::Linked;
use crate::level::Slot;
use crate::list::{List, all_empty};
use crate::occupancy::Occupancy;

pub(crate) struct Slots<T, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> {
    lists: [[[List<T>; STRANDS]; SLOTS]; LEVELS],
    occupancy: Occupancy<LEVELS>,
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Slots<T, LEVELS, SLOTS, STRANDS>
{
    pub(crate) const fn new() -> Self {
        Self {
            lists: [const { [const { [const { List::new() }; STRANDS] }; SLOTS] }; LEVELS],
            occupancy: Occupancy::new(),
        }
    }

    /// The occupied slot whose block starts first.
    pub(crate) fn first_occupied(&self) -> Option<Slot> {
        self.occupancy.first()
    }

    /// # Safety
    ///
    /// As for [`List::push_back`].
    pub(crate) unsafe fn push_back(&mut self, slot: Slot, strand: usize, node: NonNull<T>) {
        self.occupancy.set(slot);
        // SAFETY: by contract.
        unsafe { self.list(slot, strand).push_back(node) };
    }

    /// # Safety
    ///
    /// `node` is on that list. The caller may access the entries of all nodes of the list.
    pub(crate) unsafe fn unlink(
        &mut self,
        slot: Slot,
        strand: usize,
        node: NonNull<T>,
    ) -> NonNull<T> {
        // SAFETY: by contract.
        let node = unsafe { self.list(slot, strand).unlink(node) };
        if all_empty(self.lists(slot)) {
            self.occupancy.clear(slot);
        }
        node
    }

    /// The lists of a slot, from which the caller takes all there is.
    pub(crate) fn take(&mut self, slot: Slot) -> &mut [List<T>] {
        self.occupancy.clear(slot);
        self.lists(slot)
    }

    pub(crate) fn first_node(&mut self, slot: Slot) -> Option<NonNull<T>> {
        self.lists(slot).iter().find_map(List::first)
    }

    fn list(&mut self, slot: Slot, strand: usize) -> &mut List<T> {
        let lists = self.lists(slot);
        let strand = if lists.len() == 1 { 0 } else { strand };
        &mut lists[strand]
    }

    fn lists(&mut self, slot: Slot) -> &mut [List<T>] {
        let Slot { level, index } = slot;
        let (level_lists, index) = (&mut self.lists[usize::from(level)], usize::from(index));
        if level == 0 {
            &mut level_lists.as_flattened_mut()[index..=index]
        } else {
            &mut level_lists[index]
        }
    }
}
