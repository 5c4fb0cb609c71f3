//! Which moments of a run to keep.
//!
//! Rings of busy CPUs reach back a few milliseconds, and a run may end on dull ones. So a look that finds that tasks
//! were stolen since the last one captures a timeline, now and then; it serves if the end of the run has no steal.

use super::{HostedRings, Timeline};
use sched::trace::Kind;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// A capture serves so long, before a later one takes its place.
const FRESH: Duration = Duration::from_secs(1);

/// Watches a run for moments to keep.
#[derive(Debug)]
pub struct Moments {
    rings: &'static HostedRings,
    kept: Option<(Instant, Timeline)>,
    steals: u64,
}

impl Moments {
    /// Of a run that begins now.
    #[must_use]
    pub fn new(rings: &'static HostedRings) -> Self {
        Self { rings, kept: None, steals: 0 }
    }

    /// To be called every some milliseconds, with the number of steals so far.
    pub fn look(&mut self, steals: u64) {
        let stolen = steals > std::mem::replace(&mut self.steals, steals);
        if !stolen || self.kept.as_ref().is_some_and(|(then, _)| then.elapsed() < FRESH) {
            return;
        }
        let timeline = Timeline::capture(self.rings);
        if has_steal(&timeline) {
            self.kept = Some((Instant::now(), timeline));
        }
    }

    /// The last moments, or the last ones with a steal if these have none.
    #[must_use]
    pub fn end(self) -> Timeline {
        let last = Timeline::capture(self.rings);
        match self.kept {
            Some((_, kept)) if !has_steal(&last) => Timeline { counts: last.counts, ..kept },
            _ => last,
        }
    }
}

/// Whether a steal's arrow can be drawn: the stolen task's poll is there, too.
fn has_steal(timeline: &Timeline) -> bool {
    let complete = timeline.records.iter().filter(|record| record.time_ns >= timeline.start_ns);
    let mut stolen = HashSet::new();
    complete.into_iter().any(|record| match record.kind {
        Kind::Steal => {
            stolen.insert(record.task);
            false
        }
        Kind::Run => stolen.contains(&record.task),
        _ => false,
    })
}
