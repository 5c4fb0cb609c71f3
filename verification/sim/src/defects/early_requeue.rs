//! A running thread is put into the run queue before its context is saved.
//!
//! ```text
//!   CPU 0, in yield()                      CPU 1, looking for work
//!   queue.push(current)
//!                        ───────────────►  thread = queue.pop()
//!                                          load(thread.context)     ← the one of its *last* switch
//!   save(registers, current.context)       runs on CPU 1, on the stack that CPU 0 still uses
//!   switch to the next
//! ```
//!
//! Two CPUs are on one stack. It works for years, as long as a thief needs longer than a save. Linux waits on the victim's
//! `on_cpu` flag to mend it; a kernel that forgets the wait has the defect.
//!
//! **Mended**: yielding switches back to the loop's own stack, and only the loop queues what ran (PA3): what is in a queue is
//! saved. Nobody waits for a flag of another CPU.
//!
//! ```
//! use sched_sim::defects::{Design, early_requeue};
//!
//! let (seed, violation) = early_requeue::find(Design::Known, 0..100).expect("it runs twice");
//! println!("seed {seed}: {violation}");
//! assert!(violation.what.contains("whose context is not saved"));
//! assert_eq!(early_requeue::find(Design::Mended, 0..100), None);
//! ```

use super::{Design, first, halt};
use crate::{Kind, Subject, Violation, Virtual, Workload};
use sched::Machine;
use sched_arch::Interrupts;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ops::Range;

/// A thread: what its registers hold is how far it has come.
#[derive(Default)]
struct Thread {
    saved: Cell<u64>,
    done: Cell<u64>,
}

/// A kernel of several CPUs with one run queue.
struct Kernel {
    machine: Virtual,
    design: Design,
    threads: [Thread; 3],
    queue: RefCell<VecDeque<usize>>,
}

impl Kernel {
    fn run(&self, thread: usize) {
        let this = &self.threads[thread];
        let mut registers = this.saved.get();
        if registers != this.done.get() {
            self.machine
                .fail(Kind::TwoCpus, format!("thread {thread} runs, whose context is not saved"));
        }
        registers += 1;
        this.done.set(registers);
        self.machine.compute_ns(200);
        // It yields.
        let requeue = || self.queue.borrow_mut().push_back(thread);
        let save = || this.saved.set(registers);
        match self.design {
            Design::Known => {
                requeue();
                self.machine.interleave();
                save();
            }
            Design::Mended => {
                save();
                self.machine.interleave();
                requeue();
            }
        }
    }
}

// SAFETY: a simulated kernel is on one thread.
unsafe impl Sync for Kernel {}

impl Interrupts for Kernel {
    fn on_kick(&self) {}
    fn on_timer(&self) {}
}

impl Subject for Kernel {
    type Core = &'static Self;

    fn enter(&'static self) -> &'static Self {
        self
    }

    fn step(kernel: &mut &'static Self) {
        let next =
            if kernel.machine.is_closing() { None } else { kernel.queue.borrow_mut().pop_front() };
        match next {
            Some(thread) => kernel.run(thread),
            None => halt(kernel.machine, 500),
        }
    }
}

struct Nothing;

impl Workload for Nothing {
    fn outside(&self, machine: Virtual) {
        while !machine.is_closing() {
            machine.rest_ns(10_000);
        }
    }
}

/// The first of some seeds with which the design runs a thread twice.
#[must_use]
pub fn find(design: Design, seeds: Range<u64>) -> Option<(u64, Violation)> {
    let kernel = |machine| {
        let queue = RefCell::new((0..3).collect());
        Kernel { machine, design, threads: Default::default(), queue }
    };
    first(seeds, 2, kernel, |_| Nothing)
}
