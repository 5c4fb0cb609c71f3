//! The page: one file that needs nothing else. The rows go in as data; a script in the page draws them.

use crate::floors::Floors;
use crate::row::{Row, Series};
use crate::stats;
use crate::table;
use crate::work::{OURS, Work};
use serde_json::{Value, json};
use std::fs;
use std::thread;

/// The shares of rounds for which the page shows within what time they are done.
const SHARES: [f64; 13] =
    [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0];

/// The page with these rows.
pub fn write(rows: &[Row], floors: &Floors, works: &[&Work]) -> String {
    let data = json!({
        "machine": machine(),
        "floors": {
            "rmw": number(floors.rmw_ns),
            "fence": number(floors.fence_ns),
            "line": number(floors.line_ns),
        },
        "missing": table::missing(works)
            .iter()
            .map(|missing| format!("{} ({})", missing.name, missing.why))
            .collect::<Vec<_>>(),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    });
    // No text may end the script element.
    let data = data.to_string().replace("</", "<\\/");
    include_str!("page.html")
        .replace("/*STYLE*/", include_str!("page.css"))
        .replace("/*SCRIPT*/", include_str!("page.js"))
        .replace("/*DATA*/", &data)
}

fn row(row: &Row) -> Value {
    let contenders = std::iter::once(&row.ours).chain(&row.rivals);
    json!({
        "work": row.work,
        "about": row.about,
        "size": row.size,
        "floor": row.floor_ns.and_then(number),
        "goal": row.goal.map(|goal| goal.factor),
        "best": row.best().map(|best| best.name),
        "ratio": row.ratio().and_then(number),
        "met": row.is_met(),
        "series": contenders.map(|one| series(row, one)).collect::<Vec<_>>(),
    })
}

fn series(row: &Row, series: &Series) -> Value {
    let samples = stats::sorted(series.samples_ns.iter().copied());
    let quartiles = [0.25, 0.5, 0.75].map(|share| stats::quantile(&samples, share));
    let latencies: Vec<_> = SHARES
        .iter()
        .filter(|_| !series.latencies_ns.is_empty())
        .map(|&share| [share, stats::quantile(&series.latencies_ns, share)])
        .collect();
    json!({
        "name": series.name,
        "counts": series.name == OURS || row.counts(series.name),
        "quartiles": quartiles,
        "latencies": latencies,
    })
}

/// JSON has no `NAN`.
fn number(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// What the measurements were taken on.
pub(crate) fn machine() -> String {
    let model = fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let model = model.unwrap_or_else(|| "unknown processor".to_owned());
    format!("{model}, {cpus} CPUs, {} {}", std::env::consts::OS, std::env::consts::ARCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::goal::Goal;
    use crate::row::tests::row;

    const FLOORS: Floors =
        Floors { rmw_ns: 8.0, fence_ns: 10.0, line_ns: f64::NAN, clock_ns: 20.0 };

    /// What the page's script reads.
    fn data(page: &str) -> Value {
        let start = page.find(r#"<script type="application/json" id="data">"#).expect("data");
        let rest = &page[start..];
        let text = &rest[rest.find('>').unwrap() + 1..rest.find("</script>").unwrap()];
        serde_json::from_str(text).expect("the data is JSON")
    }

    #[test]
    fn the_page_carries_the_rows_and_asks_nobody_for_anything() {
        let page = write(&[row(Some(Goal::of(0.9, &["clown"])))], &FLOORS, &[]);
        let data = data(&page);
        assert_eq!(data["rows"][0]["ratio"], 0.8);
        assert_eq!(data["rows"][0]["series"][1]["counts"], false);
        assert_eq!(data["floors"]["line"], Value::Null);
        for hole in ["STYLE", "SCRIPT", "DATA"] {
            assert!(!page.contains(&format!("/*{hole}*/")), "{hole} was not filled in");
        }
        for outside in ["src=", "href=\"http", "@import", "fetch("] {
            assert!(!page.contains(outside), "{outside}");
        }
    }

    #[test]
    fn no_text_ends_the_script() {
        let mut row = row(None);
        row.about = "</script>";
        assert_eq!(data(&write(&[row], &FLOORS, &[]))["rows"][0]["about"], "</script>");
    }
}
