//! The scheduler: an array of equal CPUs and the few things they share.

use crate::cpu::Cpu;
use crate::cpu_set::{AtomicCpuSet, MAX_CPUS};
use crate::hotplug::Hotplug;
use crate::idle::IdleSet;
use crate::search::Searchers;
use crate::stats::{CpuStats, Totals};
use crate::sync::{AtomicBool, AtomicU64, AtomicUsize, Ordering, const_fn};
use crate::task::{Header, TaskId};
use crate::trace::{Event, Trace, trace};
use crate::{CpuId, Interrupts, Machine, Settings};
use core::fmt;
use mpsc_inbox::Inbox;
use sched_arch::Masked;

/// One scheduler for up to `CPUS` CPUs of a machine `M`, traced by `T`.
///
/// It lives for ever, in a `static` or a leaked box. Each CPU calls [`enter`](Self::enter) once and then
/// [`run`](crate::Core::run)s; no CPU is special, and none has to be there: ids may be sparse and come up late.
/// Tasks spawned before the first CPU comes wait in the injector.
pub struct Scheduler<M: 'static, T: 'static = (), const CPUS: usize = 64> {
    pub(crate) machine: M,
    pub(crate) trace: T,
    pub(crate) settings: Settings,
    pub(crate) cpus: [Cpu; CPUS],
    /// CPUs on which a loop is.
    pub(crate) online: AtomicCpuSet,
    /// CPUs that halt, or are about to (PB1).
    pub(crate) idle: IdleSet,
    /// CPUs that go round over others in search of work (S1).
    pub(crate) searchers: Searchers,
    /// CPUs that should pause, and those that do.
    pub(crate) pausing: AtomicCpuSet,
    pub(crate) paused: AtomicCpuSet,
    /// The loops should end.
    pub(crate) stopping: AtomicBool,
    /// The tasks should end with them.
    pub(crate) shut_down: AtomicBool,
    /// Tasks that any CPU may take, from threads that are no CPU.
    pub(crate) injector: Inbox<Header>,
    /// How many there are, about now.
    pub(crate) injected: AtomicUsize,
    /// A bounded drain of the injector left some of them with it. Written by who has the injector's owner.
    pub(crate) injector_has_rest: AtomicBool,
    pub(crate) hotplug: Hotplug,
    /// There is no handle any more.
    #[cfg(feature = "alloc")]
    pub(crate) closed: AtomicBool,
    #[cfg(feature = "alloc")]
    pub(crate) counted: Option<crate::shared::Counted>,
    #[cfg(feature = "registry")]
    pub(crate) registry: crate::registry::Registry,
    foreign_serial: AtomicU64,
    foreign_stats: crate::stats::Stats,
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    const_fn! {
        /// A scheduler on `machine`, before any CPU is there.
        pub const fn new(machine: M, trace: T, settings: Settings) -> Self {
            const { assert!(0 < CPUS && CPUS <= MAX_CPUS, "1 to MAX_CPUS CPUs") };
            Self {
                machine,
                trace,
                settings,
                #[cfg(not(loom))]
                cpus: [const { Cpu::new() }; CPUS],
                #[cfg(loom)]
                cpus: core::array::from_fn(|_| Cpu::new()),
                online: AtomicCpuSet::new(),
                idle: IdleSet::new(),
                searchers: Searchers::new(),
                pausing: AtomicCpuSet::new(),
                paused: AtomicCpuSet::new(),
                stopping: AtomicBool::new(false),
                shut_down: AtomicBool::new(false),
                injector: Inbox::new(),
                injected: AtomicUsize::new(0),
                injector_has_rest: AtomicBool::new(false),
                hotplug: Hotplug::new(),
                #[cfg(feature = "alloc")]
                closed: AtomicBool::new(false),
                #[cfg(feature = "alloc")]
                counted: None,
                #[cfg(feature = "registry")]
                registry: crate::registry::Registry::new(),
                foreign_serial: AtomicU64::new(0),
                foreign_stats: crate::stats::Stats::new(),
            }
        }
    }

    /// The machine.
    pub fn machine(&self) -> &M {
        &self.machine
    }

    /// The trace hook.
    pub fn trace(&self) -> &T {
        &self.trace
    }

    /// The counters of one CPU; `None` if it is out of range.
    pub fn cpu_stats(&self, cpu: CpuId) -> Option<CpuStats> {
        Some(self.cpu(cpu)?.stats.read())
    }

    /// The counters of all CPUs, and of threads that are none, added up (`queue_high_water`: the highest).
    pub fn totals(&self) -> Totals {
        let mut totals = self.foreign_stats.read();
        for cpu in &self.cpus {
            totals += cpu.stats.read();
        }
        totals
    }

