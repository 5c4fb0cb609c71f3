//! The events of the trace, one by one.

use super::sleep::Doubt;
use super::{Checked, Checker, Place, TIERS, Task, broken, label};
use crate::violation::Kind;
use crate::world::Party;
use sched::trace;
use sched::trace::{Kind as Event, Record};

const CRITICAL: usize = 2;

/// Which of the inboxes is no inbox, but the list of what a CPU has woken itself.
const OWN: usize = 2;

/// As many kicks as no CPU hears.
const NO_KICK: u64 = u64::MAX;

impl Checker {
    /// `record` happened, on the CPU or thread `party`, at `now_ns` of virtual time.
    pub(crate) fn event(
        &mut self,
        party: usize,
        now_ns: u64,
        record: &Record,
        parties: &[Party],
    ) -> Checked {
        self.at(now_ns);
        self.measures.events[record.kind.index()] += 1;
        let cpu = party as u16;
        match record.kind {
            Event::Spawn => self.spawned(party, record),
            Event::Wake => {
                let target = record.other.map(|cpu| cpu.index());
                let kicks = target.and_then(|cpu| parties.get(cpu)).map_or(0, |party| party.kicks);
                self.woken(party, record.task, target, kicks)
            }
            Event::Enqueue => self.enqueued(cpu, record.task),
            Event::Run => {
                self.runs(cpu, record.task)?;
                self.looks_behind(party, parties);
                Ok(())
            }
            Event::Stop => self.stops(cpu, record, parties),
            Event::Steal => self.stolen(cpu, record),
            Event::Timers if record.argument > 32 => broken(
                Kind::Unbounded,
                format!("cpu{cpu} fired {} timers at once", record.argument),
            ),
            _ => Ok(()),
        }
    }

    fn spawned(&mut self, party: usize, record: &Record) -> Checked {
        let (block, serial) = ((record.task >> 48) as usize, record.task & ((1 << 48) - 1));
        let index = self.tasks.len() as u32;
        let serials = &mut self.by_id[block];
        if serials.len() as u64 + 1 != serial {
            return broken(Kind::Books, format!("task {} out of turn", label(record.task)));
        }
        serials.push(index);
        self.tasks.push(Task {
            id: record.task,
            place: Place::Fresh,
            turn: 0,
            tier: record.detail,
            affinity: self.next_affinity[party].take(),
            since_ns: self.now_ns,
            runnable_ns: self.now_ns,
            polls: 0,
            poll_begun: false,
            must_run_again: false,
            polled: false,
            kicks: 0,
            inbox: 0,
            sleeps_until_ns: 0,
            thread: None,
        });
        self.is_thread(party, index);
        self.live += 1;
        Ok(())
    }

    fn woken(&mut self, party: usize, id: u64, target: Option<usize>, kicks: u64) -> Checked {
        let index = self.index(id)?;
        let from = self.tasks[index as usize].place;
        match from {
            // Complete: it goes home to be freed.
            Place::Over => {
                if let Some(target) = target {
                    self.cpus[target].untold += 1;
                }
                return Ok(());
            }
            Place::Fresh | Place::Waiting => {
                self.is_in_time(index)?;
                self.waiting += 1;
                self.tasks[index as usize].runnable_ns = self.now_ns;
            }
            // The run is over, but its end has not been told yet: checked when it is.
            Place::Running(cpu) => {
                self.cpus[usize::from(cpu)].placed_meanwhile = true;
                self.waiting += 1;
                self.tasks[index as usize].runnable_ns = self.now_ns;
            }
            Place::Inbox(_) if self.was_refused(party, index) => {}
            Place::Inbox(cpu) if usize::from(cpu) == party && self.is_closing(party) => {
                self.leave_inbox(cpu, index)?;
                self.cpus[party].untold += 1;
            }
            Place::Queue(cpu) if usize::from(cpu) == party && self.is_a_thread(index) => {
                self.thread_leaves(cpu, index);
            }
            Place::Queue(cpu) if usize::from(cpu) == party && self.is_closing(party) => {
                self.evacuated(cpu, index)?;
            }
            // It came where it may not run, and is sent on.
            Place::Inbox(cpu)
                if usize::from(cpu) == party
                    && (self.is_a_thread(index) || !self.may_run(index, cpu)) =>
            {
                self.cpus[party].in_inboxes -= 1;
                self.cpus[party].untold += 1;
            }
            Place::Transit(cpu) if usize::from(cpu) == party => {}
            Place::Injector => self.injected -= 1,
            Place::Stranded => {}
            place => {
                return broken(
                    Kind::TwoPlaces,
                    format!("task {} placed again, being {place:?}", label(id)),
                );
            }
        }
        let task = &self.tasks[index as usize];
        let nowhere = match (&task.affinity, &task.thread) {
            // Of a thread it is not known what its restriction is by now.
            (Some(_), _) | (_, Some(_)) => Place::Stranded,
            (None, None) => Place::Injector,
        };
        let place = target.map_or(nowhere, |cpu| Place::Inbox(cpu as u16));
        self.set_place(index, place);
        self.injected += usize::from(place == Place::Injector);
        let task = &mut self.tasks[index as usize];
        // To itself a CPU sends no interrupt: its loop comes next.
        task.kicks = if target == Some(party) { NO_KICK } else { kicks };
        if let Some(target) = target {
            let is_thread = task.thread.is_some();
            let entry = (index, task.turn);
            task.inbox = match usize::from(task.tier) {
                CRITICAL => 0,
                _ if target == party => OWN,
                _ => 1,
            };
            let inbox = task.inbox;
            let view = &mut self.cpus[target];
            if !is_thread {
                view.inboxes[inbox].push_back(entry);
            }
            view.in_inboxes += 1;
            self.cpus[party].pushed.push((index, entry.1, target as u16));
        }
        Ok(())
    }

