//! What the classes and the switch know of a thread.

use super::policy::{AtomicPolicy, Policy};
use super::thread_ref::Counters;
use crate::class::fair::Entity;
use crate::class::{self, FairTask, Handle, ListTask, Node};
use crate::cpu_set::CpuSet;
use crate::lock::Lock;
use crate::sync::{AtomicBool, AtomicU32, Ordering, const_fn};
use crate::task::Header;
use crate::task_local::Frame;
use core::cell::Cell;
use core::fmt;
use core::ptr::NonNull;
use mpsc_inbox::QueuedBit;
use sched_arch::{Context, CpuId};

/// Why a context came back to its CPU's loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// It waits to be woken.
    Blocked,
    /// It lets others go first.
    Yielded,
    /// It was asked to, or made to.
    Preempted,
    /// It has nothing left to do.
    Ended,
}

/// How far a thread is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    New,
    Begun,
    Ended,
}

/// A thread's control block, or that of a CPU's executor.
///
/// For classes of a kernel's own ([`lend_class`](crate::Core::lend_class)) it is what they order, and it has an entity and a node for
/// those that come with the crate. A class may look at it while it has it.
///
/// **N1** All but `policy`, `asked`, `changed`, `queue`, the links and the counters is one party's at a time: of the loop that
/// has the thread, of a thief that takes it, under the lock of the class it is queued in; or, while it runs, of the thread
/// itself, with interrupts masked. The state word hands it from one to the next.
pub struct Tcb {
    entity: Entity<Tcb>,
    node: Node<Tcb>,
    pub(crate) policy: AtomicPolicy,
    /// The thread's header; `None` in an executor.
    pub(crate) header: Cell<Option<NonNull<Header>>>,
    pub(crate) context: Cell<Context>,
    pub(crate) stopped: Cell<Stopped>,
    pub(crate) life: Cell<Life>,
    /// PA1: a wake that came while the thread did not wait, to be had by its next park.
    pub(crate) token: Cell<bool>,
    /// What [`Switch::activate`](sched_arch::Switch::activate) is told.
    pub(crate) attachment: Cell<*mut ()>,
    /// The CPUs that may run it; `None`: any.
    pub(crate) affinity: Cell<Option<CpuSet>>,
    /// The same, as asked for last.
    pub(crate) asked: Lock<Option<CpuSet>>,
    /// The two may differ.
    pub(crate) changed: AtomicBool,
    pub(super) change_link: mpsc_inbox::Link<Tcb>,
    pub(super) change_queued: QueuedBit,
    pub(crate) stats: Counters,
    /// Since when it is runnable.
    pub(crate) runnable_since_ns: Cell<u64>,
    /// The queue that it is in.
    pub(super) queue: QueueName,
    #[cfg(loom)]
    watch: crate::sync::UnsafeCell<()>,
    /// The scopes of task-local values on the stack, while the context does not run.
    pub(crate) scopes: Cell<*mut Frame>,
    /// The lowest word of the stack, which nothing should reach.
    pub(crate) canary: Cell<Option<NonNull<u64>>>,
}

/// What the lowest word of a stack holds while the stack has not overflowed.
pub const CANARY: u64 = 0x57ac_c0de_0dd5_eed5;

impl Tcb {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self {
                entity: Entity::new(),
                node: Node::new(),
                policy: AtomicPolicy::new(),
                header: Cell::new(None),
                context: Cell::new(Context::EMPTY),
                stopped: Cell::new(Stopped::Blocked),
                life: Cell::new(Life::New),
                token: Cell::new(false),
                attachment: Cell::new(core::ptr::null_mut()),
                affinity: Cell::new(None),
                asked: Lock::new(None),
                changed: AtomicBool::new(false),
                change_link: mpsc_inbox::Link::new(),
                change_queued: QueuedBit::new(),
                stats: Counters::new(),
                runnable_since_ns: Cell::new(0),
                queue: QueueName::new(),
                #[cfg(loom)]
                watch: crate::sync::UnsafeCell::new(()),
                scopes: Cell::new(core::ptr::null_mut()),
                canary: Cell::new(None),
            }
        }
    }

    /// How the thread shares its CPU; of an executor, the weight of its futures.
    pub fn policy(&self) -> Policy {
        self.policy.get()
    }

    /// Which thread it is; `None` if it is a CPU's executor.
    pub fn task(&self) -> Option<crate::TaskId> {
        // SAFETY: a control block is a part of its thread's memory, as its header is.
        self.header.get().map(|header| unsafe { header.as_ref() }.id())
    }

    /// N1: the caller has this to itself. The models see whether it does.
    #[inline(always)]
    pub(super) fn touch(&self) {
        #[cfg(loom)]
        self.watch.with_mut(|_| ());
    }

    /// What `ask` says of the affinity, in place, as it is 128 bytes long; `true` if there is none. `ask` changes nothing. By who has the
    /// thread, or the lock of the queue that it is in (N1).
    pub(super) fn may_run_on(&self, ask: impl FnOnce(&CpuSet) -> bool) -> bool {
        // SAFETY: nobody changes it meanwhile: others may not (N1), and `ask` is a look at the set alone.
        unsafe { &*self.affinity.as_ptr() }.as_ref().is_none_or(ask)
    }

    /// Whether the lowest word of the stack is as it was laid.
    pub(crate) fn stack_is_sound(&self) -> bool {
        // SAFETY: the word is on the stack, which lives as long as this, and only an overflow writes to it. Volatile: the
        // compiler knows of no writer.
        self.canary.get().is_none_or(|word| unsafe { word.read_volatile() } == CANARY)
    }
}

