//! V2 and V9: what a workload's futures and wakes tell beyond the trace.

use super::sleep::Doubt;
use super::{Checked, Checker, Place, broken, label};
use crate::violation::Kind;
use crate::world::Party;

impl Checker {
    /// The polls of a task before a wake.
    pub(crate) fn before_wake(&self, id: u64) -> u32 {
        self.index(id).map_or(0, |index| self.tasks[index as usize].moves())
    }

    /// V9: a wake has returned, `polls` of the task had begun before. The task is in a queue, was polled since, runs and must
    /// run again, or is over.
    pub(crate) fn after_wake(&mut self, id: u64, polls: u32, parties: &[Party]) -> Checked {
        let index = self.index(id)?;
        let task = &mut self.tasks[index as usize];
        if task.moves() != polls {
            return Ok(());
        }
        match task.place {
            Place::Running(cpu) if !self.cpus[usize::from(cpu)].placed_meanwhile => {
                task.must_run_again = task.poll_begun
            }
            // A wake before the poll began is answered by that poll.
            Place::InFlight(_) => task.must_run_again = task.poll_begun,
            // Somebody else may have woken it before, and be about to place it.
            Place::Waiting => self.suspect(Doubt::Waits { task: index, polls }, parties),
            _ => {}
        }
        Ok(())
    }

    /// V2: the future of what runs on `cpu` is polled; its task.
    pub(crate) fn poll_begins(&mut self, cpu: usize) -> Result<u64, (Kind, String)> {
        let Some(index) = self.running(cpu) else {
            return broken(Kind::TwoCpus, format!("cpu{cpu} polls a task that nobody picked"));
        };
        let task = &mut self.tasks[index as usize];
        let id = task.id;
        task.polls += 1;
        task.poll_begun = true;
        if std::mem::replace(&mut task.polled, true) {
            return broken(Kind::TwoCpus, format!("task {} is polled twice at a time", label(id)));
        }
        Ok(id)
    }

    pub(crate) fn poll_ends(&mut self, id: u64) {
        if let Ok(index) = self.index(id) {
            self.tasks[index as usize].polled = false;
        }
    }

    /// The future of a task was dropped. Where nobody could wake it any more that is all that is told of its end.
    pub(crate) fn dropped(&mut self, id: u64) {
        let Ok(index) = self.index(id) else { return };
        if let Place::Inbox(_) | Place::Injector | Place::Stranded =
            self.tasks[index as usize].place
        {
            if self.tasks[index as usize].place == Place::Injector {
                self.injected -= 1;
            }
            if let Place::Inbox(cpu) = self.tasks[index as usize].place {
                let view = &mut self.cpus[usize::from(cpu)];
                view.in_inboxes -= 1;
                view.untold += 1;
            }
            self.set_place(index, Place::Over);
            self.live -= 1;
            self.waiting -= 1;
        }
    }

    /// V12: a task sleeps until `until_ns` of virtual time.
    pub(crate) fn falls_asleep(&mut self, id: u64, until_ns: u64) {
        if let Ok(index) = self.index(id) {
            self.tasks[index as usize].sleeps_until_ns = until_ns;
        }
    }

    /// V12: a task is woken: if it sleeps, not too late.
    pub(super) fn is_in_time(&self, index: u32) -> Checked {
        let task = &self.tasks[index as usize];
        let late_ns = self.now_ns.saturating_sub(task.sleeps_until_ns);
        if task.sleeps_until_ns > 0 && late_ns > self.limits.late_ns {
            return broken(
                Kind::Timer,
                format!("task {} sleeps {late_ns} ns too long", label(task.id)),
            );
        }
        Ok(())
    }

    /// V12: its sleep is over, or was given up.
    pub(crate) fn wakes_up(&mut self, id: u64, given_up: bool) -> Checked {
        let index = self.index(id)?;
        let task = &mut self.tasks[index as usize];
        let until_ns = std::mem::take(&mut task.sleeps_until_ns);
        if given_up {
            return Ok(());
        }
        if self.now_ns + self.limits.early_ns < until_ns {
            let early_ns = until_ns - self.now_ns;
            return broken(Kind::Timer, format!("task {} woke {early_ns} ns early", label(id)));
        }
        if self.measuring {
            self.measures.lateness_ns.push(self.now_ns.saturating_sub(until_ns));
        }
        Ok(())
    }

    pub(crate) fn note_pause(&mut self, cpu: usize, paused: bool, parties: &[Party]) {
        let Some(view) = self.cpus.get_mut(cpu) else { return };
        view.paused = paused;
        if !paused {
            view.idle_ns = self.now_ns;
            self.suspect(Doubt::Sleeps(cpu), parties);
        }
    }
}
