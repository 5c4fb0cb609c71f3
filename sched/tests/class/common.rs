//! Tasks, a source of chances, and a fair queue that owns its tasks.

use sched::class::fair::Entity;
use sched::class::{Deadline, Fair, FairTask, Pick, SchedClass, Tcb, Weight};
use std::cell::Cell;
use std::ptr::NonNull;

/// A task of the tests: it weighs and asks what it is told to.
pub(crate) struct Task {
    pub(crate) id: usize,
    pub(crate) weight: Cell<u32>,
    pub(crate) slice_ns: Cell<u64>,
    entity: Entity<Task>,
}

impl Tcb for Task {
    type Handle = NonNull<Task>;
}

impl Weight for Task {
    fn weight(&self) -> u32 {
        self.weight.get()
    }
}

impl Deadline for Task {
    fn slice_ns(&self) -> u64 {
        self.slice_ns.get()
    }
}

// SAFETY: `entity` is the field of that name, of this task alone, and no reference is made. `Tasks` keeps
// every task live and in place until after the classes of the test.
unsafe impl FairTask for Task {
    unsafe fn entity(task: NonNull<Self>) -> NonNull<Entity<Self>> {
        // SAFETY: `task` points to a `Task` (contract of `entity`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*task.as_ptr()).entity) }
    }
}

/// Tasks by number. To be declared before the classes that use them, so that it goes after them.
#[derive(Default)]
pub(crate) struct Tasks(Vec<NonNull<Task>>);

impl Tasks {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// A new task, in no class.
    pub(crate) fn add(&mut self, weight: u32, slice_ns: u64) -> usize {
        let id = self.0.len();
        let (weight, slice_ns) = (Cell::new(weight), Cell::new(slice_ns));
        let task = Box::new(Task { id, weight, slice_ns, entity: Entity::new() });
        self.0.push(NonNull::from(Box::leak(task)));
        id
    }

    /// Its handle.
    pub(crate) fn handle(&self, id: usize) -> NonNull<Task> {
        self.0[id]
    }

    pub(crate) fn get(&self, id: usize) -> &Task {
        // SAFETY: Live until `self` goes, and never borrowed as `&mut`.
        unsafe { self.0[id].as_ref() }
    }

    pub(crate) fn entity(&self, id: usize) -> &Entity<Task> {
        Entity::of(self.get(id))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            // SAFETY: From `Box::leak`, once; the classes are gone (see the type).
            drop(unsafe { Box::from_raw(task.as_ptr()) });
        }
    }
}

/// Picks until there is something to run, and says what; those that slept on are left out.
pub(crate) fn pick(fair: &mut Fair<Task>, now_ns: u64) -> Option<usize> {
    loop {
        match fair.pick_next_task(now_ns) {
            Pick::Run(task) => return Some(task.id),
            Pick::Asleep(_) => {}
            Pick::Idle => return None,
        }
    }
}

/// Reproducible chances (SplitMix64).
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Rng(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn of<T: Copy>(&mut self, among: &[T]) -> T {
        among[self.below(among.len() as u64) as usize]
    }
}

/// How much a test does: what it does by itself, or what the environment asks for.
pub(crate) fn size(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).ok().map_or(usual, |size| size.parse().expect(variable))
}
