//! What comes from a thread that is no CPU.

use super::Traffic;
use crate::Fault;
use crate::machine::Virtual;
use sched::trace::Trace;
use sched::{CpuId, IfPinned, Machine};

impl<M: Machine, T: Trace, const CPUS: usize> Traffic<M, T, CPUS> {
    /// Acts now and then, until the end begins.
    pub(super) fn act(&self, machine: Virtual) {
        let mut paused = None;
        while !machine.is_closing() {
            self.act_once(machine, &mut paused);
            let pause_ns = 1 + machine.draw(|rng| rng.magnitude(16));
            machine.rest_ns(pause_ns);
        }
        self.resume(machine, paused);
    }

    /// One act. Who is paused then?
    pub(crate) fn act_once(&self, machine: Virtual, paused: &mut Option<CpuId>) {
        let slot = machine.draw(|rng| rng.below(self.shared.slots.len() as u64)) as usize;
        self.fill(slot);
        match machine.draw(|rng| rng.below(18)) {
            0 if machine.faults().has(Fault::Storm) => self.storm(machine),
            1 if machine.faults().has(Fault::Cancel) => self.cancel_some(machine),
            2 => self.spawn_children(1 + machine.draw(|rng| rng.below(8))),
            3 | 4 if machine.faults().has(Fault::Pause) => self.pause(machine, paused),
            5 if machine.faults().has(Fault::Unplug) => self.unplug(machine),
            _ => self.shared.send_to_any(),
        }
    }

    /// A new task for the slot, if the last one is over.
    fn fill(&self, slot: usize) {
        let place = &self.shared.slots[slot].task;
        if place.borrow().as_ref().is_some_and(|task| !task.is_complete()) {
            return;
        }
        let task = self.spawn_reader(slot);
        let old = place.replace(Some(task));
        drop(old);
    }

    /// Wakes everybody, or spawns many.
    fn storm(&self, machine: Virtual) {
        if machine.draw(|rng| rng.one_in(2)) {
            for _ in 0..2 {
                for slot in 0..self.shared.slots.len() {
                    self.shared.send(slot);
                }
            }
        } else {
            self.spawn_children(self.shared.storm);
        }
    }

    fn cancel_some(&self, machine: Virtual) {
        let one_in = machine.draw(|rng| rng.between(1, 8));
        for slot in &self.shared.slots {
            if machine.draw(|rng| rng.one_in(one_in)) {
                let task = slot.task.take();
                if let Some(task) = task {
                    machine.expect_run(task.id().get(), || task.cancel());
                }
            }
        }
    }

    /// Pauses a CPU, or lets the one go on that is paused.
    fn pause(&self, machine: Virtual, paused: &mut Option<CpuId>) {
        if paused.is_some() {
            self.resume(machine, paused.take());
            return;
        }
        let cpus = u64::from(machine.cpus());
        let cpu = CpuId::new(machine.draw(|rng| rng.below(cpus)) as u32);
        machine.note_pause(cpu, true);
        self.scheduler.pause(cpu);
        *paused = Some(cpu);
    }

    /// Asks for a CPU to go offline, and for what only it may run to go elsewhere, in some runs.
    fn unplug(&self, machine: Virtual) {
        let cpus = u64::from(machine.cpus());
        let cpu = CpuId::new(machine.draw(|rng| rng.below(cpus)) as u32);
        let if_pinned = match self.shared.widens && machine.draw(|rng| rng.one_in(2)) {
            true => IfPinned::Widen,
            false => IfPinned::Refuse,
        };
        let was_closing = machine.is_unplugged(cpu);
        machine.note_unplug(cpu, if_pinned == IfPinned::Widen);
        if self.scheduler.offline(cpu, if_pinned).is_err() && !was_closing {
            machine.note_stay(cpu);
        }
    }

    pub(crate) fn resume(&self, machine: Virtual, paused: Option<CpuId>) {
        if let Some(cpu) = paused {
            self.scheduler.resume(cpu);
            machine.note_pause(cpu, false);
        }
    }

    /// TF2.
    pub(crate) fn end(&self) {
        for slot in &self.shared.slots {
            let (reader, task) = (slot.reader.take(), slot.task.take());
            if let Some((task, waker)) = reader {
                self.shared.machine.wake(task, &waker);
            }
            drop(task);
        }
    }
}
