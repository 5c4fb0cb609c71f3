//! A measured row, and what is concluded from it.

use crate::goal::{Against, Goal};
use crate::stats;
use serde::Serialize;
use serde_json::{Value, json};

/// What one contender's samples were, one per pair, ns per item.
#[derive(Clone, Debug, Serialize)]
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
    /// Whether the goal, or without one the ratio, has to do with this rival.
    pub(crate) fn counts(&self, rival: &str) -> bool {
        self.goal.map_or(Against::All, |goal| goal.against).counts(rival)
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

    fn json(&self) -> Value {
        let rivals: serde_json::Map<_, _> = self
            .rivals
            .iter()
            .map(|rival| (rival.name.to_owned(), json!(rival.median_ns())))
            .collect();
        json!({
            "work": self.work,
            "size": self.size,
            "ours_ns": self.ours.median_ns(),
            "rivals": rivals,
            "best_rival": self.best().map(|best| best.name),
            "ratio": self.ratio(),
            "goal": self.goal.map(|goal| goal.factor),
            "met": self.is_met(),
        })
    }
}

/// All rows, an array with one object to a line.
pub fn json(rows: &[Row]) -> String {
    let lines: Vec<_> = rows.iter().map(|row| row.json().to_string()).collect();
    format!("[\n{}\n]\n", lines.join(",\n"))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

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
    }
}
