//! A workload in a few lines, for a person.

use super::model::{Event, Loops, Task, Tier, TimerMode, TimerScope, Workload};
use std::fmt::{self, Display, Write as _};

/// Most tasks, and most events of a task, that a summary shows.
const MOST: usize = 16;

impl Workload {
    /// One line about the whole, one per task; of many tasks or events only the first ones.
    #[must_use]
    pub fn summary(&self) -> String {
        let instances: u64 = self.tasks.iter().map(|task| u64::from(task.instances)).sum();
        let of_tier = |tier| -> u64 {
            let tasks = self.tasks.iter().filter(|task| task.tier == tier);
            tasks.map(|task| u64::from(task.instances)).sum()
        };
        let mut text = format!(
            "{}, {} ({} critical, {} normal, {} background), ",
            count(self.tasks.len() as u64, "task"),
            count(instances, "instance"),
            of_tier(Tier::Critical),
            of_tier(Tier::Normal),
            of_tier(Tier::Background),
        );
        // Writing to a String cannot fail.
        let _ = match self.global.duration_ns {
            Some(duration_ns) => write!(text, "for {}", Time(duration_ns)),
            None => write!(text, "until all have ended"),
        };
        let demand = self.estimated_demand_permille();
        let _ = write!(text, "; asks for at most {}.{} % of one CPU", demand / 10, demand % 10);
        let width = self.tasks.iter().take(MOST).map(|task| task.name.chars().count()).max();
        let width = width.unwrap_or(0).min(24);
        for task in self.tasks.iter().take(MOST) {
            let _ = write!(text, "\n  {:width$} ×{:<3} ", task.name, task.instances);
            let _ = self.write_task(&mut text, task);
        }
        if let Some(more @ 1..) = self.tasks.len().checked_sub(MOST) {
            let _ = write!(text, "\n  and {more} more");
        }
        text
    }

    fn write_task(&self, out: &mut String, task: &Task) -> fmt::Result {
        let tier = match task.tier {
            Tier::Critical => "critical  ",
            Tier::Normal => "normal    ",
            Tier::Background => "background",
        };
        out.write_str(tier)?;
        if let Some(cpus) = &task.cpus {
            let mut ids = cpus.iter().map(|id| id.to_string()).collect::<Vec<_>>();
            let more = if ids.len() > MOST { ",…" } else { "" };
            ids.truncate(MOST);
            write!(out, " on CPU {}{more}", ids.join(","))?;
        }
        let mut budget = MOST;
        for phase in &task.phases {
            out.write_str(if budget == MOST { "  " } else { "; then " })?;
            match phase.loops {
                Loops::Times(1) => {}
                Loops::Times(count) => write!(out, "{count}× ")?,
                Loops::Forever => out.write_str("forever ")?,
            }
            for (index, event) in phase.events.iter().enumerate() {
                if budget == 0 {
                    return out.write_str(" …");
                }
                budget -= 1;
                out.write_str(if index == 0 { "" } else { ", " })?;
                self.write_event(out, *event)?;
            }
        }
        match task.loops {
            Loops::Forever | Loops::Times(1) => Ok(()),
            Loops::Times(count) => write!(out, "; all that {count}×"),
        }
    }

    fn write_event(&self, out: &mut String, event: Event) -> fmt::Result {
        let resources = &self.resources;
        let condition = |id: super::ConditionId| &resources.conditions[id.0];
        let mutex = |id: super::MutexId| &resources.mutexes[id.0];
        match event {
            Event::Run { duration_ns } => write!(out, "run {}", Time(duration_ns)),
            Event::Runtime { duration_ns } => write!(out, "busy {}", Time(duration_ns)),
            Event::Sleep { duration_ns } => write!(out, "sleep {}", Time(duration_ns)),
            Event::Timer { timer, period_ns } => {
                write!(out, "every {}", Time(period_ns))?;
                let timer = &resources.timers[timer.0];
                if timer.mode == TimerMode::Absolute {
                    out.write_str(" absolute")?;
                }
                match timer.scope {
                    TimerScope::Shared => write!(out, " of {}", timer.name),
                    TimerScope::PerInstance(_) => Ok(()),
                }
            }
            Event::Suspend { condition: id } => write!(out, "suspend {}", condition(id)),
            Event::Resume { condition: id } => write!(out, "resume {}", condition(id)),
            Event::Lock { mutex: id } => write!(out, "lock {}", mutex(id)),
            Event::Unlock { mutex: id } => write!(out, "unlock {}", mutex(id)),
            Event::Wait { condition: id, .. } => write!(out, "wait {}", condition(id)),
            Event::Signal { condition: id } => write!(out, "signal {}", condition(id)),
            Event::Broadcast { condition: id } => write!(out, "broadcast {}", condition(id)),
            Event::Sync { condition: id, .. } => write!(out, "sync {}", condition(id)),
            Event::Barrier { barrier } => {
                let barrier = &resources.barriers[barrier.0];
                write!(out, "barrier {} of {}", barrier.name, barrier.parties)
            }
            Event::SemWait { semaphore } => {
                write!(out, "take {}", resources.semaphores[semaphore.0])
            }
            Event::SemPost { semaphore } => {
                write!(out, "post {}", resources.semaphores[semaphore.0])
            }
            Event::Yield => out.write_str("yield"),
            Event::Fork { task } => write!(out, "fork {}", self.tasks[task.0].name),
        }
    }
}

fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A time in the unit a person would take; files speak in microseconds, so nothing is lost.
struct Time(u64);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit_ns, unit) = match self.0 {
            1_000_000_000.. => (1_000_000_000, "s"),
            1_000_000.. => (1_000_000, "ms"),
            _ => (1_000, "µs"),
        };
        let (whole, mut rest) = (self.0 / unit_ns, self.0 % unit_ns);
        write!(f, "{whole}")?;
        if rest > 0 {
            f.write_char('.')?;
        }
        let mut digit_ns = unit_ns / 10;
        while rest > 0 {
            write!(f, "{}", rest / digit_ns)?;
            rest %= digit_ns;
            digit_ns /= 10;
        }
        write!(f, " {unit}")
    }
}
