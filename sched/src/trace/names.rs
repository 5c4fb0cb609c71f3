//! The names of tasks as small numbers, so that a record need not point to text.
//!
//! # Invariants
//!
//! - **TN1** A slot is claimed once, by whoever sets its address from null, and belongs to that text for ever.
//! - **TN2** The length is set after the address, by the claimant alone; while it is missing the slot has no text yet.

use crate::sync::{AtomicPtr, AtomicUsize, Ordering, const_fn};
use core::fmt;
use core::num::NonZeroU16;
use core::ptr::{NonNull, null_mut};

/// The most names that get a number. Small in models, which visit each slot.
pub const NAMES: usize = if cfg!(any(loom, shuttle)) { 2 } else { 256 };

/// Slots looked at for one name: the bound of [`Names::intern`].
const PROBES: usize = if NAMES < 32 { NAMES } else { 32 };

/// The number of a name, from 1 on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameId(NonZeroU16);

impl NameId {
    /// The name with this number; 0 is none.
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

/// Up to [`NAMES`] texts, each with its number. The same text at two addresses may get two numbers.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`intern`](Self::intern) | wait-free | anywhere | no | 32 slots |
/// | [`get`](Self::get) | wait-free | anywhere | no | one slot |
pub struct Names {
    slots: [Slot; NAMES],
}

struct Slot {
    address: AtomicPtr<u8>,
    /// One more than the length; 0 while it is missing.
    length: AtomicUsize,
}

impl Slot {
    const_fn! {
        const fn new() -> Self {
            Self { address: AtomicPtr::new(null_mut()), length: AtomicUsize::new(0) }
        }
    }

    /// Whether `name` has this slot from now on; `Err`: it may, but its claimant is not done.
    fn holds(&self, name: &'static str) -> Result<bool, ()> {
        let address = name.as_ptr().cast_mut();
        // Ordering: Relaxed; the address itself is all that is compared.
        let mut seen = self.address.load(Ordering::Relaxed);
        if seen.is_null() {
            // Ordering: Relaxed; see `text`.
            match self.address.compare_exchange(seen, address, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => {
                    // Ordering: Relaxed; see `text`.
                    self.length.store(name.len() + 1, Ordering::Relaxed);
                    return Ok(true);
                }
                Err(other) => seen = other,
            }
        }
        if seen != address {
            return Ok(false);
        }
        // Ordering: Relaxed; only the number is compared.
        match self.length.load(Ordering::Relaxed) {
            0 => Err(()),
            length => Ok(length == name.len() + 1),
        }
    }

    fn text(&self) -> Option<&'static str> {
        // Ordering: Relaxed, in any order; each is set once, so that two that are set belong together (TN1, TN2), and the
        // text they stand for was there before the program began.
        let length = self.length.load(Ordering::Relaxed).checked_sub(1)?;
        let address = NonNull::new(self.address.load(Ordering::Relaxed))?;
        let bytes = NonNull::slice_from_raw_parts(address, length);
        // SAFETY: both are set, so address and length are those of one `&'static str` (TN1, TN2).
        Some(unsafe { core::str::from_utf8_unchecked(bytes.as_ref()) })
    }
}

impl Names {
    const_fn! {
        /// No names.
        pub const fn new() -> Self {
            Self {
                #[cfg(not(loom))]
                slots: [const { Slot::new() }; NAMES],
                #[cfg(loom)]
                slots: core::array::from_fn(|_| Slot::new()),
            }
        }
    }

    /// The number of `name`. `None` for an empty one, when there is no room for another, or in the moment in which
    /// another CPU gives it its number.
    pub fn intern(&self, name: &'static str) -> Option<NameId> {
        if name.is_empty() {
            return None;
        }
        // Texts are packed; neighbours in memory become neighbours here.
        let first = name.as_ptr().addr();
        for at in (0..PROBES).map(|probe| first.wrapping_add(probe) % NAMES) {
            match self.slots[at].holds(name) {
                Ok(true) => return NameId::new(at as u16 + 1),
                Ok(false) => {}
                Err(()) => return None,
            }
        }
        None
    }

    /// The name with this number.
    pub fn get(&self, id: NameId) -> Option<&'static str> {
        self.slots.get(usize::from(id.get()) - 1)?.text()
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.slots.iter().filter_map(Slot::text)).finish()
    }
}
