//! A thread: a task whose poll is a switch to a stack of its own.
//!
//! So everything that finds, wakes, moves, cancels and joins a task does so with a thread: there is one header, one state
//! word, one waker. What differs stands in the vtable.
//!
//! # Invariants
//!
//! - **D1** `stage` is touched by one party at a time, as the state word says: by the thread while it runs; by its loop
//!   before the thread begins; after `COMPLETE` by the join handle, or, where there is none, by the loop.
//! - **D2** The memory of a thread that has begun and not ended is never given back: its frames are there, and what is
//!   pinned in them.
//! - **D3** A thread does not free its own stack: its home's loop does, when the last reference is gone.

use super::stack::Stack;
use super::tcb::{CANARY, Life, Stopped, Tcb};
use super::{Policy, SpawnError};
use crate::Scheduler;
#[cfg(not(loom))]
use crate::sync::CellExt as _;
use crate::sync::UnsafeCell;
use crate::task::{Header, JoinHandle, Meta, Queued, TaskId, VTable};
use crate::trace::Trace;
use core::ptr::NonNull;
use core::task::Context;
use sched_arch::Switch;

/// What is the same in all threads.
#[repr(C)]
pub(crate) struct Thread {
    header: Header,
    tcb: Tcb,
}

impl Thread {
    /// The control block of a thread, with the right to all of the thread.
    ///
    /// # Safety
    ///
    /// `header` is that of a live thread.
    pub(crate) unsafe fn tcb(header: NonNull<Header>) -> NonNull<Tcb> {
        let thread = header.cast::<Self>();
        // SAFETY: a thread's header is the first field of a `Thread`; a raw place expression.
        unsafe { NonNull::new_unchecked(&raw mut (*thread.as_ptr()).tcb) }
    }
}

enum Stage<F, R> {
    Closure(F),
    Output(R),
    Nothing,
}

/// A thread and its memory. It lies at the high end of its own stack.
#[repr(C)]
struct ThreadCell<F, R, M: 'static, T: 'static, const CPUS: usize> {
    thread: Thread,
    scheduler: &'static Scheduler<M, T, CPUS>,
    stage: UnsafeCell<Stage<F, R>>,
    stack: Stack,
}

/// A thread in the hands of its spawner.
pub(super) fn new<F, R, M, T, const CPUS: usize>(
    closure: F,
    stack: Stack,
    scheduler: &'static Scheduler<M, T, CPUS>,
    policy: Policy,
    attachment: *mut (),
    announce: impl FnOnce() -> (TaskId, Meta),
) -> Result<(Queued, JoinHandle<R>), SpawnError<F>>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
    M: Switch,
    T: Trace,
{
    let Some((cell, rest)) = stack.divide::<ThreadCell<F, R, M, T, CPUS>>() else {
        return Err(SpawnError { closure, stack });
    };
    let (id, meta) = announce();
    let affinity = meta.affinity;
    let thread = Thread {
        header: Header::new(&ThreadCell::<F, R, M, T, CPUS>::VTABLE, scheduler, id, meta),
        tcb: Tcb::new(),
    };
    let stage = UnsafeCell::new(Stage::Closure(closure));
    // SAFETY: the room is the stack's, aligned and big enough (`divide`).
    unsafe { cell.write(ThreadCell { thread, scheduler, stage, stack }) };
    let header = cell.cast::<Header>();
    let entry = ThreadCell::<F, R, M, T, CPUS>::main;
    // SAFETY: the rest of the stack is the thread's until D3.
    let context = unsafe { scheduler.machine.prepare(rest, entry, header.as_ptr().cast()) };
    let canary = rest.cast::<u64>();
    // SAFETY: the lowest word of the rest, which is aligned to 16.
    unsafe { canary.write(CANARY) };
    // SAFETY: just written, and nobody else knows of it.
    let tcb = unsafe { Thread::tcb(header).as_ref() };
    tcb.policy.set(policy);
    tcb.header.set(Some(header));
    tcb.affinity.set(affinity);
    let masked = scheduler.masked();
    *tcb.asked.lock(&masked) = affinity;
    drop(masked);
    tcb.context.set(context);
    tcb.attachment.set(attachment);
    tcb.canary.set(Some(canary));
    // SAFETY: a new state word counts these two, and the output is an `R`.
    Ok(unsafe { (Queued::from_raw(header), JoinHandle::from_raw(header)) })
}

