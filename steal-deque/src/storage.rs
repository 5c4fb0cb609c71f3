//! Where the words lie: what the algorithm asks of a ring, and nothing about how that is built.
//!
//! - **W1** A word that was stored for a position is what a load of that position gives, until the owner stores for a
//!   position that is a multiple of the capacity away. Growing and shrinking keep the words of all positions that hold
//!   items, and touch none of those that a thief may still look at in the old place.
//! - **W2** Every access of a slot is atomic, so that no interleaving of owner and thieves is a data race. A word that is
//!   read is not yet an item: only who owns the position (`owner`, `stealer`) makes an item of it.
//! - **W3** What a thief reads is the word of *some* item, its position's or, if it is late, a later one's, and it sees what
//!   was written before that item was put in. So it may be shown what it has not won yet (`Stealer::steal_if`), and
//!   no read of a slot sees what is written only after its thief has won (`owner`, O4). Therefore slots are stored with
//!   release and loaded with acquire; and a buffer that takes another one's place has words in all slots that the other one
//!   had words for.

use crate::index::Position;

/// A ring of slots: [`Fixed`](crate::Fixed), or with the feature `alloc` one that grows.
///
/// It decides how much memory a deque takes and when; positions, claims and fences are the same for all.
/// The crate's own types implement it, and no others can.
pub trait Storage: ring::Ring {}

pub(crate) mod ring {
    use super::Position;

    /// What [`Storage`](super::Storage) is, where nobody else can see it.
    pub trait Ring: Send + Sync {
        /// No more items than this are ever in it.
        const MOST: usize;

        /// What a thief holds so that the slots that it looks at stay.
        type Guard;

        /// Before a thief loads the ends.
        fn guard() -> Self::Guard;

        /// The word of a position, for a thief (W3).
        ///
        /// # Safety
        ///
        /// The position is below a `bottom` that was acquired under this guard.
        unsafe fn load(&self, position: Position, guard: &Self::Guard) -> *mut ();

        /// The word of a position, for the owner.
        ///
        /// # Safety
        ///
        /// The caller is the owner, and stored for this position before.
        unsafe fn load_own(&self, position: Position) -> *mut ();

        /// Stores a word for a position (W3).
        ///
        /// # Safety
        ///
        /// The caller is the owner, and the position less than the capacity from a `top` that it has seen.
        unsafe fn store(&self, position: Position, word: *mut ());

        /// How many slots there are now.
        ///
        /// # Safety
        ///
        /// The caller is the owner.
        unsafe fn capacity(&self) -> usize;

        /// Makes more slots, and keeps the words of all positions up to, but without, `front`; `false` if there is no more
        /// to be had.
        ///
        /// # Safety
        ///
        /// The caller is the owner.
        unsafe fn grow(&self, front: Position) -> bool;
    }
}
