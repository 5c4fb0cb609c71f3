//! A record: an event as 32 bytes that mean the same on any computer.
//!
//! | Bytes | Field | |
//! |---|---|---|
//! | 0–7 | `time_ns` | the machine's clock |
//! | 8–15 | `task` | the task's id; 0: the event is no task's |
//! | 16–23 | `argument` | a count |
//! | 24 | `kind` | [`Kind`] |
//! | 25 | `detail` | a tier (0 Background, 1 Normal, 2 Critical), or an outcome (in the order of [`Outcome`]) |
//! | 26–27 | `cpu` | where it happened |
//! | 28–29 | `other` | the other CPU: target, victim, former home |
//! | 30–31 | `name` | [`NameId`](super::NameId); 0: none |
//!
//! Little-endian; a CPU that is none is [`u16::MAX`].

use super::{Event, NameId, Outcome};
use crate::{CpuId, Tier};

/// Bytes of a record.
pub const RECORD_BYTES: usize = 32;

/// Words of a record in a ring.
pub(super) const WORDS: usize = RECORD_BYTES / 8;

const NO_CPU: u16 = u16::MAX;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $number:literal, $name:literal;)*) => {
        /// What a record is of: the [`Event`] of the same name. The numbers are part of the format and never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Kind {
            $(#[doc = concat!("[`Event::", stringify!($kind), "`].")] $kind = $number,)*
        }

        impl Kind {
            /// All kinds, in the order of their numbers, which begin with 1.
            pub const ALL: &'static [Self] = &[$(Self::$kind,)*];

            /// A word for it, in lower case.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $name,)*
                }
            }
        }
    };
}

kinds! {
    Spawn = 1, "spawn";
    Wake = 2, "wake";
    Kick = 3, "kick";
    Kicked = 4, "kicked";
    Enqueue = 5, "enqueue";
    Migrate = 6, "migrate";
    Run = 7, "run";
    Stop = 8, "stop";
    Steal = 9, "steal";
    Halt = 10, "halt";
    Resume = 11, "resume";
    Tick = 12, "tick";
    Timers = 13, "timers";
}

impl Kind {
    /// Where the kind stands in [`ALL`](Self::ALL).
    pub const fn index(self) -> usize {
        self as usize - 1
    }
}

/// An event at a time and place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Record {
    /// Nanoseconds on the machine's clock.
    pub time_ns: u64,
    /// The task's [`TaskId`](crate::TaskId) as a number; 0 if the event is no task's.
    pub task: u64,
    /// Timers fired, for [`Kind::Timers`]; else 0.
    pub argument: u64,
    /// Of what.
    pub kind: Kind,
    /// The tier of a spawn or run, or the outcome of a stop; see [`tier`](Self::tier), [`outcome`](Self::outcome).
    pub detail: u8,
    /// Where; `None`: on a thread that is no CPU.
    pub cpu: Option<CpuId>,
    /// The target of a wake or kick (`None`: the injector), the victim of a steal, the home before a migration.
    pub other: Option<CpuId>,
    /// The task's name, in records of spawns and runs.
    pub name: Option<NameId>,
}

impl Record {
    /// The record of `event`, whose task's name has the number `name`.
    pub fn new(cpu: Option<CpuId>, time_ns: u64, event: &Event, name: Option<NameId>) -> Self {
        let record = |kind, task, detail, other, argument| Self {
            time_ns,
            task,
            argument,
            kind,
            detail,
            cpu,
            other,
            name,
        };
        match *event {
            Event::Spawn { task, tier, .. } => record(Kind::Spawn, task.get(), tier as u8, None, 0),
            Event::Wake { task, target } => record(Kind::Wake, task.get(), 0, target, 0),
            Event::Kick { target } => record(Kind::Kick, 0, 0, Some(target), 0),
            Event::Kicked => record(Kind::Kicked, 0, 0, None, 0),
            Event::Enqueue { task } => record(Kind::Enqueue, task.get(), 0, None, 0),
            Event::Migrate { task, from } => record(Kind::Migrate, task.get(), 0, Some(from), 0),
            Event::Run { task, tier, .. } => record(Kind::Run, task.get(), tier as u8, None, 0),
            Event::Stop { task, outcome } => record(Kind::Stop, task.get(), outcome as u8, None, 0),
            Event::Steal { task, victim } => record(Kind::Steal, task.get(), 0, Some(victim), 0),
            Event::Halt => record(Kind::Halt, 0, 0, None, 0),
            Event::Resume => record(Kind::Resume, 0, 0, None, 0),
            Event::Tick => record(Kind::Tick, 0, 0, None, 0),
            Event::Timers { fired } => record(Kind::Timers, 0, 0, None, fired as u64),
        }
    }

    /// The tier, in records of spawns and runs.
    pub fn tier(&self) -> Option<Tier> {
        let named = matches!(self.kind, Kind::Spawn | Kind::Run);
        Tier::ALL.into_iter().find(|&tier| named && tier as u8 == self.detail)
    }

    /// The outcome, in records of stops.
    pub fn outcome(&self) -> Option<Outcome> {
        use Outcome::{Cancelled, Completed, Preempted, Requeued, Unreachable, Waits};
        [Requeued, Waits, Completed, Cancelled, Unreachable, Preempted]
            .into_iter()
            .find(|&outcome| self.kind == Kind::Stop && outcome as u8 == self.detail)
    }

    pub(super) fn to_words(self) -> [u64; WORDS] {
        let name = self.name.map_or(0, NameId::get);
        let last = u64::from(self.kind as u8)
            | u64::from(self.detail) << 8
            | u64::from(cpu_to_number(self.cpu)) << 16
            | u64::from(cpu_to_number(self.other)) << 32
            | u64::from(name) << 48;
        [self.time_ns, self.task, self.argument, last]
    }

    pub(super) fn from_words([time_ns, task, argument, last]: [u64; WORDS]) -> Option<Self> {
        let number = (last & 0xff).checked_sub(1)?;
        Some(Self {
            time_ns,
            task,
            argument,
            kind: *Kind::ALL.get(number as usize)?,
            detail: (last >> 8) as u8,
            cpu: number_to_cpu((last >> 16) as u16),
            other: number_to_cpu((last >> 32) as u16),
            name: NameId::new((last >> 48) as u16),
        })
    }

    /// The record as it stands in a file.
    pub fn to_bytes(&self) -> [u8; RECORD_BYTES] {
        let mut bytes = [0; RECORD_BYTES];
        for (chunk, word) in bytes.chunks_exact_mut(8).zip(self.to_words()) {
            chunk.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// A record from a file; `None` if its kind is not known to this version.
    pub fn from_bytes(bytes: &[u8; RECORD_BYTES]) -> Option<Self> {
        let mut words = [0; WORDS];
        for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = chunk.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        }
        Self::from_words(words)
    }
}

fn cpu_to_number(cpu: Option<CpuId>) -> u16 {
    cpu.and_then(|cpu| u16::try_from(cpu.get()).ok()).unwrap_or(NO_CPU)
}

fn number_to_cpu(number: u16) -> Option<CpuId> {
    (number != NO_CPU).then(|| CpuId::new(number.into()))
}
