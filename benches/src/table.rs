//! The table for a terminal.

use crate::floors::Floors;
use crate::pair;
use crate::row::{Row, Series};
use crate::work::{Missing, Work};
use std::fmt::Write as _;

/// All rows, with what a reader must know below them.
pub fn render(rows: &[Row], floors: &Floors, works: &[&Work]) -> String {
    let heads = ["work", "size", "ours, ns", "rivals, ns", "ratio", "floor", "goal", "met"];
    let mut lines = vec![heads.map(str::to_owned)];
    lines.extend(rows.iter().map(cells));
    let widths: Vec<_> = (0..heads.len())
        .map(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let padded: Vec<_> =
            line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "{}", padded.join("  ").trim_end());
        if number == 0 {
            let rules: Vec<_> = widths.iter().map(|&width| "-".repeat(width)).collect();
            let _ = writeln!(text, "{}", rules.join("  "));
        }
    }
    text + &footer(rows, floors, works)
}

fn cells(row: &Row) -> [String; 8] {
    let best = row.best().map(|best| best.name);
    let rivals: Vec<_> = row
        .rivals
        .iter()
        .map(|rival| {
            let text = format!("{} {}", rival.name, time(rival));
            match () {
                () if best == Some(rival.name) => format!("*{text}"),
                () if row.counts(rival.name) => text,
                () => format!("({text})"),
            }
        })
        .collect();
    let dash = || "–".to_owned();
    [
        row.work.to_owned(),
        row.size.to_string(),
        time(&row.ours),
        rivals.join(", "),
        row.ratio().map_or_else(dash, |ratio| format!("{ratio:.3} ×")),
        row.floor_ns.map_or_else(dash, |floor| format!("{floor:.1}")),
        row.goal.map_or_else(dash, |goal| format!("≤ {} ×", goal.factor)),
        row.is_met().map_or_else(dash, |met| if met { "yes" } else { "no" }.to_owned()),
    ]
}

/// The median with its spread in per cent.
fn time(series: &Series) -> String {
    format!("{:.1} ±{:.0}%", series.median_ns(), 50.0 * series.spread())
}

fn footer(rows: &[Row], floors: &Floors, works: &[&Work]) -> String {
    let goals = rows.iter().filter_map(Row::is_met);
    let (met, all) = (goals.clone().filter(|&met| met).count(), goals.count());
    let mut text =
        format!("\n{met} of {all} goals met; \"≤ 1.0 ×\" is met at 1.05 ×, and so on.\n");
    let _ = writeln!(
        text,
        "ns for one item: the median, ± half the width of the middle half. * the rival that the ratio is to; \
         (…) one that the goal does not count."
    );
    let _ = writeln!(
        text,
        "Floors: RMW {:.1} ns · store + SeqCst fence + load {:.1} ns · cache line there and back {:.0} ns.",
        floors.rmw_ns, floors.fence_ns, floors.line_ns
    );
    if works.iter().any(|work| work.two_cores) {
        let _ = writeln!(
            text,
            "{}",
            match (pair::can_pair(), pair::is_pinned()) {
                (true, true) => "Rows of two cores: pinned.",
                (true, false) => "Rows of two cores: not pinned, the system does not allow it.",
                (false, _) => "Rows of two cores: left out, there is one.",
            }
        );
    }
    for Missing { name, why } in missing(works) {
        let of: Vec<_> = works
            .iter()
            .filter(|work| work.missing.iter().any(|missing| missing.name == name))
            .map(|work| work.name)
            .collect();
        let _ = writeln!(text, "Missing: {name} ({why}), in: {}.", of.join(", "));
    }
    text
}

/// Each rival that is missing somewhere, once.
pub(crate) fn missing(works: &[&Work]) -> Vec<Missing> {
    let mut all: Vec<Missing> = vec![];
    for &missing in works.iter().flat_map(|work| work.missing) {
        if !all.contains(&missing) {
            all.push(missing);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::Goal;
    use crate::row::tests::row;
    use crate::works::ALL;

    const FLOORS: Floors = Floors { rmw_ns: 8.0, fence_ns: 10.0, line_ns: 117.0, clock_ns: 20.0 };

    #[test]
    fn a_row_shows_who_counts_and_whether_the_goal_is_met() {
        let rows = [row(Some(Goal::of(0.9, &["clown"]))), row(None)];
        let table = render(&rows, &FLOORS, &[]);
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].starts_with("work      size  ours, ns"));
        assert_eq!(
            lines[2],
            "juggling  3     8.0 ±3%   (cheat 4.0 ±0%), *clown 10.0 ±2%  0.800 ×  2.0    ≤ 0.9 ×  yes"
        );
        assert!(lines[3].contains("*cheat 4.0 ±0%") && lines[3].ends_with("  –        –"));
        assert!(table.contains("1 of 1 goals met"));
    }

    #[test]
    fn the_footer_names_who_is_missing_once_with_all_its_works() {
        let works: Vec<_> = ALL.iter().collect();
        let footer = footer(&[], &FLOORS, &works);
        assert_eq!(footer.matches("Missing: maitake (not in the registry)").count(), 1);
        assert!(footer.contains("async yield, async ping-pong, async spawn + complete."));
    }
}
