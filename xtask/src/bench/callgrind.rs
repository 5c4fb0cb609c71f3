//! Instructions of single operations, counted by Callgrind: repeatable, whatever else the machine does.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::table::{Count, Table, compare};
use crate::command::Command;
use crate::needs;

/// The function of the benchmarks inside which instructions are collected.
const TOGGLE: &str = "*counted_call*";

/// Counts all operations, or those whose name has `only` in it; answers whether they are as the table says.
pub(super) fn run(binary: &Path, file: &Path, only: Option<&str>, bless: bool) -> Result<bool> {
    needs::valgrind()?;
    let only = only.unwrap_or_default();
    let names = Command::new(binary).quietly().check()?.text;
    let names: Vec<_> = names.lines().filter(|name| name.contains(only)).collect();
    ensure!(!names.is_empty(), "no operation is called so: {only}");
    let mut counts = Vec::with_capacity(names.len());
    for name in names {
        let instructions = count(binary, name)?;
        println!("{name:30} {instructions:10.1}");
        counts.push(Count { operation: name.to_owned(), instructions });
    }
    let table = Table { rustc: rustc()?, counts };
    if bless {
        fs::write(file, table.to_string())?;
        println!("written to {}", file.display());
        return Ok(true);
    }
    let text = fs::read_to_string(file).with_context(|| {
        format!("no table at {}: make it by `cargo xtask bench --counts --bless`", file.display())
    })?;
    let comparison = compare(&Table::parse(&text)?, &table, only.is_empty());
    print!("{comparison}");
    Ok(comparison.is_passed())
}

/// Instructions of one call.
fn count(binary: &Path, name: &str) -> Result<f64> {
    let output = Command::new("valgrind")
        .words("--tool=callgrind --collect-atstart=no --callgrind-out-file=/dev/null")
        .arg(format!("--toggle-collect={TOGGLE}"))
        .arg(binary)
        .arg(name)
        .quietly()
        .check()?;
    per_call(&output.text).with_context(|| format!("{name}: {}", output.text))
}

/// What Callgrind collected, by what the program says it called.
fn per_call(text: &str) -> Result<f64> {
    let number = |after: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.split_once(after))?;
        line.1.split_whitespace().next()?.replace(',', "").parse().ok()
    };
    let collected = number("Collected :").context("Callgrind collected nothing")?;
    let calls = number("calls ").context("the program does not say how often it called")?;
    if collected == 0.0 || calls == 0.0 {
        bail!("nothing ran inside {TOGGLE}");
    }
    Ok(collected / calls)
}

fn rustc() -> Result<String> {
    Ok(Command::new("rustc").arg("--version").quietly().check()?.text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_collected_is_divided_by_the_calls() {
        let text = "==7== Callgrind\ncalls 100\n==7== Events    : Ir\n==7== Collected : 1250\n";
        assert_eq!(per_call(text).unwrap(), 12.5);
    }

    #[test]
    fn a_function_that_was_not_found_is_an_error() {
        let text = "calls 100\n==7== Collected : 0\n";
        assert!(per_call(text).unwrap_err().to_string().contains("nothing ran inside"));
        assert!(per_call("calls 100\n").is_err());
    }
}
