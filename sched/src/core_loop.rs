//! The loop: one CPU's stay in the scheduler, step by step.
//!
//! ```text
//! step:  checkpoint → acknowledge → drain inboxes → turn the wheel → pick → run → requeue
//!                                                                     └─ nothing: injector → steal → halt
//! ```
//!
//! # Invariants
//!
//! - **L1** Only the loop enqueues: what was woken comes out of an inbox or of the CPU's own list, what ran is requeued after its run.
//! - **L2** A step does bounded work: each part has a budget, and what is left over stays in order for the next.
//! - **L3** (PC4) While an inbox has a remainder, need_resched is set, so that the CPU neither halts nor lets a task
//!   run on unasked.
//! - **L4** No CPU is special: nothing here asks which one it is on, but for its index.

use crate::cooldown::Cooldown;
use crate::cpu::Cpu;
use crate::run_queue::RunQueue;
use crate::sync::{Ordering, spin_loop};
use crate::task::Header;
use crate::trace::Trace;
use crate::{CpuId, EnterError, Machine, Scheduler, Step};
use core::fmt;
use core::marker::PhantomData;
use mpsc_inbox::{List, Owner};

/// Steps between two looks at the injector while there is other work. Prime, to fall in step with nothing.
const INJECTOR_INTERVAL_STEPS: u64 = 61;

/// Tasks taken from the injector at once, in nodes touched.
const INJECTOR_BUDGET_NODES: usize = 16;

