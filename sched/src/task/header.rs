//! The part of a task that does not depend on its future.
//!
//! # Invariants
//!
//! - **H1** A [`Queued`] owns the queue's reference of a task in state `QUEUED` (or is the last pointer to an
//!   unreferenced one, on its way to be freed). There is one for a task at most: only a transition into `QUEUED`
//!   makes one. That is what lets an inbox, a list and a deque take it.
//! - **H2** `home` and `stamp` are written by whoever holds the task only, and handed over with it.

use super::cell::VTable;
use super::home::Home;
use super::{TaskId, TaskInfo, Tier};
use crate::cpu_set::CpuSet;
use crate::lock::AtomicWaker;
use crate::state::{DropJoin, State, Wake};
use crate::sync::{AtomicU32, AtomicU64, Ordering};
use core::mem::ManuallyDrop;
use core::panic::Location;
use core::ptr::NonNull;
use mpsc_inbox::{Handle, Link, Linked, Unique};
use sched_arch::CpuId;

/// What a builder says about a task: first what the loop asks at each turn.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Meta {
    pub(crate) tier: Tier,
    /// Its future stays on the loop's own stack (LO1 in `local.rs`).
    pub(crate) is_local: bool,
    /// It is in a list of all tasks (RG1 in `registry.rs`).
    #[cfg(feature = "registry")]
    pub(crate) is_listed: bool,
    /// It has a count of its scheduler's memory (AR1 in `shared`).
    #[cfg(feature = "alloc")]
    pub(crate) is_counted: bool,
    /// `None`: any CPU.
    pub(crate) affinity: Option<CpuSet>,
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) location: &'static Location<'static>,
}

/// Stamps of a task on its way through an inbox: whether its home CPU has pushed it, or anybody else.
pub(crate) const LOCAL: u64 = 1;
pub(crate) const FOREIGN: u64 = 0;

/// No CPU has had the task yet.
const NO_HOME: u32 = u32::MAX;

/// The part of a task that does not depend on its future.
///
/// In this order a turn of the task touches the first 64 bytes, and the future: with many tasks, a turn is as many cache misses
/// as it touches lines.
#[repr(C)]
pub struct Header {
    pub(crate) state: State,
    link: Link<Header>,
    pub(crate) vtable: &'static VTable,
    id: TaskId,
    stamp: AtomicU64,
    home: AtomicU32,
    meta: Meta,
    scheduler: &'static dyn Home,
    pub(super) joiner: AtomicWaker,
    /// Its neighbours in the list of all tasks.
    #[cfg(feature = "registry")]
    links: crate::sync::UnsafeCell<crate::registry::Links>,
}

impl Header {
    pub(crate) fn new(
        vtable: &'static VTable,
        scheduler: &'static dyn Home,
        id: TaskId,
        meta: Meta,
    ) -> Self {
        Self {
            state: State::new(),
            link: Link::new(),
            vtable,
            id,
            stamp: AtomicU64::new(0),
            home: AtomicU32::new(NO_HOME),
            meta,
            scheduler,
            joiner: AtomicWaker::new(),
            #[cfg(feature = "registry")]
            links: crate::sync::UnsafeCell::new(crate::registry::Links::NONE),
        }
    }

    #[inline]
    pub(crate) fn id(&self) -> TaskId {
        self.id
    }

    /// For who has the list that the task is in.
    #[cfg(feature = "registry")]
    pub(crate) fn links(&self) -> &crate::sync::UnsafeCell<crate::registry::Links> {
        &self.links
    }

