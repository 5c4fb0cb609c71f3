//! The one source of chance: a stream of numbers that a seed determines, on every machine alike.

/// SplitMix64: one addition and a mix for each number; its period of 2⁶⁴ is far beyond any run.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The stream of `seed`. Streams of neighbouring seeds have nothing in common.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(mix(seed ^ 0x5eed_0f5c_4ed5_1300))
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `limit`; 0 if that is 0. The bias is below `limit` / 2⁶⁴.
    pub fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(limit)) >> 64) as u64
    }

    /// A number of the range, both ends included. `from` if the range is empty.
    pub fn between(&mut self, from: u64, to: u64) -> u64 {
        from + self.below(to.saturating_sub(from).saturating_add(1))
    }

    /// True once in `n` times; never for 0.
    pub fn one_in(&mut self, n: u64) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// A length below 2^`bits`, whose magnitude is drawn first: many short ones, few long ones.
    pub fn magnitude(&mut self, bits: u32) -> u64 {
        let word = self.next_u64();
        let size = (word as u32 & 0xffff) % (bits + 1);
        (word >> 16) & ((1 << size) - 1)
    }
}

/// Spreads every bit of `x` over all bits of the answer, one to one.
pub(crate) fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_stream_for_ever() {
        let mut rng = Rng::new(1);
        let first: Vec<_> = (0..3).map(|_| rng.next_u64()).collect();
        assert_eq!(first, FIRST_OF_SEED_1, "a change here changes what every seed means");
    }

    const FIRST_OF_SEED_1: [u64; 3] =
        [3673657955538856565, 13275353513915609128, 1995398638162977414];

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(7);
        assert_eq!(rng.below(0), 0);
        assert!(!rng.one_in(0) && rng.one_in(1));
        let mut seen = [false; 5];
        for _ in 0..200 {
            seen[rng.between(0, 4) as usize] = true;
            assert!(rng.magnitude(6) < 64);
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(rng.between(9, 3), 9);
    }
}