/// The CPU whose queue has a thread. It changes under the lock of that queue only: who holds the lock knows whether the thread
/// is in there, and whether the rest of the control block is its own to look at.
pub(super) struct QueueName(AtomicU32);

const NO_QUEUE: u32 = u32::MAX;

impl QueueName {
    const_fn! {
        const fn new() -> Self {
            Self(AtomicU32::new(NO_QUEUE))
        }
    }

    /// Asked under the lock of that CPU's queue.
    pub(super) fn is(&self, cpu: CpuId) -> bool {
        // Ordering: Relaxed; if it is, the lock orders it, and if it is not, nothing follows.
        self.0.load(Ordering::Relaxed) == cpu.get()
    }

    pub(super) fn set(&self, cpu: Option<CpuId>) {
        // Ordering: Relaxed; as for `is`.
        self.0.store(cpu.map_or(NO_QUEUE, CpuId::get), Ordering::Relaxed);
    }
}

// SAFETY: N1.
unsafe impl Sync for Tcb {}
// SAFETY: nothing in it is bound to a thread of the machine.
unsafe impl Send for Tcb {}

/// A thread as its class has it: the right to the control block (N1).
#[must_use = "the thread is lost"]
pub struct TcbRef(pub(crate) NonNull<Tcb>);

// SAFETY: N1.
unsafe impl Send for TcbRef {}

impl core::ops::Deref for TcbRef {
    type Target = Tcb;

    fn deref(&self) -> &Tcb {
        // SAFETY: whoever has it has the thread in its class, and a thread's memory lasts until it is taken out.
        unsafe { self.0.as_ref() }
    }
}

// SAFETY: the address, unchanged; a thread's memory lasts until its home's loop has taken it out of the class.
unsafe impl Handle for TcbRef {
    type Target = Tcb;

    fn into_raw(self) -> NonNull<Tcb> {
        self.0
    }

    unsafe fn from_raw(tcb: NonNull<Tcb>) -> Self {
        Self(tcb)
    }
}

impl fmt::Debug for Tcb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tcb").field("policy", &self.policy).finish_non_exhaustive()
    }
}

impl fmt::Debug for TcbRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcbRef").field(&self.0).finish()
    }
}

impl class::Tcb for Tcb {
    type Handle = TcbRef;
}

impl class::Weight for Tcb {
    fn weight(&self) -> u32 {
        match self.policy.get() {
            Policy::Fair { nice, .. } => nice.weight(),
            _ => class::Nice::DEFAULT.weight(),
        }
    }
}

impl class::Deadline for Tcb {
    fn slice_ns(&self) -> u64 {
        match self.policy.get() {
            Policy::Fair { slice_ns, .. } => slice_ns,
            _ => 0,
        }
    }
}

impl class::Priority for Tcb {
    fn priority(&self) -> u8 {
        match self.policy.get() {
            Policy::Realtime { priority } => priority,
            _ => 0,
        }
    }
}

impl class::Policy for Tcb {
    fn rank(&self) -> usize {
        match self.policy.get() {
            Policy::Stop => 0,
            Policy::Realtime { .. } => 1,
            Policy::Fair { .. } => 2,
        }
    }
}

// SAFETY: the field of that name, by a raw place expression; N1.
unsafe impl FairTask for Tcb {
    unsafe fn entity(tcb: NonNull<Self>) -> NonNull<Entity<Self>> {
        // SAFETY: the caller says that `tcb` is live, so the field's address is in bounds and not null.
        unsafe { NonNull::new_unchecked(&raw mut (*tcb.as_ptr()).entity) }
    }
}

// SAFETY: as for `FairTask`.
unsafe impl ListTask for Tcb {
    unsafe fn node(tcb: NonNull<Self>) -> NonNull<Node<Self>> {
        // SAFETY: the caller says that `tcb` is live, so the field's address is in bounds and not null.
        unsafe { NonNull::new_unchecked(&raw mut (*tcb.as_ptr()).node) }
    }
}
