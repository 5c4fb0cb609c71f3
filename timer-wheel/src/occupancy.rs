//! Which slots hold something: one bit for each, and one for each level.

use crate::level::Slot;

/// Words of a level of the most slots. One of fewer slots leaves some unused.
const WORDS: usize = 256 / 64;

/// - **O1** A slot's bit is set exactly while the slot's lists hold something (kept by the wheel).
/// - **O2** A word's bit in `words` is set exactly while the word is not zero, and a level's bit in
///   `levels` exactly while its `words` are not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occupancy<const LEVELS: usize> {
    levels: u64,
    words: [u8; LEVELS],
    slots: [[u64; WORDS]; LEVELS],
}

impl<const LEVELS: usize> Occupancy<LEVELS> {
    pub(crate) const fn new() -> Self {
        Self { levels: 0, words: [0; LEVELS], slots: [[0; WORDS]; LEVELS] }
    }

    pub(crate) fn set(&mut self, slot: Slot) {
        let (level, word, bit) = split(slot);
        self.slots[level][word] |= bit;
        self.words[level] |= 1 << word;
        self.levels |= 1 << level;
    }

    pub(crate) fn clear(&mut self, slot: Slot) {
        let (level, word, bit) = split(slot);
        self.slots[level][word] &= !bit;
        // Sums instead of branches: whether something is left is not to be foreseen.
        self.words[level] &= !(u8::from(self.slots[level][word] == 0) << word);
        self.levels &= !(u64::from(self.words[level] == 0) << level);
    }

    /// The occupied slot whose block starts first: the lowest slot of the lowest occupied level.
    pub(crate) fn first(&self) -> Option<Slot> {
        // With no bit set this is past the last level.
        let level = self.levels.trailing_zeros();
        let words = self.words.get(level as usize)?.trailing_zeros();
        let index =
            words * u64::BITS + self.slots[level as usize].get(words as usize)?.trailing_zeros();
        Some(Slot { level: level as u8, index: index as u8 })
    }
}

fn split(slot: Slot) -> (usize, usize, u64) {
    (usize::from(slot.level), usize::from(slot.index / 64), 1 << (slot.index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_level_comes_first_and_its_lowest_slot() {
        let mut occupancy = Occupancy::<3>::new();
        assert_eq!(occupancy.first(), None);
        let slots = [(2, 0), (1, 255), (1, 130), (1, 63), (1, 5), (0, 64)];
        let slots = slots.map(|(level, index)| Slot { level, index });
        for slot in slots {
            occupancy.set(slot);
            assert_eq!(occupancy.first(), Some(slot));
        }
        for (at, slot) in slots.into_iter().enumerate().rev() {
            assert_eq!(occupancy.first(), Some(slot));
            occupancy.clear(slot);
            assert_eq!(occupancy.first(), at.checked_sub(1).map(|before| slots[before]));
        }
    }

    /// As many levels as there can be: 64, of two slots.
    #[test]
    fn the_topmost_of_all_levels_is_found() {
        let mut occupancy = Occupancy::<64>::new();
        let top = Slot { level: 63, index: 1 };
        occupancy.set(top);
        assert_eq!(occupancy.first(), Some(top));
        occupancy.clear(top);
        assert_eq!(occupancy.first(), None);
    }
}
