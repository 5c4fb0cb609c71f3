//! CPUs that go offline while the others work on, and come back. None is exempt.
//!
//! ```text
//!   offline, leave ──► closing ──► not online ──► inboxes closed ──► tasks moved away ──► left ──► enter
//!   (anywhere)         │                      (the CPU's own loop, step by step)                 │
//!                      └─ nobody chooses it any more                                             └─ online again
//! ```
//!
//! # Invariants
//!
//! - **U1** (PE) Whether a task reaches a CPU is for its inbox to say: a push went in before the swap that closes it, and
//!   comes out with that, or it is refused, and its pusher chooses another CPU. What the choice goes by may be old.
//! - **U2** Only a CPU's own loop takes it offline, between two steps: what ran there has been put away. Of its deques
//!   nothing is reset, so that a thief that comes late finds them as they were left.
//! - **U3** Who decides that a CPU goes holds the unplug lock, and there is another one that is online and not closing.
//! - **U4** A restricted task that no CPU may run waits in `stranded`, for as long as that is so. Who puts one there: push →
//!   fence → look whether a CPU has come. Who comes: online → fence → look there. So one of the two sees the other.
//! - **U5** The same holds for what survivors are asked to do. Who asks: what it is about (a wheel in `orphans`, a stranded
//!   task) → fence → a CPU that is online. Who goes: not online → fence → another one is asked for all that this one may have
//!   been asked for. So either that other one sees what it is about, or the first one sees who has gone.
//! - **U6** Coming back is inboxes, then online; whoever sees the second finds the first open.

mod leave;
mod place;
mod requests;

pub(crate) use requests::Requests;

use requests::{LEAVE, RESCUE};

use crate::cpu_set::{AtomicCpuSet, CpuSet};
use crate::lock::Lock;
use crate::sync::{Ordering, const_fn};
use crate::task::Header;
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::fmt;
use mpsc_inbox::{Inbox, Owner};
use sched_arch::Masked;

/// What CPUs that come and go share.
pub(crate) struct Hotplug {
    /// Tasks none of whose CPUs is there (U4).
    pub(crate) stranded: Inbox<Header>,
    /// CPUs that went and whose wheel waits for somebody to look after it (U5).
    orphans: AtomicCpuSet,
    /// CPUs that are away and whose tasks may run anywhere meanwhile.
    widened: AtomicCpuSet,
    /// Who decides which CPU goes or comes (U3).
    unplug: Lock<()>,
}

impl Hotplug {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                stranded: Inbox::new(),
                orphans: AtomicCpuSet::new(),
                widened: AtomicCpuSet::new(),
                unplug: Lock::new(()),
            }
        }
    }
}

/// What becomes of a CPU's going offline if there are tasks that may run there alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfPinned {
    /// The CPU stays, and [`OfflineError::Pinned`] says how many there are.
    Refuse,
    /// They run anywhere while none of the CPUs that they are restricted to is there; after that where they belong again.
    Widen,
}

/// Why a CPU does not go offline. Nothing has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineError {
    /// The CPU's index is not below the scheduler's number of CPUs.
    OutOfRange(CpuId),
    /// The CPU has no loop.
    NotOnline(CpuId),
    /// So many tasks may run there alone.
    Pinned(usize),
    /// No other CPU would stay.
    LastCpu,
}

impl fmt::Display for OfflineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange(cpu) => write!(f, "{cpu} is out of the scheduler's range"),
            Self::NotOnline(cpu) => write!(f, "{cpu} is not online"),
            Self::Pinned(tasks) => write!(f, "{tasks} tasks may run on that CPU alone"),
            Self::LastCpu => f.write_str("no other CPU would stay online"),
        }
    }
}

