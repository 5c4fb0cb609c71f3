//! The tables at the end, in less than 100 columns.

use crate::workload::{Latency, Share};
use comfy_table::{Cell, CellAlignment, Table, presets};
use sched::CpuStats;
use std::cmp::Reverse;
use std::time::Duration;

/// A row for each CPU, and one for all.
#[must_use]
pub fn cpu_table(cpus: &[CpuStats], counted: Duration) -> Table {
    let mut table = table(&[
        "CPU",
        "polls",
        "threads run",
        "preempted",
        "wakes",
        "kicks",
        "steals",
        "idle %",
        "queue max",
    ]);
    let row = |name: String, stats: &CpuStats, cpus: usize| {
        let idle = 100.0 * idle_share(stats, counted) / cpus.max(1) as f64;
        let numbers = [
            stats.polls,
            stats.thread_runs,
            stats.preempted,
            stats.wakes_placed,
            stats.kicks_sent,
            stats.steals_won,
        ];
        let mut row = vec![name];
        row.extend(numbers.map(|number| number.to_string()));
        row.extend([format!("{idle:.1}"), stats.queue_high_water.to_string()]);
        row
    };
    let mut all = CpuStats::default();
    for (index, stats) in cpus.iter().enumerate() {
        all += *stats;
        add(&mut table, row(index.to_string(), stats, 1));
    }
    if cpus.len() > 1 {
        add(&mut table, row("all".into(), &all, cpus.len()));
    }
    table
}

/// The part of the time in which a CPU was halted.
pub(super) fn idle_share(stats: &CpuStats, counted: Duration) -> f64 {
    stats.idle_ns as f64 / counted.as_nanos().max(1) as f64
}

/// A row for each greedy thread, in the order of CPUs and weights: what it did of all that was done on its CPU, and what was
/// its due.
#[must_use]
pub fn share_table(shares: &[Share]) -> Table {
    let mut table = table(&["share of", "CPU", "weight", "work", "had %", "due %", "of its due"]);
    for row in fair_shares(shares) {
        let FairShare { share, had, due } = row;
        add(
            &mut table,
            vec![
                share.name.into(),
                share.cpu.to_string(),
                share.weight.to_string(),
                share.work.to_string(),
                format!("{:.1}", 100.0 * had),
                format!("{:.1}", 100.0 * due),
                format!("{:.3}", had / due),
            ],
        );
    }
    table
}

/// A share with what it is of the whole, and what it should be: both from 0 to 1.
#[derive(Clone, Debug)]
pub struct FairShare {
    /// The share.
    pub share: Share,
    /// Its part of the work.
    pub had: f64,
    /// Its part of the weights.
    pub due: f64,
}

/// The shares, each compared with all of its CPU.
#[must_use]
pub fn fair_shares(shares: &[Share]) -> Vec<FairShare> {
    let mut shares = shares.to_vec();
    shares.sort_by_key(|share| (share.cpu, Reverse(share.weight), share.name));
    let of = |share: &Share| {
        let all = shares.iter().filter(|other| other.cpu == share.cpu);
        let (work, weight) = all.fold((0, 0), |(work, weight), other| {
            (work + other.work, weight + u64::from(other.weight))
        });
        FairShare {
            share: share.clone(),
            had: share.work as f64 / work.max(1) as f64,
            due: f64::from(share.weight) / weight.max(1) as f64,
        }
    };
    shares.iter().map(of).collect()
}

/// A row for each kind of latency.
#[must_use]
pub fn latency_table(latencies: &[Latency]) -> Table {
    let mut table = table(&["latency of", "what", "count", "p50", "p99", "max"]);
    for latency in latencies {
        let times = [latency.p50_ns, latency.p99_ns, latency.max_ns].map(time);
        let what: String = latency.what.chars().flat_map(char::escape_debug).take(30).collect();
        let mut row = vec![latency.workload.into(), what, latency.count.to_string()];
        row.extend(times);
        add(&mut table, row);
    }
    if let Some(column) = table.column_mut(1) {
        column.set_cell_alignment(CellAlignment::Left);
    }
    table
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    table.set_header(header.iter().map(Cell::new));
    for (index, column) in table.column_iter_mut().enumerate() {
        let first = index == 0;
        column.set_cell_alignment(if first { CellAlignment::Left } else { CellAlignment::Right });
        column.set_padding((0, 2));
    }
    table
}

fn add(table: &mut Table, row: Vec<String>) {
    table.add_row(row);
}

/// A time in the unit a person would take, with three digits.
fn time(ns: u64) -> String {
    let ns = ns as f64;
    let (value, unit) = match ns {
        1e9.. => (ns / 1e9, "s"),
        1e6.. => (ns / 1e6, "ms"),
        1e3.. => (ns / 1e3, "µs"),
        _ => (ns, "ns"),
    };
    let digits = match value {
        100.0.. => 0,
        10.0.. => 1,
        _ if unit == "ns" => 0,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_three_digits() {
        let shown = [7, 999, 1_500, 12_345, 123_456, 1_000_000, 2_500_000_000].map(time);
        let expected = ["7 ns", "999 ns", "1.50 µs", "12.3 µs", "123 µs", "1.00 ms", "2.50 s"];
        assert_eq!(shown, expected);
    }

    #[test]
    fn tables_fit_a_hundred_columns() {
        let mut busy = CpuStats::default();
        busy.polls = 123_456_789;
        busy.wakes_placed = 123_456_789;
        busy.kicks_sent = 12_345_678;
        busy.kicks_saved = 123_456_789;
        busy.thread_runs = 12_345_678;
        busy.preempted = 12_345_678;
        busy.steals_won = 12_345_678;
        busy.queue_high_water = 12_345;
        let latency = Latency {
            workload: "wake-latency",
            what: "a task with a name of more than thirty characters",
            count: 123_456_789,
            p50_ns: 123_456,
            p99_ns: 123_456_789,
            max_ns: 12_345_678_901,
        };
        let tables = [cpu_table(&[busy; 64], Duration::from_secs(5)), latency_table(&[latency])];
        for line in tables.iter().flat_map(Table::lines) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
