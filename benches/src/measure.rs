//! How a row is measured: A B C, C B A, A B C, … – so that what disturbs the machine disturbs all alike.
//!
//! A sample is as many rounds as last a fraction of a millisecond, found out beforehand; that also warms up. That is
//! well below a time slice of the system's: on a busy machine most samples are undisturbed, and the median is one of
//! them. The number of rounds is a contender's own, so that a slow one does not stretch the row.

use crate::floors::Floors;
use crate::row::{Row, Series};
use crate::stats;
use crate::work::{Contender, Work};
use std::time::{Duration, Instant};

/// How long to look.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    sample: Duration,
    pairs: usize,
    /// A row whose rounds are long stops here, after `LEAST_PAIRS`.
    row: Duration,
    latencies: usize,
}

/// However long it takes.
const LEAST_PAIRS: usize = 5;

/// From this size on the caches take long to fill again after the others' turns.
const LARGE: u64 = 10_000;

/// From this size on a row takes longer than all of the quick form.
const HUGE: u64 = 10_000_000;

impl Effort {
    /// A minute or two for everything.
    pub const QUICK: Self = Self {
        sample: Duration::from_micros(300),
        pairs: 151,
        row: Duration::from_millis(1_500),
        latencies: 1_000,
    };
    /// Some minutes.
    pub const FULL: Self = Self {
        sample: Duration::from_micros(500),
        pairs: 1_001,
        row: Duration::from_secs(5),
        latencies: 10_000,
    };

    fn sample_at(&self, size: u64) -> Duration {
        if size >= LARGE { 10 * self.sample } else { self.sample }
    }
}

impl Work {
    /// Every size of the work.
    pub fn measure(&self, effort: Effort, floors: &Floors, mut show: impl FnMut(Row)) {
        let too_large = |size| size >= HUGE && effort.row < Effort::FULL.row;
        for &size in self.sizes.iter().filter(|&&size| !too_large(size)) {
            show(self.measure_size(size, effort, floors));
        }
    }

    fn measure_size(&self, size: u64, effort: Effort, floors: &Floors) -> Row {
        let mut runners: Vec<_> = (self.contenders)(size)
            .into_iter()
            .map(|contender| Runner::new(contender, effort.sample_at(size)))
            .collect();
        let start = Instant::now();
        for pair in 0..effort.pairs {
            if pair >= LEAST_PAIRS && start.elapsed() > effort.row {
                break;
            }
            if pair % 2 == 0 {
                runners.iter_mut().for_each(Runner::sample);
            } else {
                runners.iter_mut().rev().for_each(Runner::sample);
            }
        }
        if !self.two_cores {
            runners.iter_mut().for_each(|runner| runner.time_rounds(effort, floors.clock_ns));
        }
        let mut series = runners.into_iter().map(|runner| runner.series);
        Row {
            work: self.name,
            about: self.about,
            size,
            ours: series.next().expect("a work has a contender"),
            rivals: series.collect(),
            floor_ns: (self.floor)(size).map(|floor| floor.ns(floors)),
            goal: (self.goal)(size),
        }
    }
}

/// A contender with its number of rounds, and what it has shown.
struct Runner {
    contender: Contender,
    rounds: u64,
    series: Series,
}

impl Runner {
    fn new(mut contender: Contender, sample: Duration) -> Self {
        let mut rounds = 1;
        let elapsed = loop {
            let elapsed = contender.run(rounds).elapsed;
            if elapsed * 2 >= sample || rounds >= 1 << 32 {
                break elapsed;
            }
            rounds *= 2;
        };
        let wanted = sample.as_secs_f64() / elapsed.as_secs_f64().max(1e-9);
        let rounds = ((rounds as f64 * wanted) as u64).max(1);
        let name = contender.name;
        Self {
            contender,
            rounds,
            series: Series { name, samples_ns: vec![], latencies_ns: vec![] },
        }
    }

    /// Half a sample untimed, to be warm again after the others' turns, then one that counts.
    fn sample(&mut self) {
        if self.rounds > 1 {
            self.contender.run(self.rounds / 2);
        }
        self.series.samples_ns.push(self.contender.run(self.rounds).ns_per_item());
    }

    /// Times single rounds, without the clock's share.
    fn time_rounds(&mut self, effort: Effort, clock_ns: f64) {
        let start = Instant::now();
        let latencies =
            (0..effort.latencies).take_while(|_| start.elapsed() < effort.row / 8).map(|_| {
                let sample = self.contender.run(1);
                (sample.elapsed.as_nanos() as f64 - clock_ns).max(0.0) / sample.items as f64
            });
        self.series.latencies_ns = stats::sorted(latencies.collect::<Vec<_>>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Sample;
    use std::sync::Mutex;

    static ORDER: Mutex<Vec<&str>> = Mutex::new(vec![]);

    fn fake(name: &'static str, ns: u64) -> Contender {
        Contender::timed(name, move |rounds| {
            ORDER.lock().unwrap().push(name);
            Sample { items: rounds, elapsed: Duration::from_nanos(ns * rounds) }
        })
    }

    #[test]
    fn contenders_take_turns_forth_and_back() {
        let work = Work {
            name: "fake",
            about: "",
            sizes: &[1],
            two_cores: true,
            goal: |_| None,
            floor: |_| None,
            contenders: |_| vec![fake("ours", 1_000), fake("theirs", 4_000)],
            missing: &[],
        };
        let effort =
            Effort { sample: Duration::from_micros(2), pairs: 3, row: Duration::MAX, latencies: 0 };
        let row = work.measure_size(1, effort, &Floors::measure());
        let order = ORDER.lock().unwrap();
        // The shorter one has rounds to warm up.
        assert_eq!(
            order[order.len() - 9..],
            ["ours", "ours", "theirs", "theirs", "ours", "ours", "ours", "ours", "theirs"]
        );
        assert_eq!(row.ours.samples_ns, [1_000.0; 3]);
        assert_eq!(row.ratio(), Some(0.25));
    }
}
