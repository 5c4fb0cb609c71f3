//! A work and those who do it: what a row of the table is made of.

use crate::floors::Floor;
use crate::goal::Goal;
use crate::pair;
use std::fmt;
use std::time::{Duration, Instant};

/// Our side in every work.
pub(crate) const OURS: &str = "ours";

/// One kind of work, done by us and by rivals, at several sizes. All that a new row needs.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    pub(crate) name: &'static str,
    /// What one item is, and what the size counts.
    pub(crate) about: &'static str,
    pub(crate) sizes: &'static [u64],
    /// Two contexts at once: needs two CPUs, and is not asked for latencies.
    pub(crate) two_cores: bool,
    pub(crate) goal: fn(size: u64) -> Option<Goal>,
    pub(crate) floor: fn(size: u64) -> Option<Floor>,
    /// Ours first, then one line per rival.
    pub(crate) contenders: fn(size: u64) -> Vec<Contender>,
    /// Rivals that are not here, and why.
    pub(crate) missing: &'static [Missing],
}

impl Work {
    /// Its name in the table.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether the machine has the CPUs for it.
    pub fn can_run(&self) -> bool {
        !self.two_cores || pair::can_pair()
    }
}

/// A rival that cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missing {
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

/// Items done in a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) items: u64,
    pub(crate) elapsed: Duration,
}

impl Sample {
    pub(crate) fn ns_per_item(&self) -> f64 {
        self.elapsed.as_nanos() as f64 / self.items as f64
    }
}

/// One who does the work, warm and again and again.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    run: Box<dyn FnMut(u64) -> Sample>,
}

impl Contender {
    /// `round` does `items` items; all of it is timed.
    pub(crate) fn new(name: &'static str, items: u64, mut round: impl FnMut() + 'static) -> Self {
        Self::timed(name, move |rounds| {
            let start = Instant::now();
            for _ in 0..rounds {
                round();
            }
            Sample { items: items * rounds, elapsed: start.elapsed() }
        })
    }

    /// `run` does so many rounds and measures itself.
    pub(crate) fn timed(name: &'static str, run: impl FnMut(u64) -> Sample + 'static) -> Self {
        Self { name, run: Box::new(run) }
    }

    /// Under another name: for a second form of ours, which no goal counts as a rival.
    pub(crate) fn called(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    pub(crate) fn run(&mut self, rounds: u64) -> Sample {
        (self.run)(rounds)
    }
}

impl fmt::Debug for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contender").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The works whose name has `part` in it; all without one.
pub fn select<'a>(works: &'a [Work], part: Option<&str>) -> Vec<&'a Work> {
    let part = part.unwrap_or_default().to_lowercase();
    works.iter().filter(|work| work.name.to_lowercase().contains(&part)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::works::ALL;
    use std::collections::HashSet;

    #[test]
    fn a_part_of_a_name_selects() {
        let names = |part| select(ALL, part).iter().map(|work| work.name).collect::<Vec<_>>();
        assert_eq!(names(None).len(), ALL.len());
        assert!(names(Some("Deque")).len() >= 5);
        assert!(names(Some("deque")).iter().all(|name| name.starts_with("deque")));
        assert!(names(Some("no such work")).is_empty());
    }

    #[test]
    fn works_have_names_of_their_own_and_several_rising_sizes() {
        let names: HashSet<_> = ALL.iter().map(|work| work.name).collect();
        assert_eq!(names.len(), ALL.len());
        for work in ALL {
            assert!(work.sizes.len() >= 3 && work.sizes.is_sorted(), "{}", work.name);
            let goals = work.sizes.iter().filter(|&&size| (work.goal)(size).is_some()).count();
            assert!(goals > 0, "{} has no goal", work.name);
        }
    }

    /// Each contender does what it says it does, in the number it says.
    #[test]
    fn every_contender_runs() {
        for work in ALL {
            let size = work.sizes[0];
            if !work.can_run() {
                continue;
            }
            let contenders = (work.contenders)(size);
            assert_eq!(contenders[0].name, OURS, "{}", work.name);
            assert!(contenders.len() > 1, "{} has no rival", work.name);
            if let Some(goal) = (work.goal)(size) {
                assert!(contenders[1..].iter().any(|rival| goal.against.counts(rival.name)));
            }
            for mut contender in contenders {
                let (one, three) = (contender.run(1), contender.run(3));
                assert!(one.items > 0 && three.items == 3 * one.items, "{}", contender.name);
            }
        }
    }
}
