//! What a task embeds to be in the fair class.

use super::slices::Slices;
use super::virtual_time::VirtualTime;
use crate::class::held::Held;
use crate::class::nice::Nice;
use crate::class::tcb::{Deadline, Tcb, Weight};
use core::cell::Cell;
use core::fmt;
use core::ptr::NonNull;
use rbtree_aug::{Handle, Link, Linked, MinDeadline};

/// A task of the fair class: it has an [`Entity`] inside.
///
/// # Safety
///
/// 1. `entity` returns a pointer to a field of `*task`, always the same one, made by
///    [`Entity::new`] and used by nothing else. It makes no reference to the whole task, and does not
///    panic.
/// 2. With `Handle = NonNull<Self>` nothing in the type says that a pointer is good: this impl then
///    vouches for every pointer given to a class. Until the class gives it back the task is live,
///    stays at its address, and is not borrowed as `&mut`.
///
/// An entity is not `Sync`: classes read and write it without atomics. A task type that is `Sync` by
/// its own `unsafe impl` vouches that its entity is used by one CPU at a time: that which has the task
/// in its class, under that class's lock.
pub unsafe trait FairTask: Tcb + Weight + Deadline {
    /// Where the entity of `task` is.
    ///
    /// # Safety
    ///
    /// `task` points to a live value.
    unsafe fn entity(task: NonNull<Self>) -> NonNull<Entity<Self>>;
}

/// Where an entity is, and what is known of it only there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In no class. Its lag when it left, in virtual time; and how far off its deadline then was, if
    /// its request goes on elsewhere.
    Out { lag: i64, request: Option<i64> },
    /// In the timeline, runnable.
    Queued,
    /// In the timeline, asleep.
    Delayed,
    /// The current one.
    Running,
}

impl State {
    /// Nothing earned, nothing owed.
    pub(super) const NEW: Self = State::Out { lag: 0, request: None };
}

/// What a task embeds: its place in the timeline, its virtual runtime and deadline, its lag while it
/// is out.
///
/// While a class has the task these are what it counts by; only the class changes them.
pub struct Entity<T: FairTask> {
    link: Link<Entity<T>>,
    /// The task that it is in: there from the moment it enters a timeline.
    task: Cell<Option<NonNull<T>>>,
    pub(super) state: Cell<State>,
    pub(super) weight: Cell<u32>,
    pub(super) slice_ns: Cell<u32>,
    pub(super) vruntime: Cell<VirtualTime>,
    pub(super) deadline: Cell<VirtualTime>,
}

// SAFETY: The pointers inside are used by a class alone, and by it only while it has the task; a
// class goes to another thread only if its handles may.
unsafe impl<T: FairTask> Send for Entity<T> {}

impl<T: FairTask> Entity<T> {
    /// An entity that is in no class, with no lag.
    #[must_use]
    pub const fn new() -> Self {
        Entity {
            link: Link::new(),
            task: Cell::new(None),
            state: Cell::new(State::NEW),
            weight: Cell::new(Nice::DEFAULT.weight()),
            slice_ns: Cell::new(0),
            vruntime: Cell::new(VirtualTime::ZERO),
            deadline: Cell::new(VirtualTime::ZERO),
        }
    }

    /// The entity inside `task`.
    pub fn of(task: &T) -> &Self {
        // SAFETY: The task is live, and so is its field (contract of `FairTask`); it is shared, and
        // changes by its cells alone.
        unsafe { T::entity(NonNull::from(task)).as_ref() }
    }

    /// How much service it has had, weighted. Of no meaning while it is out.
    #[must_use]
    pub fn vruntime(&self) -> VirtualTime {
        self.vruntime.get()
    }

    /// When its request should be served. Of no meaning while it is out.
    #[must_use]
    pub fn deadline(&self) -> VirtualTime {
        self.deadline.get()
    }

    /// The weight that it is counted with.
    #[must_use]
    pub fn weight(&self) -> u32 {
        self.weight.get()
    }

    /// The length of its request, in nanoseconds.
    #[must_use]
    pub fn slice_ns(&self) -> u32 {
        self.slice_ns.get()
    }

    /// Whether it is in a class.
    #[must_use]
    pub fn is_held(&self) -> bool {
        !matches!(self.state.get(), State::Out { .. })
    }

    /// Whether it is in a class, asleep.
    #[must_use]
    pub fn is_delayed(&self) -> bool {
        self.state.get() == State::Delayed
    }

    /// What it takes along while it is out: its lag, in units of virtual time. `None` while a class has
    /// it.
    #[must_use]
    pub fn lag_taken_along(&self) -> Option<i64> {
        match self.state.get() {
            State::Out { lag, .. } => Some(lag),
            _ => None,
        }
    }

    /// The task, of an entity in a timeline.
    pub(super) fn task(&self) -> Option<&T> {
        // SAFETY: The task is live while its entity is, which is a field of it, and no `&mut` exists
        // while the class has its handle.
        self.task.get().map(|task| unsafe { task.as_ref() })
    }
}

impl<T: FairTask> Held<T> {
    pub(super) fn entity(&self) -> &Entity<T> {
        Entity::of(self)
    }
}

impl<T: FairTask> Default for Entity<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: FairTask> fmt::Debug for Entity<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entity")
            .field("state", &self.state.get())
            .field("weight", &self.weight.get())
            .field("slice_ns", &self.slice_ns.get())
            .field("vruntime", &self.vruntime.get())
            .field("deadline", &self.deadline.get())
            .finish_non_exhaustive()
    }
}

// SAFETY: `link` is the field of that name, of this entity alone, and no reference is made. The
// handle is `Held`, not a bare pointer.
unsafe impl<T: FairTask> Linked for Entity<T> {
    type Handle = Held<T>;
    type Key = VirtualTime;
    type Augment = (MinDeadline, Slices);

    fn key(&self) -> VirtualTime {
        self.vruntime.get()
    }

    unsafe fn link(entity: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: `entity` points to an `Entity` (contract of `link`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*entity.as_ptr()).link) }
    }
}

impl<T: FairTask> rbtree_aug::Deadline for Entity<T> {
    type Deadline = VirtualTime;

    fn deadline(&self) -> VirtualTime {
        self.deadline.get()
    }
}

// SAFETY: The entity is a field of the task, which the handle inside `Held` keeps live, in place and
// free of `&mut` until `from_raw`; the pointer is made from the handle's own, so it may do what that
// may, within the field. The way back is the handle's own pointer, kept in the entity.
unsafe impl<T: FairTask> Handle for Held<T> {
    type Target = Entity<T>;

    fn into_raw(self) -> NonNull<Entity<T>> {
        let task = self.into_pointer();
        // SAFETY: Live (see above).
        let entity = unsafe { T::entity(task) };
        // SAFETY: A live field, changed by its cells alone.
        unsafe { entity.as_ref() }.task.set(Some(task));
        entity
    }

    unsafe fn from_raw(entity: NonNull<Entity<T>>) -> Self {
        // SAFETY: As in `into_raw`, which was there before (contract of `from_raw`).
        let entity = unsafe { entity.as_ref() };
        // SAFETY: `into_raw` put it there from `into_pointer`, and this is the one `from_raw` since.
        unsafe { Held::from_pointer(entity.task.get().unwrap_unchecked()) }
    }
}
