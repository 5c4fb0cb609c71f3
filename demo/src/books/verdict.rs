//! What the books say in the end.

use super::Account;
use sched::Totals;
use serde::Serialize;
use std::fmt;

/// Most tasks that are named for one fault.
pub(super) const MOST_NAMED: usize = 8;

/// The books' numbers, and whether they add up.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Verdict {
    /// Tasks spawned.
    pub spawned: u64,
    /// Tasks that finished.
    pub completed: u64,
    /// Tasks that were cancelled.
    pub cancelled: u64,
    /// Wakes sent to booked tasks.
    pub wakes_sent: u64,
    /// Wakes that a poll came after.
    pub wakes_seen: u64,
    /// Tasks that should have run and did not: left in a queue, or lost on the way from one to the next.
    pub left_queued: u64,
    /// Whether all adds up.
    pub ok: bool,
    /// What does not, in words.
    #[serde(skip)]
    pub faults: Vec<String>,
}

impl Verdict {
    /// Something else is wrong.
    pub fn fault(&mut self, fault: impl Into<String>) {
        self.ok = false;
        self.faults.push(fault.into());
    }

    /// At quiescence: every task has seen every wake. `behind`: the first of those that have not.
    pub(super) fn at_quiescence(account: &Account, behind: &[String]) -> Self {
        let mut verdict = Self {
            wakes_sent: account.sent,
            wakes_seen: account.seen,
            ok: true,
            ..Self::default()
        };
        if account.sent != account.seen || account.behind > 0 {
            verdict.fault(format!(
                "{} tasks never saw their last wake ({})",
                account.behind,
                named(behind, account.behind)
            ));
        }
        verdict
    }

    /// After every task was told to finish. `unfinished`: the first of the booked ones that did not.
    pub(super) fn at_end(&mut self, account: &Account, totals: &Totals, unfinished: &[String]) {
        self.spawned = totals.spawned;
        self.completed = totals.completed;
        self.cancelled = totals.cancelled;
        if self.wakes_sent == self.wakes_seen {
            self.wakes_sent = account.sent;
            self.wakes_seen = account.seen;
        }
        // Every task was woken to end, so that one that has not ended is not idle.
        self.left_queued =
            totals.spawned.saturating_sub(totals.completed + totals.cancelled + totals.unreachable);
        if totals.spawned != totals.completed + totals.cancelled {
            self.fault(format!(
                "{} tasks spawned, but {} completed and {} cancelled",
                totals.spawned, totals.completed, totals.cancelled
            ));
        }
        if totals.unreachable > 0 {
            self.fault(format!("{} tasks waited with nobody to wake them", totals.unreachable));
        }
        if account.open_tasks > 0 {
            self.fault(format!(
                "{} booked tasks were told to end and did not ({})",
                account.open_tasks,
                named(unfinished, account.open_tasks)
            ));
        }
        if account.sent != account.seen {
            self.fault(format!("{} wakes sent in all, {} seen", account.sent, account.seen));
        }
    }
}

/// The names, and how many there are beside them.
fn named(names: &[String], all: u64) -> String {
    let mut text = names.join("; ");
    if let more @ 1.. = all.saturating_sub(names.len() as u64) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// The books in two lines.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { spawned, completed, cancelled, wakes_sent, wakes_seen, left_queued, .. } = self;
        let verdict = if self.ok { "ok" } else { "NOT OK" };
        let sign = |equal| if equal { '=' } else { '≠' };
        let tasks = sign(*spawned == completed + cancelled);
        let wakes = sign(wakes_sent == wakes_seen);
        writeln!(f, "books: {wakes_sent} wakes sent {wakes} {wakes_seen} seen")?;
        write!(
            f,
            "books: {spawned} tasks spawned {tasks} {completed} completed + {cancelled} cancelled; \
             {left_queued} left queued: {verdict}"
        )
    }
}
