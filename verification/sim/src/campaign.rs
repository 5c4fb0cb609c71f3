//! Whole runs of the scheduler under the standard load, one for each seed.

use crate::threads::{Steady, steady_bounds, steady_settings};
use crate::{Observer, Outcome, Plan, Simulation, Threaded, Threads, Traffic, Virtual};
use sched::Scheduler;

/// The scheduler as it is simulated.
pub type Simulated<const CPUS: usize> = Scheduler<Virtual, Observer, CPUS>;

/// The most CPUs for which the smaller of two schedulers is taken: what is sized for 1024 takes megabytes.
const SMALL: usize = 64;
const LARGE: usize = sched::MAX_CPUS;

/// Stack of the thread of a run, on which its scheduler is made before it goes to its box.
const STACK_BYTES: usize = 64 << 20;

/// Runs [`Traffic`] as `plan` says, on a thread of its own.
#[must_use]
pub fn run_traffic(plan: &Plan) -> Outcome {
    let run = if plan.cpus as usize <= SMALL { run_on::<SMALL> } else { run_on::<LARGE> };
    on_a_large_stack(|| run(plan))
}

/// Calls `f` where a scheduler fits on the stack.
pub fn on_a_large_stack<R: Send>(f: impl FnOnce() -> R + Send) -> R {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, f).expect("a thread");
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[inline(never)]
fn run_on<const CPUS: usize>(plan: &Plan) -> Outcome {
    let simulation = Simulation::new(plan);
    let machine = simulation.machine();
    let scheduler =
        Box::new(Simulated::<CPUS>::new(machine, simulation.observer(), simulation.settings()));
    // SAFETY: tasks and handles of the traffic are over when all is at rest, and nobody else has any.
    unsafe { simulation.run_boxed(scheduler, |scheduler| Traffic::new(machine, scheduler)) }
}

/// Runs [`Threads`] as `plan` says: threads and futures, on a thread of its own.
///
/// # Panics
///
/// For more than 64 CPUs.
#[must_use]
pub fn run_threads(plan: &Plan) -> Outcome {
    assert!(plan.cpus as usize <= SMALL, "at most {SMALL} CPUs");
    on_a_large_stack(|| {
        let simulation = Simulation::new(plan);
        let machine = simulation.machine();
        let lends_stacks = machine.draw(|rng| rng.one_in(2));
        let scheduler = Simulated::new(machine, simulation.observer(), simulation.settings());
        let subject = Box::new(Threaded::<SMALL>::new(scheduler, lends_stacks, |_| Ok(())));
        // SAFETY: as for the traffic; threads are tasks.
        unsafe { simulation.run_boxed(subject, |subject| Threads::new(machine, subject)) }
    })
}

/// Runs fair threads that do nothing but compute, each on its CPU, from the beginning to the end, and watches their lags
/// (V19).
///
/// # Panics
///
/// For more than 64 CPUs.
#[must_use]
pub fn run_steady(plan: &Plan) -> Outcome {
    assert!(plan.cpus as usize <= SMALL, "at most {SMALL} CPUs");
    on_a_large_stack(|| {
        let simulation = Simulation::with_settings(plan, Some(steady_settings()));
        let machine = simulation.machine();
        let scheduler = Simulated::new(machine, simulation.observer(), simulation.settings());
        let subject = Box::new(Threaded::<SMALL>::new(scheduler, false, steady_bounds));
        // SAFETY: as above.
        unsafe { simulation.run_boxed(subject, |subject| Steady::new(machine, subject)) }
    })
}