    fn enqueued(&mut self, cpu: u16, id: u64) -> Checked {
        let index = self.index(id)?;
        let place = self.tasks[index as usize].place;
        let tier = usize::from(self.tasks[index as usize].tier);
        let is_thread = self.is_a_thread(index);
        match place {
            Place::Inbox(at) if at == cpu => self.leave_inbox(cpu, index)?,
            Place::Stranded if is_thread => {}
            // It was changed, and is queued anew.
            Place::Queue(at) if at == cpu && is_thread => self.thread_leaves(cpu, index),
            Place::Injector => self.injected -= 1,
            Place::Transit(at) if at == cpu => {}
            Place::Running(at) if at == cpu => {
                self.waiting += 1;
                self.tasks[index as usize].runnable_ns = self.now_ns;
            }
            place => {
                let what = format!("task {} enqueued on cpu{cpu}, being {place:?}", label(id));
                return broken(Kind::TwoPlaces, what);
            }
        }
        if !self.may_run(index, cpu) && !self.is_widened(index) {
            return broken(Kind::Placement, format!("task {} enqueued on cpu{cpu}", label(id)));
        }
        self.set_place(index, Place::Queue(cpu));
        if is_thread {
            let view = &mut self.cpus[usize::from(cpu)];
            view.threads.push(index);
            view.enqueued += 1;
            return Ok(());
        }
        let task = &self.tasks[index as usize];
        let (entry, stealable) = ((index, task.turn), is_stealable(task));
        let view = &mut self.cpus[usize::from(cpu)];
        view.tiers[tier].push_back(entry);
        view.in_tiers[tier] += 1;
        view.stealable += usize::from(stealable);
        self.stealable += usize::from(stealable);
        view.enqueued += 1;
        Ok(())
    }

    /// V5: an inbox keeps the order of its pushes, and so does the list of what a CPU wakes itself.
    fn leave_inbox(&mut self, cpu: u16, index: u32) -> Checked {
        let inbox = self.tasks[index as usize].inbox;
        let turn = self.tasks[index as usize].turn;
        let Self { cpus, tasks, .. } = self;
        let view = &mut cpus[usize::from(cpu)];
        if tasks[index as usize].thread.is_some() {
            view.in_inboxes -= 1;
            return Ok(());
        }
        let queue = &mut view.inboxes[inbox];
        while queue.front().is_some_and(|&(task, turn)| tasks[task as usize].turn != turn) {
            queue.pop_front();
        }
        view.in_inboxes -= 1;
        match queue.pop_front() {
            Some(first) if first == (index, turn) => Ok(()),
            Some((first, _)) => {
                let [first, second] = [first, index].map(|task| label(tasks[task as usize].id));
                broken(
                    Kind::Order,
                    format!("cpu{cpu} drained {second} before {first}, which came first"),
                )
            }
            None => broken(
                Kind::TwoPlaces,
                format!("task {} was not in the inbox", label(tasks[index as usize].id)),
            ),
        }
    }

