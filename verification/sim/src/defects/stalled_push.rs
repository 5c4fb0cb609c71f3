//! A push in two steps, drained in interrupt context: the stall of Vyukov's queue.
//!
//! The queue's push swaps the tail, then links the old one to the new node:
//!
//! ```text
//!   thread on CPU 0                        interrupt handler on CPU 0
//!   old = swap(tail, new)
//!        ────── interrupt ──────────────►  head.next is not there yet, but head ≠ tail:
//!                                          the queue is "inconsistent", so wait for the link …
//!   old.next = new      (never reached)    … for ever: who would make it is what it interrupted
//! ```
//!
//! For threads this is a short wait. In a handler it is a deadlock of the CPU. Returning "empty" instead does not help: pushes
//! that were complete, and kicked for, stay behind the missing link unseen.
//!
//! **Mended**: a push publishes with one compare-and-swap of the head, its link already in the node, and the owner reverses the
//! list it takes. There is no state in between. That is `mpsc-inbox`.
//!
//! ```
//! use sched_sim::defects::{Design, stalled_push};
//!
//! let (seed, violation) = stalled_push::find(Design::Known, 0..100).expect("it stalls");
//! println!("seed {seed}: {violation}");
//! assert!(violation.what.contains("waits for what it has interrupted"));
//! assert_eq!(stalled_push::find(Design::Mended, 0..100), None);
//! ```

use super::{Design, first, halt};
use crate::{Kind, Subject, Violation, Virtual, Workload};
use sched::{CpuId, Machine};
use sched_arch::Interrupts;
use std::cell::{Cell, RefCell};
use std::ops::Range;

/// No link yet.
const NONE: usize = usize::MAX;
/// Rounds after which a handler that waits is not going to be let go.
const ROUNDS: u32 = 10_000;

/// A kernel of one CPU: its thread pushes nodes, its device's handler drains them.
struct Kernel {
    machine: Virtual,
    design: Design,
    /// The next of each node.
    links: RefCell<Vec<usize>>,
    /// The newest node, and the last one that was drained.
    tail: Cell<usize>,
    head: Cell<usize>,
}

impl Kernel {
    fn push(&self) {
        let new = self.links.borrow().len();
        self.links.borrow_mut().push(NONE);
        let old = self.tail.replace(new);
        if self.design == Design::Known {
            // Between the two steps: interrupts arrive here.
            self.machine.interleave();
        }
        self.links.borrow_mut()[old] = new;
    }

    /// In the handler.
    fn drain(&self) {
        let mut rounds = 0;
        while self.head.get() != self.tail.get() {
            match self.links.borrow()[self.head.get()] {
                NONE if rounds == ROUNDS => {
                    self.machine
                        .fail(Kind::Restless, "a handler waits for what it has interrupted");
                    return;
                }
                NONE => rounds += 1,
                next => self.head.set(next),
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
        kernel.push();
        halt(kernel.machine, 1_000);
    }
}

struct Device(&'static Kernel);

impl Workload for Device {
    fn outside(&self, machine: Virtual) {
        while !machine.is_closing() {
            machine.rest_ns(10_000);
        }
    }

    fn interrupt(&self, _: Virtual, _: CpuId) {
        self.0.drain();
    }
}

/// The first of some seeds with which the design stalls.
#[must_use]
pub fn find(design: Design, seeds: Range<u64>) -> Option<(u64, Violation)> {
    let kernel = |machine| {
        let (tail, head) = (Cell::new(0), Cell::new(0));
        Kernel { machine, design, links: RefCell::new(vec![NONE]), tail, head }
    };
    first(seeds, 1, kernel, Device)
}