/// A CPU's loop. There is one for a CPU at a time, and it stays on its CPU; dropping it leaves the scheduler, and
/// everything in place for the next [`Scheduler::enter`].
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`step`](Self::step) | lock-free but for the wheel's lock; halts when there is nothing to do | the CPU's own stack | no | three inbox budgets (again at each of at most two lowerings of the level), 16 injector nodes, one timer batch, a refill of 64 for each of two tiers, and one poll, or a round over the other CPUs |
/// | [`tick_n`](Self::tick_n) | as `step`, but never halts | the CPU's own stack | no | twice as many steps as polls, and two |
/// | [`run`](Self::run) | as `step`, for ever | the CPU's own stack | no | – |
pub struct Core<M: Machine + 'static, T: Trace + 'static = (), const CPUS: usize = 64> {
    pub(crate) scheduler: &'static Scheduler<M, T, CPUS>,
    pub(crate) id: CpuId,
    pub(crate) cpu: &'static Cpu,
    pub(crate) critical_inbox: Owner<'static, Header>,
    pub(crate) normal_inbox: Owner<'static, Header>,
    #[cfg(feature = "threads")]
    pub(crate) changes: Owner<'static, crate::thread::Tcb>,
    /// Woken here, and left by the budget.
    pub(crate) woken: List<Header>,
    /// On the way to a run queue: empty between steps, unless a destructor panicked in one.
    pub(crate) arrived: List<Header>,
    pub(crate) critical: List<Header>,
    pub(crate) normal: RunQueue,
    pub(crate) background: RunQueue,
    pub(crate) next_stamp: u64,
    /// The level that others see in `cpu.level`.
    pub(crate) level: u8,
    /// Critical polls since a lower tier had its turn.
    pub(crate) critical_polls: u32,
    /// Normal polls since Background had its turn.
    pub(crate) normal_polls: u32,
    steps: u64,
    /// Steps in a row that found nothing.
    spins: u32,
    /// First victim of the next search.
    pub(crate) next_victim: usize,
    pub(crate) cooldown: Cooldown,
    /// When the halt began that has not been accounted for.
    pub(crate) halted_at_ns: Option<u64>,
    /// Somebody woke this CPU for work of others that it has not looked for yet.
    pub(crate) claimed: bool,
    /// It has said that it is paused.
    pub(crate) is_paused: bool,
    /// It has begun to leave.
    pub(crate) is_leaving: bool,
    /// Tasks that became runnable here since the tick began (K2).
    pub(crate) woken_external: usize,
    pub(crate) woken_internal: usize,
    _stays_on_its_cpu: PhantomData<*mut ()>,
}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Makes the caller's CPU one of the scheduler's, for the first time or once more.
    ///
    /// Blocking: the unplug lock, the lock of the wheel, and one for each wheel that nobody looks after. O(n) in the tasks
    /// that wait because none of their CPUs was there; those that may run now are placed. On the CPU's own stack.
    ///
    /// # Errors
    ///
    /// See [`EnterError`]; nothing changes then.
    pub fn enter(&'static self) -> Result<Core<M, T, CPUS>, EnterError> {
        let id = self.machine.cpu().ok_or(EnterError::NoCpu)?;
        let cpu = self.cpu(id).ok_or(EnterError::OutOfRange(id))?;
        let entered = || {
            let critical = cpu.critical.take_owner()?;
            let normal = cpu.normal.take_owner()?;
            let (normal_deque, _) = cpu.normal_deque.split()?;
            let (background_deque, _) = cpu.background_deque.split()?;
            // Last, so that what cannot enter does not take it away.
            let parked = cpu.parked.try_lock()?.take()?;
            Some((critical, normal, normal_deque, background_deque, parked))
        };
        let (mut critical_inbox, mut normal_inbox, normal_deque, background_deque, parked) =
            entered().ok_or(EnterError::AlreadyEntered(id))?;
        #[cfg(feature = "threads")]
        let mut changes = cpu.threads.changes.take_owner().ok_or(EnterError::AlreadyEntered(id))?;
        #[cfg(feature = "threads")]
        changes.reopen();
        // Ordering: Acquire; as in `on_kick`. A kick that was dropped before the CPU was up must not stand for the
        // next one.
        cpu.kick_pending.swap(false, Ordering::Acquire);
        cpu.local.open();
        self.come_online(id, [&mut critical_inbox, &mut normal_inbox]);
        self.machine.interleave();
        let core = Core {
            scheduler: self,
            id,
            cpu,
            critical_inbox,
            normal_inbox,
            #[cfg(feature = "threads")]
            changes,
            woken: parked.woken,
            arrived: parked.arrived,
            critical: parked.critical,
            normal: RunQueue::new(normal_deque, parked.normal),
            background: RunQueue::new(background_deque, parked.background),
            next_stamp: parked.next_stamp,
            level: 0,
            critical_polls: 0,
            normal_polls: 0,
            steps: 0,
            spins: 0,
            next_victim: self.machine.seed() as usize % CPUS,
            cooldown: Cooldown::default(),
            halted_at_ns: None,
            claimed: false,
            is_paused: false,
            is_leaving: false,
            woken_external: 0,
            woken_internal: 0,
            _stays_on_its_cpu: PhantomData,
        };
        // Fences: behind it is the look at what waits (U4, U5).
        core.cpu.level.lower(0);
        let masked = self.masked();
        self.forget_timer(&masked, id);
        self.begin_slice(&masked, id, self.machine.now_ns());
        self.greet(&masked, id);
        drop(masked);
        #[cfg(feature = "threads")]
        core.prepare_threads();
        self.look_what_waits(id);
        Ok(core)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// Steps until [`Scheduler::stop`] or [`shut_down`](Scheduler::shut_down), or until the CPU is [offline](Scheduler::offline). A kernel that does neither never
    /// comes back from here.
    pub fn run(&mut self) {
        // Ordering: Acquire pairs with the Release of `stop`.
        while !self.scheduler.stopping.load(Ordering::Acquire) {
            if self.step() == Step::Offline {
                return;
            }
        }
        if self.scheduler.is_shut_down() {
            self.end_tasks();
        }
    }

    /// One bounded action: what [`run`](Self::run) does for ever.
    pub fn step(&mut self) -> Step {
        let step = self.advance();
        if step.is_none() && self.spins < self.scheduler.settings.spin_steps {
            self.spins += 1;
            spin_loop();
            return Step::Spun;
        }
        self.spins = 0;
        match step {
            None => self.halt(),
            Some(Step::Paused) => self.stay_paused(),
            Some(step) => step,
        }
    }

    /// A step but for the halt: `None` if there is nothing to do.
    pub(crate) fn advance(&mut self) -> Option<Step> {
        self.scheduler.machine.checkpoint();
        self.resume_from_halt();
        self.cpu.stats.steps.add(1);
        self.steps = self.steps.wrapping_add(1);
        // Before all that somebody may ask for by a kick.
        self.acknowledge();
        if self.cpu.requests.any()
            && let Some(step) = self.answer_requests()
        {
            return Some(step);
        }
        // Ordering: Relaxed; a CPU that goes on after a pause looks once more, with Acquire.
        if self.scheduler.pausing.contains(self.id, Ordering::Relaxed) || !self.end_pause() {
            self.pause();
            return Some(Step::Paused);
        }
        self.drain_inboxes();
        #[cfg(feature = "threads")]
        self.answer_changes();
        self.turn_timers();
        if self.steps.is_multiple_of(INJECTOR_INTERVAL_STEPS) {
            self.take_injected();
        }
        #[cfg(feature = "threads")]
        if let Some(step) = self.run_threads() {
            return Some(step);
        }
        if let Some(step) = self.run_future() {
            return Some(step);
        }
        let step = if self.take_injected() {
            Step::Injected
        } else if self.search() {
            Step::Stole
        } else {
            // What it was claimed for may have been out of reach for a moment only: the claim stays.
            return None;
        };
        self.claimed = false;
        Some(step)
    }

    /// The CPU of this loop.
    pub fn id(&self) -> CpuId {
        self.id
    }

    /// Tasks in this CPU's run queues; what was woken and has not come there yet is not counted.
    pub fn queued(&self) -> usize {
        let queued = self.critical.len() + self.normal.len() + self.background.len();
        #[cfg(feature = "threads")]
        let queued = queued + self.cpu.threads.count();
        queued
    }

    /// From here on a new need_resched means something new.
    fn acknowledge(&mut self) {
        // Ordering: Relaxed, written on this CPU only: by handlers that ran before, or will interrupt after.
        if self.cpu.need_resched.load(Ordering::Relaxed) {
            self.cpu.need_resched.store(false, Ordering::Relaxed);
            self.cooldown.end();
        }
    }

    /// Wakes another batch of sleepers, if the timer interrupt left some.
    fn turn_timers(&mut self) {
        // Ordering: Relaxed, written on this CPU only.
        if self.cpu.timers_due.load(Ordering::Relaxed) {
            // Before the batch: what an interrupt leaves meanwhile stays said. Ordering: Relaxed, as above.
            self.cpu.timers_due.store(false, Ordering::Relaxed);
            if self.scheduler.expire_timers(self.id, false) {
                // Ordering: Relaxed, as above.
                self.cpu.timers_due.store(true, Ordering::Relaxed);
            }
        }
    }

    /// Takes a few tasks from the injector, unless another CPU is at it.
    pub(crate) fn take_injected(&mut self) -> bool {
        if !self.scheduler.has_injected() {
            return false;
        }
        let Some(mut injector) = self.scheduler.injector.take_owner() else { return false };
        let before = self.arrived.len();
        for task in injector.drain(INJECTOR_BUDGET_NODES) {
            self.arrived.push_back(task);
        }
        self.scheduler.machine.interleave();
        self.leave_injector(injector);
        self.enqueue_injected(before);
        true
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> fmt::Debug for Core<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("id", &self.id)
            .field("queued", &self.queued())
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
