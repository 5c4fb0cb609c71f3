//! A thread tests its condition, then blocks; a wake that comes in between does nothing.
//!
//! ```text
//!   thread                                 interrupt handler
//!   if !event {
//!        ────── interrupt ──────────────►  event = true
//!                                          wake(thread): it runs, so there is nothing to do
//!       state = BLOCKED
//!       switch away                        … and nobody wakes it again
//!   }
//! ```
//!
//! **Mended**: a wake of a thread that runs leaves a token, and only the thread's own block takes it: block with a token returns
//! at once, and the thread tests again (PA1). The test and the block need not be one step.
//!
//! ```
//! use sched_sim::defects::{Design, test_then_block};
//!
//! let (seed, violation) = test_then_block::find(Design::Known, 0..100).expect("a wake is lost");
//! println!("seed {seed}: {violation}");
//! assert!(violation.what.contains("sleeps on its event"));
//! assert_eq!(test_then_block::find(Design::Mended, 0..100), None);
//! ```

use super::{Design, first, halt};
use crate::{Kind, Subject, Violation, Virtual, Workload};
use sched::{CpuId, Machine};
use sched_arch::Interrupts;
use std::cell::Cell;
use std::ops::Range;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Running,
    Blocked,
}

/// A kernel of one CPU with one thread, which waits for the events of a device.
struct Kernel {
    machine: Virtual,
    design: Design,
    event: Cell<bool>,
    state: Cell<State>,
    token: Cell<bool>,
}

impl Kernel {
    fn wait_for_event(&self) {
        while !self.event.get() && !self.machine.is_closing() {
            // Between the test and the block: interrupts arrive here.
            self.machine.interleave();
            self.block();
        }
        self.event.set(false);
    }

    fn block(&self) {
        self.machine.mask();
        if self.design == Design::Mended && self.token.take() {
            // SAFETY: masked once, just now.
            unsafe { self.machine.restore(()) };
            return;
        }
        self.state.set(State::Blocked);
        // There is no other thread, so the CPU halts until somebody wakes this one.
        loop {
            self.machine.set_timer(u64::MAX);
            // SAFETY: masked once, just now.
            unsafe { self.machine.halt() };
            if self.state.get() == State::Running || self.machine.is_closing() {
                return self.state.set(State::Running);
            }
            self.machine.mask();
        }
    }

    /// In the handler.
    fn wake(&self) {
        match self.state.replace(State::Running) {
            State::Running => self.token.set(true),
            State::Blocked => {}
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
        kernel.wait_for_event();
        kernel.machine.compute_ns(100);
        if kernel.machine.is_closing() {
            halt(kernel.machine, 0);
        }
    }
}

struct Device(&'static Kernel);

impl Device {
    /// A device does not interrupt again before its event was taken.
    fn has_been_heard(&self) -> bool {
        !self.0.event.get()
    }
}

impl Workload for Device {
    fn outside(&self, machine: Virtual) {
        while !machine.is_closing() {
            // Far longer than the thread takes for an event.
            let pending = self.0.event.get();
            machine.rest_ns(1_000_000);
            if pending && !self.has_been_heard() && self.0.state.get() == State::Blocked {
                machine.fail(Kind::LostWake, "the thread sleeps on its event");
            }
        }
    }

    fn interrupt(&self, _: Virtual, _: CpuId) {
        if self.has_been_heard() {
            self.0.event.set(true);
            self.0.wake();
        }
    }
}

/// The first of some seeds with which the design loses a wake.
#[must_use]
pub fn find(design: Design, seeds: Range<u64>) -> Option<(u64, Violation)> {
    let kernel = |machine| Kernel {
        machine,
        design,
        event: Cell::new(false),
        state: Cell::new(State::Running),
        token: Cell::new(false),
    };
    first(seeds, 1, kernel, Device)
}
