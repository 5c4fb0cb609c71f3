//! The load of the thread campaigns: threads of all policies among the futures of [`Traffic`], and a steady one.
//!
//! # Invariants
//!
//! - **TH1** A fixed number of slots have one thread at a time, and another one after it until the end begins. A letter is a number
//!   and an unpark (V9 looks at each).
//! - **TH2** What a thread may and how it shares is changed from outside alone, so that the checks know in which order.
//! - **TH3** No panic leaves a thread's closure: beyond it is no frame that could catch it.

mod bodies;
mod steady;

pub(crate) use steady::{Steady, steady_bounds, steady_settings};

use crate::machine::Virtual;
use crate::{Fault, Observer, Threaded, Traffic, Workload};
use sched::class::Nice;
use sched::thread::{Policy, Stack, ThreadRef};
use sched::{CpuId, CpuSet, JoinHandle};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;

/// A place for one thread after the other.
#[derive(Default)]
struct Slot {
    sent: Cell<u64>,
    seen: Cell<u64>,
    thread: RefCell<Option<(ThreadRef, JoinHandle<()>)>>,
}

/// What all threads share.
struct Shared {
    machine: Virtual,
    slots: Vec<Slot>,
    /// Closures that are alive.
    alive: Cell<usize>,
}

/// What a thread holds: a share, counted while its closure lives.
struct Held(Rc<Shared>);

// SAFETY: the scheduler wants `Send` closures, because its CPUs may be threads; here all of them are one thread.
unsafe impl Send for Held {}

impl Held {
    fn new(shared: &Rc<Shared>) -> Self {
        shared.alive.set(shared.alive.get() + 1);
        Self(shared.clone())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.alive.set(self.0.alive.get() - 1);
    }
}

impl Shared {
    /// One letter more, and a wake.
    fn send(&self, slot: usize) {
        let slot = &self.slots[slot];
        slot.sent.set(slot.sent.get() + 1);
        let thread = slot.thread.borrow().as_ref().map(|(thread, _)| thread.clone());
        if let Some(thread) = thread {
            self.machine.expect_run(thread.id().get(), || thread.unpark());
        }
    }

    fn send_to_any(&self) {
        let slot = self.machine.draw(|rng| rng.below(self.slots.len() as u64)) as usize;
        self.send(slot);
    }
}

/// Threads and futures.
pub struct Threads<const CPUS: usize> {
    subject: &'static Threaded<CPUS>,
    traffic: Traffic<Virtual, Observer, CPUS>,
    shared: Rc<Shared>,
}

impl<const CPUS: usize> Threads<CPUS> {
    /// Load for `subject`, which runs on `machine`: two to eight threads for each CPU, or so, and the [`Traffic`].
    #[must_use]
    pub fn new(machine: Virtual, subject: &'static Threaded<CPUS>) -> Self {
        let slots = machine.draw(|rng| 2 + rng.below(u64::from(machine.cpus()) * 4));
        let slots = (0..slots).map(|_| Slot::default()).collect();
        let shared = Rc::new(Shared { machine, slots, alive: Cell::new(0) });
        Self { subject, traffic: Traffic::new(machine, subject.scheduler()), shared }
    }

    /// A new thread for the slot, if the last one is over.
    fn fill(&self, slot: usize) {
        let place = &self.shared.slots[slot].thread;
        if place.borrow().as_ref().is_some_and(|(_, handle)| !handle.is_complete()) {
            return;
        }
        let machine = self.shared.machine;
        let (policy, affinity) = (self.draw_policy(), self.draw_affinity());
        let builder = self.subject.scheduler().thread("thread").policy(policy);
        let builder = match affinity {
            Some(cpus) => builder.affinity(cpus).expect("CPUs that there are"),
            None => builder,
        };
        machine.note_thread(policy, affinity);
        let (held, scheduler) = (Held::new(&self.shared), self.subject.scheduler());
        let stack = Stack::new(crate::threaded::STACK_BYTES).expect("memory for a stack");
        let handle = builder.spawn(stack, move || bodies::live(scheduler, held, slot));
        let handle = handle.expect("a stack that is large enough");
        let thread = handle.thread().expect("it is a thread");
        let old = place.replace(Some((thread, handle)));
        drop(old);
    }

