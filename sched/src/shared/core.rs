//! A loop of a scheduler in counted memory.

use super::Shared;
use crate::core_loop::Core;
use crate::trace::Trace;
use crate::{
    CpuId, EnterError, IfPinned, LocalSpawner, Machine, OfflineError, StealError, Stealer, Step,
    Tick,
};
use core::fmt;
use core::future::Future;
use core::mem::MaybeUninit;

/// A CPU's loop, which keeps its scheduler: a [`Core`], and a [`Shared`] handle.
pub struct SharedCore<M: Machine + 'static, T: Trace + 'static = (), const CPUS: usize = 64> {
    /// There until the drop, in which the memory that it refers to may go (see [`Far`](crate::far::Far)).
    core: MaybeUninit<Core<M, T, CPUS>>,
    scheduler: Shared<M, T, CPUS>,
}

impl<M: Machine, T: Trace, const CPUS: usize> Shared<M, T, CPUS> {
    /// Makes the caller's CPU one of the scheduler's, as [`Scheduler::enter`](crate::Scheduler::enter).
    ///
    /// # Errors
    ///
    /// See [`EnterError`]; nothing changes then.
    pub fn enter(&self) -> Result<SharedCore<M, T, CPUS>, EnterError> {
        // AR1: the handle beside it has a count, and is dropped after it; nothing that it gives out below outlives that.
        let core = self.extended().enter()?;
        Ok(SharedCore { core: MaybeUninit::new(core), scheduler: self.clone() })
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> SharedCore<M, T, CPUS> {
    /// The scheduler.
    pub fn scheduler(&self) -> &Shared<M, T, CPUS> {
        &self.scheduler
    }

    fn core(&self) -> &Core<M, T, CPUS> {
        // SAFETY: it is there until the drop.
        unsafe { self.core.assume_init_ref() }
    }

    fn core_mut(&mut self) -> &mut Core<M, T, CPUS> {
        // SAFETY: as above.
        unsafe { self.core.assume_init_mut() }
    }

    /// As [`Core::id`].
    pub fn id(&self) -> CpuId {
        self.core().id()
    }

    /// As [`Core::queued`].
    pub fn queued(&self) -> usize {
        self.core().queued()
    }

    /// As [`Core::run`].
    pub fn run(&mut self) {
        self.core_mut().run();
    }

    /// As [`Core::step`].
    pub fn step(&mut self) -> Step {
        self.core_mut().step()
    }

    /// As [`Core::tick`].
    pub fn tick(&mut self) -> Tick {
        self.core_mut().tick()
    }

    /// As [`Core::tick_n`].
    pub fn tick_n(&mut self, polls: usize) -> Tick {
        self.core_mut().tick_n(polls)
    }

    /// As [`Core::block_on`].
    pub fn block_on<F>(&mut self, future: F) -> F::Output
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.core_mut().block_on(future)
    }

    /// As [`Core::end_tasks`].
    pub fn end_tasks(&mut self) -> usize {
        self.core_mut().end_tasks()
    }

    /// As [`Core::local_spawner`]: the local form, whose futures need not be `Send`.
    pub fn local_spawner(&self) -> LocalSpawner<M, T, CPUS> {
        // AR1: the spawner has a count.
        let mut spawner = self.core().local_spawner();
        spawner.keep = self.scheduler.keep();
        spawner
    }

    /// As [`Core::try_steal`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_steal(&mut self, victim: CpuId) -> Result<Stealer<'_, M, T, CPUS>, StealError> {
        self.core_mut().try_steal(victim)
    }

    /// As [`Core::try_steal_injected`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn try_steal_injected(&mut self) -> Result<Stealer<'_, M, T, CPUS>, StealError> {
        self.core_mut().try_steal_injected()
    }

    /// As [`Core::leave`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn leave(&mut self, if_pinned: IfPinned) -> Result<(), OfflineError> {
        self.core_mut().leave(if_pinned)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// AR3: only this CPU may touch its list of what it has woken itself, and who closes the scheduler may be another one. So from
    /// here on nothing goes into it, until the CPU comes again.
    fn close_woken(&mut self) {
        let masked = self.scheduler.masked();
        // SAFETY: the loop is on its CPU.
        let mut woken = unsafe { self.cpu.woken.close(&masked) };
        self.woken.append(&mut woken);
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Drop for SharedCore<M, T, CPUS> {
    fn drop(&mut self) {
        // LO4: in this order.
        self.core_mut().end_local_tasks();
        self.core_mut().close_woken();
        // SAFETY: it is there, and not used again. The handle goes after it.
        unsafe { self.core.assume_init_drop() }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> fmt::Debug for SharedCore<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedCore").field(self.core()).finish()
    }
}
