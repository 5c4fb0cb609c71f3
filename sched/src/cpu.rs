//! What one CPU is to the others, and what it keeps while no loop is on it.

use crate::adopt::Adopted;
use crate::current::Polling;
use crate::hotplug::Requests;
use crate::level::RunningLevel;
use crate::lock::Lock;
use crate::run_queue::Lanes;
use crate::stats::Stats;
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, const_fn};
use crate::task::{Header, Queued};
use crate::time::Timers;
use crate::woken::Woken;
use mpsc_inbox::{Inbox, List};
use steal_deque::StealDeque;

/// Tasks of one tier that one CPU can offer to thieves at a time. Small in models, so that they see it full.
pub(crate) const DEQUE_CAPACITY: usize = if cfg!(any(loom, shuttle)) { 4 } else { 256 };

/// One CPU's part of the scheduler. All that other CPUs touch is here; the loop's own things are in
/// [`Core`](crate::Core).
#[repr(align(128))]
pub(crate) struct Cpu {
    /// Woken Critical tasks. Looked at before every poll and every pick.
    pub(crate) critical: Inbox<Header>,
    /// All others that are woken elsewhere, and tasks to be freed.
    pub(crate) normal: Inbox<Header>,
    /// Woken tasks of this CPU that it has woken itself, but for Critical ones.
    pub(crate) woken: Woken,
    /// What runs here, for pushers to compare with (PC1).
    pub(crate) level: RunningLevel,
    /// The loop has something to look at, and the running task should yield. Written on this CPU only.
    pub(crate) need_resched: AtomicBool,
    /// Timers are due that the last interrupt's batch did not reach. Written on this CPU only.
    pub(crate) timers_due: AtomicBool,
    /// A reschedule interrupt is under way to this CPU (PC5).
    pub(crate) kick_pending: AtomicBool,
    /// A thief found nothing to take though tasks are ready (PD2).
    pub(crate) hungry: AtomicBool,
    /// Futures ready that thieves may have, and one for what runs, whatever it is.
    pub(crate) ready: AtomicUsize,
    /// The poll that it is in. Read and written on this CPU only, but for the number.
    pub(crate) polling: Polling,
    /// The futures that stay here.
    pub(crate) local: crate::local::LocalList,
    pub(crate) normal_deque: StealDeque<Queued, DEQUE_CAPACITY>,
    pub(crate) background_deque: StealDeque<Queued, DEQUE_CAPACITY>,
    pub(crate) timers: Lock<Timers>,
    /// What others ask of the loop, and whether the CPU leaves.
    pub(crate) requests: Requests,
    /// Tasks that may run here alone, and are not over.
    pub(crate) pinned: AtomicUsize,
    /// Wheels of CPUs that are gone, which this one turns as well.
    pub(crate) adopted: Adopted,
    /// The loop's private lists while no loop is on the CPU; `None` while one is.
    pub(crate) parked: Lock<Option<Parked>>,
    /// Serial number of the next task that is spawned here.
    pub(crate) next_serial: AtomicU64,
    pub(crate) stats: Stats,
    /// The tasks that were spawned here.
    #[cfg(feature = "registry")]
    pub(crate) tasks: Lock<crate::registry::TaskList>,
    #[cfg(feature = "threads")]
    pub(crate) threads: crate::thread::CpuThreads,
}

/// What a loop leaves behind when it goes, for the next one.
pub(crate) struct Parked {
    pub(crate) woken: List<Header>,
    pub(crate) arrived: List<Header>,
    pub(crate) critical: List<Header>,
    pub(crate) normal: Lanes,
    pub(crate) background: Lanes,
    /// Stamp of the next task that is enqueued.
    pub(crate) next_stamp: u64,
}

impl Cpu {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                critical: Inbox::new(),
                normal: Inbox::new(),
                woken: Woken::new(),
                level: RunningLevel::new(),
                need_resched: AtomicBool::new(false),
                timers_due: AtomicBool::new(false),
                kick_pending: AtomicBool::new(false),
                hungry: AtomicBool::new(false),
                ready: AtomicUsize::new(0),
                polling: Polling::new(),
                local: crate::local::LocalList::new(),
                normal_deque: StealDeque::new(),
                background_deque: StealDeque::new(),
                timers: Lock::new(Timers::new()),
                requests: Requests::new(),
                pinned: AtomicUsize::new(0),
                adopted: Adopted::new(),
                parked: Lock::new(Some(Parked {
                    woken: List::new(),
                    arrived: List::new(),
                    critical: List::new(),
                    normal: Lanes::new(),
                    background: Lanes::new(),
                    next_stamp: 0,
                })),
                next_serial: AtomicU64::new(0),
                stats: Stats::new(),
                #[cfg(feature = "registry")]
                tasks: Lock::new(crate::registry::TaskList::new()),
                #[cfg(feature = "threads")]
                threads: crate::thread::CpuThreads::new(),
            }
        }
    }
}
