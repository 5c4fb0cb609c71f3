//! What threads do.

use super::Held;
use crate::machine::Virtual;
use crate::violation::Kind;
use crate::{Fault, Simulated};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;

/// TH3: the life of a thread.
pub(super) fn live<const CPUS: usize>(
    scheduler: &'static Simulated<CPUS>,
    held: Held,
    slot: usize,
) {
    let machine = held.0.machine;
    let lived = catch_unwind(AssertUnwindSafe(|| act(scheduler, &held, slot)));
    if let Err(panic) = lived {
        machine.fail(Kind::Panic, crate::simulation::words(&*panic));
    }
}

fn act<const CPUS: usize>(scheduler: &'static Simulated<CPUS>, held: &Held, slot: usize) {
    let machine = held.0.machine;
    let rounds = machine.draw(|rng| 1 + rng.below(30));
    for _ in 0..rounds {
        if machine.is_closing() || scheduler.is_cancelled() {
            break;
        }
        match machine.draw(|rng| rng.below(16)) {
            0..4 => compute(scheduler, machine),
            4 | 5 => scheduler.yield_thread(),
            6 | 7 => sleep(scheduler, machine),
            8..12 => read(scheduler, held, slot),
            12 => {
                let keep = scheduler.no_reschedule();
                machine.compute_ns(machine.draw(|rng| rng.below(20_000)));
                drop(keep);
            }
            13 => join(scheduler, machine),
            _ => held.0.send_to_any(),
        }
    }
}

/// Computes: preempted by interrupts, or at explicit points.
fn compute<const CPUS: usize>(scheduler: &'static Simulated<CPUS>, machine: Virtual) {
    let long = machine.faults().has(Fault::LongPoll);
    let mut left_ns = machine.draw(|rng| match rng.below(16) {
        0 if long => rng.below(1_000_000),
        1..4 => rng.below(200_000),
        _ => rng.magnitude(13),
    });
    while left_ns > 0 {
        left_ns = machine.compute_ns(left_ns);
        scheduler.resched_point();
    }
}

fn sleep<const CPUS: usize>(scheduler: &'static Simulated<CPUS>, machine: Virtual) {
    let duration_ns = machine.draw(|rng| rng.magnitude(18));
    machine.note_sleep(duration_ns);
    wait(scheduler, machine, scheduler.sleep_ns(duration_ns));
    machine.note_awake(false);
}

/// Waits for letters.
fn read<const CPUS: usize>(scheduler: &'static Simulated<CPUS>, held: &Held, slot: usize) {
    let machine = held.0.machine;
    let slot = &held.0.slots[slot];
    while slot.sent.get() == slot.seen.get() && !machine.is_closing() && !scheduler.is_cancelled() {
        must_wait(machine, scheduler.park().is_ok());
        machine.note_answer();
    }
    slot.seen.set(slot.sent.get());
}

/// Waits for a future.
fn join<const CPUS: usize>(scheduler: &'static Simulated<CPUS>, machine: Virtual) {
    let duration_ns = machine.draw(|rng| rng.magnitude(14));
    let child = scheduler.spawn(machine.tracked(async move {
        machine.compute_ns(duration_ns);
    }));
    wait(scheduler, machine, child);
}

/// Waits for any future: each look but the first comes after a park.
fn wait<const CPUS: usize>(
    scheduler: &'static Simulated<CPUS>,
    machine: Virtual,
    future: impl Future,
) {
    let mut future = pin!(future);
    let mut looks = 0;
    let waited = scheduler.wait(poll_fn(|context| {
        if looks > 0 {
            machine.note_answer();
        }
        looks += 1;
        future.as_mut().poll(context).map(drop)
    }));
    must_wait(machine, waited.is_ok());
}

fn must_wait(machine: Virtual, waited: bool) {
    if !waited {
        machine.fail(Kind::Workload, "a thread was told that it is none");
    }
}
