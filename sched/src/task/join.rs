//! The join handle: a task's output as a future.

use super::header::Header;
use super::{TaskId, TaskRef};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::ops::Deref;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};

/// The right to a task's output. It is a future; dropping it lets the task go on by itself.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | `is_complete`, `id`, `name`, `task_ref` | wait-free | thread, interrupt | no | O(1) |
/// | `poll` | wait-free but for a race with completion | thread | no | O(1), and the drop of the waker before |
/// | [`cancel`](Self::cancel) | lock-free | thread, interrupt | no | one inbox push |
/// | drop | lock-free | thread; interrupt, if the output may be dropped there | no | the output's drop, one inbox push |
pub struct JoinHandle<T> {
    header: NonNull<Header>,
    taken: bool,
    _output: PhantomData<T>,
}

// SAFETY: the handle gives out a `T` and shares nothing else that is bound to a thread; `spawn` demands `T: Send`.
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: `&JoinHandle` offers only operations of the state word and immutable fields.
unsafe impl<T: Send> Sync for JoinHandle<T> {}

// The output is never pinned in the handle.
impl<T> Unpin for JoinHandle<T> {}

impl<T> JoinHandle<T> {
    /// # Safety
    ///
    /// The caller has a reference that was counted for a join handle, of a task whose output is a `T`.
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self { header, taken: false, _output: PhantomData }
    }

    fn header(&self) -> &Header {
        // SAFETY: the handle's reference keeps it live.
        unsafe { self.header.as_ref() }
    }

    /// Asks for the task to be cancelled: it is woken, and its future dropped where it is picked next. Without
    /// effect on a task that is complete. A poll that is under way is finished; if it completes the task, the
    /// output stands.
    pub fn cancel(&self) {
        let answer = self.header().state.cancel();
        // SAFETY: the answer is of this task, and not acted on yet.
        unsafe { Header::act_on(self.header, answer) }
    }

    /// The same handle, but dropping it cancels the task: for what nobody may outlive.
    pub fn cancel_on_drop(self) -> CancelOnDrop<T> {
        CancelOnDrop(self)
    }

    /// Whether the task finished or was cancelled, so that awaiting this will not wait.
    pub fn is_complete(&self) -> bool {
        self.header().state.is_complete()
    }

    /// Another reference to the task, which does without its output.
    pub fn task_ref(&self) -> TaskRef {
        // SAFETY: the handle's reference keeps the task live.
        unsafe { TaskRef::new(self.header) }
    }

    /// The task's id.
    pub fn id(&self) -> TaskId {
        self.header().id()
    }

    /// The thread, if it is one.
    #[cfg(feature = "threads")]
    pub fn thread(&self) -> Option<crate::thread::ThreadRef> {
        // SAFETY: a thread's, and the handle has a reference.
        self.header().is_thread().then(|| unsafe { crate::thread::ThreadRef::new(self.header) })
    }

    /// The task's name.
    pub fn name(&self) -> &'static str {
        self.header().meta().name
    }
}

/// Why there is no output. A task that finished has one, also if it was cancelled or shut down too late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JoinError {
    /// The task was [cancelled](JoinHandle::cancel) before it finished.
    Cancelled,
    /// Its scheduler was [shut down](crate::Scheduler::shut_down) before it finished; or, if it is a local task, its loop ended.
    Shutdown,
    /// The handle gave its answer before.
    Taken,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled => "the task was cancelled",
            Self::Shutdown => "the task was shut down with its scheduler",
            Self::Taken => "the handle has given its answer before",
        })
    }
}

impl core::error::Error for JoinError {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.taken {
            return Poll::Ready(Err(JoinError::Taken));
        }
        if !self.is_complete() {
            self.header().joiner.register(context.waker());
            // The completion may have come before the waker was there to be woken. A scheduler that is shut down has no loop to
            // wait for (SD1); the task, if one is at it yet, sees that it is not waited for.
            if !self.is_complete() {
                return if self.header().scheduler().is_shut_down() {
                    Poll::Ready(Err(JoinError::Shutdown))
                } else {
                    Poll::Pending
                };
            }
        }
        self.taken = true;
        let mut output: Option<T> = None;
        // SAFETY: the task is complete with its join handle there, so the stage is the handle's; `output` is of
        // the type that `from_raw`'s caller promised.
        unsafe { (self.header().vtable.take)(self.header, (&raw mut output).cast()) }
        let is_shut_down = self.header().state.is_shut_down();
        let why = if is_shut_down { JoinError::Shutdown } else { JoinError::Cancelled };
        Poll::Ready(output.ok_or(why))
    }
}

/// A join handle whose drop [cancels](JoinHandle::cancel) the task, see [`JoinHandle::cancel_on_drop`]. Else it is the handle that is
/// in it, as a future too.
///
/// Dropping it costs what cancelling and dropping the handle cost; without effect on a task that is complete.
#[derive(Debug)]
#[must_use = "dropping it cancels the task"]
pub struct CancelOnDrop<T>(JoinHandle<T>);

impl<T> Deref for CancelOnDrop<T> {
    type Target = JoinHandle<T>;

    fn deref(&self) -> &JoinHandle<T> {
        &self.0
    }
}

impl<T> Future for CancelOnDrop<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context)
    }
}

impl<T> Drop for CancelOnDrop<T> {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        // SAFETY: this is the handle, which goes.
        if unsafe { Header::drop_join(self.header) } {
            if !self.taken {
                // SAFETY: complete, and the loop left the output to this handle: the stage is ours.
                unsafe { Header::clear(self.header) }
            }
            // SAFETY: the handle has a reference, which goes with it.
            unsafe { Header::release(self.header) }
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("id", &self.id())
            .field("name", &self.name())
            .field("state", &self.header().state)
            .finish()
    }
}
