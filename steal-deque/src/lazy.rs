//! How soon thieves see what the owner puts in: at once, or when they ask.
//!
//! A single pop cannot do without a fence as long as thieves may be after the same item (Attiya and others, POPL 2011).
//! What thieves do not see it can take for nothing. So an owner that shares on demand works in a private part of the
//! ring, next to the front, and moves `bottom`, which is Lace's *split point*, when a thief has found nothing.
//!
//! - **Z1** A thief that finds the deque empty sets a flag. The owner's next call that sees the flag clears it and shares
//!   half of what is private, rounded up: the half that the owner would run last.
//! - **Z2** An owner that has used up its private part takes back half of what is shared, for one fence. So it pays
//!   a fence for each halving, not for each item.
//! - **Z3** Between two calls of the owner nothing is shared. Who goes on demand and then does something long, or
//!   halts, calls `publish` before.

use crate::index::{self, Position};
use crate::item::Item;
use crate::owner::Owner;
use crate::storage::Storage;
use crate::sync::Ordering;

/// When what the owner puts in can be stolen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// At once. Each pop pays a fence or a compare-and-swap.
    #[default]
    Always,
    /// When a thief has found nothing, at the owner's next call; half of what there is then. Pops pay a fence for
    /// each halving of what was shared, and otherwise none.
    ///
    /// Between its calls the owner shares nothing: call [`publish`](Owner::publish) before work that takes long.
    OnDemand,
}

impl<T: Item, S: Storage> Owner<'_, T, S> {
    /// Chooses when thieves see what is put in. A new owner shares [`Always`](Sharing::Always); changing to that shares
    /// all at once. Wait-free; the owner's context only.
    ///
    /// ```
    /// use steal_deque::{Sharing, Steal, StealDeque};
    ///
    /// let deque = StealDeque::<usize, 8>::new();
    /// let (mut owner, stealer) = deque.split().unwrap();
    /// owner.set_sharing(Sharing::OnDemand);
    /// for item in 0..4 {
    ///     owner.push(item).unwrap();
    /// }
    /// assert_eq!(stealer.steal(), Steal::Empty); // but now it has asked
    /// assert_eq!(owner.pop(), Some(3));
    /// assert_eq!(stealer.len_hint(), 2); // half of the three that were left, rounded up
    /// assert_eq!(stealer.steal(), Steal::Taken(0));
    /// owner.publish();
    /// assert_eq!(stealer.len_hint(), 2);
    /// ```
    pub fn set_sharing(&mut self, sharing: Sharing) {
        self.sharing = sharing;
        self.share();
    }

    /// Makes all items stealable now, by one store. For owners that share on demand; wait-free; the owner's context only.
    #[inline]
    pub fn publish(&mut self) {
        if self.private != 0 {
            self.publish_to(self.front());
            self.private = 0;
        }
    }

    /// Something was put in.
    #[inline]
    pub(crate) fn share(&mut self) {
        match self.sharing {
            Sharing::Always => self.publish(),
            Sharing::OnDemand => self.answer(),
        }
    }

    /// One was put in, and stays private for now.
    #[inline]
    pub(crate) fn keep_one(&mut self) {
        self.private += 1;
        self.answer();
    }

    /// Makes one item the owner's alone, by Z2.
    #[inline]
    pub(crate) fn claim_one_lazily(&mut self) -> Option<Position> {
        if self.private == 0 {
            self.take_back_half();
        }
        if self.private == 0 {
            return self.claim_one();
        }
        self.private -= 1;
        let position = self.front();
        self.answer();
        Some(position)
    }

    /// Makes half of what is shared private again, rounded down.
    #[cold]
    fn take_back_half(&mut self) {
        let half = self.len() as u64 / 2;
        if half != 0 {
            // If thieves have come that far, there is little left to take back.
            let bottom = self.bottom();
            if self.lower(bottom, index::toward_top(bottom, half)).is_ok() {
                self.private = half;
            }
        }
    }

    /// Shares if a thief has asked (Z1).
    #[inline]
    fn answer(&mut self) {
        // Ordering: Relaxed: a request carries nothing.
        if self.deque().rights.0.is_wanted.load(Ordering::Relaxed) {
            self.share_half();
        }
    }

    #[cold]
    fn share_half(&mut self) {
        if self.private != 0 {
            // Before the publication: a thief that finds nothing after this one asks again.
            // Ordering: Relaxed, as in `answer`.
            self.deque().rights.0.is_wanted.store(false, Ordering::Relaxed);
            let half = self.private.div_ceil(2);
            self.publish_to(index::toward_bottom(self.bottom(), half));
            self.private -= half;
        }
    }
}
