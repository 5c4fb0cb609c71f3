//! Going to the back of the queue.

use crate::trace::Trace;
use crate::{Machine, Scheduler};
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};

/// Lets every other task of the tier that is ready on this CPU go first: all that are in the run queue when the poll ends. What
/// was woken during this very poll is still on its way there, and comes after the one who yields.
pub fn yield_now() -> YieldNow {
    YieldNow { yielded: false }
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// For long computations, in between: [`yield_now`] if [`should_yield`](Self::should_yield) says so, else nothing but that
    /// look.
    pub async fn yield_if_asked(&self) {
        if self.should_yield() {
            yield_now().await;
        }
    }
}

/// The future of [`yield_now`].
#[derive(Debug)]
#[must_use = "futures do nothing unless awaited"]
pub struct YieldNow {
    yielded: bool,
}

impl Future for YieldNow {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.yielded {
            return Poll::Ready(());
        }
        self.yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}
