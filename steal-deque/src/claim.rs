//! How the owner makes items its own: by Chase and Lev's pop, for one and for many.
//!
//! - **C1** Who takes all that is shared moves `top` to `bottom`, by compare-and-swap like a thief, and races with
//!   thieves for it: one compare-and-swap will do for many items, since nobody but the owner takes any at the other end.
//! - **C2** Who takes less than all lowers `bottom`, fences, and only then looks at `top`. See `stealer`, S1: a thief
//!   that gets by unseen can only be at the position where `top` stands; if that is below all that was claimed, the claim
//!   is the owner's without any race. If not, the owner gives it back, and now wants all that is left.

use crate::barrier;
use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::Owner;
use crate::storage::Storage;
use crate::sync::{Ordering, fence};

/// Positions of items that are the owner's alone: from `low` up to, but without, `high`.
#[derive(Clone, Copy)]
pub(crate) struct Claim {
    pub(crate) low: Position,
    pub(crate) high: Position,
}

impl<T: Item, S: Storage> Owner<'_, T, S> {
    /// Makes one shared item the owner's alone; there is nothing private.
    #[inline]
    pub(crate) fn claim_one(&mut self) -> Option<Position> {
        let bottom = self.bottom();
        let low = self.claim_shared(bottom, 1);
        (low != bottom).then_some(low)
    }

    /// Makes up to `most` items from the front the owner's alone.
    #[inline]
    pub(crate) fn claim(&mut self, most: u64) -> Claim {
        let high = self.front();
        let low = if most <= self.private {
            self.private -= most;
            index::toward_top(high, most)
        } else {
            let low = self.claim_shared(self.bottom(), most - self.private);
            self.private = 0;
            low
        };
        Claim { low, high }
    }

    /// Makes up to `most` shared items the owner's alone, at least one: those up to the old `bottom`, and answers where
    /// they begin.
    #[inline]
    fn claim_shared(&mut self, bottom: Position, most: u64) -> Position {
        // Ordering: Relaxed: an old value makes the deque look longer than it is; what follows decides.
        let mut top = self.deque().ends.0.top.load(Ordering::Relaxed);
        if index::count(top, bottom) > most {
            let low = index::toward_top(bottom, most);
            match self.lower(bottom, low) {
                Ok(()) => return low,
                Err(now) => top = now,
            }
        }
        // All that is left. Each time round a thief has taken one.
        while top != bottom {
            // Ordering: Relaxed: it hands nothing over. A thief that finds `top` here does not find a `bottom` from before
            // it was lowered to this: the fence in `lower` came after that store and before this, on whatever thread, and
            // the thief's own comes between its two loads. Failure tells where a thief moved it.
            let top_end = &self.deque().ends.0.top;
            match top_end.compare_exchange(top, bottom, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => {
                    // What `pop` promises.
                    barrier::after_update();
                    return top;
                }
                Err(now) => top = now,
            }
        }
        bottom
    }

    /// Lowers `bottom` for items that are the owner's then; or, if thieves have come that far, leaves all as it was and
    /// answers with `top`.
    #[inline]
    pub(crate) fn lower(&mut self, bottom: Position, low: Position) -> Result<(), Position> {
        // Ordering: Release pairs with the acquire in `Stealer::bottom`: a thief that reads this lower value still needs
        // the items below it (O2).
        self.deque().ends.0.bottom.store(low, Ordering::Release);
        // Ordering: SeqCst pairs with the fences in `barrier` that thieves run (C2).
        fence(Ordering::SeqCst);
        // Ordering: Relaxed: the fence orders it (C2).
        let top = self.deque().ends.0.top.load(Ordering::Relaxed);
        if index::is_before(top, low) {
            Ok(())
        } else {
            self.publish_to(bottom);
            Err(top)
        }
    }
}
