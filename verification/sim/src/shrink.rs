//! From a run that failed to a small one that fails in the same way.
//!
//! A smaller plan draws other chances, so each size is tried with several seeds: what counts is the same broken invariant.

use crate::{Fault, Plan, Violation};

/// Seeds that are tried for each smaller plan.
const SEEDS: u64 = 24;
/// Steps of all tries together.
const STEPS: u64 = 20_000_000;

/// What a plan could be reduced to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// Fails with the same kind of violation.
    pub plan: Plan,
    /// That violation.
    pub violation: Violation,
    /// Runs that were tried.
    pub runs: u64,
}

/// Looks for smaller plans that fail as `plan` did with `violation`: fewer CPUs, faults and steps. `run` says what a plan
/// violates.
pub fn shrink(
    plan: &Plan,
    violation: &Violation,
    run: impl Fn(&Plan) -> Option<Violation>,
) -> Shrunk {
    let mut search =
        Search { run, best: (plan.clone(), violation.clone()), runs: 0, steps_left: STEPS };
    search.fewer_steps();
    loop {
        let before = search.best.0.clone();
        for cpus in [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 128, 256, 512] {
            if cpus < search.best.0.cpus && search.fails_with(|plan| plan.cpus = cpus) {
                break;
            }
        }
        for &fault in Fault::ALL {
            if search.best.0.faults.has(fault) {
                search.fails_with(|plan| plan.faults = plan.faults.without(fault));
            }
        }
        if search.best.0.steps > 50 {
            search.fails_with(|plan| plan.steps /= 2);
        }
        if search.best.0 == before || search.steps_left == 0 {
            break;
        }
    }
    let (plan, violation) = search.best;
    Shrunk { plan, violation, runs: search.runs }
}

struct Search<R> {
    run: R,
    best: (Plan, Violation),
    runs: u64,
    steps_left: u64,
}

impl<R: Fn(&Plan) -> Option<Violation>> Search<R> {
    /// Tries a changed plan with several seeds, its own first; takes the first that fails in the same way.
    fn fails_with(&mut self, change: impl Fn(&mut Plan)) -> bool {
        let own = self.best.0.seed;
        for seed in std::iter::once(own).chain(0..SEEDS) {
            let mut plan = Plan { seed, ..self.best.0.clone() };
            change(&mut plan);
            if self.steps_left < plan.steps {
                self.steps_left = 0;
                return false;
            }
            self.steps_left -= plan.steps;
            self.runs += 1;
            let violation = (self.run)(&plan);
            if let Some(violation) =
                violation.filter(|violation| violation.kind == self.best.1.kind)
            {
                self.best = (plan, violation);
                self.fewer_steps();
                return true;
            }
        }
        false
    }

    /// A run that fails early needs no more steps than that.
    fn fewer_steps(&mut self) {
        let (plan, violation) = &self.best;
        let needed = violation.step + 1;
        if needed < plan.steps {
            let plan = Plan { steps: needed, ..plan.clone() };
            self.runs += 1;
            if let Some(violation) = (self.run)(&plan).filter(|found| found.kind == violation.kind)
            {
                self.best = (plan, violation);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Faults, Kind};

    /// Fails on two CPUs or more, with storms, for every third seed, at step 100.
    fn fragile(plan: &Plan) -> Option<Violation> {
        let fails = plan.cpus >= 2
            && plan.faults.has(Fault::Storm)
            && plan.seed.is_multiple_of(3)
            && plan.steps > 100;
        fails.then(|| Violation { kind: Kind::Order, what: String::new(), step: 100, time_ns: 0 })
    }

    #[test]
    fn what_does_not_matter_is_left_out() {
        let plan = Plan {
            seed: 300,
            cpus: 64,
            steps: 10_000,
            faults: Faults::ALL,
            keep_records: false,
            measure: false,
        };
        let violation = fragile(&plan).unwrap();
        let shrunk = shrink(&plan, &violation, fragile);
        assert_eq!((shrunk.plan.cpus, shrunk.plan.steps), (2, 101));
        assert_eq!(shrunk.plan.faults, Faults::NONE.with(Fault::Storm));
        assert!(fragile(&shrunk.plan).is_some() && shrunk.runs > 0);
    }
}
