//! The table as a picture: the 99th percentile of the wake latency over the number of CPUs.

use super::Row;
use std::fmt::Write;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const MARGIN: f64 = 60.0;
const COLOURS: [&str; 6] = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf"];

/// An SVG with a line for each shape; both axes are logarithmic.
pub(super) fn svg(rows: &[Row]) -> String {
    let most_cpus = rows.iter().map(|row| row.cpus).max().unwrap_or(1).max(2);
    let most_us = rows.iter().map(Row::p99_us).fold(1.0, f64::max);
    let x = |cpus: u32| {
        MARGIN + (WIDTH - 2.0 * MARGIN) * f64::from(cpus).log2() / f64::from(most_cpus).log2()
    };
    let decades = most_us.log10().ceil() + 1.0;
    let y =
        |us: f64| HEIGHT - MARGIN - (HEIGHT - 2.0 * MARGIN) * (us.max(0.1).log10() + 1.0) / decades;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n\
         <text x=\"{MARGIN}\" y=\"30\">wake latency, 99th percentile (µs), over CPUs</text>\n"
    );
    for decade in -1..(decades as i32) {
        let us = 10f64.powi(decade);
        let at = y(us);
        let _ = writeln!(
            svg,
            "<path d=\"M{MARGIN} {at:.1}H{}\" stroke=\"#ddd\"/><text x=\"8\" y=\"{at:.1}\">{us}</text>",
            WIDTH - MARGIN
        );
    }
    let mut cpus: Vec<_> = rows.iter().map(|row| row.cpus).collect();
    cpus.sort_unstable();
    cpus.dedup();
    for cpus in cpus {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{cpus}</text>",
            x(cpus),
            HEIGHT - MARGIN + 20.0
        );
    }
    let mut names: Vec<&str> = Vec::new();
    for row in rows {
        if !names.contains(&row.name.as_str()) {
            names.push(&row.name);
        }
    }
    for (number, name) in names.iter().enumerate() {
        let colour = COLOURS[number % COLOURS.len()];
        let points: Vec<_> = rows
            .iter()
            .filter(|row| row.name == *name)
            .map(|row| format!("{:.1},{:.1}", x(row.cpus), y(row.p99_us())))
            .collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
            points.join(" ")
        );
        let at = 50.0 + 16.0 * number as f64;
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{at}\" fill=\"{colour}\">{name}</text>",
            WIDTH - 150.0
        );
    }
    svg + "</svg>\n"
}
