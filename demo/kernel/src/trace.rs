//! What the scheduler did, in rings, and over the serial line at the end: the file that the demo's timeline reads.

use crate::options::Options;
use crate::{MAX_CPUS, console::println};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, Ordering};
use sched::CpuId;
use sched::trace::{Event, Header, NAMES, NameId, Ring, Rings, Trace};

/// Records that each CPU keeps.
const RECORDS: usize = 1 << 11;

static CPUS: [Ring<RECORDS>; MAX_CPUS] = [const { Ring::new() }; MAX_CPUS];
static OTHERS: Ring<64> = Ring::new();
static RINGS: Rings<RECORDS, 64> = Rings::new(&CPUS, &OTHERS);
static WANTED: AtomicBool = AtomicBool::new(false);

/// Writes to the rings, if that is wanted.
#[derive(Debug)]
pub(crate) struct Traced;

impl Trace for Traced {
    fn record(&self, cpu: Option<CpuId>, now_ns: u64, event: Event) {
        // Ordering: Relaxed; set before the CPUs come up.
        if WANTED.load(Ordering::Relaxed) {
            RINGS.record(cpu, now_ns, event);
        }
    }
}

/// Before the other CPUs come up.
pub(crate) fn start(options: Options) {
    // Ordering: Relaxed, as above.
    WANTED.store(options.trace, Ordering::Relaxed);
}

/// Bytes of the file on each line.
const LINE_BYTES: usize = 64;

/// Sends the file, as lines of hexadecimal digits behind `trace: `; the CPUs go on meanwhile, unrecorded.
pub(crate) fn send(options: Options) {
    // Ordering: Relaxed; what is recorded a little later is left out, or overwrites what is oldest.
    if !WANTED.swap(false, Ordering::Relaxed) {
        return;
    }
    let mut records = Vec::new();
    let mut lost = 0;
    // From here on nothing is missing, on any CPU.
    let mut start_ns = 0;
    for mut reader in RINGS.read().take(options.cpus) {
        let begin = records.len();
        records.extend(reader.by_ref());
        if reader.lost() > 0 {
            start_ns = start_ns.max(records.get(begin).map_or(0, |first| first.time_ns));
        }
        lost += reader.lost();
    }
    let all = records.len();
    records.retain(|record| record.time_ns >= start_ns);
    records.sort_by_key(|record| record.time_ns);
    let name = |id| NameId::new(id).and_then(|id| RINGS.names().get(id)).unwrap_or_default();
    let mut names: Vec<_> = (1..=NAMES as u16).map(name).collect();
    while names.last().is_some_and(|name| name.is_empty()) {
        names.pop();
    }
    let header = Header {
        cpus: options.cpus as u32,
        names: names.len() as u32,
        records: records.len() as u64,
        lost: lost + (all - records.len()) as u64,
    };
    let mut file = header.to_bytes().to_vec();
    records.iter().for_each(|record| file.extend(record.to_bytes()));
    for name in names {
        let name = &name.as_bytes()[..name.len().min(u8::MAX.into())];
        file.push(name.len() as u8);
        file.extend(name);
    }
    for bytes in file.chunks(LINE_BYTES) {
        println!("trace: {}", Hexadecimal(bytes));
    }
}

struct Hexadecimal<'a>(&'a [u8]);

impl core::fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
