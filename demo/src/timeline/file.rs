//! Records in a file: a header, the records, the names.

use super::Timeline;
use sched::trace::{Header, HeaderError, RECORD_BYTES, Record};
use std::fmt;
use std::io::{self, Write};

/// The most CPUs that a file may speak of: as many as a scheduler may have.
const MOST_CPUS: u32 = sched::MAX_CPUS as u32;

/// Why bytes are no timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadError {
    /// The header is none.
    Header(HeaderError),
    /// The file ends early, or goes on too long.
    Length,
    /// It speaks of more CPUs than there can be.
    Cpus(u32),
    /// The record with this number is of no known kind, or of a CPU beyond the last.
    Record(u64),
    /// A name is not UTF-8.
    Name,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(error) => error.fmt(f),
            Self::Length => f.write_str("the file is not as long as its header says"),
            Self::Cpus(cpus) => write!(f, "{cpus} CPUs, more than {MOST_CPUS}"),
            Self::Record(number) => write!(f, "record {number} makes no sense"),
            Self::Name => f.write_str("a name is not UTF-8"),
        }
    }
}

impl std::error::Error for ReadError {}

/// Writes the records of a timeline, with their names.
///
/// # Errors
///
/// Those of `out`.
pub fn write_records(mut out: impl Write, timeline: &Timeline) -> io::Result<()> {
    let header = Header {
        cpus: timeline.cpus,
        names: timeline.names.len() as u32,
        records: timeline.records.len() as u64,
        lost: timeline.lost,
    };
    out.write_all(&header.to_bytes())?;
    for record in &timeline.records {
        out.write_all(&record.to_bytes())?;
    }
    for name in &timeline.names {
        let name = &name[..name.floor_char_boundary(u8::MAX.into())];
        out.write_all(&[name.len() as u8])?;
        out.write_all(name.as_bytes())?;
    }
    Ok(())
}

/// Reads what [`write_records`] wrote, or a kernel that knows the format.
///
/// # Errors
///
/// When it is not such a file.
pub fn read_records(bytes: &[u8]) -> Result<Timeline, ReadError> {
    let header = Header::from_bytes(bytes).map_err(ReadError::Header)?;
    if header.cpus > MOST_CPUS {
        return Err(ReadError::Cpus(header.cpus));
    }
    let body = &bytes[Header::BYTES..];
    let len = usize::try_from(header.records)
        .ok()
        .and_then(|records| records.checked_mul(RECORD_BYTES))
        .filter(|&len| len <= body.len())
        .ok_or(ReadError::Length)?;
    let (records, mut rest) = body.split_at(len);
    let records: Vec<Record> = (0..)
        .zip(records.as_chunks().0)
        .map(|(number, bytes)| {
            Record::from_bytes(bytes)
                .filter(|record| record.cpu.is_none_or(|cpu| cpu.get() < header.cpus))
                .ok_or(ReadError::Record(number))
        })
        .collect::<Result<_, _>>()?;
    let mut names = Vec::new();
    for _ in 0..header.names {
        let (&length, text) = rest.split_first().ok_or(ReadError::Length)?;
        let (name, after) = text.split_at_checked(length.into()).ok_or(ReadError::Length)?;
        names.push(str::from_utf8(name).map_err(|_| ReadError::Name)?.to_owned());
        rest = after;
    }
    if !rest.is_empty() {
        return Err(ReadError::Length);
    }
    let start_ns = records.first().map_or(0, |record| record.time_ns);
    Ok(Timeline {
        cpus: header.cpus,
        records,
        start_ns,
        names,
        lost: header.lost,
        counts: Vec::new(),
    })
}
