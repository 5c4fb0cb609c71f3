//! What is known of a task, and a counted reference to one.

use super::header::Header;
use super::{TaskId, Tier};
use crate::CpuId;
use crate::state::RunState;
use core::fmt;
use core::panic::Location;
use core::ptr::NonNull;

/// What a task was made with. It never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TaskInfo {
    /// The task's id.
    pub id: TaskId,
    /// Its name; empty if it was given none.
    pub name: &'static str,
    /// What sort of task it is: `"task"`, unless the builder was told otherwise.
    pub kind: &'static str,
    /// Its tier.
    pub tier: Tier,
    /// Where it was spawned, or what the builder was told instead.
    pub location: &'static Location<'static>,
}

/// As in `1.7 "logger" (Background task, spawned at src/main.rs:12:5)`.
impl fmt::Display for TaskInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, name, kind, tier, location } = self;
        write!(f, "{id} {name:?} ({tier:?} {kind}, spawned at {location})")
    }
}

/// A counted reference to a task, without the right to its output: to name it, to wake it, to cancel it. While one is
/// there, the task's memory is.
///
/// All operations are lock-free, allocate nothing, and are callable from anywhere but NMI; the worst case is one inbox push.
pub struct TaskRef(NonNull<Header>);

// SAFETY: it offers operations of the state word and immutable fields only, for any thread.
unsafe impl Send for TaskRef {}
// SAFETY: as above.
unsafe impl Sync for TaskRef {}

impl TaskRef {
    /// Another reference to the task.
    ///
    /// # Safety
    ///
    /// The task is live during the call.
    pub(crate) unsafe fn new(header: NonNull<Header>) -> Self {
        // SAFETY: the caller's promise. The new reference is this value's, given up in `drop`.
        unsafe { header.as_ref() }.state.add_reference();
        Self(header)
    }

    /// A reference to a task that has one already and is not over; `None` for any other.
    ///
    /// # Safety
    ///
    /// The task's memory is there during the call.
    #[cfg(feature = "registry")]
    pub(crate) unsafe fn try_new(header: NonNull<Header>) -> Option<Self> {
        // SAFETY: the caller's promise. The new reference is this value's, given up in `drop`.
        unsafe { header.as_ref() }.state.try_add_reference().then(|| Self(header))
    }

    fn header(&self) -> &Header {
        // SAFETY: the reference keeps it live.
        unsafe { self.0.as_ref() }
    }

    pub(crate) fn header_pointer(&self) -> NonNull<Header> {
        self.0
    }

    /// What the task was made with.
    pub fn info(&self) -> TaskInfo {
        self.header().info()
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// What the task is at: a hint, unless the caller keeps it there.
    pub fn run_state(&self) -> RunState {
        self.header().state.run_state()
    }

    /// The CPU whose loop had the task last, or has it now: a hint. `None` until it comes to one.
    pub fn last_cpu(&self) -> Option<CpuId> {
        self.header().home()
    }

    /// Whether the task was cancelled, or is to be.
    pub fn is_cancelled(&self) -> bool {
        self.header().state.is_cancelled()
    }

    /// Whether the task finished or was cancelled.
    pub fn is_complete(&self) -> bool {
        self.header().state.is_complete()
    }

    /// Has the task polled, as its waker would.
    pub fn wake(&self) {
        let answer = self.header().state.wake();
        // SAFETY: the answer is of this task, and not acted on yet.
        unsafe { Header::act_on(self.0, answer) }
    }

    /// As [`JoinHandle::cancel`](super::JoinHandle::cancel).
    pub fn cancel(&self) {
        let answer = self.header().state.cancel();
        // SAFETY: the answer is of this task, and not acted on yet.
        unsafe { Header::act_on(self.0, answer) }
    }
}

impl TaskRef {
    /// As [`cancel`](Self::cancel), but the handle says why.
    pub(crate) fn shut_down(&self) {
        let answer = self.header().state.shut_down();
        // SAFETY: the answer is of this task, and not acted on yet.
        unsafe { Header::act_on(self.0, answer) }
    }
}

impl Clone for TaskRef {
    fn clone(&self) -> Self {
        // SAFETY: this reference keeps the task live.
        unsafe { Self::new(self.0) }
    }
}

impl Drop for TaskRef {
    fn drop(&mut self) {
        // SAFETY: the reference goes with it.
        unsafe { Header::release(self.0) }
    }
}

/// The same task, not the same name.
impl PartialEq for TaskRef {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for TaskRef {}

impl fmt::Debug for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskRef")
            .field("info", &self.info())
            .field("state", &self.header().state)
            .finish()
    }
}
