//! What a ratio should be, and against whom.

use crate::work::OURS;

/// A ratio is met within this factor: two equal things do not measure equal.
const TOLERANCE: f64 = 1.05;

/// "At most `factor` times the fastest of those counted."
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Goal {
    pub(crate) factor: f64,
    pub(crate) against: Against,
}

/// The rivals that a goal counts; the others are shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Against {
    /// Each of them, but for a second form of ours.
    All,
    /// Those whose name begins with one of these.
    Named(&'static [&'static str]),
}

impl Goal {
    pub(crate) const fn fastest(factor: f64) -> Self {
        Self { factor, against: Against::All }
    }

    pub(crate) const fn of(factor: f64, rivals: &'static [&'static str]) -> Self {
        Self { factor, against: Against::Named(rivals) }
    }

    pub(crate) fn is_met(&self, ratio: f64) -> bool {
        ratio <= self.factor * TOLERANCE
    }
}

impl Against {
    pub(crate) fn counts(&self, rival: &str) -> bool {
        match self {
            Self::All => !rival.starts_with(OURS),
            Self::Named(names) => names.iter().any(|name| rival.starts_with(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_within_the_tolerance() {
        let goal = Goal::fastest(1.0);
        assert!(goal.is_met(0.2) && goal.is_met(1.05));
        assert!(!goal.is_met(1.051));
        assert!(!Goal::fastest(0.5).is_met(0.6));
        assert!(!goal.is_met(f64::NAN));
    }

    #[test]
    fn rivals_are_counted_by_the_beginning_of_their_names() {
        let goal = Goal::of(0.8, &["crossbeam"]);
        assert!(goal.against.counts("crossbeam fifo"));
        assert!(!goal.against.counts("st3 fifo"));
        assert!(Against::All.counts("anything"));
        assert!(!Against::All.counts("ours, in another way"));
    }
}
