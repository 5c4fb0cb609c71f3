//! The timeline of a run: the trace's rings merged by time, as files that people look at.
//!
//! | File | For |
//! |---|---|
//! | `timeline.html` | any browser, with or without a network: one page that holds all it needs |
//! | `trace.json` | <https://ui.perfetto.dev>, `chrome://tracing` and kin |
//! | `trace.bin` | tools: the records themselves, behind a [header](sched::trace::Header) |

mod chrome;
mod file;
mod merge;
mod moments;
mod page;
mod story;

pub use chrome::write_chrome;
pub use file::{ReadError, read_records, write_records};
pub use merge::merge;
pub use moments::Moments;
pub use page::write_page;
pub use story::{Arrow, ArrowKind, Doing, Mark, Span, Story};

use sched::trace::{Counts, Kind, NameId, Record, Ring, Rings};
use sched::{CpuId, trace::NAMES};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Records that each CPU keeps.
const RING_RECORDS: usize = 1 << 13;
/// Records that all other threads keep together.
const OTHERS_RECORDS: usize = 1 << 10;
/// The most records of a timeline: what keeps its page below 5 MB.
pub const MOST_RECORDS: usize = 48_000;

/// The trace of the hosted scheduler.
pub type HostedRings = Rings<RING_RECORDS, OTHERS_RECORDS>;

/// Rings for CPUs `0..cpus`. They live for ever, as the scheduler does.
#[must_use]
pub fn rings(cpus: u32) -> &'static HostedRings {
    let of_cpus: Vec<Ring<RING_RECORDS>> = (0..cpus).map(|_| Ring::new()).collect();
    Box::leak(Box::new(Rings::new(of_cpus.leak(), Box::leak(Box::new(Ring::new())))))
}

/// What happened for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The CPUs are `0..cpus`.
    pub cpus: u32,
    /// By time; those of one CPU in the order in which they were written.
    pub records: Vec<Record>,
    /// From here on nothing is missing. Earlier records tell in what state a CPU was then.
    pub start_ns: u64,
    /// Names of tasks: the one with [`NameId`] 1 first.
    pub names: Vec<String>,
    /// Earlier records that are not here.
    pub lost: u64,
    /// How often each kind happened in the whole run, in the order of [`Kind::ALL`]; empty if nobody counted.
    pub counts: Vec<u64>,
}

impl Timeline {
    /// What the rings hold at the moment. The CPUs may go on meanwhile.
    #[must_use]
    pub fn capture(rings: &HostedRings) -> Self {
        let mut lost = 0;
        let mut streams: Vec<(Vec<Record>, bool)> = Vec::new();
        for mut reader in rings.read() {
            let records = reader.by_ref().collect();
            lost += reader.lost();
            streams.push((records, reader.lost() > 0));
        }
        let cpus = streams.len() as u32;
        let mut others = rings.read_others();
        // What threads lost long ago must not hide what the CPUs still know.
        streams.push((others.by_ref().collect(), false));
        lost += others.lost() + rings.missed();
        let (records, start_ns, left_out) = merge(streams, MOST_RECORDS);
        let name = |id| rings.names().get(id).unwrap_or_default().to_owned();
        let mut names: Vec<String> =
            (1..=NAMES as u16).map(|id| NameId::new(id).map_or_else(String::new, name)).collect();
        while names.last().is_some_and(String::is_empty) {
            names.pop();
        }
        let all: Vec<Counts> = (0..cpus)
            .filter_map(|cpu| rings.counts(CpuId::new(cpu)))
            .chain([rings.counts_of_others()])
            .collect();
        let count = |kind: &Kind| all.iter().map(|counts| counts.of(*kind)).sum();
        let counts = Kind::ALL.iter().map(count).collect();
        Self { cpus, records, start_ns, names, lost: lost + left_out, counts }
    }

    /// The time of the last record.
    #[must_use]
    pub fn end_ns(&self) -> u64 {
        self.records.iter().map(|record| record.time_ns).max().unwrap_or(self.start_ns)
    }

    /// The name of a task that has one.
    #[must_use]
    pub fn name(&self, id: Option<NameId>) -> &str {
        id.and_then(|id| self.names.get(usize::from(id.get()) - 1)).map_or("", |name| name)
    }

    /// Writes the three files to `folder`, which is made if it is not there; answers where they are.
    ///
    /// # Errors
    ///
    /// When the operating system says no.
    pub fn write_to(&self, folder: &Path, title: &str) -> io::Result<[PathBuf; 3]> {
        std::fs::create_dir_all(folder)?;
        let story = Story::new(self);
        let write = |name: &str, content: &dyn Fn(&mut dyn Write) -> io::Result<()>| {
            let path = folder.join(name);
            let mut file = BufWriter::new(File::create(&path)?);
            content(&mut file)?;
            file.flush()?;
            io::Result::Ok(path)
        };
        Ok([
            write("timeline.html", &|file| write_page(file, self, &story, title))?,
            write("trace.json", &|file| write_chrome(file, self, &story))?,
            write("trace.bin", &|file| write_records(file, self))?,
        ])
    }
}
