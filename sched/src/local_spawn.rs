//! Spawning local tasks. What keeps them on their CPU is in `local.rs`.

use crate::core_loop::Core;
use crate::cpu_set::CpuSet;
use crate::far::Far;
use crate::local::{LocalFuture, LocalList};
use crate::spawn::Builder;
use crate::task::{Cell, Claim, JoinHandle, Meta, Queued, Storage, TaskId};
use crate::trace::Trace;
use crate::{CpuId, Machine, Scheduler};
use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;

/// The right to spawn tasks on one CPU whose futures need not be `Send`; see [`Core::local_spawner`]. It stays where its loop is:
/// on that loop's own stack, and in its local tasks.
///
/// To spawn a `Send` future on that CPU from anywhere, give it the [affinity](Builder::affinity) of that CPU.
///
/// Neither can be sent to another stack:
///
/// ```compile_fail,E0277
/// # use sched::{LocalSpawner, Machine};
/// fn send<M: Machine + 'static>(spawner: LocalSpawner<M>) -> impl Send {
///     spawner
/// }
/// ```
pub struct LocalSpawner<M: 'static, T: 'static = (), const CPUS: usize = 64> {
    scheduler: Far<Scheduler<M, T, CPUS>>,
    cpu: CpuId,
    list: Far<LocalList>,
    stay: usize,
    #[cfg(feature = "alloc")]
    pub(crate) keep: Option<crate::shared::Keep>,
    _stays_on_its_cpu: PhantomData<*mut ()>,
}

/// The loop of the spawner has ended, and its local tasks with it, or it is another scheduler's than the builder. Here is the
/// future.
pub struct NotLocal<F>(pub F);

