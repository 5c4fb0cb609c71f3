//! What stands before the records in a file.

use super::RECORD_BYTES;
use core::fmt;

const MAGIC: [u8; 8] = *b"schedtrc";

/// Raised whenever a byte of a header or a record changes its meaning.
const VERSION: u32 = 1;

/// The first [`Header::BYTES`] bytes of a file of records: magic, version, size of a record, and what follows.
/// Little-endian.
///
/// After it stand the records, by time, and then the names: a byte of length and as many of UTF-8 for each, the first
/// having [`NameId`](super::NameId) 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// CPUs of the machine.
    pub cpus: u32,
    /// Names after the records.
    pub names: u32,
    /// Records in the file.
    pub records: u64,
    /// Earlier records that were overwritten.
    pub lost: u64,
}

/// Why bytes are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// They are something else, or too few.
    NotATrace,
    /// They are of another version, this one.
    Version(u32),
    /// Their records have another size, this one.
    RecordBytes(u32),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotATrace => f.write_str("not a trace"),
            Self::Version(version) => write!(f, "a trace of version {version}, not {VERSION}"),
            Self::RecordBytes(bytes) => write!(f, "records of {bytes} bytes, not {RECORD_BYTES}"),
        }
    }
}

impl core::error::Error for HeaderError {}

impl Header {
    /// Size of a header.
    pub const BYTES: usize = 40;

    /// The header as it stands in a file.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut bytes = [0; Self::BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&(RECORD_BYTES as u32).to_le_bytes());
        bytes[16..20].copy_from_slice(&self.cpus.to_le_bytes());
        bytes[20..24].copy_from_slice(&self.names.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.records.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.lost.to_le_bytes());
        bytes
    }

    /// The header at the beginning of a file.
    ///
    /// # Errors
    ///
    /// When the bytes are none, or one that this version cannot read.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HeaderError> {
        let bytes = bytes.first_chunk::<{ Self::BYTES }>().ok_or(HeaderError::NotATrace)?;
        if bytes[..8] != MAGIC {
            return Err(HeaderError::NotATrace);
        }
        let number = |at: usize, len: usize| {
            bytes[at..at + len].iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
        };
        match (number(8, 4) as u32, number(12, 4) as u32) {
            (VERSION, size) if size as usize == RECORD_BYTES => Ok(Self {
                cpus: number(16, 4) as u32,
                names: number(20, 4) as u32,
                records: number(24, 8),
                lost: number(32, 8),
            }),
            (VERSION, size) => Err(HeaderError::RecordBytes(size)),
            (version, _) => Err(HeaderError::Version(version)),
        }
    }
}
