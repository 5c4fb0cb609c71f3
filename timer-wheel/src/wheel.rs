//! Arming, cancelling, and what comes next.
//!
//! Every held entry is on exactly one list: one of those of a slot, of those *beyond* the horizon, of
//! those *in flight* (taken from one of the former, or due on arming, and to be looked at next), or
//! the one of the *fired*. `cursor` is the tick up to which the wheel has worked; `now` the latest tick
//! it was told. Invariants, kept between any two calls (`drain.rs` keeps them in mid-drain):
//!
//! - **W1** `cursor ≤ now`; neither goes back. A turn that leaves nothing due leaves them equal.
//! - **W2** An armed entry that is not in flight has a deadline after `cursor`, and is where
//!   `Geometry::slot(cursor, deadline)` says; beyond the horizon if that is nowhere. Of the lists
//!   there, and of those in flight, it is on the one of its strand: `Geometry::strand` of the later of
//!   `cursor` and its deadline.
//! - **W3** The block in flight is the ticks up to `flight.last() ≥ cursor`, and no deadline in flight
//!   lies after it. With nothing in flight it ends at `cursor`.
//! - **W4** An entry armed with a deadline in the block in flight goes to the end of its strand there.
//! - **W5** Among equal deadlines: the fired, then those in a slot or beyond, then those in flight;
//!   and on each list in the order of arming. (By W2 they share a slot and a strand; by W4 later ones
//!   queue up behind those still to be moved there.)
//! - **W6** A slot's occupancy bit is set exactly while its lists hold something.
//! - **W7** No deadline beyond the horizon is before `beyond.earliest`, which is `u64::MAX` while there
//!   are none, and none is within the horizon of `cursor`.

use core::fmt;
use core::ptr::NonNull;

use crate::entry::{Linked, Place, State, fields};
use crate::fired::Waiting;
use crate::flight::Flight;
use crate::handle::Handle;
use crate::level::Geometry;
use crate::list::List;
use crate::place::Beyond;
use crate::slots::Slots;

/// A hierarchical timer wheel of `LEVELS` levels with `SLOTS` slots each, of `STRANDS` lists each.
///
/// `SLOTS` is a power of two from 2 to 256, `STRANDS` one from 1 to 32, and no level lies above the 64
/// bits of a tick: anything else does not compile. The horizon is the end of the aligned run of
/// `SLOTS^LEVELS` ticks (the default: 2³⁶) in which `now` lies. A timer beyond it is armed just as
/// well, and is looked at once more when the horizon reaches it. With `Wheel<T, 11, 64>` nothing is
/// beyond. What shape to choose is told in the [crate's documentation](crate#choosing-the-shape).
///
/// ```compile_fail
/// # use core::ptr::NonNull;
/// # use timer_wheel::{Entry, Linked, Wheel};
/// # struct Node { entry: Entry<Node> }
/// # unsafe impl Linked for Node {
/// #     type Handle = &'static Node;
/// #     unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
/// #         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
/// #     }
/// # }
/// let wheel = Wheel::<Node, 6, 48>::new(); // 48 is not a power of two
/// ```
///
/// The wheel may be moved while it holds entries. Dropping it drops the handles of all entries
/// still held, fired ones included. Forgetting it leaves them linked for good.
pub struct Wheel<
    T: Linked,
    const LEVELS: usize = 6,
    const SLOTS: usize = 64,
    const STRANDS: usize = 1,
