//! A measured row, and what is concluded from it.

use crate::goal::{Against, Goal};
use crate::stats;
use crate::work::OURS;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one contender's samples were, one per pair, ns per item.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    pub(crate) name: &'static str,
    pub(crate) samples_ns: Vec<f64>,
    /// Durations of single rounds, ns per item, in rising order; empty where they are not asked for.
    pub(crate) latencies_ns: Vec<f64>,
}

impl Series {
    pub(crate) fn median_ns(&self) -> f64 {
        stats::median(self.samples_ns.iter().copied())
    }

    pub(crate) fn spread(&self) -> f64 {
        stats::spread(self.samples_ns.iter().copied())
    }
}

/// One work at one size.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) work: &'static str,
    pub(crate) about: &'static str,
    pub(crate) size: u64,
    pub(crate) ours: Series,
    pub(crate) rivals: Vec<Series>,
    pub(crate) floor_ns: Option<f64>,
    pub(crate) goal: Option<Goal>,
}

impl Row {
    /// Whether the goal, or without one the ratio, has to do with this rival. We are no rivals of ourselves, in whatever
    /// shape.
    pub(crate) fn counts(&self, rival: &str) -> bool {
        !rival.starts_with(OURS)
            && self.goal.map_or(Against::All, |goal| goal.against).counts(rival)
    }

    /// The fastest rival of those that count.
    pub(crate) fn best(&self) -> Option<&Series> {
        self.rivals
            .iter()
            .filter(|rival| self.counts(rival.name))
            .min_by(|a, b| a.median_ns().total_cmp(&b.median_ns()))
    }

    /// Ours to the best rival's, pair by pair.
    pub(crate) fn ratio(&self) -> Option<f64> {
        Some(stats::paired_ratio(&self.ours.samples_ns, &self.best()?.samples_ns))
    }

    pub(crate) fn is_met(&self) -> Option<bool> {
        Some(self.goal?.is_met(self.ratio()?))
    }

    /// One line for who waits for the table.
    pub fn line(&self) -> String {
        let ratio = self.ratio().unwrap_or(f64::NAN);
        let best = self.best().map_or("nobody", |best| best.name);
        format!(
            "{}, {}: {:.1} ns, {ratio:.3} × {best}",
            self.work,
            self.size,
            self.ours.median_ns()
        )
    }

    fn json(&self) -> JsonRow {
        let rivals = self.rivals.iter().map(|rival| (rival.name, rival.median_ns()));
        JsonRow {
            work: self.work,
            size: self.size,
            ours_ns: self.ours.median_ns(),
            rivals: rivals.collect(),
            best_rival: self.best().map(|best| best.name),
            ratio: self.ratio(),
            goal: self.goal.map(|goal| goal.factor),
            met: self.is_met(),
        }
    }
}

/// A row as other programs read it.
#[derive(Serialize)]
struct JsonRow {
    work: &'static str,
    size: u64,
    ours_ns: f64,
    rivals: BTreeMap<&'static str, f64>,
    best_rival: Option<&'static str>,
    ratio: Option<f64>,
    goal: Option<f64>,
    met: Option<bool>,
}

/// All rows, an array with one object to a line.
pub fn json(rows: &[Row]) -> String {
    let line = |row: &Row| serde_json::to_string(&row.json()).expect("plain data");
    let lines: Vec<_> = rows.iter().map(line).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::{Value, json};

    pub(crate) fn series(name: &'static str, samples_ns: &[f64]) -> Series {
        Series { name, samples_ns: samples_ns.to_vec(), latencies_ns: vec![] }
    }

    pub(crate) fn row(goal: Option<Goal>) -> Row {
        Row {
            work: "juggling",
            about: "one item is a throw",
            size: 3,
            ours: series("ours", &[8.0, 8.0, 9.0]),
            rivals: vec![series("cheat", &[4.0, 4.0, 4.0]), series("clown", &[10.0, 10.0, 11.0])],
            floor_ns: Some(2.0),
            goal,
        }
    }

    #[test]
    fn the_goal_says_whom_the_ratio_is_to() {
        let row = row(Some(Goal::of(0.9, &["clown"])));
        assert_eq!(row.best().unwrap().name, "clown");
        assert_eq!(row.ratio(), Some(0.8));
        assert_eq!(row.is_met(), Some(true));
        let row = self::row(Some(Goal::fastest(0.9)));
        assert_eq!(row.best().unwrap().name, "cheat");
        assert_eq!(row.is_met(), Some(false));
    }

    #[test]
    fn a_json_row_has_this_shape() {
        let text = json(&[row(Some(Goal::of(0.9, &["clown"]))), row(None)]);
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(
            rows[0],
            json!({
                "work": "juggling", "size": 3, "ours_ns": 8.0,
                "rivals": {"cheat": 4.0, "clown": 10.0},
                "best_rival": "clown", "ratio": 0.8, "goal": 0.9, "met": true,
            })
        );
        assert_eq!((&rows[1]["goal"], &rows[1]["met"]), (&Value::Null, &Value::Null));
        assert_eq!(text.lines().count(), 4);
        assert!(text.starts_with(
            r#"[
{"work":"juggling","size":3,"ours_ns":8.0,"#
        ));
    }
}
