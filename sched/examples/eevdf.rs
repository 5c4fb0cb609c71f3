//! The fair class over a task control block of one's own: shares follow weights, and a task with short
//! requests is served soon.

use sched::class::fair::Entity;
use sched::class::{Deadline, Enqueue, Fair, FairSettings, FairTask};
use sched::class::{Nice, Pick, Resched, SchedClass, Tcb, Weight};
use std::cell::Cell;
use std::ptr::NonNull;

struct Process {
    name: &'static str,
    nice: Cell<Nice>,
    slice_ns: u64,
    cpu_time_ns: Cell<u64>,
    entity: Entity<Process>,
}

impl Tcb for Process {
    type Handle = &'static Process;
}

impl Weight for Process {
    fn weight(&self) -> u32 {
        self.nice.get().weight()
    }
}

impl Deadline for Process {
    fn slice_ns(&self) -> u64 {
        self.slice_ns
    }
}

// SAFETY: `entity` is the field of that name, of this process alone, and no reference is made.
unsafe impl FairTask for Process {
    unsafe fn entity(process: NonNull<Self>) -> NonNull<Entity<Self>> {
        // SAFETY: `process` points to a `Process` (contract of `entity`), so its field is in bounds.
        unsafe { NonNull::new_unchecked(&raw mut (*process.as_ptr()).entity) }
    }
}

fn process(name: &'static str, nice: i8, slice_ns: u64) -> &'static Process {
    let (nice, cpu_time_ns) = (Cell::new(Nice::new(nice)), Cell::new(0));
    Box::leak(Box::new(Process { name, nice, slice_ns, cpu_time_ns, entity: Entity::new() }))
}

fn main() {
    const TICK_NS: u64 = 1_000_000;
    const SECONDS: u64 = 10;
    let processes = [process("compiler", 5, 0), process("editor", 0, 0), process("server", -5, 0)];
    let mut fair = Fair::<Process>::new(FairSettings::DEFAULT);
    for process in processes {
        let _ = fair.enqueue_task(process, Enqueue::Fork, 0).expect("it is new");
    }
    let mut now_ns = 0;
    while now_ns < SECONDS * 1_000_000_000 {
        let Pick::Run(running) = fair.pick_next_task(now_ns) else { unreachable!("nobody sleeps") };
        running.cpu_time_ns.update(|time_ns| time_ns + TICK_NS);
        now_ns += TICK_NS;
    }
    let weights: u64 = processes.iter().map(|process| u64::from(process.weight())).sum();
    for process in processes {
        let ran_ns = process.cpu_time_ns.get();
        let share_ns = now_ns * u64::from(process.weight()) / weights;
        println!("{:8}  had {ran_ns:>10} ns of {share_ns:>10}", process.name);
        // Nobody is ever owed, or owes, more than a request and a tick.
        assert!(ran_ns.abs_diff(share_ns) <= 4 * TICK_NS);
    }

    // What asks for little at a time goes before who is at it.
    let audio = process("audio", 0, 100_000);
    let resched = fair.enqueue_task(audio, Enqueue::Wakeup, now_ns).expect("it is new");
    assert_eq!(resched, Resched::Yes);
    let Pick::Run(next) = fair.pick_next_task(now_ns) else { unreachable!("nobody sleeps") };
    assert_eq!(next.name, "audio");
}
