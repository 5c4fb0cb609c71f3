//! The invariants, checked from what the trace tells: every task's place is known at every moment.
//!
//! ```text
//!   Fresh ─wake─► Inbox / Injector ─enqueue─► Queue ─run─► Running ─stop─► Waiting ─wake─► …
//!                    ▲ ▲  Stranded    ▲       │ └─steal─► Transit ─┘   └───► Over
//!                    │ └────┘         └───────┼── enqueue ──┴──────────┘ (requeued)
//!                    └────────── wake ────────┘ (its CPU leaves)
//! ```
//!
//! # Invariants
//!
//! - **C1** Each change of a task's place is one event of the trace, and the event says from where; that it comes from there
//!   is V1. What is not an arrow above is a violation.
//! - **C2** A line (inbox, tier of a run queue) holds entries in the order of arrival; one whose task has left since is stale,
//!   which its turn number tells, and is dropped when it comes to the front.
//! - **C3** Each event costs amortised O(1); what looks at all CPUs or tasks runs every so many steps.

mod conserve;
mod events;
mod rest;
mod sleep;
mod threads;
mod unplug;
mod wakes;

use crate::violation::Kind;
use crate::world::{Party, State};
use sched::{CpuId, CpuSet, Settings};
use std::collections::VecDeque;

#[cfg(test)]
mod tests;

pub(crate) use sleep::Suspect;
use threads::{NextThread, ThreadView};

/// What a check answers.
pub(crate) type Checked = Result<(), (Kind, String)>;

pub(crate) fn broken<T>(kind: Kind, what: impl Into<String>) -> Result<T, (Kind, String)> {
    Err((kind, what.into()))
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Fresh,
    Inbox(u16),
    Injector,
    /// Restricted, and none of its CPUs is there.
    Stranded,
    Queue(u16),
    /// Taken from another CPU by this one.
    Transit(u16),
    Running(u16),
    /// Its poll was preempted on this CPU, where it goes on.
    InFlight(u16),
    Waiting,
    Over,
}

#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: u64,
    pub(crate) place: Place,
    /// Goes up with each change of place.
    pub(crate) turn: u32,
    pub(crate) tier: u8,
    pub(crate) affinity: Option<Box<CpuSet>>,
    /// When it came to its place.
    pub(crate) since_ns: u64,
    /// When it became runnable.
    pub(crate) runnable_ns: u64,
    /// Polls of its future.
    pub(crate) polls: u32,
    /// The poll of its run has begun: from here on a wake asks for another one.
    pub(crate) poll_begun: bool,
    /// A wake came during the run, so another one must follow.
    pub(crate) must_run_again: bool,
    /// Its future is in a poll.
    pub(crate) polled: bool,
    /// Reschedule interrupts that its CPU had heard when another one put it into the inbox.
    pub(crate) kicks: u64,
    /// Which of the inboxes it came to last.
    pub(crate) inbox: usize,
    /// Until when it sleeps, in virtual time; 0: it does not.
    pub(crate) sleeps_until_ns: u64,
    /// Set for threads.
    pub(crate) thread: Option<Box<ThreadView>>,
}

/// Tasks in the order in which they came.
type Queue = VecDeque<(u32, u32)>;

/// What is known of a CPU.
#[derive(Debug, Default)]
pub(crate) struct CpuView {
    /// Critical, all others, and what it has woken itself.
    inboxes: [Queue; 3],
    in_inboxes: usize,
    /// Of what came to the inboxes since the last halt, what may have left them untold: tasks to be freed or sent on.
    untold: usize,
    /// By tier: Background, Normal, Critical.
    tiers: [Queue; 3],
    in_tiers: [usize; 3],
    /// Of those, tasks that any CPU may run.
    stealable: usize,
    /// Threads that are runnable here, and do not run.
    threads: Vec<u32>,
    running: Option<u32>,
    /// Reschedule interrupts heard when its step began.
    kicks_at_step: u64,
    /// The task of the run is woken and placed, though its end has not been told.
    placed_meanwhile: bool,
    critical_polls: u32,
    normal_polls: u32,
    /// Tasks enqueued in this step.
    enqueued: usize,
    /// Since when it has run nothing.
    idle_ns: u64,
    paused: bool,
    /// It was asked to leave, and has not come back since.
    closing: bool,
    /// What it runs is a poll that was preempted before.
    goes_on: bool,
    /// It was ever asked: whoever pushed to it may have been refused.
    refuses: bool,
    /// What only it may run was ever given up.
    widened: bool,
    /// Pushed in the masked section that is under way here: task, turn, target.
    pushed: Vec<(u32, u32, u16)>,
}

/// What limits a scheduler has promised to keep.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) settings: Settings,
    /// How long a stealable task may wait beside a CPU that has nothing to do.
    pub(crate) conserved_ns: u64,
    /// How late a timer may be.
    pub(crate) late_ns: u64,
    /// How much too early a timer may seem, as clocks differ.
    pub(crate) early_ns: u64,
}

/// What was measured on the way.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    /// Nanoseconds from becoming runnable to the run that follows.
    pub wake_latencies_ns: Vec<u64>,
    /// Nanoseconds by which sleeps were late.
    pub lateness_ns: Vec<u64>,
    /// Integral of min(idle CPUs, waiting tasks) over time, in nanoseconds.
    pub idle_beside_work_ns: u64,
    /// Events of each kind, in the order of [`sched::trace::Kind::ALL`].
    pub events: Vec<u64>,
}

