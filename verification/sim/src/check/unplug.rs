//! V7, V8 where CPUs go offline: what they had moves on in its order, and nothing is left behind.

use super::{Checked, Checker, CpuView, Place, broken, label};
use crate::violation::Kind;

impl CpuView {
    /// It leaves, and ends a poll first that was preempted: nothing comes before that, and then it hands on all it has.
    pub(super) fn ends_a_poll_to_leave(&self) -> bool {
        self.closing && self.goes_on
    }
}

impl Checker {
    /// The CPU may be gone from here on: it was asked to leave, or does so by itself. With `widens` tasks that only this CPU
    /// may run go anywhere meanwhile.
    pub(crate) fn note_unplug(&mut self, cpu: usize, widens: bool) {
        if let Some(view) = self.cpus.get_mut(cpu) {
            (view.closing, view.refuses) = (true, true);
            view.widened |= widens;
        }
    }

    /// It stays.
    pub(crate) fn note_stay(&mut self, cpu: usize) {
        if let Some(view) = self.cpus.get_mut(cpu) {
            view.closing = false;
        }
    }

    /// Whether the CPU was asked to leave, and has not come back since.
    pub(crate) fn is_closing(&self, cpu: usize) -> bool {
        self.cpus[cpu].closing
    }

    /// Whether the task may run on `cpu` because one of its own was given up. Not exact: once given up is given up.
    pub(crate) fn is_widened(&self, index: u32) -> bool {
        if self.is_a_thread(index) {
            return self.cpus.iter().any(|view| view.widened);
        }
        self.tasks[index as usize].affinity.as_ref().is_some_and(|allowed| {
            allowed.iter().filter_map(|cpu| self.cpus.get(cpu.index())).any(|view| view.widened)
        })
    }

    /// A CPU that leaves sends a task on that stood in its run queue: the oldest of its tier.
    pub(super) fn evacuated(&mut self, cpu: u16, index: u32) -> Checked {
        self.leave_tier(cpu, index)?;
        self.leave_queue(cpu, index);
        Ok(())
    }

    /// Whether this is the party's second choice for a task, in the same masked section, as the first one refuses it. The
    /// first push then never was.
    pub(super) fn was_refused(&mut self, party: usize, index: u32) -> bool {
        let turn = self.tasks[index as usize].turn;
        let pushed = &self.cpus[party].pushed;
        let place = pushed.iter().position(|&(task, of, target)| {
            (task, of) == (index, turn) && self.cpus[usize::from(target)].refuses
        });
        let Some(place) = place else { return false };
        let (_, _, target) = self.cpus[party].pushed.remove(place);
        self.cpus[usize::from(target)].in_inboxes -= 1;
        true
    }

    /// V8: a CPU that has left has nothing, but what somebody is about to be refused for.
    pub(crate) fn has_left(&self, cpu: usize) -> Checked {
        let view = &self.cpus[cpu];
        let refused = |entry: &(u32, u32)| {
            let entry = (entry.0, entry.1, cpu as u16);
            self.cpus.iter().any(|other| other.pushed.contains(&entry))
        };
        let queued = view.tiers.iter().flatten().find(|&&(task, turn)| self.is_there(task, turn));
        let waiting = view.inboxes.iter().flatten();
        let in_inbox =
            waiting.copied().find(|entry| self.is_there(entry.0, entry.1) && !refused(entry));
        match queued.copied().or(in_inbox) {
            None => Ok(()),
            Some((task, _)) => {
                let task = label(self.tasks[task as usize].id);
                broken(Kind::Lost, format!("cpu{cpu} has left, and task {task} is still there"))
            }
        }
    }

    fn is_there(&self, task: u32, turn: u32) -> bool {
        let task = &self.tasks[task as usize];
        task.turn == turn && task.place != Place::Over
    }
}
