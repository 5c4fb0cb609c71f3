//! Latencies: one histogram per task, merged when the run is over.

use crossbeam_queue::SegQueue;
use hdrhistogram::Histogram;
use serde::Serialize;
use std::collections::BTreeMap;

/// Two significant digits: a percent.
const DIGITS: u8 = 2;

/// Where recorders leave their histograms when their tasks end.
#[derive(Debug, Default)]
pub struct Latencies(SegQueue<(Key, Histogram<u64>)>);

type Key = (&'static str, &'static str);

/// One task's latencies of one kind.
#[derive(Debug)]
pub struct Recorder {
    latencies: &'static Latencies,
    key: Key,
    histogram: Option<Histogram<u64>>,
}

/// The latencies of one kind.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Of which workload.
    pub workload: &'static str,
    /// What was measured.
    pub what: &'static str,
    /// How often.
    pub count: u64,
    /// Half of them are at most this.
    pub p50_ns: u64,
    /// All but a hundredth are at most this.
    pub p99_ns: u64,
    /// The longest.
    pub max_ns: u64,
}

impl Latencies {
    /// A recorder for one task.
    pub fn recorder(&'static self, workload: &'static str, what: &'static str) -> Recorder {
        // Fails for a precision that is out of range only, which this is not.
        let histogram = Histogram::new(DIGITS).ok();
        Recorder { latencies: self, key: (workload, what), histogram }
    }

    /// Takes out all that was left here, merged by kind.
    #[must_use]
    pub fn take(&self) -> Vec<Latency> {
        let mut merged: BTreeMap<Key, Histogram<u64>> = BTreeMap::new();
        while let Some((key, histogram)) = self.0.pop() {
            match merged.get_mut(&key) {
                // They grow as needed, so that this does not fail.
                Some(sum) => drop(sum.add(histogram)),
                None => drop(merged.insert(key, histogram)),
            }
        }
        let latency = |((workload, what), histogram): (Key, Histogram<u64>)| Latency {
            workload,
            what,
            count: histogram.len(),
            p50_ns: histogram.value_at_quantile(0.5),
            p99_ns: histogram.value_at_quantile(0.99),
            max_ns: histogram.max(),
        };
        merged.into_iter().map(latency).collect()
    }
}

impl Recorder {
    /// Records one.
    pub fn record_ns(&mut self, latency_ns: u64) {
        if let Some(histogram) = &mut self.histogram {
            // It grows as needed.
            let _ = histogram.record(latency_ns);
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        if let Some(histogram) = self.histogram.take().filter(|histogram| !histogram.is_empty()) {
            self.latencies.0.push((self.key, histogram));
        }
    }
}
