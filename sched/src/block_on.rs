//! Waiting for a future on a CPU that has nothing else to do than its loop.

use crate::Machine;
use crate::core_loop::Core;
use crate::trace::Trace;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Runs this CPU's loop until `future` is done, and gives its output: from boot code, or for a kernel's one main task.
    ///
    /// The future is a Normal task of this CPU alone. All others go on meanwhile, and when there is nothing to do the CPU halts:
    /// what wakes the future comes to this CPU, whose step it ends. One allocation. A scheduler that is
    /// [stopped](crate::Scheduler::stop) does not end it, and nobody else has the handle by which it could be cancelled.
    ///
    /// A panic of `future` comes out of here, and so does one of another task that this CPU polls meanwhile. After the latter
    /// `future` is a task like others, whose output nobody waits for: it goes on with the next steps.
    pub fn block_on<F>(&mut self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let mut handle = self.scheduler.task("block_on").only_on(self.id).spawn(future);
        loop {
            if handle.is_complete() {
                let context = &mut Context::from_waker(Waker::noop());
                if let Poll::Ready(Ok(output)) = Pin::new(&mut handle).poll(context) {
                    return output;
                }
            }
            self.step();
        }
    }
}
