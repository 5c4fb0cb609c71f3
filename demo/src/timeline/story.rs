//! What the records say together: who did what from when to when, and what led to what.

use super::Timeline;
use sched::trace::{Kind, NameId, Outcome, Record};
use sched::{CpuId, Tier};
use std::collections::HashMap;

/// What a CPU did for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// It polled a task.
    Run {
        /// The task.
        task: u64,
        /// Its name.
        name: Option<NameId>,
        /// Its tier.
        tier: Tier,
        /// Where the task went; `None` if that is not in the trace.
        outcome: Option<Outcome>,
        /// From the wake that led to this poll to its begin.
        latency_ns: Option<u64>,
    },
    /// It halted.
    Halt,
}

/// A while of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which CPU.
    pub cpu: CpuId,
    /// From when.
    pub start_ns: u64,
    /// Until when.
    pub end_ns: u64,
    /// What it did.
    pub doing: Doing,
}

/// What led to what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArrowKind {
    /// From a wake to the poll.
    Wake,
    /// From sending a reschedule interrupt to its arrival.
    Kick,
    /// From the victim to the thief's poll of the stolen task.
    Steal,
}

/// An arrow from a time and place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// Of what.
    pub kind: ArrowKind,
    /// From where; `None`: a thread that is no CPU.
    pub from: Option<CpuId>,
    /// From when.
    pub from_ns: u64,
    /// To where.
    pub to: CpuId,
    /// To when.
    pub to_ns: u64,
    /// The task, 0 for a kick.
    pub task: u64,
}

/// Something that took no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Of what.
    pub kind: Kind,
    /// Where.
    pub cpu: CpuId,
    /// When.
    pub time_ns: u64,
    /// The task's id, or a count; see [`Record`].
    pub about: u64,
}

/// Spans, arrows and marks, each in the order in which they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Story {
    /// What CPUs did.
    pub spans: Vec<Span>,
    /// What led to what.
    pub arrows: Vec<Arrow>,
    /// What else happened.
    pub marks: Vec<Mark>,
}

/// What is still going on while the records are read.
#[derive(Default)]
struct Open {
    doing: HashMap<CpuId, (u64, Doing)>,
    wakes: HashMap<u64, (Option<CpuId>, u64)>,
    kicks: HashMap<CpuId, (Option<CpuId>, u64)>,
    steals: HashMap<u64, (CpuId, u64)>,
}

impl Story {
    /// Reads a timeline.
    #[must_use]
    pub fn new(timeline: &Timeline) -> Self {
        let mut story = Self::default();
        let mut open = Open::default();
        for record in &timeline.records {
            story.read(&mut open, record);
        }
        let end_ns = timeline.end_ns();
        let mut unfinished: Vec<_> = open.doing.into_iter().collect();
        unfinished.sort_unstable_by_key(|&(cpu, _)| cpu);
        for (cpu, (start_ns, doing)) in unfinished {
            story.spans.push(Span { cpu, start_ns, end_ns: end_ns.max(start_ns), doing });
        }
        // Of what began before, only the part that is complete is shown.
        for span in &mut story.spans {
            span.start_ns = span.start_ns.max(timeline.start_ns);
        }
        story
    }

    fn read(&mut self, open: &mut Open, record: &Record) {
        let &Record { time_ns, task, kind, .. } = record;
        match (kind, record.cpu, record.other) {
            (Kind::Wake, from, _) => {
                open.wakes.insert(task, (from, time_ns));
            }
            (Kind::Kick, from, Some(target)) => {
                // One that is under way already stands for both.
                open.kicks.entry(target).or_insert((from, time_ns));
            }
            (Kind::Kicked, Some(cpu), _) => {
                if let Some((from, from_ns)) = open.kicks.remove(&cpu) {
                    self.arrow(ArrowKind::Kick, (from, from_ns), (cpu, time_ns), 0);
                }
            }
            (Kind::Steal, Some(_), Some(victim)) => {
                open.steals.insert(task, (victim, time_ns));
            }
            (Kind::Run, Some(cpu), _) => self.run(open, record, cpu),
            (Kind::Stop, Some(cpu), _) => {
                let Some((start_ns, Doing::Run { task: running, name, tier, latency_ns, .. })) =
                    open.doing.remove(&cpu)
                else {
                    return;
                };
                let outcome = record.outcome().filter(|_| running == task);
                let doing = Doing::Run { task: running, name, tier, outcome, latency_ns };
                self.spans.push(Span { cpu, start_ns, end_ns: time_ns.max(start_ns), doing });
            }
            (Kind::Halt, Some(cpu), _) => {
                open.doing.insert(cpu, (time_ns, Doing::Halt));
            }
            (Kind::Resume, Some(cpu), _) => {
                if let Some((start_ns, doing)) = open.doing.remove(&cpu) {
                    self.spans.push(Span { cpu, start_ns, end_ns: time_ns.max(start_ns), doing });
                }
            }
            (Kind::Tick | Kind::Timers | Kind::Spawn | Kind::Enqueue | Kind::Migrate, cpu, _) => {
                let about = if kind == Kind::Timers { record.argument } else { task };
                self.marks.extend(cpu.map(|cpu| Mark { kind, cpu, time_ns, about }));
            }
            _ => {}
        }
    }

    fn run(&mut self, open: &mut Open, record: &Record, cpu: CpuId) {
        let &Record { time_ns, task, name, .. } = record;
        let woken = open.wakes.remove(&task);
        if let Some(from) = woken {
            self.arrow(ArrowKind::Wake, from, (cpu, time_ns), task);
        }
        if let Some((victim, from_ns)) = open.steals.remove(&task) {
            self.arrow(ArrowKind::Steal, (Some(victim), from_ns), (cpu, time_ns), task);
        }
        let latency_ns = woken.map(|(_, from_ns)| time_ns.saturating_sub(from_ns));
        let tier = record.tier().unwrap_or_default();
        let doing = Doing::Run { task, name, tier, outcome: None, latency_ns };
        open.doing.insert(cpu, (time_ns, doing));
    }

    /// An arrow does not go back in time, whatever the clocks of two CPUs say.
    fn arrow(
        &mut self,
        kind: ArrowKind,
        (from, from_ns): (Option<CpuId>, u64),
        (to, to_ns): (CpuId, u64),
        task: u64,
    ) {
        self.arrows.push(Arrow { kind, from, from_ns: from_ns.min(to_ns), to, to_ns, task });
    }
}
