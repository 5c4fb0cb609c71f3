//! Counts of a scheduler's memory that go with what needs it (AR1, AR2).

use super::{Arc, Counted};
use crate::trace::Trace;
use crate::{Machine, Scheduler};
use core::future::Future;
use core::mem::MaybeUninit;
use core::pin::Pin;
use core::task::{Context, Poll};

/// One count of the `Arc` in which a scheduler is.
pub(crate) struct Keep {
    arc: *const (),
    count: unsafe fn(*const ()),
    give_back: unsafe fn(*const ()),
}

// SAFETY: whoever gives the last count back drops the scheduler, and `Shared::new` makes counted ones only where machine and trace
// are `Send`; all other parts of it are.
unsafe impl Send for Keep {}
// SAFETY: a reference to one does nothing.
unsafe impl Sync for Keep {}

impl Keep {
    /// The count that somebody has left behind for this; `None` of a scheduler that is not counted.
    ///
    /// # Safety
    ///
    /// There is such a count, and it is taken over once.
    pub(crate) unsafe fn take<M: Machine + 'static, T: Trace + 'static, const CPUS: usize>(
        scheduler: &Scheduler<M, T, CPUS>,
    ) -> Option<Self> {
        let Counted { arc, .. } = scheduler.counted.as_ref()?;
        let (count, give_back) = (count::<M, T, CPUS>, give_back::<M, T, CPUS>);
        Some(Self { arc: *arc, count, give_back })
    }

    /// A new count.
    pub(crate) fn new<M: Machine + 'static, T: Trace + 'static, const CPUS: usize>(
        scheduler: &Scheduler<M, T, CPUS>,
    ) -> Option<Self> {
        let Counted { arc, .. } = scheduler.counted.as_ref()?;
        // SAFETY: the pointer is that of the `Arc`, which is there, as the reference shows.
        unsafe { count::<M, T, CPUS>(*arc) };
        // SAFETY: that count.
        unsafe { Self::take(scheduler) }
    }
}

unsafe fn count<M: Machine + 'static, T: Trace + 'static, const CPUS: usize>(arc: *const ()) {
    // SAFETY: the pointer is that of the `Arc`, and the caller knows it to be there.
    unsafe { Arc::increment_strong_count(arc.cast::<Scheduler<M, T, CPUS>>()) }
}

unsafe fn give_back<M: Machine + 'static, T: Trace + 'static, const CPUS: usize>(arc: *const ()) {
    // SAFETY: the pointer is that of the `Arc`, and the caller has a count of it.
    unsafe { Arc::decrement_strong_count(arc.cast::<Scheduler<M, T, CPUS>>()) }
}

impl Drop for Keep {
    fn drop(&mut self) {
        // SAFETY: this has a count of that type's.
        unsafe { (self.give_back)(self.arc) }
    }
}

impl Clone for Keep {
    fn clone(&self) -> Self {
        // SAFETY: the pointer is that of the `Arc`, of which this has a count.
        unsafe { (self.count)(self.arc) };
        Self { ..*self }
    }
}

/// A future that needs a [`Shared`](super::Shared) scheduler, and keeps its memory; it is the future that is in it.
pub struct Kept<F> {
    /// There until the drop. Its references to the scheduler are not to say that the memory outlives the call to which this is
    /// moved (see [`Far`](crate::far::Far)).
    future: MaybeUninit<F>,
    _keep: Option<Keep>,
}

impl<F> Kept<F> {
    pub(super) fn new(future: F, keep: Option<Keep>) -> Self {
        Self { future: MaybeUninit::new(future), _keep: keep }
    }
}

impl<F> Drop for Kept<F> {
    fn drop(&mut self) {
        // SAFETY: it is there, and dropped in place, where it stood if it is pinned. The count goes after it.
        unsafe { self.future.assume_init_drop() }
    }
}

impl<F: Future> Future for Kept<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned with this, and nothing moves it out; it is there until the drop.
        let future = unsafe { self.map_unchecked_mut(|this| this.future.assume_init_mut()) };
        future.poll(context)
    }
}

impl<F: core::fmt::Debug> core::fmt::Debug for Kept<F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // SAFETY: it is there until the drop.
        f.debug_tuple("Kept").field(unsafe { self.future.assume_init_ref() }).finish()
    }
}