    fn draw_policy(&self) -> Policy {
        self.shared.machine.draw(|rng| match rng.below(8) {
            0 => Policy::Stop,
            1 | 2 => Policy::Realtime { priority: (rng.below(4) * 33) as u8 },
            _ => {
                let nice = Nice::new(rng.below(40) as i8 - 20);
                Policy::Fair { nice, slice_ns: [0, 100_000, 1_000_000][rng.below(3) as usize] }
            }
        })
    }

    fn draw_affinity(&self) -> Option<CpuSet> {
        let cpus = u64::from(self.shared.machine.cpus());
        self.shared.machine.draw(|rng| {
            (rng.one_in(3) && cpus < CPUS as u64).then(|| {
                (0..1 + rng.below(3)).map(|_| CpuId::new(rng.below(cpus) as u32)).collect()
            })
        })
    }

    /// Changes a thread (TH2).
    fn change(&self, slot: usize) {
        let machine = self.shared.machine;
        let thread = self.shared.slots[slot].thread.borrow().as_ref().map(|(t, _)| t.clone());
        let Some(thread) = thread else { return };
        let id = thread.id().get();
        if machine.draw(|rng| rng.one_in(2)) {
            let policy = self.draw_policy();
            machine.note_policy(id, policy);
            thread.set_policy(policy);
            machine.note_policy(id, policy);
        } else {
            let before = thread.affinity();
            let cpus = self.draw_affinity();
            machine.note_cpus(id, cpus);
            let all = || (0..CPUS).map(|cpu| CpuId::new(cpu as u32)).collect();
            if thread.set_affinity(cpus.unwrap_or_else(all)).is_err() {
                machine.note_cpus(id, before);
            }
        }
    }

    fn cancel(&self, slot: usize) {
        let thread = self.shared.slots[slot].thread.take();
        if let Some((thread, handle)) = thread {
            self.shared.machine.expect_run(thread.id().get(), || handle.cancel());
        }
    }

    fn act(&self, machine: Virtual) {
        let mut paused = None;
        while !machine.is_closing() {
            let slot = machine.draw(|rng| rng.below(self.shared.slots.len() as u64)) as usize;
            self.fill(slot);
            match machine.draw(|rng| rng.below(12)) {
                0 | 1 => self.change(slot),
                2 if machine.faults().has(Fault::Cancel) => self.cancel(slot),
                3..6 => self.traffic.act_once(machine, &mut paused),
                _ => self.shared.send_to_any(),
            }
            let pause_ns = 1 + machine.draw(|rng| rng.magnitude(16));
            machine.rest_ns(pause_ns);
        }
        self.traffic.resume(machine, paused);
    }
}

impl<const CPUS: usize> Workload for Threads<CPUS> {
    fn outside(&self, machine: Virtual) {
        self.act(machine);
        self.traffic.end();
        for slot in 0..self.shared.slots.len() {
            self.shared.send(slot);
            let thread = self.shared.slots[slot].thread.take();
            drop(thread);
        }
    }

    fn interrupt(&self, machine: Virtual, cpu: CpuId) {
        self.traffic.interrupt(machine, cpu);
        self.shared.send_to_any();
        self.subject.scheduler().preempt();
    }

    fn settle(&self) -> Result<(), String> {
        self.traffic.settle()?;
        match self.shared.alive.get() {
            0 => Ok(()),
            alive => Err(format!("{alive} closures were not dropped")),
        }
    }
}

impl<const CPUS: usize> fmt::Debug for Threads<CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("slots", &self.shared.slots.len()).finish_non_exhaustive()
    }
}

impl Virtual {
    /// Says that the next task that the caller spawns is a thread, so that the checks know.
    pub fn note_thread(self, policy: Policy, affinity: Option<CpuSet>) {
        self.with(|world| {
            let party = world.current.min(world.cpus());
            world.checker.next_thread(party, (policy, affinity));
        });
    }

    /// Says that a thread is asked to share its CPU like this from now on.
    pub fn note_policy(self, thread: u64, policy: Policy) {
        self.with(|world| world.checker.note_policy(thread, policy));
    }

    /// Says that a thread is asked to run on these CPUs alone from now on; `None`: on any.
    pub fn note_cpus(self, thread: u64, cpus: Option<CpuSet>) {
        self.with(|world| world.checker.note_cpus(thread, cpus));
    }

    /// Says that the running thread has come back from waiting, and looks around.
    pub fn note_answer(self) {
        if let Some(task) = self.current_task() {
            self.with(|world| world.checker.answers(task));
        }
    }
}
