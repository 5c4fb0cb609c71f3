//! How long single turns take, from the usual to the worst: what an interrupt handler waits for.
//!
//! - **T1** A turn is one tick's worth of work: what it makes due is handed out. Arming it anew is not timed.
//! - **T2** A history is the same each time it is run, so a turn's duration is the least of several runs: what the machine did
//!   beside it once drops out, and what the turn has to do stays in.

use crate::rng::Rng;
use crate::stats;
use crate::works::{TimerHistory, timer_histories};
use plotters::prelude::*;
use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

/// How many are armed.
const SIZES: [u64; 6] = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Turns of one run. Two rounds of the second level and more.
const TURNS: usize = 20_000;

/// Runs of the same history.
const RUNS: usize = 3;

/// Turns that pass before the clock is looked at.
const WARM: usize = 2_000;

/// The durations of one contender's turns at one size, ns.
#[derive(Debug)]
pub struct Turns {
    name: &'static str,
    armed: u64,
    p50_ns: f64,
    p99_ns: f64,
    max_ns: f64,
}

/// Deadlines lie within so many ticks: no more than some 15 timers become due in one.
fn span_ticks(armed: u64) -> u64 {
    if armed > 1_000_000 { 1 << 20 } else { 1 << 16 }
}

/// Measures all contenders at all sizes, and hands each result to `show` as it comes.
pub fn measure(clock_ns: f64, mut show: impl FnMut(&Turns)) -> Vec<Turns> {
    let mut all = vec![];
    for armed in SIZES {
        for (name, history) in timer_histories(armed) {
            let turns = of(name, armed, clock_ns, history);
            show(&turns);
            all.push(turns);
        }
    }
    all
}

fn of(
    name: &'static str,
    armed: u64,
    clock_ns: f64,
    history: fn(u64) -> Box<dyn TimerHistory>,
) -> Turns {
    let mut least_ns = vec![f64::INFINITY; TURNS];
    for _ in 0..RUNS {
        let mut rng = Rng::new();
        let mut after = || 1 + rng.below(span_ticks(armed)) as u32;
        let mut timers = history(armed);
        (0..armed as u32).for_each(|timer| timers.arm(timer, after()));
        let mut fired = Vec::with_capacity(1 << 20);
        for turn in 0..WARM + TURNS {
            let start = Instant::now();
            timers.tick(&mut fired);
            let took_ns = start.elapsed().as_nanos() as f64 - clock_ns;
            fired.drain(..).for_each(|timer| timers.arm(timer, after()));
            if let Some(least) = turn.checked_sub(WARM).map(|turn| &mut least_ns[turn]) {
                *least = least.min(took_ns.max(1.0));
            }
        }
    }
    let sorted = stats::sorted(least_ns);
    let [p50_ns, p99_ns, max_ns] = [0.5, 0.99, 1.0].map(|at| stats::quantile(&sorted, at));
    Turns { name, armed, p50_ns, p99_ns, max_ns }
}

/// As a table for a document.
pub fn table(all: &[Turns]) -> String {
    let mut table = "| armed | | p50, ns | p99, ns | max, ns |\n|---|---|---|---|---|\n".to_owned();
    for Turns { name, armed, p50_ns, p99_ns, max_ns } in all {
        let _ = writeln!(table, "| {armed} | {name} | {p50_ns:.0} | {p99_ns:.0} | {max_ns:.0} |");
    }
    table
}

/// As a picture: three panels, both axes logarithmic, a line for each contender.
///
/// # Errors
///
/// When the file cannot be written.
pub fn plot(all: &[Turns], file: &Path) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (1_080, 360)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut names: Vec<_> = all.iter().map(|turns| turns.name).collect();
    names.sort_unstable();
    names.dedup();
    type Value = fn(&Turns) -> f64;
    let panels: [(&str, Value); 3] = [
        ("p50", |turns| turns.p50_ns),
        ("p99", |turns| turns.p99_ns),
        ("max", |turns| turns.max_ns),
    ];
    let most = all.iter().map(|turns| turns.max_ns).fold(1.0, f64::max);
    for (panel, (title, value)) in area.split_evenly((1, 3)).into_iter().zip(panels) {
        let mut chart = ChartBuilder::on(&panel)
            .margin(8)
            .caption(format!("one turn, {title}, ns"), ("sans-serif", 14))
            .x_label_area_size(28)
            .y_label_area_size(64)
            .build_cartesian_2d((80.0..1.2e7).log_scale(), (10.0..most * 2.0).log_scale())?;
        chart
            .configure_mesh()
            .x_desc("timers armed")
            .x_label_formatter(&|x| format!("{x:.0e}"))
            .y_label_formatter(&|y| format!("{y:.0e}"))
            .draw()?;
        for (index, name) in names.iter().enumerate() {
            let color = Palette99::pick(index).to_rgba();
            let points: Vec<_> = all
                .iter()
                .filter(|turns| turns.name == *name)
                .map(|turns| (turns.armed as f64, value(turns)))
                .collect();
            let width = if name.starts_with("ours") { 3 } else { 1 };
            chart
                .draw_series(LineSeries::new(points, color.stroke_width(width)).point_size(2))?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 12, y)], color.stroke_width(width))
                });
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .draw()?;
    }
    area.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_is_timed_and_every_contender_has_one() {
        for (name, history) in timer_histories(SIZES[0]) {
            let turns = of(name, SIZES[0], 0.0, history);
            assert!(turns.p50_ns <= turns.p99_ns && turns.p99_ns <= turns.max_ns, "{turns:?}");
            assert!(table(&[turns]).contains(name));
        }
    }

    #[test]
    fn the_plot_shows_every_contender() {
        let turns = |name, armed| Turns { name, armed, p50_ns: 50.0, p99_ns: 90.0, max_ns: 1e5 };
        let all = [turns("ours", 100), turns("ours", 1_000), turns("other", 100)];
        let file = std::env::temp_dir().join(format!("turns-{}.svg", std::process::id()));
        plot(&all, &file).unwrap();
        let svg = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        assert!(svg.contains("ours") && svg.contains("other") && svg.contains("p99"));
    }
}
