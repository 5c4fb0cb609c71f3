//! The queue's virtual time V: the average of its entities' virtual runtimes, by weight.
//!
//! - **V1** `weight` is Σ wᵢ and `sum` is Σ (vᵢ − zero)·wᵢ, over all entities of the queue, the running
//!   one included. So V = zero + `sum`/`weight`, exactly, and Σ wᵢ·(V − vᵢ) = 0.
//! - **V2** When there is no entity, both are 0, and V is where it was.
//! - **V3** `zero` follows V, by [`now`](Average::now), so that the differences stay small. What is
//!   eligible does not depend on it.

use super::virtual_time::VirtualTime;

/// V, kept as a sum so that no history adds up errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Average {
    zero: VirtualTime,
    weight: u64,
    sum: i128,
}

impl Average {
    pub(super) const fn starting_at(zero: VirtualTime) -> Self {
        Average { zero, weight: 0, sum: 0 }
    }

    /// Σ wᵢ.
    pub(super) const fn weight(&self) -> u64 {
        self.weight
    }

    pub(super) fn add(&mut self, at: VirtualTime, weight: u32) {
        self.weight = self.weight.wrapping_add(u64::from(weight));
        self.sum += self.moment(at, weight);
    }

    pub(super) fn remove(&mut self, at: VirtualTime, weight: u32) {
        self.weight = self.weight.wrapping_sub(u64::from(weight));
        self.sum -= self.moment(at, weight);
    }

    /// An entity has gone forward by `span`.
    pub(super) fn advance(&mut self, span: i64, weight: u32) {
        self.sum += i128::from(span) * i128::from(weight);
    }

    /// Whether V is not behind `at`, for an entity: by multiplication, never by dividing.
    pub(super) fn is_eligible(&self, at: VirtualTime) -> bool {
        i128::from(at.since(self.zero)) * i128::from(self.weight) <= self.sum
    }

    /// V, rounded down.
    pub(super) fn get(&self) -> VirtualTime {
        if self.weight == 0 {
            return self.zero;
        }
        // Most sums are small, as `zero` is near V, and then the division is a short one.
        let mean = match (i64::try_from(self.sum), i64::try_from(self.weight)) {
            (Ok(sum), Ok(weight)) => sum.div_euclid(weight),
            _ => self.sum.div_euclid(i128::from(self.weight)) as i64,
        };
        self.zero.plus(mean)
    }

    /// V, rounded down, and `zero` moved there.
    pub(super) fn now(&mut self) -> VirtualTime {
        let now = self.get();
        self.sum -= i128::from(now.since(self.zero)) * i128::from(self.weight);
        self.zero = now;
        now
    }

    fn moment(&self, at: VirtualTime, weight: u32) -> i128 {
        i128::from(at.since(self.zero)) * i128::from(weight)
    }

    /// Whether this is the average of those `entities`, whatever `zero` is.
    pub(super) fn is_of(&self, entities: impl Iterator<Item = (VirtualTime, u32)>) -> bool {
        let mut fresh = Average::starting_at(self.zero);
        entities.for_each(|(at, weight)| fresh.add(at, weight));
        fresh == *self
    }
}
