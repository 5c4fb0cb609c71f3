//! The list of all tasks, for those that are to be listed (feature `registry`).
//!
//! There is one list for each CPU, of the tasks that were spawned there, and one for those that threads spawned which are no
//! CPU. So CPUs that spawn and free their own tasks meet at no lock, and a task finds its list by its id.
//!
//! # Invariants
//!
//! - **RG1** A task is in its list from before it is placed for the first time until it is freed, and not after: a header in a
//!   list is live. Links, ends and cursors are touched under the list's lock only.
//! - **RG2** The lock is held for a fixed number of steps, with interrupts masked, and while it is held no other lock is taken,
//!   no code of the user's runs, and nothing is freed.
//! - **RG3** A walk gets a reference only of a task that has one and is not over ([`State::try_add_reference`]): of any other
//!   one, whoever frees it may have made sure already that nobody else is left.
//! - **RG4** A walk goes on from a cursor, which is moved on when the task that it points to goes. What is in the list when the
//!   walk comes to it, and stays, is met once; what comes meanwhile stands behind, and no walk takes more turns than there were
//!   tasks when it began.
//!
//! [`State::try_add_reference`]: crate::state::State::try_add_reference

#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::{AtomicBool, Ordering, const_fn};
use crate::task::{Header, Queued, TaskId};
use crate::trace::Trace;
use crate::{Machine, Scheduler, TaskRef};
use core::fmt::{self, Write};
use core::ptr::NonNull;

type Place = Option<NonNull<Header>>;

/// A task's neighbours (RG1).
pub(crate) struct Links {
    before: Place,
    next: Place,
}

impl Links {
    pub(crate) const NONE: Self = Self { before: None, next: None };
}

/// Where a walk goes on, and how far.
struct Cursor {
    next: Place,
    left: usize,
}

/// Who walks.
#[derive(Clone, Copy)]
pub(crate) enum Walk {
    Enumeration,
    Dump,
    /// Two at once meet all tasks between them.
    ShutDown,
}

/// The tasks of one list, in the order in which they came.
pub(crate) struct TaskList {
    first: Place,
    last: Place,
    len: usize,
    cursors: [Cursor; 3],
}

// SAFETY: the pointers are to live headers (RG1), which are `Sync`, and to their links, which go with the list.
unsafe impl Send for TaskList {}

impl TaskList {
    pub(crate) const fn new() -> Self {
        const START: Cursor = Cursor { next: None, left: 0 };
        Self { first: None, last: None, len: 0, cursors: [START; 3] }
    }

    /// The links of a task.
    ///
    /// # Safety
    ///
    /// `task` is live, and the caller has the list that it is in, or is to be in (RG1).
    unsafe fn links<R>(task: NonNull<Header>, f: impl FnOnce(&mut Links) -> R) -> R {
        // SAFETY: live, by the caller's promise.
        let links = unsafe { task.as_ref() }.links();
        // SAFETY: whoever has the list has them for itself.
        links.with_mut(|links| f(unsafe { &mut *links }))
    }

    /// # Safety
    ///
    /// `task` is live, in no list, and taken out before it is freed.
    unsafe fn insert(&mut self, task: NonNull<Header>) {
        let before = self.last.replace(task);
        // SAFETY: the caller's promise; the last one is in the list.
        unsafe {
            Self::links(task, |links| *links = Links { before, next: None });
            match before {
                Some(before) => Self::links(before, |links| links.next = Some(task)),
                None => self.first = Some(task),
            }
        }
        self.len += 1;
    }

    /// # Safety
    ///
    /// `task` is in this list.
    unsafe fn remove(&mut self, task: NonNull<Header>) {
        // SAFETY: it and its neighbours are in the list (RG1).
        unsafe {
            let Links { before, next } =
                Self::links(task, |links| core::mem::replace(links, Links::NONE));
            match before {
                Some(before) => Self::links(before, |links| links.next = next),
                None => self.first = next,
            }
            match next {
                Some(next) => Self::links(next, |links| links.before = before),
                None => self.last = before,
            }
            // RG4.
            for cursor in &mut self.cursors {
                if cursor.next == Some(task) {
                    cursor.next = next;
                }
            }
        }
        self.len -= 1;
    }

    fn rewind(&mut self, walk: Walk) {
        self.cursors[walk as usize] = Cursor { next: self.first, left: self.len };
    }

    /// The next task of the walk: live for as long as the list is the caller's.
    fn advance(&mut self, walk: Walk) -> Place {
        let cursor = &mut self.cursors[walk as usize];
        cursor.left = cursor.left.checked_sub(1)?;
        let task = cursor.next?;
        // SAFETY: a cursor points into its list (RG4).
        cursor.next = unsafe { Self::links(task, |links| links.next) };
        Some(task)
    }
}

/// All lists but those that each CPU has.
pub(crate) struct Registry {
    foreign: crate::lock::Lock<TaskList>,
    is_enumerating: AtomicBool,
}

impl Registry {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                foreign: crate::lock::Lock::new(TaskList::new()),
                is_enumerating: AtomicBool::new(false),
            }
        }
    }
}

/// The tasks are being enumerated already: one enumeration at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enumerating;

impl fmt::Display for Enumerating {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tasks are being enumerated already")
    }
}

