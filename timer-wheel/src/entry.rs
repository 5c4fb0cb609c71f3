//! What a node brings along: the [`Entry`] inside it, and [`Linked`], which finds it.
//!
//! The wheel reaches entries through raw pointers only, and all of an entry's fields are in one
//! `UnsafeCell`: a `&Node` may be alive while the wheel links and unlinks the node. `PhantomPinned`
//! does the same for a `&mut Node` and a `Box<Node>`.

use core::cell::UnsafeCell;
use core::fmt;
use core::marker::PhantomPinned;
use core::ptr::NonNull;

use crate::handle::Handle;
use crate::level::Slot;

/// A node that holds an [`Entry`] for itself.
///
/// # Safety
///
/// - `entry` returns the address of an [`Entry`] inside `*node`, the same one each time, which
///   nothing else uses as an entry, and which is not moved or overwritten while it is linked.
/// - `entry` makes no reference to the node or to a part of it. Other pointers to the node may be in
///   use at that time. It does not panic.
/// - With `Handle = NonNull<Self>`, or another handle that does not own its node: every handle that
///   is given to [`Wheel::arm`](crate::Wheel::arm) points to a node that is live and pinned until the
///   wheel hands it back. Keep the node type, or all ways to its wheel, private; `arm` is safe to
///   call and cannot check this.
///
/// # Implementing it
///
/// The obvious way is wrong. It makes a `&mut` to the entry, and thereby claims that nothing else
/// points there, which is untrue as soon as somebody holds the node by a shared handle:
///
/// ```no_run
/// # use core::ptr::NonNull;
/// # use timer_wheel::{Entry, Linked};
/// # struct Sleeper { entry: Entry<Sleeper> }
/// unsafe impl Linked for Sleeper {
///     type Handle = &'static Sleeper;
///     unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
///         let sleeper = unsafe { &mut *node.as_ptr() }; // wrong: undefined behaviour
///         NonNull::from(&mut sleeper.entry)
///     }
/// }
/// ```
///
/// The right way computes the address and nothing else:
///
/// ```
/// # use core::ptr::NonNull;
/// # use timer_wheel::{Entry, Linked};
/// # struct Sleeper { entry: Entry<Sleeper> }
/// // SAFETY: each node has one entry, used for nothing else; no reference is made.
/// unsafe impl Linked for Sleeper {
///     type Handle = &'static Sleeper;
///     unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>> {
///         // SAFETY: `node` is live, so the place exists; its address is not null.
///         unsafe { NonNull::new_unchecked(&raw mut (*node.as_ptr()).entry) }
///     }
/// }
/// ```
pub unsafe trait Linked: Sized {
    /// What is handed in on arming, and handed back on firing and cancelling.
    type Handle: Handle<Target = Self>;

    /// The address of the node's entry.
    ///
    /// # Safety
    ///
    /// `node` points to a live node.
    unsafe fn entry(node: NonNull<Self>) -> NonNull<Entry<Self>>;
}

/// What an entry knows of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// In no wheel.
    Idle,
    /// Held by a wheel and not yet fired. Asked of the entry, this includes what is in flight: a
    /// slot is taken into flight without a word to its entries.
    Armed,
    /// Armed, and among those that the wheel looks at next, being due or to be moved to a lower
    /// level. Only [`Wheel::state`](crate::Wheel::state) tells.
    InFlight,
    /// Fired, and not yet handed out by [`Wheel::pop_fired`](crate::Wheel::pop_fired).
    Fired,
}

/// The link that a node embeds to be armed in a [`Wheel`](crate::Wheel) of `T`.
///
/// It can be sent to another thread, but is not `Sync`. Whoever declares a node `Sync` promises that
/// all wheels the node is ever handed to, and all calls of its [`state`](Self::state) and
/// [`deadline`](Self::deadline) and of [`Wheel::state`](crate::Wheel::state) for it, exclude one
/// another (one lock, say):
///
/// ```compile_fail,E0277
/// # use timer_wheel::Entry;
/// fn is_sync<T: Sync>() {}
/// is_sync::<Entry<()>>();
/// ```
pub struct Entry<T> {
    fields: UnsafeCell<Fields<T>>,
    _pinned: PhantomPinned,
}

/// Where an entry was put. It stays as it is when a slot's lists are taken into flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Idle,
    Slot(Slot),
    /// Beyond the horizon, and the mark of the lap: it changes each time those there are taken.
    Beyond(bool),
    Flight,
    Fired,
}

pub(crate) struct Fields<T> {
    /// Dangling while idle, like `next`.
    pub(crate) prev: NonNull<T>,
    pub(crate) next: NonNull<T>,
    pub(crate) deadline_tick: u64,
    pub(crate) place: Place,
}

impl<T> Clone for Fields<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Fields<T> {}

/// The fields of a node's entry.
///
/// # Safety
///
/// `node` points to a live node.
pub(crate) unsafe fn fields<T: Linked>(node: NonNull<T>) -> *mut Fields<T> {
    // SAFETY: `node` is live, so `Linked` gives the address of an entry inside it; the place is
    // projected without a reference.
    unsafe { UnsafeCell::raw_get(&raw const (*T::entry(node).as_ptr()).fields) }
}

impl<T> Entry<T> {
    /// An idle entry.
    pub const fn new() -> Self {
        let fields = Fields {
            prev: NonNull::dangling(),
            next: NonNull::dangling(),
            deadline_tick: 0,
            place: Place::Idle,
        };
        Self { fields: UnsafeCell::new(fields), _pinned: PhantomPinned }
    }

    /// Whether the entry is held by a wheel, and whether it has fired. O(1).
    ///
    /// Never [`State::InFlight`].
    pub fn state(&self) -> State {
        match self.fields().place {
            Place::Idle => State::Idle,
            Place::Slot(_) | Place::Beyond(_) | Place::Flight => State::Armed,
            Place::Fired => State::Fired,
        }
    }

    /// The tick for which the entry was last armed, also after it has fired; 0 if never. O(1).
    pub fn deadline(&self) -> u64 {
        self.fields().deadline_tick
    }

    fn fields(&self) -> Fields<T> {
        // SAFETY: an entry is not `Sync`, so a wheel that writes it runs on this thread or is
        // excluded by whoever declared the node `Sync`; and the wheel calls no foreign code while
        // it has a write half done.
        unsafe { *self.fields.get() }
    }
}

// SAFETY: an entry gives no access to a `T`; its links are followed only by the wheel that holds the
// node, and then the node does not move.
unsafe impl<T> Send for Entry<T> {}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Entry<*mut ()>>();
};

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("state", &self.state())
            .field("deadline_tick", &self.deadline())
            .finish_non_exhaustive()
    }
}
