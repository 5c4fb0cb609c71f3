//! Defects of known designs, each as a scenario: a tiny kernel that has it, and the same kernel without.
//!
//! They show what the simulator's yield points and interrupts find, and why the scheduler's rules are what they are. Each page has
//! the history that goes wrong, the mended design, and an example that runs both.
//!
//! | Page | Design | The rule that forbids it |
//! |---|---|---|
//! | [`stalled_push`] | a queue whose push is two steps, drained in interrupt context | push is one compare-and-swap (`mpsc-inbox`) |
//! | [`early_requeue`] | a running thread is queued before its context is saved | PA3: only the loop requeues, after the switch back |
//! | [`test_then_block`] | test the condition, then block; wakes of a running thread do nothing | PA1: a wake is a sticky token |

pub mod early_requeue;
pub mod stalled_push;
pub mod test_then_block;

use crate::{Faults, Outcome, Plan, Simulation, Subject, Violation, Virtual, Workload};
use sched::Machine;
use std::ops::Range;

/// Which of the two kernels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Design {
    /// The one with the defect.
    Known,
    /// The mended one.
    Mended,
}

/// The first of some seeds with which a kernel goes wrong, and how.
fn first<S: Subject, W: Workload + 'static>(
    seeds: Range<u64>,
    cpus: u32,
    kernel: impl Fn(Virtual) -> S,
    load: impl Fn(&'static S) -> W,
) -> Option<(u64, Violation)> {
    seeds.into_iter().find_map(|seed| {
        let plan = Plan {
            seed,
            cpus,
            steps: 500,
            faults: Faults::NONE,
            keep_records: false,
            measure: false,
        };
        let simulation = Simulation::new(&plan);
        simulation.machine().with(|world| world.knobs.device_ns = 20_000);
        // Leaked: it is small, and needs no unsafe code.
        let subject: &'static S = Box::leak(Box::new(kernel(simulation.machine())));
        let Outcome { violation, .. } = simulation.run(subject, load(subject));
        Some((seed, violation?))
    })
}

/// The CPU has nothing to do: it halts for a while, and for good when the end has come.
fn halt(machine: Virtual, for_ns: u64) {
    machine.mask();
    machine.set_timer(if machine.is_closing() { u64::MAX } else { machine.now_ns() + for_ns });
    // SAFETY: masked once, just now.
    unsafe { machine.halt() }
}
