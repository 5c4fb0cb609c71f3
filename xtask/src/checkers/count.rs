//! How much a checker did, by what it printed.

use crate::checkers::Unit;
use crate::count::count;

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tests => "tests",
            Self::Inputs => "inputs",
            Self::Mutants => "mutants",
        }
    }

    /// How many, by the output of one command.
    pub(super) fn count(self, output: &str) -> u64 {
        match self {
            Self::Tests => count(output).run,
            Self::Inputs => sum(output, |line| {
                line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok()
            }),
            Self::Mutants => sum(output, |line| {
                line.split_once(" mutants tested")?.0.rsplit(' ').next()?.parse().ok()
            }),
        }
    }
}

fn sum(output: &str, number: impl Fn(&str) -> Option<u64>) -> u64 {
    output.lines().filter_map(|line| number(line.trim())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_done_is_read_from_the_output() {
        let fuzz =
            "Done 12 runs in 3 second(s)\nstat::number_of_executed_units: 4711\nstat::x: 9\n";
        assert_eq!(Unit::Inputs.count(fuzz), 4711);
        assert_eq!(Unit::Mutants.count("12 mutants tested in 30s: 11 caught, 1 unviable\n"), 12);
        assert_eq!(Unit::Tests.count("nothing of the kind"), 0);
    }
}