pub(crate) struct Checker {
    /// Indexes of tasks, by the two parts of their ids.
    by_id: Vec<Vec<u32>>,
    pub(crate) tasks: Vec<Task>,
    pub(crate) cpus: Vec<CpuView>,
    pub(crate) limits: Limits,
    /// Affinity of the task that each party is about to spawn.
    next_affinity: Vec<Option<Box<CpuSet>>>,
    /// Of the thread that each party is about to spawn.
    next_thread: Vec<Option<NextThread>>,
    pub(crate) suspects: Vec<Suspect>,
    /// Tasks that are not over.
    pub(crate) live: usize,
    /// Tasks in run queues that any CPU may run, and tasks in the injector.
    stealable: usize,
    injected: usize,
    /// Runnable tasks that do not run.
    waiting: usize,
    /// CPUs that halt.
    halted: usize,
    pub(crate) now_ns: u64,
    measured_ns: u64,
    pub(crate) measures: Measures,
    /// Whether to keep what is measured.
    pub(crate) measuring: bool,
    pub(crate) polls: u64,
}

impl Checker {
    pub(crate) fn new(cpus: usize, limits: Limits) -> Self {
        Self {
            by_id: (0..=cpus).map(|_| Vec::new()).collect(),
            tasks: Vec::new(),
            cpus: (0..=cpus).map(|_| CpuView::default()).collect(),
            limits,
            next_affinity: (0..=cpus).map(|_| None).collect(),
            next_thread: (0..=cpus).map(|_| None).collect(),
            suspects: Vec::new(),
            live: 0,
            stealable: 0,
            injected: 0,
            waiting: 0,
            halted: 0,
            now_ns: 0,
            measured_ns: 0,
            measures: Measures {
                events: vec![0; sched::trace::Kind::ALL.len()],
                ..Measures::default()
            },
            measuring: false,
            polls: 0,
        }
    }

    /// The index of a task that was spawned.
    #[inline]
    pub(crate) fn index(&self, id: u64) -> Result<u32, (Kind, String)> {
        let serials = self.by_id.get((id >> 48) as usize);
        let serial = (id & ((1 << 48) - 1)).wrapping_sub(1);
        match serials.and_then(|serials| serials.get(serial as usize)) {
            Some(&index) => Ok(index),
            None => broken(Kind::Books, format!("task {} was never spawned", label(id))),
        }
    }

    pub(crate) fn set_place(&mut self, index: u32, place: Place) {
        let task = &mut self.tasks[index as usize];
        task.place = place;
        task.turn += 1;
        task.since_ns = self.now_ns;
    }

    /// Time goes on, as whoever runs sees it.
    pub(crate) fn at(&mut self, time_ns: u64) {
        if time_ns > self.now_ns {
            self.now_ns = time_ns;
            let idle = self.waiting.min(self.halted) as u64;
            self.measures.idle_beside_work_ns += idle * (time_ns - self.measured_ns);
            self.measured_ns = time_ns;
        }
    }

    /// The affinity of the task that `party` spawns next.
    pub(crate) fn next_affinity(&mut self, party: usize, affinity: CpuSet) {
        self.next_affinity[party] = Some(Box::new(affinity));
    }

    pub(crate) fn running(&self, cpu: usize) -> Option<u32> {
        self.cpus.get(cpu)?.running
    }

    pub(crate) fn may_run(&self, index: u32, cpu: u16) -> bool {
        let task = &self.tasks[index as usize];
        if let Some(thread) = &task.thread {
            return thread.may_run(cpu, self.now_ns, self.limits.late_ns);
        }
        let affinity = &task.affinity;
        affinity.as_ref().is_none_or(|allowed| allowed.contains(CpuId::new(cpu.into())))
    }

    /// A CPU resumes from a halt.
    pub(crate) fn resumes(&mut self, _cpu: usize, now_ns: u64) {
        self.at(now_ns);
        self.halted -= 1;
    }

    /// A CPU has come, or gone.
    pub(crate) fn comes_or_goes(&mut self, cpu: usize) {
        let view = &mut self.cpus[cpu];
        view.idle_ns = self.now_ns;
        (view.critical_polls, view.normal_polls) = (0, 0);
        view.enqueued = 0;
        view.closing = false;
    }

    pub(crate) fn step_begins(&mut self, cpu: usize, parties: &[Party]) {
        self.cpus[cpu].kicks_at_step = parties[cpu].kicks;
    }

    /// V8, V10: at the end of a step. `queued`: what the loop says that its run queues hold.
    pub(crate) fn step_ends(&mut self, cpu: usize, queued: Option<usize>) -> Checked {
        let view = &mut self.cpus[cpu];
        let budget = self.limits.settings.inbox_budget_nodes.max(2);
        // Two inboxes, again at two lowerings; the injector; what ran.
        let most = 6 * budget + 16 + 1;
        let enqueued = std::mem::take(&mut view.enqueued);
        if enqueued > most {
            return broken(
                Kind::Unbounded,
                format!("cpu{cpu} enqueued {enqueued} tasks in a step, not at most {most}"),
            );
        }
        let there = view.in_tiers.iter().sum::<usize>();
        // One that leaves has what came out of its inboxes, too: of tasks to be freed nothing is told.
        // Of a thread that was taken the thief tells later.
        let there_at_most = if view.closing { usize::MAX } else { there + view.threads.len() };
        match queued {
            Some(queued) if (there..=there_at_most).contains(&queued) => Ok(()),
            Some(queued) => broken(
                Kind::Lost,
                format!("cpu{cpu} has {queued} tasks queued, and {there} have come and not gone"),
            ),
            None => Ok(()),
        }
    }

    fn is_halted(&self, cpu: usize, parties: &[Party]) -> bool {
        parties[cpu].state == State::Halted
    }
}

/// As the scheduler displays it.
pub(crate) fn label(id: u64) -> String {
    format!("{}.{}", id >> 48, id & ((1 << 48) - 1))
}

pub(crate) const TIERS: [&str; 3] = ["Background", "Normal", "Critical"];
