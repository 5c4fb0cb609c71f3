//! What the tests of threads share.

use crate::common::{Sched, Test, Virtual};
use sched::thread::{Policy, Stack};
use sched::{Interrupts, JoinHandle, Machine};
use sched_arch::Switch;
use std::ptr::NonNull;
use std::sync::Mutex;
use std::sync::atomic::{AtomicPtr, Ordering::SeqCst};
#[cfg(miri)]
use {
    crate::common::host,
    sched_arch::{Context, Entry},
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

/// A stack to lend: it is not given back, and so it is kept in sight.
pub(crate) fn stack_for_good() -> Stack {
    static KEPT: Mutex<Vec<AtomicPtr<u128>>> = Mutex::new(Vec::new());
    const WORDS: usize = 4096;
    let words = Box::into_raw(vec![0_u128; WORDS].into_boxed_slice()).cast::<u128>();
    KEPT.lock().unwrap().push(AtomicPtr::new(words));
    let memory = NonNull::new(words).unwrap().cast::<u8>();
    let memory = NonNull::slice_from_raw_parts(memory, WORDS * size_of::<u128>());
    // SAFETY: nobody else uses it.
    unsafe { Stack::from_raw(memory, None) }
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