    /// The CPUs on which a loop is at the moment.
    pub fn online(&self) -> impl Iterator<Item = CpuId> + '_ {
        // Ordering: Relaxed; a hint.
        self.online.iter_from(0, CPUS, Ordering::Relaxed)
    }

    /// Whether `cpu` halts at the moment, with nothing to do: a hint.
    pub fn is_idle(&self, cpu: CpuId) -> bool {
        self.cpu(cpu).is_some() && self.idle.contains(cpu)
    }

    /// Whether the task that runs on this CPU should yield at its next chance: its slice is over, or something
    /// more urgent came. `false` on a thread that is no CPU. Wait-free, anywhere: interrupts are masked for a moment, so that the
    /// caller stays on its CPU, and one flag is read.
    pub fn should_yield(&self) -> bool {
        let masked = self.masked();
        // Ordering: Relaxed; written on this CPU only.
        self.here(&masked).is_some_and(|(_, cpu)| cpu.need_resched.load(Ordering::Relaxed))
    }

    pub(crate) fn cpu(&self, cpu: CpuId) -> Option<&Cpu> {
        self.cpus.get(cpu.index())
    }

    /// Masks interrupts on this CPU, for as long as the answer lives.
    ///
    /// Within this crate guards are locals, dropped in the reverse order of their making, and only the loop halts, with
    /// one guard, on a stack on which nobody else has one. No code of the user's runs beside one but the trace hook's,
    /// which may not call the scheduler.
    pub(crate) fn masked(&self) -> Masked<'_, M> {
        // SAFETY: as said above.
        unsafe { Masked::new(&self.machine) }
    }

    /// The CPU that the caller stays on while interrupts are masked (PA4).
    pub(crate) fn here(&self, masked: &Masked<'_, M>) -> Option<(CpuId, &Cpu)> {
        let id = masked.cpu()?;
        Some((id, self.cpu(id)?))
    }

    /// Counts on this CPU's block, or on the one of other threads.
    pub(crate) fn count(
        &self,
        masked: &Masked<'_, M>,
        counter: impl FnOnce(&crate::stats::Stats) -> &crate::stats::Counter,
    ) {
        match self.here(masked) {
            Some((_, cpu)) => counter(&cpu.stats).add(1),
            None => counter(&self.foreign_stats).add_shared(1),
        }
    }

    /// An id for a task that is spawned here.
    pub(crate) fn next_id(&self, masked: &Masked<'_, M>) -> TaskId {
        let (block, serial) = match self.here(masked) {
            Some((id, cpu)) => (id.index() + 1, &cpu.next_serial),
            None => (0, &self.foreign_serial),
        };
        // Ordering: Relaxed; only unique numbers are wanted.
        TaskId::new(block, serial.fetch_add(1, Ordering::Relaxed))
    }

    /// Tells the trace, if there is one. Interrupts are masked around the clock and the record, so that a CPU's records
    /// are written one after the other and stand in the order of their times.
    #[inline]
    pub(crate) fn record(&self, event: impl FnOnce() -> Event) {
        if T::ENABLED {
            let masked = self.masked();
            self.trace.record(masked.cpu(), self.machine.now_ns(), event());
        }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Interrupts for Scheduler<M, T, CPUS> {
    fn on_kick(&self) {
        let masked = self.masked();
        let Some((_, cpu)) = self.here(&masked) else { return };
        // Ordering: Acquire pairs with the sender's AcqRel, which came after its push: the drain that follows
        // sees the item of every sender that found the flag set (PC5).
        cpu.kick_pending.swap(false, Ordering::Acquire);
        // Ordering: Relaxed; read on this CPU only.
        cpu.need_resched.store(true, Ordering::Relaxed);
        cpu.stats.kicks_received.add(1);
        trace!(self, Event::Kicked);
    }

    fn on_timer(&self) {
        let masked = self.masked();
        let Some((id, cpu)) = self.here(&masked) else { return };
        trace!(self, Event::Tick);
        // The end of the slice, and a look at heads and remainder (PC3): all that is the loop's, which does it
        // when need_resched says so.
        // Ordering: Relaxed; read on this CPU only.
        cpu.need_resched.store(true, Ordering::Relaxed);
        let more = self.expire_timers(id, true);
        // Ordering: Relaxed; read on this CPU only.
        cpu.timers_due.store(more, Ordering::Relaxed);
    }
}

impl<M: Machine + fmt::Debug, T: Trace, const CPUS: usize> fmt::Debug for Scheduler<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("machine", &self.machine)
            .field("cpus", &CPUS)
            .field("idle", &self.idle)
            .finish_non_exhaustive()
    }
}
