//! Niceness, and the weights that it stands for.

/// A niceness, from −20 (the greatest share) to 19 (the least). One step changes a share by about a
/// quarter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nice(i8);

/// Of −20 to 19: each step a factor of about 1.25, so that one more step costs about a tenth of the
/// CPU beside one competitor.
const WEIGHTS: [u32; 40] = [
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904,
    3906, 3121, 2501, 1991, 1586, 1277, 1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87,
    70, 56, 45, 36, 29, 23, 18, 15,
];

impl Nice {
    /// The greatest share.
    pub const MIN: Self = Self(-20);
    /// What a task has that asks for nothing.
    pub const DEFAULT: Self = Self(0);
    /// The least share.
    pub const MAX: Self = Self(19);

    /// The niceness `value`, or the nearest that there is.
    #[must_use]
    pub const fn new(value: i8) -> Self {
        if value < Self::MIN.0 {
            Self::MIN
        } else if value > Self::MAX.0 {
            Self::MAX
        } else {
            Self(value)
        }
    }

    /// From −20 to 19.
    #[must_use]
    pub const fn get(self) -> i8 {
        self.0
    }

    /// The weight that it stands for: 1024 for 0.
    #[must_use]
    pub const fn weight(self) -> u32 {
        WEIGHTS[(self.0 - Self::MIN.0) as usize]
    }
}

impl Default for Nice {
    fn default() -> Self {
        Self::DEFAULT
    }
}
