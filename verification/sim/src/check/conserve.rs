//! V11: work is conserved.
//!
//! Exactly: when each CPU either sleeps or is in the midst of a poll, and no interrupt is under way, nobody is left to find work
//! that waits. So then no CPU sleeps while a task waits that it could take: each publisher has seen it idle, or it has seen the
//! work (PB1, PD2). A CPU that heard a kick in this step has been asked for another one, and
//! publishes then.
//!
//! By time: beside a CPU that has run nothing for long, no such task waits for long.

use super::{Checked, Checker, broken, label};
use crate::violation::Kind;
use crate::world::{Party, State};

/// Tasks of a tier that are looked at.
const LOOKED_AT: usize = 4;

impl Checker {
    /// The exact half, seen from whoever is about to sleep or to compute.
    #[inline]
    pub(crate) fn conserves(&self, parties: &[Party]) -> Checked {
        if self.halted == 0 || self.stealable + self.injected == 0 {
            return Ok(());
        }
        self.is_conserved(parties)
    }

    fn is_conserved(&self, parties: &[Party]) -> Checked {
        let mut sleeper = None;
        let mut publisher = None;
        for (cpu, party) in parties.iter().enumerate() {
            let view = &self.cpus[cpu];
            if party.masks > 0 || party.kick_ns != u64::MAX {
                return Ok(());
            }
            match party.state {
                State::Halted if !view.paused => sleeper = Some(cpu),
                // The thread outside, or a CPU that is away or paused.
                State::Offline | State::Halted => {}
                State::Running if self.polls(cpu) => {
                    let asked = party.kicks != view.kicks_at_step || view.ends_a_poll_to_leave();
                    publisher = publisher.or((view.stealable > 0 && !asked).then_some(cpu));
                }
                State::Running => return Ok(()),
            }
        }
        let Some(sleeper) = sleeper else { return Ok(()) };
        if self.injected > 0 {
            let what =
                format!("cpu{sleeper} sleeps, unkicked, beside {} injected tasks", self.injected);
            return broken(Kind::NotConserved, what);
        }
        match publisher {
            Some(cpu) => {
                let spare = self.cpus[cpu].stealable;
                broken(
                    Kind::NotConserved,
                    format!(
                        "cpu{sleeper} sleeps, unkicked, beside cpu{cpu} with {spare} tasks to spare"
                    ),
                )
            }
            None => Ok(()),
        }
    }

    fn polls(&self, cpu: usize) -> bool {
        self.running(cpu).is_some_and(|task| self.tasks[task as usize].polled)
    }

    /// The half by time. Once in so many steps.
    pub(crate) fn look_round(&mut self, parties: &[Party]) -> Checked {
        let now_ns = self.now_ns;
        let limit_ns = self.limits.conserved_ns;
        let idle = (0..parties.len() - 1).find(|&cpu| {
            let view = &self.cpus[cpu];
            self.is_halted(cpu, parties) && !view.paused && view.idle_ns + limit_ns < now_ns
        });
        let Some(idle) = idle else { return Ok(()) };
        for (cpu, view) in self.cpus.iter().enumerate() {
            if view.stealable == 0 || parties[cpu].state == State::Offline {
                continue;
            }
            let waits = view.tiers[..2].iter().flat_map(|tier| tier.iter().take(LOOKED_AT)).find(
                |&&(task, turn)| {
                    let task = &self.tasks[task as usize];
                    task.turn == turn
                        && task.affinity.is_none()
                        && task.since_ns + limit_ns < now_ns
                },
            );
            if let Some(&(task, _)) = waits {
                let task = &self.tasks[task as usize];
                let waited_ns = now_ns - task.since_ns;
                let what = format!(
                    "task {} has waited {waited_ns} ns on cpu{cpu}, and cpu{idle} has run nothing for {} ns",
                    label(task.id),
                    now_ns - self.cpus[idle].idle_ns,
                );
                return broken(Kind::NotConserved, what);
            }
        }
        Ok(())
    }
}