    /// V5: the oldest of a tier goes first.
    pub(super) fn leave_tier(&mut self, cpu: u16, index: u32) -> Checked {
        let Self { cpus, tasks, .. } = self;
        let task = &tasks[index as usize];
        let (turn, tier) = (task.turn, usize::from(task.tier));
        let name = || label(task.id);
        let queue = &mut cpus[usize::from(cpu)].tiers[tier];
        while queue.front().is_some_and(|&(task, turn)| tasks[task as usize].turn != turn) {
            queue.pop_front();
        }
        match queue.pop_front() {
            Some(first) if first == (index, turn) => Ok(()),
            Some((first, _)) => {
                let first = label(tasks[first as usize].id);
                let what = format!(
                    "cpu{cpu} takes {} before {first}, which came first, in tier {}",
                    name(),
                    TIERS[tier]
                );
                broken(Kind::Order, what)
            }
            None => broken(Kind::TwoPlaces, format!("task {} was not queued", name())),
        }
    }

    pub(super) fn leave_queue(&mut self, cpu: u16, index: u32) {
        let task = &self.tasks[index as usize];
        let stealable = is_stealable(task);
        let view = &mut self.cpus[usize::from(cpu)];
        view.in_tiers[usize::from(task.tier)] -= 1;
        view.stealable -= usize::from(stealable);
        self.stealable -= usize::from(stealable);
    }

    fn runs(&mut self, cpu: u16, id: u64) -> Checked {
        let index = self.index(id)?;
        let task = &self.tasks[index as usize];
        let (place, tier) = (task.place, usize::from(task.tier));
        let (is_thread, goes_on) = (task.thread.is_some(), place == Place::InFlight(cpu));
        if place != Place::Queue(cpu) && !goes_on {
            let kind =
                if matches!(place, Place::Running(_)) { Kind::TwoCpus } else { Kind::TwoPlaces };
            return broken(kind, format!("task {} runs on cpu{cpu}, being {place:?}", label(id)));
        }
        if let Some(other) = self.running(usize::from(cpu)) {
            let other = label(self.tasks[other as usize].id);
            return broken(Kind::TwoCpus, format!("cpu{cpu} runs {} within {other}", label(id)));
        }
        self.cpus[usize::from(cpu)].goes_on = goes_on;
        if goes_on {
            self.cpus[usize::from(cpu)].critical_polls = 0;
            self.set_place(index, Place::Running(cpu));
            self.cpus[usize::from(cpu)].running = Some(index);
            return Ok(());
        }
        if is_thread {
            self.thread_leaves(cpu, index);
            self.comes_before_all(cpu, index)?;
            self.cpus[usize::from(cpu)].critical_polls = 0;
        } else {
            self.leave_tier(cpu, index)?;
            self.leave_queue(cpu, index);
            self.takes_turn(cpu, tier)?;
            self.comes_before_all(cpu, index)?;
        }
        self.set_place(index, Place::Running(cpu));
        self.waiting -= 1;
        self.polls += 1;
        let task = &mut self.tasks[index as usize];
        (task.poll_begun, task.must_run_again) = (false, false);
        let latency_ns = self.now_ns - task.runnable_ns;
        if self.measuring {
            self.measures.wake_latencies_ns.push(latency_ns);
        }
        self.cpus[usize::from(cpu)].running = Some(index);
        Ok(())
    }

    /// V4 at the CPU that begins a run: what is more urgent and stands in its inboxes has come after its last look at them, so
    /// it was kicked for.
    fn looks_behind(&mut self, cpu: usize, parties: &[Party]) {
        let view = &self.cpus[cpu];
        let Some(running) = view.running.map(|task| &self.tasks[task as usize]) else { return };
        // A drain that ran out of its budget, with two touches for each node, leaves some knowingly.
        let touched = 2 * (view.in_inboxes + view.enqueued + view.untold);
        let surely_drained = touched <= self.limits.settings.inbox_budget_nodes.max(2);
        if view.in_inboxes == 0 || !surely_drained {
            return;
        }
        let entries = view.inboxes.iter().flatten();
        let urgent = entries.copied().find(|&(task, turn)| {
            let task = &self.tasks[task as usize];
            task.turn == turn && self.outranks(task, running)
        });
        if let Some((task, turn)) = urgent {
            let kicks = self.tasks[task as usize].kicks;
            self.suspect(Doubt::WaitsBehind { cpu, task, turn, kicks }, parties);
        }
    }