> {
    pub(crate) slots: Slots<T, LEVELS, SLOTS, STRANDS>,
    pub(crate) beyond: Beyond<T, STRANDS>,
    pub(crate) flight: Flight<T, STRANDS>,
    pub(crate) fired: Waiting<T>,
    pub(crate) now: u64,
    pub(crate) cursor: u64,
    pub(crate) armed_len: usize,
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>
    Wheel<T, LEVELS, SLOTS, STRANDS>
{
    /// An empty wheel whose time is tick 0.
    pub const fn new() -> Self {
        Self::starting_at(0)
    }

    /// An empty wheel whose time is `now_tick`.
    pub const fn starting_at(now_tick: u64) -> Self {
        let () = Geometry::<LEVELS, SLOTS, STRANDS>::VALID;
        Self {
            slots: Slots::new(),
            beyond: Beyond {
                lists: [const { List::new() }; STRANDS],
                earliest: u64::MAX,
                lap: false,
            },
            flight: Flight::none(now_tick),
            fired: Waiting { list: List::new(), len: 0 },
            now: now_tick,
            cursor: now_tick,
            armed_len: 0,
        }
    }

    /// The latest tick the wheel was told. O(1).
    pub const fn now(&self) -> u64 {
        self.now
    }

    /// Whether no entry is armed. Fired ones do not count. O(1).
    pub const fn is_empty(&self) -> bool {
        self.armed_len == 0
    }

    /// How many entries are armed, those in flight included. Fired ones do not count. O(1).
    pub const fn len(&self) -> usize {
        self.armed_len
    }

    /// How many entries have fired and wait for [`pop_fired`](Self::pop_fired). O(1).
    pub const fn fired_len(&self) -> usize {
        self.fired.len
    }

    /// Arms a node for `deadline_tick`, in O(1). [`after`](Self::after) and
    /// [`coarse`](Self::coarse) choose a tick, and so do [`within`](crate::within) and
    /// [`next_period`](Self::next_period).
    ///
    /// A deadline that is not after [`now`](Self::now) fires on the next turn, also when time stands
    /// still. `u64::MAX` is a tick like any other: it fires when `now` reaches it.
    ///
    /// # Errors
    ///
    /// [`AlreadyArmed`] hands the handle back, and nothing has changed, if the node is linked: in
    /// this wheel or in another one. Reading the state of a node in another wheel is sound because
    /// both are on one thread or exclude one another; see [`Entry`](crate::Entry).
    pub fn arm(
        &mut self,
        handle: T::Handle,
        deadline_tick: u64,
    ) -> Result<(), AlreadyArmed<T::Handle>> {
        let node = handle.into_raw();
        // SAFETY: the handle's node is live, by `Handle` and `Linked`.
        if unsafe { (*fields(node)).place } != Place::Idle {
            // SAFETY: `node` came from this handle just now.
            return Err(AlreadyArmed { handle: unsafe { T::Handle::from_raw(node) } });
        }
        // SAFETY: `node` came from a handle, which is the wheel's from here on; it is idle.
        unsafe { self.link(node, deadline_tick) };
        Ok(())
    }

    /// Disarms a node and hands its handle back, in O(1).
    ///
    /// It does so as long as the wheel holds the node: in a slot, in flight, or fired and not yet
    /// popped. `None` means that it does not: the node was never armed, or its handle has been handed
    /// out already ("already firing").
    ///
    /// # Safety
    ///
    /// `node` points to a live node which is linked, if at all, in this wheel.
    pub unsafe fn cancel(&mut self, node: NonNull<T>) -> Option<T::Handle> {
        // SAFETY: by contract.
        let node = unsafe { self.unlink(node) }?;
        // SAFETY: the list gives the pointer that `arm` made of the handle; it is unlinked now, so
        // this is the one time.
        Some(unsafe { T::Handle::from_raw(node) })
    }

    /// Moves a node that this wheel holds to another deadline, as if it were cancelled and armed
    /// anew: it queues up behind equal deadlines. O(1).
    ///
    /// A fired node that was not popped yet is taken back. `false` means that the wheel does not hold
    /// the node, and nothing has changed.
    ///
    /// # Safety
    ///
    /// As for [`cancel`](Self::cancel).
    #[must_use = "`false` means that nothing is armed"]
    pub unsafe fn rearm(&mut self, node: NonNull<T>, deadline_tick: u64) -> bool {
        // SAFETY: by contract.
        let Some(node) = (unsafe { self.unlink(node) }) else { return false };
        // SAFETY: the list gives the pointer that `arm` made of the handle; it is idle now.
        unsafe { self.link(node, deadline_tick) };
        true
    }

    /// The earliest tick at which there is something to do: to fire, or to move to a lower level.
    ///
    /// Never after the earliest deadline, and exact in that a turn before this tick touches nothing.
    /// A timer can cause at most `LEVELS` such ticks before its own, one per level above the lowest
    /// and one for having been beyond the horizon. (There, a cancelled timer can cause one more.)
    ///
    /// In the middle of a drain, or after arming for the past, it is not after [`now`](Self::now).
    /// `None` if nothing is armed. What waits for [`pop_fired`](Self::pop_fired) does not count. O(1).
    pub fn next_event(&self) -> Option<u64> {
        if self.flight.is_empty() {
            self.next_block().map(|(_, block)| block.first)
        } else {
            Some(self.cursor)
        }
    }

    /// Where `node` stands. Other than [`Entry::state`](crate::Entry::state) it tells
    /// [`State::InFlight`] from [`State::Armed`], for a node in this wheel. O(1).
    pub fn state(&self, node: &T) -> State {
        // SAFETY: `node` is live, and its entry not written now: see `Entry` for why.
        let place = unsafe { (*fields(NonNull::from(node))).place };
        match place {
            Place::Idle => State::Idle,
            Place::Fired => State::Fired,
            _ if self.flight.holds(place) => State::InFlight,
            _ => State::Armed,
        }
    }

    /// Hands back any one handle the wheel still holds, fired or not, in no stated order: for
    /// shutting down. O(1).
    pub fn pop_any(&mut self) -> Option<T::Handle> {
        let node = self.any()?;
        // SAFETY: `node` is linked in this wheel.
        unsafe { self.cancel(node) }
    }
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> Drop
    for Wheel<T, LEVELS, SLOTS, STRANDS>
{
    fn drop(&mut self) {
        /// Goes on where a drop that panicked stopped.
        struct Rest<'a, T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize>(
            &'a mut Wheel<T, LEVELS, SLOTS, STRANDS>,
        );

        impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> Drop
            for Rest<'_, T, LEVELS, SLOTS, STRANDS>
        {
            fn drop(&mut self) {
                while let Some(handle) = self.0.pop_any() {
                    drop(handle);
                }
            }
        }

        let rest = Rest(self);
        while let Some(handle) = rest.0.pop_any() {
            drop(handle);
        }
    }
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> Default
    for Wheel<T, LEVELS, SLOTS, STRANDS>
{
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> fmt::Debug
    for Wheel<T, LEVELS, SLOTS, STRANDS>
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wheel")
            .field("now", &self.now)
            .field("len", &self.armed_len)
            .field("fired_len", &self.fired.len)
            .field("next_event", &self.next_event())
            .finish_non_exhaustive()
    }
}

// SAFETY: the wheel owns the handles of all its nodes, which may move to another thread; everything
// else is pointers to those nodes, and numbers. A node shared with other threads is `Sync`, so
// whoever declared it so has promised that access to its entry is exclusive (`Entry`).
unsafe impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> Send
    for Wheel<T, LEVELS, SLOTS, STRANDS>
where
    T::Handle: Send,
{
}

// SAFETY: `&Wheel` reads numbers of the wheel, and never reaches a node or a handle.
unsafe impl<T: Linked, const LEVELS: usize, const SLOTS: usize, const STRANDS: usize> Sync
    for Wheel<T, LEVELS, SLOTS, STRANDS>
{
}

const _: () = {
    const fn is_send<T: Send>() {}
    const fn is_sync<T: Sync>() {}
    #[allow(dead_code, reason = "type-checked, never called")]
    const fn wheels<T: Linked>()
    where
        T::Handle: Send,
    {
        is_send::<Wheel<T>>();
        is_sync::<Wheel<T>>();
    }
};

/// Arming was refused because the node is linked already; the handle comes back inside.
pub struct AlreadyArmed<H> {
    /// The handle given to [`Wheel::arm`].
    pub handle: H,
}

impl<H> fmt::Debug for AlreadyArmed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlreadyArmed").finish_non_exhaustive()
    }
}

impl<H> fmt::Display for AlreadyArmed<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the node is already armed")
    }
}

impl<H> core::error::Error for AlreadyArmed<H> {}
