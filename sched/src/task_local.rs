//! Data of a task: found by a key from anything that the task calls, without being passed along.
//!
//! The value stands in the future that [`scope`](TaskLocal::scope) makes, and goes where that goes: into the task, from CPU to
//! CPU, and away with it. Nothing is registered anywhere but during a poll, when the scope's frame stands on the poll's stack
//! and in the chain of the CPU that polls (V2 in `current.rs`).
//!
//! # Invariants
//!
//! - **D1** A frame is in the chain of its CPU exactly as long as the poll of its scope goes on, panics included; so what is
//!   found by the chain lives for as long as the code that looks, which runs within that poll or interrupts it (V1).
//! - **D2** A frame's value is of the type that the frame names. The key's address alone would not do: constants of different
//!   types may share one.
//! - **D3** Values are shared with interrupt handlers, so they are `Sync`, and only ever borrowed shared.

use crate::cpu::Cpu;
use crate::sync::Ordering;
use crate::trace::Trace;
use crate::{Machine, Scheduler};
use core::any::TypeId;
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::ptr::NonNull;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

/// A key to data of tasks, for a `static`.
///
/// | Operation | Progress | Callable from | Allocates | Worst case |
/// |---|---|---|---|---|
/// | [`scope`](Self::scope), and its polls | wait-free | tasks | no | interrupts masked twice for a poll |
/// | [`with`](Self::with), [`get`](Self::get) | wait-free | tasks, interrupts but NMI | no | one look at each scope around the caller |
///
/// ```
/// # use sched::{Machine, Scheduler, TaskLocal, trace::Trace};
/// static CLIENT: TaskLocal<u32> = TaskLocal::new();
///
/// fn spawn<M: Machine, T: Trace>(scheduler: &'static Scheduler<M, T>) {
///     # #[cfg(feature = "alloc")]
///     scheduler.spawn(CLIENT.scope(scheduler, 7, async move {
///         assert_eq!(CLIENT.get(scheduler), Some(7));
///     }));
/// }
/// ```
#[repr(C)]
pub struct TaskLocal<T: 'static> {
    /// Two keys have two addresses.
    _address: u8,
    _values: PhantomData<fn() -> T>,
}

/// One scope in whose poll a CPU is.
pub(crate) struct Frame {
    /// The address of the key.
    key: *const (),
    of: TypeId,
    value: NonNull<()>,
    outer: *mut Frame,
}

impl<T: Sync + 'static> TaskLocal<T> {
    /// A key, of which no task has a value.
    pub const fn new() -> Self {
        Self { _address: 0, _values: PhantomData }
    }

    /// A future in which `future` runs with `value` under this key. Scopes nest; the innermost is the one that is seen.
    ///
    /// `value` is dropped with the scope, after `future`, whose destructors do not see it. Polled by something else than a task of `scheduler` the scope runs
    /// `future` all the same, without a value to be seen.
    pub fn scope<M, R, F, const CPUS: usize>(
        &'static self,
        scheduler: &'static Scheduler<M, R, CPUS>,
        value: T,
        future: F,
    ) -> Scope<T, F>
    where
        M: Machine,
        R: Trace,
        F: Future,
    {
        Scope { future, value, key: self, scheduler }
    }

    /// Calls `f` with the value of the innermost scope around the caller; `None` if there is none, or the caller is not polled
    /// by `scheduler`. In an interrupt handler, the scopes are those of what was interrupted.
    pub fn with<M, R, const CPUS: usize, O>(
        &'static self,
        scheduler: &Scheduler<M, R, CPUS>,
        f: impl FnOnce(&T) -> O,
    ) -> Option<O>
    where
        M: Machine,
        R: Trace,
    {
        let value = {
            let masked = scheduler.masked();
            let (_, cpu) = scheduler.here(&masked)?;
            self.find(cpu)?
        };
        // SAFETY: D1, the value outlives this call, which is within the poll of its scope; shared, and `Sync` (D3).
        Some(f(unsafe { value.as_ref() }))
    }

    /// A copy of the value, see [`with`](Self::with).
    pub fn get<M, R, const CPUS: usize>(
        &'static self,
        scheduler: &Scheduler<M, R, CPUS>,
    ) -> Option<T>
    where
        M: Machine,
        R: Trace,
        T: Copy,
    {
        self.with(scheduler, |value| *value)
    }

    fn find(&self, cpu: &Cpu) -> Option<NonNull<T>> {
        // Ordering: Relaxed; written on this CPU only, with interrupts masked.
        let mut frame = NonNull::new(cpu.polling.scopes.load(Ordering::Relaxed));
        while let Some(at) = frame {
            // SAFETY: D1, a frame in the chain is on the stack.
            let Frame { key, of, value, outer } = unsafe { at.as_ref() };
            if *key == self.address() && *of == TypeId::of::<T>() {
                return Some(value.cast());
            }
            frame = NonNull::new(*outer);
        }
        None
    }

    fn address(&self) -> *const () {
        core::ptr::from_ref(self).cast()
    }
}