impl<M: Machine, T: Trace, const CPUS: usize> Core<M, T, CPUS> {
    /// A spawner for tasks that stay here, and that end when this loop does. Wait-free.
    pub fn local_spawner(&self) -> LocalSpawner<M, T, CPUS> {
        let list = &self.cpu.local;
        LocalSpawner {
            scheduler: Far::new(self.scheduler),
            cpu: self.id,
            list: Far::new(list),
            stay: list.stay(),
            #[cfg(feature = "alloc")]
            keep: None,
            _stays_on_its_cpu: PhantomData,
        }
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> LocalSpawner<M, T, CPUS> {
    /// Whether the loop is still there.
    pub fn is_open(&self) -> bool {
        self.list.get().is_open(self.stay)
    }

    /// Spawns a Normal local task, see [`Builder::spawn_local`].
    ///
    /// # Errors
    ///
    /// [`NotLocal`], with the future, when the loop has ended.
    #[cfg(feature = "alloc")]
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> Result<JoinHandle<F::Output>, NotLocal<F>>
    where
        F: Future + 'static,
    {
        self.scheduler.get().task("").spawn_local(self, future)
    }
}

impl<M: Machine, T: Trace, const CPUS: usize> Builder<M, T, CPUS> {
    /// Spawns a task of a future that need not be `Send`, nor its output, on the spawner's CPU, where it stays whatever affinity
    /// was said before. The future is polled and dropped by that CPU's loop only: at the latest when the loop ends, which
    /// cancels the task. Until then the task is kept, also with nobody left to wake it. Its wakers are like any other's.
    ///
    /// Lock-free but for the allocator; one allocation. On the loop's own stack.
    ///
    /// # Errors
    ///
    /// [`NotLocal`], with the future, if the spawner's loop has ended, or is of another scheduler.
    ///
    /// ```
    /// # use sched::{Core, Machine, trace::Trace};
    /// use std::rc::Rc;
    ///
    /// fn count<M: Machine, T: Trace>(core: &mut Core<M, T>) -> Rc<()> {
    ///     let (spawner, counted) = (core.local_spawner(), Rc::new(()));
    ///     let mine = counted.clone();
    ///     let handle = spawner.spawn(async move { drop(mine) });
    ///     assert!(handle.is_ok());
    ///     let _tick = core.tick();
    ///     assert_eq!(Rc::strong_count(&counted), 1);
    ///     counted
    /// }
    /// ```
    #[cfg(feature = "alloc")]
    pub fn spawn_local<F>(
        mut self,
        spawner: &LocalSpawner<M, T, CPUS>,
        future: F,
    ) -> Result<JoinHandle<F::Output>, NotLocal<F>>
    where
        F: Future + 'static,
    {
        if !self.may_use(spawner) {
            return Err(NotLocal(future));
        }
        let (id, meta) = self.announce_local(spawner);
        let future = LocalFuture::new(future);
        let (task, handle) = Cell::in_box(future, self.scheduler.get(), id, meta);
        // SAFETY: made just now, of an `F`; the spawner is open.
        unsafe { self.place_local::<F>(spawner, task, &handle) };
        Ok(handle)
    }

    /// The same in memory of the caller's, as [`spawn_in`](Self::spawn_in): without an allocation.
    ///
    /// # Errors
    ///
    /// [`LocalError`], with the future and the storage.
    pub fn spawn_local_in<F, S>(
        mut self,
        spawner: &LocalSpawner<M, T, CPUS>,
        storage: S,
        future: F,
    ) -> Result<JoinHandle<F::Output>, LocalError<F, S>>
    where
        F: Future + 'static,
        S: Storage<LocalFuture<F>> + Send,
    {
        if !self.may_use(spawner) {
            return Err(LocalError::NotLocal { future, storage });
        }
        let claim = match Claim::new(storage) {
            Ok(claim) => claim,
            Err(storage) => return Err(LocalError::MemoryInUse { future, storage }),
        };
        let (id, meta) = self.announce_local(spawner);
        let (task, handle) = claim.fill(LocalFuture::new(future), self.scheduler.get(), id, meta);
        // SAFETY: made just now, of an `F`; the spawner is open.
        unsafe { self.place_local::<F>(spawner, task, &handle) };
        Ok(handle)
    }

    fn may_use(&self, spawner: &LocalSpawner<M, T, CPUS>) -> bool {
        spawner.is_open() && core::ptr::eq(self.scheduler.get(), spawner.scheduler.get())
    }

    fn announce_local(&mut self, spawner: &LocalSpawner<M, T, CPUS>) -> (TaskId, Meta) {
        self.meta.affinity = Some(CpuSet::EMPTY.with(spawner.cpu));
        self.meta.is_local = true;
        (self.announce(), self.meta)
    }

    /// Puts the task into the list of its CPU, and into its inbox.
    ///
    /// # Safety
    ///
    /// The task is a new `LocalFuture<F>`, with the affinity of the spawner's CPU; the spawner is open.
    unsafe fn place_local<F: Future + 'static>(
        &self,
        spawner: &LocalSpawner<M, T, CPUS>,
        task: Queued,
        handle: &JoinHandle<F::Output>,
    ) {
        // SAFETY: LO3, the caller is on the loop's stack; the future is pinned in its task, and takes itself out.
        let put_in = |future: Pin<&mut LocalFuture<F>>| unsafe {
            spawner.list.get().put_in(future.node(), handle.task_ref());
        };
        // SAFETY: the task is `QUEUED` in the caller's hands, and local (LO1), of an `F`.
        unsafe { Cell::<LocalFuture<F>>::with_future(&task, put_in) };
        task.header().set_home(spawner.cpu);
        #[cfg(feature = "registry")]
        self.scheduler.get().list_task(&task);
        self.scheduler.get().place_task(task);
    }
}

/// Why [`Builder::spawn_local_in`] spawned nothing. What it was given comes back.
#[non_exhaustive]
pub enum LocalError<F, S> {
    /// The loop of the spawner has ended, or it is another scheduler's than the builder.
    NotLocal {
        /// The future.
        future: F,
        /// The handle to the memory.
        storage: S,
    },
    /// The memory has a task already.
    MemoryInUse {
        /// The future.
        future: F,
        /// The handle to the memory.
        storage: S,
    },
}

impl<F, S> fmt::Debug for LocalError<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotLocal { .. } => "NotLocal { .. }",
            Self::MemoryInUse { .. } => "MemoryInUse { .. }",
        })
    }
}

impl<F, S> fmt::Display for LocalError<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotLocal { .. } => "the spawner's loop has ended, or is another scheduler's",
            Self::MemoryInUse { .. } => "the memory has a task already",
        })
    }
}

impl<F, S> core::error::Error for LocalError<F, S> {}

impl<M, T, const CPUS: usize> Clone for LocalSpawner<M, T, CPUS> {
    fn clone(&self) -> Self {
        Self {
            #[cfg(feature = "alloc")]
            keep: self.keep.clone(),
            ..*self
        }
    }
}

impl<M, T, const CPUS: usize> fmt::Debug for LocalSpawner<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSpawner").field("cpu", &self.cpu).finish_non_exhaustive()
    }
}

impl<F> fmt::Debug for NotLocal<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NotLocal(..)")
    }
}

impl<F> fmt::Display for NotLocal<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the spawner's loop has ended, or is another scheduler's")
    }
}

impl<F> core::error::Error for NotLocal<F> {}
