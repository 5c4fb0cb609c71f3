//! The table of instruction counts, and what a difference means.

use std::fmt;

use anyhow::{Context, Result};
use serde::Deserialize;

/// A count may differ by this share of what the table says.
const TOLERANCE: f64 = 0.02;

/// The counts, as made by one compiler.
#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Table {
    pub(super) rustc: String,
    #[serde(rename = "count", default)]
    pub(super) counts: Vec<Count>,
}

#[derive(Debug, Deserialize, PartialEq)]
pub(super) struct Count {
    pub(super) operation: String,
    /// Of one call; the mean where calls differ.
    pub(super) instructions: f64,
}

/// Differences that count, and whether they may.
#[derive(Debug)]
pub(super) struct Comparison {
    differences: Vec<String>,
    compared: usize,
    /// The compiler of the table, if it is another one.
    other_compiler: Option<String>,
}

impl Table {
    pub(super) fn parse(text: &str) -> Result<Self> {
        toml::from_str(text).context("the table of counts is not one")
    }

    fn instructions(&self, operation: &str) -> Option<f64> {
        Some(self.counts.iter().find(|count| count.operation == operation)?.instructions)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Instructions of one call, by Callgrind: `cargo xtask bench --counts` compares with these,"
        )?;
        writeln!(f, "# `cargo xtask bench --counts --bless` writes them.")?;
        writeln!(f, "rustc = {:?}", self.rustc)?;
        for Count { operation, instructions } in &self.counts {
            writeln!(
                f,
                "\n[[count]]\noperation = {operation:?}\ninstructions = {instructions:.2}"
            )?;
        }
        Ok(())
    }
}

/// Holds what was counted against the table; `all` when every operation was counted.
pub(super) fn compare(table: &Table, counted: &Table, all: bool) -> Comparison {
    let mut differences = vec![];
    for Count { operation, instructions: now } in &counted.counts {
        match table.instructions(operation) {
            Some(then) if (now - then).abs() > then * TOLERANCE => differences.push(format!(
                "{operation}: {then:.1} → {now:.1} instructions ({:+.1} %)",
                (now / then - 1.0) * 100.0
            )),
            Some(_) => {}
            None => differences.push(format!("{operation}: not in the table")),
        }
    }
    if all {
        let gone =
            table.counts.iter().filter(|count| counted.instructions(&count.operation).is_none());
        differences.extend(gone.map(|count| format!("{}: in the table alone", count.operation)));
    }
    let other_compiler = (table.rustc != counted.rustc).then(|| table.rustc.clone());
    Comparison { differences, compared: counted.counts.len(), other_compiler }
}

impl Comparison {
    /// Another compiler makes other instructions: a difference is then no news.
    pub(super) fn is_passed(&self) -> bool {
        self.differences.is_empty() || self.other_compiler.is_some()
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for difference in &self.differences {
            writeln!(f, "{difference}")?;
        }
        if self.differences.is_empty() {
            writeln!(f, "{} counts within {} % of the table", self.compared, TOLERANCE * 100.0)?;
        }
        if let Some(rustc) = &self.other_compiler {
            writeln!(f, "the table is of another compiler ({rustc}): not a failure")?;
        }
        if !self.is_passed() {
            writeln!(
                f,
                "If this is meant, run `cargo xtask bench --counts --bless`, and give the reason in the commit."
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rustc: &str, counts: &[(&str, f64)]) -> Table {
        let counts = counts.iter().map(|&(operation, instructions)| Count {
            operation: operation.to_owned(),
            instructions,
        });
        Table { rustc: rustc.to_owned(), counts: counts.collect() }
    }

    #[test]
    fn a_table_reads_as_it_was_written() {
        let table = table("rustc 1.95.0", &[("push", 12.5), ("pop", 30.0)]);
        assert_eq!(Table::parse(&table.to_string()).unwrap(), table);
    }

    #[test]
    fn two_per_cent_either_way_pass_and_more_fails() {
        let then = table("r", &[("push", 100.0)]);
        let passes = |now| compare(&then, &table("r", &[("push", now)]), true).is_passed();
        assert!(passes(100.0) && passes(102.0) && passes(98.0));
        assert!(!passes(102.5) && !passes(97.5));
        let failed = compare(&then, &table("r", &[("push", 110.0)]), true).to_string();
        assert!(failed.contains("push: 100.0 → 110.0 instructions (+10.0 %)"));
        assert!(failed.contains("--counts --bless"));
    }

    #[test]
    fn another_compiler_is_named_and_forgiven() {
        let then = table("rustc 1.0", &[("push", 100.0)]);
        let comparison = compare(&then, &table("rustc 2.0", &[("push", 300.0)]), true);
        assert!(comparison.is_passed());
        assert!(comparison.to_string().contains("another compiler (rustc 1.0)"));
    }

    #[test]
    fn operations_come_and_go_by_blessing_only() {
        let then = table("r", &[("push", 100.0)]);
        assert!(!compare(&then, &table("r", &[("push", 100.0), ("pop", 1.0)]), true).is_passed());
        assert!(!compare(&then, &table("r", &[]), true).is_passed());
        assert!(compare(&then, &table("r", &[]), false).is_passed());
    }
}