    #[inline]
    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    pub(crate) fn scheduler(&self) -> &'static dyn Home {
        self.scheduler
    }

    #[cfg(feature = "threads")]
    pub(super) fn is_thread(&self) -> bool {
        self.vtable.is_thread
    }

    pub(crate) fn info(&self) -> TaskInfo {
        let Meta { name, kind, location, tier, .. } = self.meta;
        TaskInfo { id: self.id, name, kind, tier, location }
    }

    /// The CPU whose loop had the task last.
    #[inline]
    pub(crate) fn home(&self) -> Option<CpuId> {
        // Ordering: Relaxed; who asks holds the task, by an Acquire of the state word that pairs with the
        // Release by which the last holder let it go.
        let index = self.home.load(Ordering::Relaxed);
        (index != NO_HOME).then(|| CpuId::new(index))
    }

    /// Says that the loop of `cpu` has the task (H2); tells which one had it before, if it was another.
    #[inline]
    pub(crate) fn set_home(&self, cpu: CpuId) -> Option<CpuId> {
        let former = self.home();
        // The test keeps the line clean where nothing changes.
        if former == Some(cpu) {
            return None;
        }
        // Ordering: Relaxed; see `home`.
        self.home.store(cpu.get(), Ordering::Relaxed);
        former
    }

    /// The CPUs that may run the task; `None`: any.
    ///
    /// # Safety
    ///
    /// It is the header of a live task, which the caller has.
    pub(crate) unsafe fn affinity(header: NonNull<Self>) -> Option<CpuSet> {
        // SAFETY: live, by the caller's promise.
        let this = unsafe { header.as_ref() };
        #[cfg(feature = "threads")]
        if this.is_thread() {
            // SAFETY: as above, and a thread.
            return unsafe { crate::thread::Thread::tcb(header).as_ref() }.affinity.get();
        }
        this.meta.affinity
    }

    /// Wakes who awaits the join handle.
    pub(crate) fn wake_joiner(&self) {
        self.joiner.wake();
    }

    /// The enqueue sequence number that the task's queue gave it, or what its pusher said: [`LOCAL`], [`FOREIGN`].
    #[inline]
    pub(crate) fn stamp(&self) -> u64 {
        // Ordering: Relaxed; written and read by one CPU, or handed over with the task.
        self.stamp.load(Ordering::Relaxed)
    }

    /// Sets the enqueue sequence number, or says who pushed it (H2).
    #[inline]
    pub(crate) fn set_stamp(&self, stamp: u64) {
        // Ordering: Relaxed; see `stamp`.
        self.stamp.store(stamp, Ordering::Relaxed);
    }

    /// AR2: for the length of a call in which the last reference may go.
    #[cfg(feature = "alloc")]
    #[inline]
    fn keep_scheduler(&self) -> Option<crate::shared::Keep> {
        if self.meta.is_counted { self.scheduler.keep() } else { None }
    }

    /// Does what a wake obliges to. `header` is live at least as long as the caller's own reference.
    ///
    /// # Safety
    ///
    /// `wake` is the answer of a transition of this very task, not acted on yet.
    #[inline]
    pub(crate) unsafe fn act_on(header: NonNull<Self>, wake: Wake) {
        if wake == Wake::Place {
            // SAFETY: `Place` means that the caller now has the queue's reference, so the header is live and
            // there is no other `Queued` (H1).
            let (this, task) = unsafe { (header.as_ref(), Queued::from_raw(header)) };
            let scheduler = this.scheduler;
            #[cfg(feature = "alloc")]
            let kept = this.keep_scheduler();
            scheduler.place(task);
            #[cfg(feature = "alloc")]
            if kept.is_some() {
                scheduler.settle();
            }
        }
    }

    /// Gives a reference up. The last one sends the task to its home to be freed there: the caller may be an
    /// interrupt handler, where nothing can be freed.
    ///
    /// # Safety
    ///
    /// The caller has a reference, and gives it up with this call.
    pub(crate) unsafe fn release(header: NonNull<Self>) {
        // SAFETY: live by the caller's reference.
        let this = unsafe { header.as_ref() };
        let scheduler = this.scheduler;
        #[cfg(feature = "alloc")]
        let kept = this.keep_scheduler();
        if this.state.release() {
            // SAFETY: it was the last reference, and the queue's is among those that are gone: no queue has the
            // task, and nobody else can reach it (H1).
            scheduler.place(unsafe { Queued::from_raw(header) });
            #[cfg(feature = "alloc")]
            if kept.is_some() {
                scheduler.settle();
            }
        }
    }

    /// The join handle goes, and its reference. `true`: not yet, there is an output that it has to see to before it releases.
    ///
    /// # Safety
    ///
    /// The caller is the join handle, and this its end.
    pub(super) unsafe fn drop_join(header: NonNull<Self>) -> bool {
        // SAFETY: live by the handle's reference.
        let this = unsafe { header.as_ref() };
        let scheduler = this.scheduler;
        #[cfg(feature = "alloc")]
        let kept = this.keep_scheduler();
        let dropped = this.state.drop_join();
        if dropped == DropJoin::Unreachable {
            // SAFETY: as in `release`.
            scheduler.place(unsafe { Queued::from_raw(header) });
            #[cfg(feature = "alloc")]
            if kept.is_some() {
                scheduler.settle();
            }
        }
        dropped == DropJoin::Complete
    }

    /// Frees the task's memory, and its future or output with it.
    ///
    /// # Safety
    ///
    /// No reference is left, no queue has the task, and `header` is not used again.
    pub(crate) unsafe fn free(header: NonNull<Self>) {
        // SAFETY: live until it is freed below.
        let this = unsafe { header.as_ref() };
        #[cfg(feature = "registry")]
        if this.meta.is_listed {
            // SAFETY: the caller's promise.
            unsafe { this.scheduler.unlist(header) };
        }
        // Given back last: its future may look at the scheduler as it is dropped.
        #[cfg(feature = "alloc")]
        // SAFETY: a task that is counted has a count, and is freed once.
        let _kept = if this.meta.is_counted { unsafe { this.scheduler.take_keep() } } else { None };
        // SAFETY: the caller's promise is that of `VTable::free`; the vtable is the one the task was made with.
        unsafe { (this.vtable.free)(header) }
    }
}