    /// V6: whether it is the tier's turn.
    fn takes_turn(&mut self, cpu: u16, tier: usize) -> Checked {
        let settings = self.limits.settings;
        let over = |polls: u32, limit: u32| limit != u32::MAX && polls >= limit.max(1);
        let view = &mut self.cpus[usize::from(cpu)];
        let lower = view.in_tiers[0] + view.in_tiers[1] > 0;
        let wrong = match tier {
            // What thieves took meanwhile counted when the choice was made.
            CRITICAL => {
                lower && over(view.critical_polls, settings.critical_limit_polls.saturating_add(1))
            }
            _ if view.in_tiers[CRITICAL] > 0
                && !over(view.critical_polls, settings.critical_limit_polls) =>
            {
                true
            }
            1 => {
                view.in_tiers[0] > 0
                    && over(view.normal_polls, settings.background_limit_polls.saturating_add(1))
            }
            _ => view.in_tiers[1] > 0 && !over(view.normal_polls, settings.background_limit_polls),
        };
        match tier {
            CRITICAL => view.critical_polls = view.critical_polls.saturating_add(1),
            1 => {
                view.critical_polls = 0;
                view.normal_polls = view.normal_polls.saturating_add(1);
            }
            _ => (view.critical_polls, view.normal_polls) = (0, 0),
        }
        if wrong {
            let [background, normal, critical] = view.in_tiers;
            let what = format!(
                "cpu{cpu} runs {} beside {critical} Critical, {normal} Normal, {background} Background",
                TIERS[tier]
            );
            return broken(Kind::TierOrder, what);
        }
        Ok(())
    }

    fn stops(&mut self, cpu: u16, record: &Record, parties: &[Party]) -> Checked {
        let index = self.index(record.task)?;
        let may_run = self.may_run(index, cpu);
        let view = &mut self.cpus[usize::from(cpu)];
        if view.running.take() != Some(index) {
            return broken(
                Kind::TwoCpus,
                format!("task {} stops on cpu{cpu}, where it does not run", label(record.task)),
            );
        }
        view.idle_ns = self.now_ns;
        let placed_meanwhile = std::mem::take(&mut view.placed_meanwhile);
        let outcome = record.outcome();
        let name = || label(record.task);
        // One that ran where it may not, its own CPU being away, goes back there.
        let went_back = outcome == Some(trace::Outcome::Requeued) && !may_run;
        let is_thread = self.is_a_thread(index);
        if is_thread && self.thread_stops(cpu, index, outcome, placed_meanwhile) {
            return Ok(());
        }
        if placed_meanwhile && outcome != Some(trace::Outcome::Waits) && !went_back {
            return broken(
                Kind::TwoPlaces,
                format!("task {} was placed while it ran: {outcome:?}", name()),
            );
        }
        match outcome {
            Some(trace::Outcome::Requeued) => {
                if self.tasks[index as usize].place == Place::Running(cpu) {
                    return broken(
                        Kind::Lost,
                        format!("task {} was to be requeued, and was not", name()),
                    );
                }
            }
            Some(trace::Outcome::Preempted) => self.set_place(index, Place::InFlight(cpu)),
            Some(trace::Outcome::Waits) if placed_meanwhile => {}
            Some(trace::Outcome::Waits) => {
                self.set_place(index, Place::Waiting);
                let task = &self.tasks[index as usize];
                if task.must_run_again {
                    // Unless somebody woke it after its run, and is about to place it.
                    self.suspect(Doubt::Waits { task: index, polls: task.moves() }, parties);
                }
            }
            _ => {
                self.set_place(index, Place::Over);
                self.live -= 1;
            }
        }
        Ok(())
    }

    fn stolen(&mut self, cpu: u16, record: &Record) -> Checked {
        let index = self.index(record.task)?;
        let (task, name) = (&self.tasks[index as usize], || label(record.task));
        let victim = record.other.map_or(u16::MAX, |cpu| cpu.get() as u16);
        if task.thread.is_some() {
            return self.thread_stolen(cpu, victim, index);
        }
        if task.place != Place::Queue(victim) {
            return broken(
                Kind::TwoPlaces,
                format!("cpu{cpu} steals {} from cpu{victim}, being {:?}", name(), task.place),
            );
        }
        if !is_stealable(task) {
            let tier = TIERS[usize::from(task.tier)];
            return broken(
                Kind::Placement,
                format!("cpu{cpu} steals {}, which is {tier}: {:?}", name(), task.affinity),
            );
        }
        self.leave_queue(victim, index);
        self.set_place(index, Place::Transit(cpu));
        Ok(())
    }
}

fn is_stealable(task: &Task) -> bool {
    usize::from(task.tier) != CRITICAL && task.affinity.is_none()
}
