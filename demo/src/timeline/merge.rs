//! Many streams of records become one.

use sched::trace::{Kind, Record};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

/// Merges streams by time; `true` with a stream says that older records of it are lost. Records of one stream never
/// change places, also where its clock stepped back.
///
/// What is older than the oldest record of a stream with losses is left out, and so is what is beyond the newest `most`
/// records: so no row has a gap. Only the last one of each stream that says what its CPU was doing stays, in front.
///
/// Answers the records, the time from which on they are complete, and how many were left out.
#[must_use]
pub fn merge(streams: Vec<(Vec<Record>, bool)>, most: usize) -> (Vec<Record>, u64, u64) {
    let first_ns = |records: &[Record]| records.first().map_or(0, |record| record.time_ns);
    let complete_ns = streams
        .iter()
        .filter(|(_, lossy)| *lossy)
        .map(|(records, _)| first_ns(records))
        .max()
        .unwrap_or(0);
    let merged = by_time(&streams);
    let newest = merged.len().saturating_sub(most);
    let begin = merged.partition_point(|record| record.time_ns < complete_ns).max(newest);
    let (before, kept) = merged.split_at(begin);

    let mut states: Vec<Record> = Vec::new();
    let mut left_out = before.len() as u64;
    let mut told = HashSet::new();
    for record in before.iter().rev() {
        let tells = matches!(record.kind, Kind::Run | Kind::Stop | Kind::Halt | Kind::Resume);
        if tells && record.cpu.is_some_and(|cpu| told.insert(cpu)) {
            states.push(*record);
        }
    }
    states.retain(|state| matches!(state.kind, Kind::Run | Kind::Halt));
    states.reverse();
    left_out -= states.len() as u64;
    let start_ns = kept.first().or(before.last()).map_or(0, |record| record.time_ns);
    states.extend_from_slice(kept);
    (states, start_ns, left_out)
}

/// The k-way merge.
fn by_time(streams: &[(Vec<Record>, bool)]) -> Vec<Record> {
    let mut merged = Vec::with_capacity(streams.iter().map(|(records, _)| records.len()).sum());
    let mut heads: BinaryHeap<Reverse<(u64, usize, usize)>> = BinaryHeap::new();
    let head = |stream: usize, at: usize| {
        let record = streams[stream].0.get(at)?;
        Some(Reverse((record.time_ns, stream, at)))
    };
    heads.extend((0..streams.len()).filter_map(|stream| head(stream, 0)));
    while let Some(Reverse((_, stream, at))) = heads.pop() {
        merged.push(streams[stream].0[at]);
        heads.extend(head(stream, at + 1));
    }
    merged
}