impl<T: Sync + 'static> Default for TaskLocal<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> fmt::Debug for TaskLocal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskLocal").finish_non_exhaustive()
    }
}

/// What a scope asks of a scheduler.
pub(crate) trait Scopes: Sync {
    /// Puts `frame`, which is live until it is taken off, at the head of the chain of the poll that the caller is in; `false`
    /// outside of polls.
    ///
    /// # Safety
    ///
    /// `frame` is the caller's alone, who takes it off before the poll ends.
    unsafe fn put_on(&self, frame: NonNull<Frame>) -> bool;

    /// Takes the head off that chain, which has gone with the caller to wherever it is by now; `outer` comes behind it.
    fn take_off(&self, outer: *mut Frame);
}

impl<M: Machine, R: Trace, const CPUS: usize> Scopes for Scheduler<M, R, CPUS> {
    unsafe fn put_on(&self, frame: NonNull<Frame>) -> bool {
        let masked = self.masked();
        let Some((_, cpu)) = self.here(&masked).filter(|(_, cpu)| cpu.polling.is_polling()) else {
            return false;
        };
        let chain = &cpu.polling.scopes;
        // Ordering: Relaxed; written on this CPU only.
        let outer = chain.load(Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { (*frame.as_ptr()).outer = outer };
        // Ordering: Relaxed; read on this CPU only, and not before interrupts are unmasked.
        chain.store(frame.as_ptr(), Ordering::Relaxed);
        true
    }

    fn take_off(&self, outer: *mut Frame) {
        let masked = self.masked();
        if let Some((_, cpu)) = self.here(&masked) {
            // Ordering: Relaxed; read on this CPU only, and not before interrupts are unmasked.
            cpu.polling.scopes.store(outer, Ordering::Relaxed);
        }
    }
}

pin_project! {
    /// The future of [`TaskLocal::scope`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Scope<T: 'static, F> {
        // First, so that it is dropped before the value.
        #[pin]
        future: F,
        value: T,
        key: &'static TaskLocal<T>,
        scheduler: &'static dyn Scopes,
    }
}

/// D1: takes the frame off the chain when the poll ends, in whatever way.
struct Leave {
    scheduler: &'static dyn Scopes,
    frame: NonNull<Frame>,
}

impl Drop for Leave {
    fn drop(&mut self) {
        // SAFETY: the frame is declared before this guard, and so dropped after it.
        let outer = unsafe { self.frame.as_ref() }.outer;
        self.scheduler.take_off(outer);
    }
}

impl<T: Sync, F: Future> Future for Scope<T, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let scheduler = *this.scheduler;
        let mut frame = Frame {
            key: this.key.address(),
            of: TypeId::of::<T>(),
            value: NonNull::from(&*this.value).cast(),
            outer: core::ptr::null_mut(),
        };
        let frame = NonNull::from(&mut frame);
        // SAFETY: the frame is a local of this call, reached through `frame` alone; the guard takes it off.
        let is_on = unsafe { scheduler.put_on(frame) };
        let _leave = is_on.then(|| Leave { scheduler, frame });
        this.future.poll(context)
    }
}

impl<T: fmt::Debug, F> fmt::Debug for Scope<T, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").field("value", &self.value).finish_non_exhaustive()
    }
}
