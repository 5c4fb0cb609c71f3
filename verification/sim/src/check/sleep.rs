//! V3, V4, V9: who sleeps, or computes, beside work, and who waits though it was woken.
//!
//! A push and the kick that it owes are one masked section, and so are a claim and its kick. A section may leave its kick to
//! another one that is about to send one (PC5), which then is under way when the first one ends. So what looks wrong is wrong
//! if it still does when all sections have ended that were under way, and after them all that were then: nobody is left who
//! could still kick.

use super::{Checked, Checker, Place, broken, label};
use crate::violation::Kind;
use crate::world::Party;

/// What seems to be wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doubt {
    /// V3: this CPU sleeps beside work.
    Sleeps(usize),
    /// V4: a task, in this turn, waits behind a poll on the CPU, which has heard no kick since it had heard so many.
    WaitsBehind { cpu: usize, task: u32, turn: u32, kicks: u64 },
    /// V9: a task waits though it was woken, and was not polled since it had been polled so often.
    Waits { task: u32, polls: u32 },
}

/// A doubt, and the masked sections that were under way when it arose: party, and how many it had left before.
#[derive(Debug)]
pub(crate) struct Suspect {
    doubt: Doubt,
    sections: Vec<(usize, u64)>,
    /// All that were under way at first have ended.
    again: bool,
}

/// The masked sections that are under way.
fn sections(parties: &[Party]) -> Vec<(usize, u64)> {
    let masked = parties.iter().enumerate().filter(|(_, party)| party.masks > 0);
    masked.map(|(place, party)| (place, party.sections)).collect()
}

impl Checker {
    pub(super) fn suspect(&mut self, doubt: Doubt, parties: &[Party]) {
        self.suspects.push(Suspect { doubt, sections: sections(parties), again: false });
    }

    /// V3 at the halting CPU.
    pub(crate) fn halts(&mut self, cpu: usize, parties: &[Party]) -> Checked {
        self.at(parties[cpu].time_ns);
        self.halted += 1;
        self.cpus[cpu].untold = 0;
        if self.sleeps_beside_work(cpu, parties) {
            self.suspect(Doubt::Sleeps(cpu), parties);
        }
        Ok(())
    }

    pub(crate) fn has_pushed(&self, party: usize) -> bool {
        !self.cpus[party].pushed.is_empty()
    }

    /// V3, V4 at the pusher: the masked section in which it pushed is over.
    pub(crate) fn left_section(&mut self, party: usize, parties: &[Party]) -> Checked {
        let mut pushed = std::mem::take(&mut self.cpus[party].pushed);
        for &(task, turn, target) in &pushed {
            let (target, kicks) = (usize::from(target), self.tasks[task as usize].kicks);
            for doubt in
                [Doubt::Sleeps(target), Doubt::WaitsBehind { cpu: target, task, turn, kicks }]
            {
                // To itself a CPU sends no interrupt: its loop comes next.
                if target != party && self.is_wrong(doubt, parties) {
                    self.suspect(doubt, parties);
                }
            }
        }
        pushed.clear();
        self.cpus[party].pushed = pushed;
        Ok(())
    }

    fn sleeps_beside_work(&self, cpu: usize, parties: &[Party]) -> bool {
        let view = &self.cpus[cpu];
        let work = view.in_inboxes + view.in_tiers.iter().sum::<usize>() + self.threads_kept(cpu);
        parties[cpu].sleeps() && work > 0 && !view.paused
    }

    /// The task waits in the inbox of a CPU that polls something less urgent and has heard no kick since.
    fn waits_behind(
        &self,
        cpu: usize,
        task: u32,
        turn: u32,
        kicks: u64,
        parties: &[Party],
    ) -> bool {
        let urgent = &self.tasks[task as usize];
        let waits = urgent.turn == turn && urgent.place == Place::Inbox(cpu as u16);
        let polls_less = self.running(cpu).is_some_and(|running| {
            let running = &self.tasks[running as usize];
            self.outranks(urgent, running) && running.polled
        });
        let party = &parties[cpu];
        waits
            && polls_less
            && party.kick_ns == u64::MAX
            && party.kicks == kicks
            && !self.cpus[cpu].paused
            && !self.cpus[cpu].ends_a_poll_to_leave()
    }

    pub(super) fn is_wrong(&self, doubt: Doubt, parties: &[Party]) -> bool {
        match doubt {
            Doubt::Sleeps(cpu) => self.sleeps_beside_work(cpu, parties),
            Doubt::WaitsBehind { cpu, task, turn, kicks } => {
                self.waits_behind(cpu, task, turn, kicks, parties)
            }
            Doubt::Waits { task, polls } => {
                let task = &self.tasks[task as usize];
                task.place == Place::Waiting && task.moves() == polls
            }
        }
    }

    /// Looks at the suspects again.
    pub(crate) fn examine(&mut self, parties: &[Party]) -> Checked {
        let mut at = 0;
        while at < self.suspects.len() {
            let suspect = &mut self.suspects[at];
            suspect.sections.retain(|&(place, sections)| parties[place].sections == sections);
            if suspect.sections.is_empty() && !suspect.again {
                (suspect.sections, suspect.again) = (sections(parties), true);
            }
            let (doubt, settled) = (suspect.doubt, suspect.sections.is_empty());
            match (self.is_wrong(doubt, parties), settled) {
                (true, true) => return self.is_broken(doubt),
                (true, false) => at += 1,
                (false, _) => drop(self.suspects.swap_remove(at)),
            }
        }
        Ok(())
    }

    fn is_broken(&self, doubt: Doubt) -> Checked {
        let name = |task: u32| label(self.tasks[task as usize].id);
        match doubt {
            Doubt::Sleeps(cpu) => broken(Kind::AsleepBesideWork, self.tell_sleep(cpu)),
            Doubt::WaitsBehind { cpu, task, .. } => broken(
                Kind::UnkickedPreemption,
                format!("task {} in the inbox of cpu{cpu}", name(task)),
            ),
            Doubt::Waits { task, .. } => {
                broken(Kind::LostWake, format!("task {} was woken, and waits", name(task)))
            }
        }
    }

    fn tell_sleep(&self, cpu: usize) -> String {
        let view = &self.cpus[cpu];
        let queued = view.in_tiers.iter().sum::<usize>();
        format!(
            "cpu{cpu} halts, unkicked, with {} tasks in its inboxes and {queued} queued",
            view.in_inboxes
        )
    }
}
