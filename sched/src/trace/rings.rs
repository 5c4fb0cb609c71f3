//! A ring for each CPU, as a trace.

use super::{Event, Kind, NameId, Names, Reader, Record, Ring, Trace};
use crate::CpuId;
use crate::sync::{AtomicBool, AtomicU64, Ordering, const_fn};
use core::fmt;

/// How many records of each kind there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([u64; Kind::ALL.len()]);

impl Counts {
    /// Of one kind.
    pub fn of(&self, kind: Kind) -> u64 {
        self.0[kind.index()]
    }
}

/// The last records of each CPU, and those of threads that are no CPU in a ring of their own.
///
/// Each CPU writes to its own ring, so no two CPUs write to the same cache line. The threads take turns: one that finds
/// another one writing does not wait, and its record is [missed](Self::missed).
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`record`](Trace::record) | wait-free | interrupts masked | no | 32 slots of names, seven stores |
/// | [`read`](Self::read) | wait-free | anywhere | no | – |
#[derive(Debug)]
pub struct Rings<const CAPACITY: usize, const OTHERS: usize = CAPACITY> {
    cpus: &'static [Ring<CAPACITY>],
    others: &'static Ring<OTHERS>,
    others_busy: AtomicBool,
    missed: AtomicU64,
    names: Names,
}

impl<const CAPACITY: usize, const OTHERS: usize> Rings<CAPACITY, OTHERS> {
    const_fn! {
        /// Rings for the CPUs from 0 on, and one for all else: threads, and CPUs beyond. A ring serves one scheduler.
        pub const fn new(cpus: &'static [Ring<CAPACITY>], others: &'static Ring<OTHERS>) -> Self {
            Self {
                cpus,
                others,
                others_busy: AtomicBool::new(false),
                missed: AtomicU64::new(0),
                names: Names::new(),
            }
        }
    }

    /// A reader for each CPU, from 0 on. The CPUs may go on meanwhile.
    pub fn read(&self) -> impl Iterator<Item = Reader<'static, CAPACITY>> + use<CAPACITY, OTHERS> {
        self.cpus.iter().map(Ring::read)
    }

    /// A reader for what threads did that are no CPU.
    pub fn read_others(&self) -> Reader<'static, OTHERS> {
        self.others.read()
    }

    /// The names of the tasks.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// What `cpu` counted; `None` if it has no ring.
    pub fn counts(&self, cpu: CpuId) -> Option<Counts> {
        let ring = self.cpus.get(cpu.index())?;
        Some(Counts(core::array::from_fn(|at| ring.count(Kind::ALL[at]))))
    }

    /// What threads that are no CPU counted.
    pub fn counts_of_others(&self) -> Counts {
        Counts(core::array::from_fn(|at| self.others.count(Kind::ALL[at])))
    }

    /// Records of threads that were not written, because another thread was at it.
    pub fn missed(&self) -> u64 {
        // Ordering: Relaxed; a number for people.
        self.missed.load(Ordering::Relaxed)
    }

    fn name(&self, event: &Event) -> Option<NameId> {
        match *event {
            Event::Spawn { name, .. } | Event::Run { name, .. } => self.names.intern(name),
            _ => None,
        }
    }
}

impl<const CAPACITY: usize, const OTHERS: usize> Trace for Rings<CAPACITY, OTHERS> {
    fn record(&self, cpu: Option<CpuId>, now_ns: u64, event: Event) {
        let record = Record::new(cpu, now_ns, &event, self.name(&event));
        if let Some(ring) = cpu.and_then(|cpu| self.cpus.get(cpu.index())) {
            return ring.push(record);
        }
        // Ordering: Acquire pairs with the Release below: one writer at a time (TR1).
        if self.others_busy.swap(true, Ordering::Acquire) {
            // Ordering: Relaxed; a number for people.
            self.missed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.others.push(record);
        // Ordering: Release pairs with the Acquire above.
        self.others_busy.store(false, Ordering::Release);
    }
}

const _: () = {
    const fn shared_by_cpus<T: Send + Sync>() {}
    shared_by_cpus::<Rings<1>>();
    shared_by_cpus::<Record>();
};

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