impl<F, R, M, T, const CPUS: usize> ThreadCell<F, R, M, T, CPUS>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
    M: Switch,
    T: Trace,
{
    const VTABLE: VTable = VTable {
        poll: Self::poll,
        clear: Self::clear,
        take: Self::take,
        free: Self::free,
        is_thread: true,
    };

    /// The first and last frame of the thread.
    unsafe extern "C-unwind" fn main(argument: *mut ()) -> ! {
        let cell = argument.cast::<Self>();
        // SAFETY: `new` made the argument from a pointer to the whole cell, which lives while the thread runs (D2).
        let this = unsafe { &*cell };
        // SAFETY: the first thing here.
        unsafe { this.scheduler.machine.begin() };
        // SAFETY: D1, the thread runs.
        let closure =
            this.stage.with_mut(|stage| unsafe { core::mem::replace(&mut *stage, Stage::Nothing) });
        if let Stage::Closure(closure) = closure {
            let output = closure();
            // SAFETY: D1, the thread runs.
            this.stage.with_mut(|stage| unsafe { *stage = Stage::Output(output) });
        }
        loop {
            this.scheduler.leave(Stopped::Ended);
        }
    }

    /// A poll: runs the thread until it stops, and answers whether it ended.
    unsafe fn poll(header: NonNull<Header>, _: &mut Context<'_>) -> bool {
        // SAFETY: the header is the first field of the cell, and was made from a pointer to all of it.
        let scheduler = unsafe { header.cast::<Self>().as_ref() }.scheduler;
        // SAFETY: the caller is the loop that has the thread `RUNNING`, so the thread is live.
        let tcb = unsafe { Thread::tcb(header).as_ref() };
        // SAFETY: as above.
        unsafe { scheduler.switch_to(tcb) };
        tcb.life.get() == Life::Ended
    }

    unsafe fn with_stage<A>(header: NonNull<Header>, f: impl FnOnce(&mut Stage<F, R>) -> A) -> A {
        // SAFETY: the header is the first field of the cell, and was made from a pointer to all of it.
        let cell = unsafe { header.cast::<Self>().as_ref() };
        // SAFETY: the caller has the stage for itself.
        cell.stage.with_mut(|stage| f(unsafe { &mut *stage }))
    }

    unsafe fn clear(header: NonNull<Header>) {
        // SAFETY: the caller's promise.
        unsafe { Self::with_stage(header, |stage| *stage = Stage::Nothing) }
    }

    unsafe fn take(header: NonNull<Header>, output: *mut ()) {
        // SAFETY: the caller's promise.
        let taken = unsafe {
            Self::with_stage(header, |stage| match core::mem::replace(stage, Stage::Nothing) {
                Stage::Output(output) => Some(output),
                Stage::Closure(_) | Stage::Nothing => None,
            })
        };
        // SAFETY: `output` points to an `Option<R>` of the caller's.
        unsafe { output.cast::<Option<R>>().write(taken) }
    }

    unsafe fn free(header: NonNull<Header>) {
        let cell = header.cast::<Self>();
        // SAFETY: the caller is the last to reach the thread, which is live.
        if unsafe { Thread::tcb(header).as_ref() }.life.get() == Life::Begun {
            // D2.
            return;
        }
        // SAFETY: as above; the cell lies in the stack, which is dropped last, by value.
        drop(unsafe { cell.read() }.into_stack());
    }

    fn into_stack(self) -> Stack {
        self.stack
    }
}