impl core::error::Error for OfflineError {}

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Asks `cpu` to leave. From here on nothing new goes there, and at its next step its loop hands all that it has to the
    /// others, a bounded part at a time: its [`run`](crate::Core::run) returns, its steps answer
    /// [`Step::Offline`](crate::Step::Offline). What runs there finishes its turn first. Any CPU can go, the caller's and
    /// the first one included, and [`enter`](Self::enter)s again when it likes, once its [`Core`](crate::Core) is dropped.
    ///
    /// Nothing is lost: runnable tasks move to CPUs that may run them; wakers, join handles and sleeps go on working; what
    /// slept there wakes up as soon as another CPU has taken its next step. A task none of whose CPUs is there waits for the
    /// first of them, also when it is spawned or woken later. `cpu` going offline twice is going offline once.
    ///
    /// With [`IfPinned::Widen`] a CPU that is away already is given up too: the tasks that wait for it run elsewhere.
    ///
    /// Blocking: one spin lock with interrupts masked, under which a look is taken at each CPU's state. Any context but NMI.
    /// Does not wait: [`has_left`](Self::has_left) tells when it is done. Does not allocate.
    ///
    /// # Errors
    ///
    /// See [`OfflineError`]. Tasks that are restricted to this CPU and spawned after the decision wait for it.
    pub fn offline(&self, cpu: CpuId, if_pinned: IfPinned) -> Result<(), OfflineError> {
        let masked = self.masked();
        let was_away = match self.decide(&masked, cpu, if_pinned) {
            Err(OfflineError::NotOnline(_)) if if_pinned == IfPinned::Widen => true,
            decided => {
                decided?;
                false
            }
        };
        if was_away {
            // U4: with a fence before.
            self.ask_any(&masked, RESCUE);
        } else {
            self.kick(&masked, cpu);
        }
        Ok(())
    }

    /// Whether `cpu` went offline, has handed over all that it had, and did not come back since.
    pub fn has_left(&self, cpu: CpuId) -> bool {
        self.cpu(cpu).is_some_and(|cpu| cpu.requests.has_left())
    }

    /// U3: marks `cpu` as closing, or says why it has to stay.
    fn decide(
        &self,
        masked: &Masked<'_, M>,
        id: CpuId,
        if_pinned: IfPinned,
    ) -> Result<(), OfflineError> {
        let cpu = self.cpu(id).ok_or(OfflineError::OutOfRange(id))?;
        let widens = if_pinned == IfPinned::Widen;
        let _unplug = self.hotplug.unplug.lock(masked);
        // Ordering: Relaxed; under the lock, as in `enter` and where loops end.
        let is_online = self.online.contains(id, Ordering::Relaxed);
        if is_online && !cpu.requests.is_closing() {
            let stays = |other: &CpuId| *other != id && self.is_available(*other);
            if !self.online().any(|other| stays(&other)) {
                return Err(OfflineError::LastCpu);
            }
            // Ordering: Relaxed; a number, and what is spawned meanwhile is not lost (U4).
            let pinned = cpu.pinned.load(Ordering::Relaxed);
            if pinned > 0 && !widens {
                return Err(OfflineError::Pinned(pinned));
            }
        }
        if widens {
            // Ordering: Release pairs with the Acquire of `is_widened`; what follows is ordered by fences (U4).
            self.hotplug.widened.insert(id, Ordering::Release);
        }
        // One that is on its way has taken itself out of `online`, and has not left.
        if is_online {
            cpu.requests.ask(LEAVE);
        } else if !cpu.requests.is_closing() || self.has_left(id) {
            return Err(OfflineError::NotOnline(id));
        }
        Ok(())
    }

    /// Whether tasks may be sent to `cpu`: a hint (U1).
    pub(crate) fn is_available(&self, cpu: CpuId) -> bool {
        // Ordering: Relaxed; a hint.
        self.online.contains(cpu, Ordering::Relaxed)
            && self.cpu(cpu).is_some_and(|cpu| !cpu.requests.is_closing())
    }

    /// The CPU is online, and there is a fence behind that. A CPU that was alone has published nothing for others, and need not see
    /// this one before its next step (`Core::publish`), which is asked for. Where there were several they know it.
    pub(crate) fn greet(&self, masked: &Masked<'_, M>, id: CpuId) {
        let mut others = self.others(id, 0);
        if let (Some((alone, _)), None) = (others.next(), others.next()) {
            self.kick(masked, alone);
        }
    }

    /// The CPU is online again, and there is a fence behind that (U4, U5): what waits for it, or for anybody.
    ///
    /// O(n) in the tasks that are stranded, one lock for each wheel that nobody looks after.
    pub(crate) fn look_what_waits(&self, id: CpuId) {
        if !self.hotplug.stranded.is_empty() {
            self.rescue(id);
        }
        self.adopt_orphans();
    }

    /// Looks after the wheels that nobody looks after, on the CPU whose loop this is.
    fn adopt_orphans(&self) {
        let orphans = &self.hotplug.orphans;
        // Ordering: Relaxed; the removal decides, and a fence or an Acquire came before (U5).
        for gone in orphans.iter_from(0, CPUS, Ordering::Relaxed) {
            // Ordering: Acquire pairs with the Release of `end_of_leave`: it is seen not to be online.
            if orphans.remove(gone, Ordering::Acquire) {
                // A CPU that is back, or another keeper, looks after it.
                let _ = self.adopt_timers(gone);
            }
        }
    }

    /// U6: the CPU, which has these inboxes, is there again.
    pub(crate) fn come_online(&self, id: CpuId, inboxes: [&mut Owner<'static, Header>; 2]) {
        let masked = self.masked();
        let _unplug = self.hotplug.unplug.lock(&masked);
        if let Some(cpu) = self.cpu(id) {
            cpu.requests.forget();
            // SAFETY: the CPU comes by itself.
            unsafe { cpu.woken.reopen(&masked) };
        }
        // Ordering: Relaxed; seen by whoever sees it online.
        self.hotplug.orphans.remove(id, Ordering::Relaxed);
        // Ordering: Relaxed, as above.
        self.hotplug.widened.remove(id, Ordering::Relaxed);
        for inbox in inboxes {
            inbox.reopen();
        }
        // Ordering: Release pairs with the Acquire of whoever chooses a CPU. What a thief finds here is there from the
        // start, and a CPU that publishes work fences after this (PB1), so whoever halts without having seen it online is
        // kicked.
        self.online.insert(id, Ordering::Release);
    }

    /// The loop of `id` ends, and leaves everything in its place, unless the CPU was asked to leave; tells which. Under the
    /// unplug lock, so that whoever asks is answered (U3).
    pub(crate) fn go_in_place(&self, id: CpuId) -> bool {
        let masked = self.masked();
        let _unplug = self.hotplug.unplug.lock(&masked);
        let in_place = self.cpu(id).is_some_and(|cpu| !cpu.requests.is_closing());
        if in_place {
            // Ordering: Release pairs with the Acquire in `adopt_wheel`, which sees what this CPU had adopted. (A thief that
            // comes late finds the deque as it was left.)
            self.online.remove(id, Ordering::Release);
        }
        in_place
    }

    /// A task of this affinity was made.
    pub(crate) fn note_pinned(&self, affinity: Option<&CpuSet>) {
        if let Some(cpu) = affinity.and_then(CpuSet::only).and_then(|cpu| self.cpu(cpu)) {
            // Ordering: Relaxed; a number.
            cpu.pinned.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A task of this affinity is over.
    pub(crate) fn forget_pinned(&self, affinity: Option<&CpuSet>) {
        if let Some(cpu) = affinity.and_then(CpuSet::only).and_then(|cpu| self.cpu(cpu)) {
            // Ordering: Relaxed; a number.
            cpu.pinned.fetch_sub(1, Ordering::Relaxed);
        }
    }
}