impl core::error::Error for Enumerating {}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// The list of the tasks that were spawned on CPU `list - 1`, or, for 0, by threads that are no CPU.
    fn task_list(&self, list: usize) -> Option<&crate::lock::Lock<TaskList>> {
        match list.checked_sub(1) {
            None => Some(&self.registry.foreign),
            Some(cpu) => Some(&self.cpus.get(cpu)?.tasks),
        }
    }

    fn task_list_of(&self, id: TaskId) -> Option<&crate::lock::Lock<TaskList>> {
        self.task_list(id.block())
    }

    /// RG1: a new task is listed, before it is placed.
    pub(crate) fn list_task(&self, task: &Queued) {
        let header = task.header();
        if header.meta().is_listed
            && let Some(list) = self.task_list_of(header.id())
        {
            let masked = self.masked();
            // SAFETY: new, in the caller's hands, and taken out by `Header::free`.
            unsafe { list.lock(&masked).insert(task.pointer()) };
        }
    }

    /// RG1: a task that was listed is about to be freed.
    ///
    /// # Safety
    ///
    /// The caller is the last to reach the task, but by the list.
    pub(crate) unsafe fn unlist_task(&self, task: NonNull<Header>) {
        // SAFETY: live until the caller frees it.
        if let Some(list) = self.task_list_of(unsafe { task.as_ref() }.id()) {
            let masked = self.masked();
            // SAFETY: it was listed by its id, as all are that say they are listed.
            unsafe { list.lock(&masked).remove(task) };
        }
    }

    /// Calls `f` with a reference to each task that is listed ([`Settings::list_tasks`](crate::Settings::list_tasks),
    /// [`Builder::listed`](crate::Builder::listed)) and not over: futures, local ones included, and threads, in any memory.
    ///
    /// A task that is there all the time is met exactly once; one that is spawned, or comes to its end, meanwhile is met or not.
    /// In `f` anything may be done that can be done with a [`TaskRef`]: the task may be cancelled, its
    /// [state](TaskRef::run_state) and its [CPU](TaskRef::last_cpu) asked for, and others be spawned.
    ///
    /// For each task one lock, of the list of the CPU that spawned it, is held for a fixed number of steps with interrupts
    /// masked, and never while `f` runs: that is as long as a spawn or an end of a listed task may wait. As many turns as there
    /// were tasks at the beginning, at most. Allocates nothing. From threads and tasks, and from interrupt handlers but NMI.
    ///
    /// # Errors
    ///
    /// [`Enumerating`] while another enumeration is under way, `f` of this one included.
    ///
    /// ```
    /// # use sched::{Enumerating, Machine, Scheduler, trace::Trace};
    /// /// Cancels all tasks of a kind, and tells how many there were.
    /// fn end_all<M: Machine, T: Trace>(scheduler: &Scheduler<M, T>, kind: &str) -> Result<usize, Enumerating> {
    ///     let mut ended = 0;
    ///     scheduler.for_each_task(|task| {
    ///         if task.info().kind == kind {
    ///             task.cancel();
    ///             ended += 1;
    ///         }
    ///     })?;
    ///     Ok(ended)
    /// }
    /// ```
    pub fn for_each_task(&self, f: impl FnMut(&TaskRef)) -> Result<(), Enumerating> {
        struct Enumeration<'a>(&'a AtomicBool);
        impl Drop for Enumeration<'_> {
            fn drop(&mut self) {
                // Ordering: Relaxed; see the swap.
                self.0.store(false, Ordering::Relaxed);
            }
        }
        // Ordering: Relaxed, as the flag guards nothing but the cursors' meaning: they are read and written under the locks.
        if self.registry.is_enumerating.swap(true, Ordering::Relaxed) {
            return Err(Enumerating);
        }
        let _until_the_end = Enumeration(&self.registry.is_enumerating);
        self.walk(Walk::Enumeration, f);
        Ok(())
    }

    pub(crate) fn walk(&self, walk: Walk, mut f: impl FnMut(&TaskRef)) {
        for list in (0..=CPUS).map_while(|list| self.task_list(list)) {
            list.lock(&self.masked()).rewind(walk);
            loop {
                let masked = self.masked();
                let mut tasks = list.lock(&masked);
                let Some(task) = tasks.advance(walk) else { break };
                // SAFETY: RG1, live for as long as the lock is held.
                let reference = unsafe { TaskRef::try_new(task) };
                drop(tasks);
                drop(masked);
                if let Some(task) = reference {
                    f(&task);
                }
            }
        }
    }

    /// Writes a line about each task that is listed: what it was made with, its state, and the CPU that had it last. Tasks that
    /// are over are among them, while somebody keeps their memory.
    ///
    /// It waits for no lock, so it works in a panic, whatever the others are stopped in; a list whose lock somebody has is said
    /// to be in use, and left out from there on. What it says is of no one moment, and two dumps at once share the tasks
    /// between them. Not in NMI.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn dump_tasks(&self, out: &mut impl Write) -> fmt::Result {
        for (index, list) in (0..=CPUS).map_while(|list| Some((list, self.task_list(list)?))) {
            let mut is_first = true;
            loop {
                let masked = self.masked();
                let Some(mut tasks) = list.try_lock() else {
                    drop(masked);
                    writeln!(out, "the list of tasks {index} is in use")?;
                    break;
                };
                if core::mem::take(&mut is_first) {
                    tasks.rewind(Walk::Dump);
                }
                let Some(task) = tasks.advance(Walk::Dump) else { break };
                // SAFETY: RG1, live for as long as the lock is held.
                let header = unsafe { task.as_ref() };
                let (info, state) = (header.info(), header.state.run_state());
                let (is_cancelled, cpu) = (header.state.is_cancelled(), header.home());
                drop(tasks);
                drop(masked);
                write!(out, "{info}: {state:?}")?;
                if is_cancelled {
                    out.write_str(", cancelled")?;
                }
                match cpu {
                    Some(cpu) => writeln!(out, ", {cpu}")?,
                    None => writeln!(out, ", no CPU yet")?,
                }
            }
        }
        Ok(())
    }
}
