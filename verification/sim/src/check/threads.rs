//! V1, V7, V8, V9, V17 for threads: they go through the same places as futures, but for the queue, which is their classes'.
//!
//! # Invariants
//!
//! - **CT1** A thread that stops, and has more to do, is in the queue of its CPU without an event of its own. Thieves may be told
//!   of it before its stop is, as it is the loop that tells.
//! - **CT2** What is asked for of a thread holds from then on, and what held before holds beside it for as long as a message may take.
//!   Where both allow something, it is right.
//! - **CT3** Which thread of a class goes first is the class's; of two classes the higher one goes first (V17).

use super::{Checked, Checker, Place, Task, broken, label};
use crate::violation::Kind;
use sched::thread::Policy;
use sched::{CpuId, CpuSet, trace};

/// Urgency of Critical futures among that of threads, and of all others.
const CRITICAL_LEVEL: u8 = 250;
const FUTURE_LEVEL: u8 = 2;

/// What a thread is to be.
pub(crate) type NextThread = (Policy, Option<CpuSet>);

/// What is known of a thread.
#[derive(Debug)]
pub(crate) struct ThreadView {
    level: u8,
    /// When its policy was changed.
    changed_ns: u64,
    /// The CPUs that it may have, the last ones first, and since when.
    affinities: Vec<(u64, Option<CpuSet>)>,
    /// Times that it took note of a wake.
    answers: u32,
    /// V17: what ran before it while it was queued, unless a thief had it then, and tells so.
    passed_over: Option<u64>,
}

impl ThreadView {
    /// CT2, with `slow_ns` for the message.
    pub(super) fn may_run(&self, cpu: u16, now_ns: u64, slow_ns: u64) -> bool {
        let mut until_ns = u64::MAX;
        for (since_ns, affinity) in self.affinities.iter().rev() {
            if until_ns.saturating_add(slow_ns) < now_ns {
                return false;
            }
            if affinity.is_none_or(|allowed| allowed.contains(CpuId::new(cpu.into()))) {
                return true;
            }
            until_ns = *since_ns;
        }
        false
    }

    /// The one CPU that it may have ever since it was made.
    fn is_pinned_to(&self, cpu: usize) -> bool {
        let only = CpuSet::EMPTY.with(CpuId::new(cpu as u32));
        matches!(self.affinities[..], [(_, Some(affinity))] if affinity == only)
    }
}

fn level(policy: Policy) -> u8 {
    match policy {
        Policy::Fair { .. } => FUTURE_LEVEL,
        Policy::Realtime { priority } => 100 + priority.min(99),
        Policy::Stop => u8::MAX,
    }
}

impl Task {
    /// Goes up with each poll, and with each wake that a thread took note of.
    pub(super) fn moves(&self) -> u32 {
        self.polls.wrapping_add(self.thread.as_ref().map_or(0, |thread| thread.answers))
    }

    fn level(&self) -> u8 {
        match &self.thread {
            Some(thread) => thread.level,
            None if self.tier == 2 => CRITICAL_LEVEL,
            None => self.tier + 1,
        }
    }
}

impl Checker {
    /// The task that `party` spawns next is a thread.
    pub(crate) fn next_thread(&mut self, party: usize, thread: NextThread) {
        self.next_thread[party] = Some(thread);
    }

    pub(super) fn is_thread(&mut self, party: usize, index: u32) {
        if let Some((policy, affinity)) = self.next_thread[party].take() {
            self.tasks[index as usize].thread = Some(Box::new(ThreadView {
                level: level(policy),
                changed_ns: 0,
                affinities: vec![(self.now_ns, affinity)],
                answers: 0,
                passed_over: None,
            }));
        }
    }

    pub(super) fn is_a_thread(&self, index: u32) -> bool {
        self.tasks[index as usize].thread.is_some()
    }

    fn thread_of(&mut self, id: u64) -> Option<&mut ThreadView> {
        let index = self.index(id).ok()?;
        self.tasks[index as usize].thread.as_deref_mut()
    }

    pub(crate) fn note_policy(&mut self, id: u64, policy: Policy) {
        let now_ns = self.now_ns;
        if let Some(thread) = self.thread_of(id) {
            (thread.level, thread.changed_ns) = (level(policy), now_ns);
            thread.passed_over = None;
        }
    }

    pub(crate) fn note_cpus(&mut self, id: u64, cpus: Option<CpuSet>) {
        let now_ns = self.now_ns;
        if let Some(thread) = self.thread_of(id) {
            thread.affinities.push((now_ns, cpus));
        }
    }

    /// V9: a park has returned, and so answered all wakes before.
    pub(crate) fn answers(&mut self, id: u64) {
        if let Ok(index) = self.index(id) {
            let task = &mut self.tasks[index as usize];
            task.must_run_again = false;
            if let Some(thread) = &mut task.thread {
                thread.answers = thread.answers.wrapping_add(1);
            }
        }
    }

    /// The loop of `cpu` switches to what it runs, or back.
    pub(crate) fn switches(&mut self, cpu: usize, to: bool) {
        let Some(index) = self.running(cpu).filter(|&index| self.is_a_thread(index)) else {
            return;
        };
        let task = &mut self.tasks[index as usize];
        task.polled = to;
        task.poll_begun |= to;
    }

