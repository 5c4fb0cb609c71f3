//! Models of CPUs that go offline while everything else goes on, and come back.
//!
//! The traffic is that of the models of the whole loop: seven tasks on three CPUs that wake each other, yield, spawn, join, sleep and are
//! stolen. A task or a wheel that nobody looks after is a deadlock, and at the end the books must balance.

use crate::scheduler::{Sched, on_cpus, tickless, traffic};
use sched::{CpuId, IfPinned, OfflineError};
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use verification::sampled::{pct, random};

const UNPLUGS: usize = 4;

/// Asks CPUs to go, any of them, and waits, if `waits`, until each one has: they come back by themselves.
fn unplug(scheduler: &'static Sched<3>, waits: bool) {
    for _ in 0..UNPLUGS {
        let cpu = CpuId::new(thread_rng().gen_range(0..3));
        let widens = thread_rng().gen_bool(0.5);
        // A CPU that is paused, or about to be, goes all the same.
        let pauses = thread_rng().gen_bool(0.5) && scheduler.pause(cpu);
        let departures = scheduler.machine().departures();
        let asked = scheduler.offline(cpu, if widens { IfPinned::Widen } else { IfPinned::Refuse });
        match asked {
            // It may have been away, and given up: then it does not go.
            Ok(()) => {
                while waits && !widens && scheduler.machine().departures() == departures {
                    thread::yield_now();
                }
            }
            Err(OfflineError::OutOfRange(_)) => panic!("three CPUs"),
            Err(OfflineError::Pinned(tasks)) => assert!(tasks > 0 && !widens),
            Err(OfflineError::NotOnline(_) | OfflineError::LastCpu) => {}
        }
        if pauses {
            scheduler.resume(cpu);
        }
    }
}

/// 2 000 random schedules.
#[test]
fn traffic_while_cpus_go_and_come() {
    random(2_000, || traffic(|scheduler| unplug(scheduler, true)));
}

/// 2 000 PCT schedules of depth 4.
#[test]
fn traffic_while_cpus_go_and_come_pct() {
    pct(2_000, 4, || traffic(|scheduler| unplug(scheduler, false)));
}

/// 2 000 random schedules of CPUs that have nothing else to do, so that only the request's own kick ends a halt.
#[test]
fn idle_cpus_go_and_come() {
    random(2_000, || on_cpus(tickless(4), |_| Vec::new(), |scheduler| unplug(scheduler, true)));
}
