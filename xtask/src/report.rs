//! Runs steps one after the other and sums up.
//!
//! R1. A failed step never keeps a later one from running.
//! R2. Only a failed download may leave a step out, and only where that was allowed; it is named.
//! R3. The last line is `N passed, N failed`, with `, N skipped` where steps did not run.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::needs::Missing;

/// How a step ended.
#[derive(Debug)]
enum Outcome {
    Passed { tests: u64 },
    Failed { why: String },
    NotRun { missing: String },
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    outcome: Outcome,
    took: Duration,
}

/// The steps so far.
#[derive(Debug)]
pub(crate) struct Report {
    allow_missing: bool,
    entries: Vec<Entry>,
    left: Vec<(&'static str, &'static str)>,
}

impl Report {
    pub(crate) fn new(allow_missing: bool) -> Self {
        Self { allow_missing, entries: Vec::new(), left: Vec::new() }
    }

    /// Runs a step, which answers how many tests it ran.
    pub(crate) fn run(
        &mut self,
        name: &'static str,
        heading: &str,
        step: impl FnOnce() -> Result<u64>,
    ) {
        println!("\n=== {name}: {heading}");
        let begin = Instant::now();
        let outcome = match step() {
            Ok(tests) => Outcome::Passed { tests },
            Err(error) => match error.downcast_ref::<Missing>() {
                Some(missing) if self.allow_missing => {
                    Outcome::NotRun { missing: missing.what.clone() }
                }
                _ => Outcome::Failed { why: format!("{error:#}") },
            },
        };
        let entry = Entry { name, outcome, took: begin.elapsed() };
        println!("{entry}");
        self.entries.push(entry);
    }

    /// Says what a step, or the whole, left to other commands.
    pub(crate) fn leaves(&mut self, name: &'static str, what: &'static str) {
        if !what.is_empty() {
            self.left.push((name, what));
        }
    }

    pub(crate) fn all_passed(&self) -> bool {
        !self.entries.iter().any(|entry| matches!(entry.outcome, Outcome::Failed { .. }))
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, note) = match &self.outcome {
            Outcome::Passed { tests: 0 } => ("passed", String::new()),
            Outcome::Passed { tests } => ("passed", format!("{tests} tests")),
            Outcome::Failed { why } => ("FAILED", why.clone()),
            Outcome::NotRun { missing } => ("not run", format!("cannot be had: {missing}")),
        };
        let line = format!("{word:8} {:12} {:7.1} s  {note}", self.name, self.took.as_secs_f64());
        f.write_str(line.trim_end())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n=== summary")?;
        let (mut passed, mut failed, mut tests) = (0, 0, 0);
        let mut not_run = Vec::new();
        for entry in &self.entries {
            writeln!(f, "{entry}")?;
            match &entry.outcome {
                Outcome::Passed { tests: ran } => {
                    passed += 1;
                    tests += ran;
                }
                Outcome::Failed { .. } => failed += 1,
                Outcome::NotRun { missing } => not_run.push((entry.name, missing)),
            }
        }
        let took: Duration = self.entries.iter().map(|entry| entry.took).sum();
        writeln!(
            f,
            "{} steps in {:.0} s, {tests} tests in those that passed",
            self.entries.len(),
            took.as_secs_f64()
        )?;
        for (name, what) in &self.left {
            writeln!(f, "not in this: {name}: {what}")?;
        }
        for (name, missing) in &not_run {
            writeln!(f, "NOT RUN: {name} ({missing} could not be downloaded)")?;
        }
        write!(f, "{passed} passed, {failed} failed")?;
        if !not_run.is_empty() {
            write!(f, ", {} skipped", not_run.len())?;
        }
        writeln!(f)
    }
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    fn missing() -> Result<u64> {
        Err(Missing { what: "toolchain nightly".to_owned() }.into())
    }

    fn last_lines(report: &Report, count: usize) -> Vec<String> {
        let text = report.to_string();
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        lines[lines.len() - count..].to_vec()
    }

    #[test]
    fn steps_go_on_after_a_failure() {
        let mut report = Report::new(false);
        report.run("one", "", || Ok(3));
        report.run("two", "", || Err(anyhow!("broken")));
        report.run("three", "", || Ok(4));
        report.leaves("one", "");
        report.leaves("three", "the rest");
        assert!(!report.all_passed());
        assert_eq!(last_lines(&report, 1), ["2 passed, 1 failed"]);
        let text = report.to_string();
        assert!(text.contains("7 tests"), "{text}");
        assert_eq!(text.matches("not in this").count(), 1, "{text}");
        assert!(text.contains("not in this: three: the rest"), "{text}");
        assert!(text.contains("FAILED   two") && text.contains("broken"), "{text}");
    }

    #[test]
    fn what_cannot_be_had_fails_the_step() {
        let mut report = Report::new(false);
        report.run("miri", "", missing);
        assert!(!report.all_passed());
        assert_eq!(last_lines(&report, 1), ["0 passed, 1 failed"]);
        assert!(report.to_string().contains("cannot be had: toolchain nightly"));
    }

    #[test]
    fn a_missing_download_is_named_at_the_end_where_allowed() {
        let mut report = Report::new(true);
        report.run("miri", "", missing);
        report.run("unit", "", || Ok(1));
        assert!(report.all_passed());
        assert_eq!(
            last_lines(&report, 2),
            [
                "NOT RUN: miri (toolchain nightly could not be downloaded)",
                "1 passed, 0 failed, 1 skipped"
            ]
        );
    }

    #[test]
    fn allowing_what_is_missing_forgives_nothing_else() {
        let mut report = Report::new(true);
        report.run("unit", "", || Err(anyhow!("a test failed")));
        assert!(!report.all_passed());
        assert_eq!(last_lines(&report, 1), ["0 passed, 1 failed"]);
    }
}
