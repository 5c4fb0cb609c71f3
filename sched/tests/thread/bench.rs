//! What the tests of threads share.

use crate::common::{Sched, Test, Virtual};
use sched::thread::{Policy, Stack};
use sched::{Interrupts, JoinHandle, Machine};
use sched_arch::Switch;
use std::sync::atomic::Ordering::SeqCst;
#[cfg(miri)]
use {
    crate::common::host,
    sched_arch::{Context, Entry},
    std::ptr::NonNull,
};

// SAFETY: the switch is the architecture's, or a relay's, which hands CPU and turn over; `begin` leaves no mask.
unsafe impl Switch for Virtual {
    fn is_masked(&self) -> bool {
        self.masked.load(SeqCst) > 0
    }

    fn slept_in_atomic(&self, thread: &'static str) {
        assert_eq!(thread, "thread");
        self.slept_in_atomic.fetch_add(1, SeqCst);
    }

    #[cfg(miri)]
    unsafe fn prepare(&self, _: NonNull<[u8]>, entry: Entry, argument: *mut ()) -> Context {
        self.relay.prepare(entry, argument)
    }

    #[cfg(miri)]
    unsafe fn switch(&self, from: *mut Context, to: Context) {
        let cpu = host::leave_cpu().expect("a loop runs on a CPU, and so do its threads");
        // SAFETY: the caller's promise.
        let cpu = unsafe { self.relay.switch(from, to, cpu) };
        host::become_cpu(Some(cpu));
    }

    unsafe fn begin(&self) {
        // SAFETY: nothing is masked in a new context.
        unsafe { self.restore(0) }
    }
}

pub(crate) fn stack() -> Stack {
    Stack::new(64 * 1024).unwrap()
}

/// Spawns a thread from CPU `cpu`.
pub(crate) fn spawn<R: Send + 'static>(
    test: &mut Test,
    cpu: usize,
    policy: Policy,
    closure: impl FnOnce() -> R + Send + 'static,
) -> JoinHandle<R> {
    let scheduler = test.scheduler();
    test.on(cpu, |_| scheduler.thread("thread").policy(policy).spawn(stack(), closure).unwrap())
}

/// The timer interrupt, in the midst of what runs, `after_ns` from now.
pub(crate) fn timer_interrupt(scheduler: &'static Sched, after_ns: u64) {
    let machine = scheduler.machine();
    machine.now_ns.fetch_add(after_ns, SeqCst);
    let saved = machine.mask();
    scheduler.on_timer();
    scheduler.preempt();
    // SAFETY: masked just above.
    unsafe { machine.restore(saved) };
}
