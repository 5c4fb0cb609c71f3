//! Position arithmetic: no memory, no atomics.
//!
//! A position counts places in the order of time, modulo 2⁶⁴; the slot of a position is its low bits.
//!
//! - **I1** Two positions are compared by the sign of their wrapping difference, never by `<`: the order
//!   survives the wrap from `u64::MAX` to 0, as long as they are less than 2⁶³ apart. A deque's two
//!   positions are at most its capacity apart; a stalled thief's lags by what happened since, and 2⁶³ steals take
//!   centuries.
//! - **I2** The slot is a function of the position alone, and goes on evenly over the wrap, because the
//!   capacity is a power of two and so divides 2⁶⁴.

/// A place in time, of which the low bits name a slot.
pub(crate) type Position = u64;

/// How many items lie between the thieves' end and the owner's end.
///
/// `bottom` may be behind `top`, by what an owner's pop has claimed and not yet given back: that is empty.
#[inline]
pub(crate) const fn count(top: Position, bottom: Position) -> u64 {
    let difference = bottom.wrapping_sub(top) as i64;
    if difference > 0 { difference as u64 } else { 0 }
}

/// How many places `high` is nearer to the owner's end than `low`, which is not nearer.
#[inline]
pub(crate) const fn places(low: Position, high: Position) -> u64 {
    high.wrapping_sub(low)
}

/// Whether `left` is nearer to the thieves' end than `right`.
#[inline]
pub(crate) const fn is_before(left: Position, right: Position) -> bool {
    (left.wrapping_sub(right) as i64) < 0
}

/// The position `places` nearer to the owner's end.
#[inline]
pub(crate) const fn toward_bottom(position: Position, places: u64) -> Position {
    position.wrapping_add(places)
}

/// The position `places` nearer to the thieves' end.
#[inline]
pub(crate) const fn toward_top(position: Position, places: u64) -> Position {
    position.wrapping_sub(places)
}

/// The slot of a position in a ring of that capacity, a power of two.
#[inline]
pub(crate) const fn slot(position: Position, capacity: usize) -> usize {
    position as usize & (capacity - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EDGES: [Position; 6] =
        [0, 1, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX - 1, u64::MAX];

    #[test]
    fn differences_are_signed_around_every_edge() {
        for edge in EDGES {
            for distance in 0..9 {
                let ahead = toward_bottom(edge, distance);
                assert_eq!((count(edge, ahead), places(edge, ahead)), (distance, distance));
                assert_eq!(count(ahead, edge), 0);
                assert_eq!(is_before(edge, ahead), distance > 0);
                assert!(!is_before(ahead, edge));
                assert_eq!(toward_top(ahead, distance), edge);
            }
        }
    }

    #[test]
    fn slots_go_on_evenly_over_every_edge() {
        for edge in EDGES {
            for position in (0..20).map(|step| toward_bottom(toward_top(edge, 10), step)) {
                assert_eq!(slot(toward_bottom(position, 1), 8), (slot(position, 8) + 1) % 8);
                assert_eq!(slot(position, 1), 0);
            }
        }
    }
}