// SAFETY: all fields are shared by design (atomics, `AtomicWaker`) or never change after construction, but for
// `link`, which only the holder of the task's one `Queued` touches, and `links`, which go with a lock (RG1).
unsafe impl Sync for Header {}
// SAFETY: nothing in it is bound to a thread.
unsafe impl Send for Header {}

/// A task on its way from one owner to the next. Whoever has it has the task: it goes into a queue, to a run, or to where it
/// is freed.
#[must_use]
pub struct Queued(NonNull<Header>);

// SAFETY: a `Queued` is the right to run the task, whose future is `Send` (`spawn` demands it).
unsafe impl Send for Queued {}

impl Queued {
    /// The header, to read.
    pub(crate) fn header(&self) -> &Header {
        // SAFETY: H1, the queue's reference keeps it live.
        unsafe { self.0.as_ref() }
    }

    /// The header's address, with the right to the whole task.
    pub(crate) fn pointer(&self) -> NonNull<Header> {
        self.0
    }

    /// What a push of it compares with the level that a CPU publishes.
    #[inline]
    pub(crate) fn push_level(&self) -> u8 {
        #[cfg(feature = "threads")]
        if let Some(tcb) = self.tcb() {
            // SAFETY: of a live thread (H1).
            return unsafe { tcb.as_ref() }.policy.get().push_level();
        }
        self.header().meta().tier.level()
    }

    /// The CPUs that may run it; `None`: any.
    pub(crate) fn affinity(&self) -> Option<CpuSet> {
        // SAFETY: live (H1), and whoever has this has the task.
        unsafe { Header::affinity(self.0) }
    }

    /// Shows `f` the CPUs that may run it: a future's without a copy of the set, which is 128 bytes.
    pub(crate) fn with_affinity<R>(&self, f: impl FnOnce(Option<&CpuSet>) -> R) -> R {
        #[cfg(feature = "threads")]
        if self.header().is_thread() {
            return f(self.affinity().as_ref());
        }
        f(self.header().meta.affinity.as_ref())
    }

    /// Its control block, if it is a thread.
    #[cfg(feature = "threads")]
    pub(crate) fn tcb(&self) -> Option<NonNull<crate::thread::Tcb>> {
        // SAFETY: it is a thread, and live (H1).
        self.header().is_thread().then(|| unsafe { crate::thread::Thread::tcb(self.0) })
    }

    /// The task as the loop runs it.
    pub(crate) fn into_header(self) -> NonNull<Header> {
        ManuallyDrop::new(self).0
    }

    /// # Safety
    ///
    /// The caller has the queue's reference of the task, or is the last to reach it, and hands that over (H1).
    pub(crate) unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }
}

impl Drop for Queued {
    fn drop(&mut self) {
        self.header().scheduler.lost(self.0);
    }
}

// SAFETY: `into_raw` gives the header's address, unchanged, and `from_raw` the same `Queued` back.
unsafe impl Handle for Queued {
    type Target = Header;

    fn into_raw(self) -> NonNull<Header> {
        self.into_header()
    }

    unsafe fn from_raw(header: NonNull<Header>) -> Self {
        Self(header)
    }
}

// SAFETY: H1.
unsafe impl Unique for Queued {}

// SAFETY: `link` points to the field by raw place expressions, with the provenance of the whole task, and a task
// does not move while a `Queued` exists.
unsafe impl Linked for Header {
    type Handle = Queued;

    unsafe fn link(header: NonNull<Self>) -> NonNull<Link<Self>> {
        // SAFETY: the caller says that `header` is live, so the field's address is in bounds and not null.
        unsafe { NonNull::new_unchecked(&raw mut (*header.as_ptr()).link) }
    }
}

// SAFETY: the word is the header's address; `from_word` gives the same `Queued` back.
unsafe impl steal_deque::Item for Queued {
    fn into_word(self) -> *mut () {
        self.into_header().as_ptr().cast()
    }

    unsafe fn from_word(word: *mut ()) -> Self {
        // SAFETY: the caller passes a word of `into_word`, which is not null.
        Self(unsafe { NonNull::new_unchecked(word.cast()) })
    }
}
