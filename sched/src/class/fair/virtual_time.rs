//! Virtual time: what a clock shows that runs the slower the more weight competes.
//!
//! It is counted in units of 1/1024 ns of a task of weight 1024: a task of weight w that runs for t ns
//! goes forward by t·2²⁰/w. So the heaviest task goes forward by at least 1 in a nanosecond, and the
//! error of a rounding is below a nanosecond of anybody's service.
//!
//! Times wrap around. They are compared by their difference, which is right while all that are compared
//! lie within 2⁶³ of one another: a run of [`MAX_LAP_NS`](super::super::stopwatch::MAX_LAP_NS) with
//! weight 1 is 2⁶⁰.

use core::cmp::Ordering;

/// A point in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VirtualTime(u64);

impl VirtualTime {
    /// Where a queue begins, if it is not told otherwise.
    pub const ZERO: Self = Self(0);

    /// The point whose bits are these.
    #[must_use]
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// `span` later; earlier if it is negative.
    #[must_use]
    pub const fn plus(self, span: i64) -> Self {
        Self(self.0.wrapping_add_signed(span))
    }

    /// How much later than `other` it is; negative if it is earlier.
    #[must_use]
    pub const fn since(self, other: Self) -> i64 {
        self.0.wrapping_sub(other.0) as i64
    }
}

/// By the difference. An order among times that lie within 2⁶³ of one another.
impl Ord for VirtualTime {
    fn cmp(&self, other: &Self) -> Ordering {
        self.since(*other).cmp(&0)
    }
}

impl PartialOrd for VirtualTime {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// How far `ran_ns`, at most [`MAX_LAP_NS`](super::super::stopwatch::MAX_LAP_NS), of a task of that
/// weight goes in virtual time.
pub(super) const fn span(ran_ns: u64, weight: u32) -> i64 {
    ((ran_ns << 20) / weight as u64) as i64
}

/// The service that a span of virtual time is worth to a task of that weight, in nanoseconds.
pub(super) const fn service_ns(span: i64, weight: u32) -> i64 {
    clamp((span as i128 * weight as i128) >> 20)
}

/// `value`·`by`/`over`, rounded down, as far as it can be told.
pub(super) const fn scale(value: i64, by: u64, over: u64) -> i64 {
    clamp((value as i128 * by as i128).div_euclid(over as i128))
}

const fn clamp(value: i128) -> i64 {
    if value > i64::MAX as i128 {
        i64::MAX
    } else if value < i64::MIN as i128 {
        i64::MIN
    } else {
        value as i64
    }
}
