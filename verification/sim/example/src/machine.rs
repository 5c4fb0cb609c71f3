//! A machine whose reschedule interrupt takes two steps: a line in a mailbox, then the interrupt.

use sched::{CpuId, Machine, Scheduler, Tier, yield_now};
use sched_sim::{Observer, Outcome, Plan, Simulation, Traffic, Virtual};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

/// Wraps the virtual machine.
pub struct Mailbox {
    machine: Virtual,
    /// A bit for each CPU that somebody wants to hear.
    mailbox: AtomicU64,
}

// SAFETY: all is the virtual machine's, which keeps the contract; a kick does one thing more before it.
unsafe impl Machine for Mailbox {
    type Saved = ();

    fn cpu(&self) -> Option<CpuId> {
        self.machine.cpu()
    }

    fn now_ns(&self) -> u64 {
        self.machine.now_ns()
    }

    fn mask(&self) {
        self.machine.mask();
    }

    unsafe fn restore(&self, (): ()) {
        // SAFETY: the caller's promise.
        unsafe { self.machine.restore(()) }
    }

    fn kick(&self, cpu: CpuId) {
        self.mailbox.fetch_or(1 << cpu.index(), SeqCst);
        // Others go on here, as they would.
        self.machine.interleave();
        self.machine.kick(cpu);
    }

    unsafe fn halt(&self) {
        // SAFETY: the caller's promise.
        unsafe { self.machine.halt() }
    }

    fn set_timer(&self, at_ns: u64) {
        self.machine.set_timer(at_ns);
    }

    fn seed(&self) -> u64 {
        self.machine.seed()
    }

    fn checkpoint(&self) {
        self.machine.checkpoint();
    }

    fn interleave(&self) {
        self.machine.interleave();
    }
}

/// The standard load on the scheduler on this machine.
pub fn run(plan: &Plan) -> Outcome {
    let simulation = Simulation::new(plan);
    let virtual_machine = simulation.machine();
    let mailbox = Mailbox { machine: virtual_machine, mailbox: AtomicU64::new(0) };
    let scheduler = Scheduler::<Mailbox, Observer, 8>::new(
        mailbox,
        simulation.observer(),
        simulation.settings(),
    );
    let scheduler: &'static Scheduler<Mailbox, Observer, 8> = Box::leak(Box::new(scheduler));
    // A task of the kernel's own, beside the load's.
    drop(scheduler.task("own").tier(Tier::Background).spawn(virtual_machine.tracked(async move {
        while !virtual_machine.is_closing() {
            scheduler.sleep_ns(50_000).await;
            yield_now().await;
        }
    })));
    simulation.run(scheduler, Traffic::new(virtual_machine, scheduler))
}
