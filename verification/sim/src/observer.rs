//! The trace hook: every event goes to the checks, into the digest, and, if wanted, into the record.

use crate::machine::Virtual;
use crate::world::ENGINE;
use sched::CpuId;
use sched::trace::{Event, NameId, Record, Trace};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;

/// The most records that are kept: what a timeline page can show.
const MOST_RECORDS: usize = 48_000;

/// Odd, and without a pattern.
const DIGEST_FACTOR: u64 = 0x9fb2_1c65_1e98_df25;

/// What happened, for people and for comparison.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The last records, by virtual time; empty unless they were asked for.
    pub records: VecDeque<Record>,
    /// Records before those.
    pub lost: u64,
    /// Names of tasks; the one with [`NameId`] 1 first.
    pub names: Vec<String>,
    /// A number that differs, almost surely, if any event of the run does.
    pub digest: u64,
    pub(crate) keep: bool,
}

/// The [`Trace`] of a simulated scheduler: give it to [`Scheduler::new`](sched::Scheduler::new).
#[derive(Clone)]
pub struct Observer {
    machine: Virtual,
    history: Rc<RefCell<History>>,
}

// SAFETY: as for the machine: it stays on the thread of its simulation.
unsafe impl Sync for Observer {}
// SAFETY: as above.
unsafe impl Send for Observer {}

impl Observer {
    pub(crate) fn new(machine: Virtual, history: Rc<RefCell<History>>) -> Self {
        Self { machine, history }
    }
}

impl History {
    fn add(&mut self, mut record: Record, event: &Event) {
        record.name = match *event {
            Event::Spawn { name, .. } | Event::Run { name, .. } => self.intern(name),
            _ => None,
        };
        let number = |cpu: Option<CpuId>| cpu.map_or(u64::from(u16::MAX), |cpu| cpu.get().into());
        let name = record.name.map_or(0, |name| u64::from(name.get()));
        let small = (record.kind as u64) | u64::from(record.detail) << 8 | name << 16;
        let cpus = number(record.cpu) << 32 | number(record.other) << 48;
        for word in [record.time_ns, record.task ^ record.argument.rotate_left(32), small | cpus] {
            self.digest = (self.digest.rotate_left(23) ^ word).wrapping_mul(DIGEST_FACTOR);
        }
        if self.keep {
            if self.records.len() == MOST_RECORDS {
                self.records.pop_front();
                self.lost += 1;
            }
            self.records.push_back(record);
        }
    }

    fn intern(&mut self, name: &'static str) -> Option<NameId> {
        if name.is_empty() {
            return None;
        }
        let known = self.names.iter().position(|known| known == name);
        let at = known.unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.names.len() - 1
        });
        NameId::new(u16::try_from(at + 1).ok()?)
    }
}

impl Trace for Observer {
    fn record(&self, cpu: Option<CpuId>, _: u64, event: Event) {
        let (party, time_ns) = self.machine.with(|world| (world.current, world.now_ns()));
        let record = Record::new(cpu, time_ns, &event, None);
        self.history.borrow_mut().add(record, &event);
        self.machine.with(|world| {
            // What is done between runs of the parties is told as the thread's.
            let party = if party == ENGINE { world.cpus() } else { party };
            let broken = world.checker.event(party, time_ns, &record, &world.parties);
            world.note(broken);
        });
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observer")
            .field("digest", &self.history.borrow().digest)
            .finish_non_exhaustive()
    }
}
