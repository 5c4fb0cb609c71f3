//! Where a deadline belongs: pure arithmetic.
//!
//! A tick is read as a number in base `SLOTS`. Level `l` looks at digit `l`; a slot of level `l`
//! stands for a *block* of `SLOTS^l` consecutive ticks that agree in all digits from `l` upward.
//! A deadline belongs on the level of the highest digit in which it differs from the reference
//! tick, in the slot that this digit names. When they differ above the top level, the deadline is
//! beyond the horizon.
//!
//! That scheme has three consequences on which everything else rests. For a reference tick that
//! does not pass the start of the deadline's block, the answer stays the same, so nothing moves
//! while time runs. Every occupied slot of a level lies in the same slot of the level above as the
//! reference tick itself: blocks of a lower level start before those of any higher level, and no two
//! blocks start at the same tick. And a slot whose block the reference tick is in belongs to no
//! deadline: it stays empty until the block is over.

/// A run of ticks, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// The level and slot of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) level: u8,
    pub(crate) index: u8,
}

/// The arithmetic of a wheel with `LEVELS` levels of `SLOTS` slots of `STRANDS` lists.
pub(crate) struct Geometry<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>;

impl<const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Geometry<LEVELS, SLOTS, STRANDS>
{
    /// Evaluated by every constructor, so that a wheel of a bad shape does not compile.
    pub(crate) const VALID: () = {
        assert!(SLOTS.is_power_of_two() && SLOTS >= 2, "SLOTS must be a power of two, at least 2");
        assert!(SLOTS <= 256, "SLOTS must be at most 256");
        assert!(LEVELS >= 1, "a wheel needs a level");
        assert!(
            (LEVELS - 1) * (SLOTS.trailing_zeros() as usize) < 64,
            "the top level lies above the 64 bits of a tick"
        );
        assert!(
            STRANDS.is_power_of_two() && STRANDS <= 32,
            "STRANDS must be a power of two, at most 32"
        );
    };

    const DIGIT_BITS: u32 = SLOTS.trailing_zeros();

    /// The low bits of a tick that vary within one block of `level`. One past the top level is
    /// allowed: that is everything within the horizon.
    const fn mask(level: u32) -> u64 {
        let bits = level * Self::DIGIT_BITS;
        // The first condition is known to the compiler, and false for most shapes.
        let whole = LEVELS as u32 * Self::DIGIT_BITS >= u64::BITS && bits >= u64::BITS;
        if whole { u64::MAX } else { (1 << bits) - 1 }
    }

    /// Where a `deadline` after `reference` belongs; `None` beyond the horizon.
    pub(crate) const fn slot(reference: u64, deadline: u64) -> Option<Slot> {
        let differing = reference ^ deadline;
        if differing & !Self::mask(LEVELS as u32) != 0 {
            return None;
        }
        // Bit 0 is set so that equal ticks count as level 0.
        let level = (differing | 1).ilog2() / Self::DIGIT_BITS;
        let digit = (deadline >> (level * Self::DIGIT_BITS)) & (SLOTS as u64 - 1);
        Some(Slot { level: level as u8, index: digit as u8 })
    }

    /// The ticks for which `slot` stands, seen from `reference`.
    pub(crate) const fn block(reference: u64, slot: Slot) -> Block {
        let level = slot.level as u32;
        let above = reference & !Self::mask(level + 1);
        let first = above | ((slot.index as u64) << (level * Self::DIGIT_BITS));
        Block { first, last: first | Self::mask(level) }
    }

    /// The first tick from which `deadline` is within the horizon.
    pub(crate) const fn horizon_start(deadline: u64) -> u64 {
        deadline & !Self::mask(LEVELS as u32)
    }

    /// The strand, of any slot, for what fires at `tick`: the same for equal ticks, and spread evenly
    /// over ticks that have something in common, such as being multiples of something.
    pub(crate) const fn strand(tick: u64) -> usize {
        if STRANDS == 1 {
            return 0;
        }
        // 2^64 divided by the golden ratio; the high bits of the product depend on all of `tick`.
        let spread = tick.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (spread >> (u64::BITS - STRANDS.trailing_zeros())) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Small = Geometry<2, 4, 2>;
    type Full = Geometry<11, 64, 1>;

    /// Every pair of ticks of three revolutions of a wheel of 16 ticks.
    #[test]
    fn a_deadline_stays_in_its_slot_until_its_block_begins() {
        let end = if cfg!(miri) { 18 } else { 48 };
        for reference in 0..end {
            for deadline in reference + 1..end {
                let Some(slot) = Small::slot(reference, deadline) else {
                    assert!(Small::horizon_start(deadline) > reference, "{reference} {deadline}");
                    assert_ne!(reference / 16, deadline / 16);
                    continue;
                };
                let block = Small::block(reference, slot);
                assert!(reference < block.first, "{reference} {deadline} {block:?}");
                assert!(block.first <= deadline && deadline <= block.last);
                for later in reference..block.first {
                    assert_eq!(Small::slot(later, deadline), Some(slot));
                    assert_eq!(Small::block(later, slot), block);
                }
                // From the block's first tick on the deadline belongs on a lower level, and nothing
                // belongs in the slot until the block is over.
                let lower = Small::slot(block.first, deadline);
                assert!(deadline == block.first || lower.is_some_and(|s| s.level < slot.level));
                for within in block.first..=block.last {
                    assert!((within + 1..64).all(|other| Small::slot(within, other) != Some(slot)));
                }
            }
        }
    }

    #[test]
    fn the_whole_range_of_ticks_fits() {
        assert_eq!(Full::slot(0, u64::MAX), Some(Slot { level: 10, index: 15 }));
        let top = Full::block(0, Slot { level: 10, index: 15 });
        assert_eq!(top, Block { first: 15 << 60, last: u64::MAX });
        assert_eq!(Full::slot(u64::MAX - 1, u64::MAX), Some(Slot { level: 0, index: 63 }));
        assert_eq!(Geometry::<6, 64, 1>::slot(0, 1 << 36), None);
        assert_eq!(Geometry::<6, 64, 1>::horizon_start(u64::MAX), !((1 << 36) - 1));
        type Wide = Geometry<8, 256, 1>;
        assert_eq!(Wide::slot(0, u64::MAX), Some(Slot { level: 7, index: 255 }));
    }

    #[test]
    fn ticks_with_something_in_common_are_spread_over_the_strands() {
        for step in [1, 2, 10, 64, 1_000, 4_096, 10_000, 1 << 20, 1_000_000] {
            let mut used = [0; 8];
            for tick in 0..800 {
                used[Geometry::<4, 256, 8>::strand(tick * step)] += 1;
            }
            assert!(used.iter().all(|&count| (50..200).contains(&count)), "{step}: {used:?}");
        }
        assert_eq!(Geometry::<6, 64, 1>::strand(u64::MAX), 0);
    }
}