    /// Threads that are queued on a CPU, and that no thief may have.
    pub(super) fn threads_kept(&self, cpu: usize) -> usize {
        let pinned = |&&index: &&u32| {
            let thread = &self.tasks[index as usize].thread;
            thread.as_ref().is_some_and(|thread| thread.is_pinned_to(cpu))
        };
        self.cpus[cpu].threads.iter().filter(pinned).count()
    }

    pub(super) fn thread_leaves(&mut self, cpu: u16, index: u32) {
        let threads = &mut self.cpus[usize::from(cpu)].threads;
        if let Some(at) = threads.iter().position(|&other| other == index) {
            threads.swap_remove(at);
        }
    }

    /// V4: whether a push of `urgent` to a CPU that runs `running` has to be told. Of a fair thread the class says whether it comes
    /// first, so it always is.
    pub(super) fn outranks(&self, urgent: &Task, running: &Task) -> bool {
        let fair = urgent.thread.is_some() && urgent.level() == FUTURE_LEVEL;
        self.is_settled(urgent)
            && self.is_settled(running)
            && urgent.level() + u8::from(fair) > running.level()
    }

    /// Whether its policy is what it was asked to be (CT2).
    fn is_settled(&self, task: &Task) -> bool {
        task.thread.as_ref().is_none_or(|thread| {
            thread.changed_ns == 0 || thread.changed_ns + self.limits.late_ns < self.now_ns
        })
    }

    /// V17: nothing that is ready on the CPU comes before what begins to run there.
    pub(super) fn comes_before_all(&mut self, cpu: u16, index: u32) -> Checked {
        let id = self.tasks[index as usize].id;
        let passed_over =
            self.tasks[index as usize].thread.as_mut().and_then(|thread| thread.passed_over.take());
        if let Some(first) = passed_over {
            return came_before(cpu, &label(first), &label(id));
        }
        let view = &self.cpus[usize::from(cpu)];
        let task = &self.tasks[index as usize];
        if view.closing || view.paused || !self.is_settled(task) {
            return Ok(());
        }
        // All but the Critical futures are one member of the fair class.
        let level = task.level().max(FUTURE_LEVEL);
        let limit = self.limits.settings.critical_limit_polls;
        let critical_is_due = view.in_tiers[2] > 0
            && (limit == u32::MAX || view.critical_polls < limit.max(1))
            && level < CRITICAL_LEVEL;
        if critical_is_due && task.thread.is_some() {
            return came_before(cpu, &label(id), "a Critical future");
        }
        let comes_first = |&other: &u32| {
            let other = &self.tasks[other as usize];
            other.level() > level && self.is_settled(other)
        };
        let first: Vec<u32> = view.threads.iter().copied().filter(comes_first).collect();
        for other in first {
            let other = &mut self.tasks[other as usize];
            let name = label(other.id);
            let Some(thread) = &mut other.thread else { continue };
            if thread.is_pinned_to(cpu.into()) {
                return came_before(cpu, &label(id), &name);
            }
            thread.passed_over = Some(id);
        }
        Ok(())
    }

    /// CT1. Whether that is all there is to say.
    pub(super) fn thread_stops(
        &mut self,
        cpu: u16,
        index: u32,
        outcome: Option<trace::Outcome>,
        placed_meanwhile: bool,
    ) -> bool {
        use trace::Outcome::{Preempted, Requeued};
        if !matches!(outcome, Some(Requeued | Preempted)) {
            return false;
        }
        if !placed_meanwhile {
            self.waiting += 1;
            self.tasks[index as usize].runnable_ns = self.now_ns;
            self.set_place(index, Place::Queue(cpu));
            self.cpus[usize::from(cpu)].threads.push(index);
        }
        true
    }

    pub(super) fn thread_stolen(&mut self, cpu: u16, victim: u16, index: u32) -> Checked {
        let task = &self.tasks[index as usize];
        let name = label(task.id);
        if let Some(thread) = &mut self.tasks[index as usize].thread {
            thread.passed_over = None;
        }
        let task = &self.tasks[index as usize];
        match task.place {
            Place::Queue(at) if at == victim => self.thread_leaves(victim, index),
            // CT1.
            Place::Running(at) if at == victim && !task.polled => {
                self.cpus[usize::from(victim)].placed_meanwhile = true;
                self.tasks[index as usize].runnable_ns = self.now_ns;
                self.waiting += 1;
            }
            place => {
                let what = format!("cpu{cpu} steals {name} from cpu{victim}, being {place:?}");
                return broken(Kind::TwoPlaces, what);
            }
        }
        if !self.may_run(index, cpu) {
            let what = format!("cpu{cpu} steals {name}, which may not run there");
            return broken(Kind::Placement, what);
        }
        self.set_place(index, Place::Transit(cpu));
        Ok(())
    }
}

fn came_before(cpu: u16, what: &str, first: &str) -> Checked {
    broken(Kind::ClassOrder, format!("cpu{cpu} runs {what} before {first}"))
}
