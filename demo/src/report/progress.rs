//! The live line: rewritten on a terminal, a line a second elsewhere. On standard error.

use crate::Sched;
use sched::{CpuId, Totals};
use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// Shows how a run goes on.
#[derive(Debug)]
pub struct Progress {
    scheduler: &'static Sched,
    cpus: u32,
    duration: Duration,
    terminal: bool,
    start: Instant,
    last: Instant,
    last_wakes: u64,
    last_polls: u64,
}

impl Progress {
    /// Of a run that begins now.
    #[must_use]
    pub fn new(scheduler: &'static Sched, cpus: u32, duration: Duration) -> Self {
        let start = Instant::now();
        let terminal = io::stderr().is_terminal();
        Self {
            scheduler,
            cpus,
            duration,
            terminal,
            start,
            last: start,
            last_wakes: 0,
            last_polls: 0,
        }
    }

    /// Shows the state of things, if it is time to.
    pub fn show(&mut self, totals: &Totals) {
        let interval = Duration::from_millis(if self.terminal { 200 } else { 1_000 });
        let now = Instant::now();
        let passed = now.duration_since(self.last);
        if passed >= interval {
            self.say(totals, now, passed);
        }
    }

    fn say(&mut self, totals: &Totals, now: Instant, passed: Duration) {
        let rate = |now: u64, last: u64| now.saturating_sub(last) as f64 / passed.as_secs_f64();
        let idle = (0..self.cpus).filter(|&cpu| self.scheduler.is_idle(CpuId::new(cpu))).count();
        let live = totals.spawned.saturating_sub(totals.completed + totals.cancelled);
        let line = format!(
            "{:5.1} of {:.1} s  {:>5} wakes/s  {:>5} polls/s  {:>6} stolen  {live:>6} tasks  {idle:>2} of {} CPUs idle",
            now.duration_since(self.start).as_secs_f64(),
            self.duration.as_secs_f64(),
            short(rate(totals.wakes_placed, self.last_wakes)),
            short(rate(totals.polls, self.last_polls)),
            short(totals.steals_won as f64),
            self.cpus,
        );
        // Nothing to be done about a terminal that is gone.
        let _ = if self.terminal {
            write!(io::stderr(), "\r\x1b[2K{line}")
        } else {
            writeln!(io::stderr(), "{line}")
        };
        (self.last, self.last_wakes, self.last_polls) = (now, totals.wakes_placed, totals.polls);
    }

    /// Takes the line away, where it is rewritten; says how things stand at the end, elsewhere.
    pub fn end(mut self, totals: &Totals) {
        if self.terminal {
            let _ = write!(io::stderr(), "\r\x1b[2K");
        } else {
            let now = Instant::now();
            self.say(totals, now, now.duration_since(self.last));
        }
    }
}

/// Says something in between, in a line of its own.
pub fn note(text: &str) {
    let clear = if io::stderr().is_terminal() { "\r\x1b[2K" } else { "" };
    // Nothing to be done about a terminal that is gone.
    let _ = writeln!(io::stderr(), "{clear}{text}");
}

/// A number in few characters.
fn short(number: f64) -> String {
    match number {
        1e9.. => format!("{:.1}G", number / 1e9),
        1e6.. => format!("{:.1}M", number / 1e6),
        1e4.. => format!("{:.0}k", number / 1e3),
        _ => format!("{number:.0}"),
    }
}
