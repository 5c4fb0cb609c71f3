//! What every CPU is at, for people: in a panic, from a debugger, on request.

use crate::sync::Ordering;
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::fmt::{self, Write};

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Writes a line about each CPU that was ever there: its state, the task that it runs, its flags, what waits, and what it
    /// counted.
    ///
    /// It takes no lock and waits for nobody, so it works in a panic, whatever the others are stopped in; what it says is of no
    /// one moment. Any context.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn dump(&self, out: &mut impl Write) -> fmt::Result {
        for id in (0..CPUS as u32).map(CpuId::new) {
            let Some(cpu) = self.cpu(id) else { break };
            let stats = cpu.stats.read();
            // Ordering: Relaxed, here and below; a snapshot for people.
            let is_online = self.online.contains(id, Ordering::Relaxed);
            if !is_online && stats.steps == 0 {
                continue;
            }
            let state = if self.is_idle(id) {
                "idle"
            } else if self.is_paused(id) {
                "paused"
            } else if is_online {
                "busy"
            } else {
                "away"
            };
            write!(out, "{id}: {state}, ")?;
            match self.running_on(id) {
                Some(task) => write!(out, "runs {task}, ")?,
                None => write!(out, "in the loop, ")?,
            }
            #[cfg(feature = "threads")]
            write!(out, "{} threads ready, ", cpu.threads.count())?;
            // Ordering: Relaxed, all of them; as above.
            let flags = [
                ("need_resched", cpu.need_resched.load(Ordering::Relaxed)),
                ("timers due", cpu.timers_due.load(Ordering::Relaxed)),
                ("kick under way", cpu.kick_pending.load(Ordering::Relaxed)),
                ("critical inbox not empty", !cpu.critical.is_empty()),
                ("inbox not empty", !cpu.normal.is_empty() || !cpu.woken.is_empty()),
            ];
            for (name, _) in flags.iter().filter(|(_, is_set)| *is_set) {
                write!(out, "{name}, ")?;
            }
            writeln!(
                out,
                "{} steps, {} polls, {} thread runs, {} halts, wakes {} placed {} drained, kicks {} sent {} received, \
                 {} timers, {} stolen",
                stats.steps,
                stats.polls,
                stats.thread_runs,
                stats.halts,
                stats.wakes_placed,
                stats.wakes_drained,
                stats.kicks_sent,
                stats.kicks_received,
                stats.timers_fired,
                stats.steals_won,
            )?;
        }
        Ok(())
    }
}
