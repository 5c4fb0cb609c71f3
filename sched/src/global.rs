//! One scheduler for a kernel, with free functions.

/// Declares the scheduler of a kernel, in one line: a module with the `static` in it, and functions that are its methods, so that
/// code anywhere in the kernel spawns and sleeps without having been given anything.
///
/// `SCHEDULER` is the scheduler itself, for all that has no function; there is nothing else behind the functions. With the feature
/// `alloc` there are `spawn`, `spawn_critical` and `spawn_background` besides `task`. On a machine that switches threads (feature
/// `threads`), `8 CPUs, threads = ...` adds `thread` and `schedule`, which gives the CPU to who else may run.
///
/// The functions cost, and may be called, as the methods of the same name, `schedule` as
/// `Scheduler::yield_thread`. Tasks may be spawned before a CPU is there; ids may be sparse, and come late.
///
/// ```
/// # use sched::{CpuId, Machine, Settings};
/// # pub struct Board;
/// # // SAFETY: one CPU, on one thread, which nothing interrupts.
/// # unsafe impl Machine for Board {
/// #     type Saved = ();
/// #     fn cpu(&self) -> Option<CpuId> { Some(CpuId::new(0)) }
/// #     fn now_ns(&self) -> u64 { 0 }
/// #     fn mask(&self) {}
/// #     unsafe fn restore(&self, (): ()) {}
/// #     fn kick(&self, _: CpuId) {}
/// #     unsafe fn halt(&self) {}
/// #     fn set_timer(&self, _: u64) {}
/// #     fn seed(&self) -> u64 { 1 }
/// # }
/// sched::global!(pub mod kernel: Board, 8 CPUs = Board, Settings::DEFAULT);
///
/// fn main() -> Result<(), sched::EnterError> {
///     # #[cfg(feature = "alloc")] {
///     let handle = kernel::spawn(async { 6 * 7 });
///     // On each CPU: `kernel::enter()?.run()`. Here, for as long as there is something to do:
///     let mut core = kernel::enter()?;
///     while core.tick().has_remaining {}
///     assert!(handle.is_complete());
///     # }
///     Ok(())
/// }
/// ```
#[cfg_attr(
    all(feature = "threads", not(miri), target_arch = "x86_64"),
    doc = "
```
# use sched::{CpuId, Machine, Settings, thread::StackMemory};
# pub struct Board;
# // SAFETY: one CPU, on one thread, which nothing interrupts.
# unsafe impl Machine for Board {
#     type Saved = ();
#     fn cpu(&self) -> Option<CpuId> { Some(CpuId::new(0)) }
#     fn now_ns(&self) -> u64 { 0 }
#     fn mask(&self) {}
#     unsafe fn restore(&self, (): ()) {}
#     fn kick(&self, _: CpuId) {}
#     unsafe fn halt(&self) {}
#     fn set_timer(&self, _: u64) {}
#     fn seed(&self) -> u64 { 1 }
# }
# // SAFETY: the architecture's own switch; this machine has no mask.
# unsafe impl sched_arch::Switch for Board {
#     unsafe fn begin(&self) {}
# }
sched::global!(mod kernel: Board, 8 CPUs, threads = Board, Settings::DEFAULT);

static MEMORY: StackMemory<32_768> = StackMemory::new();

fn main() {
    let worker = kernel::thread(\"worker\").spawn(MEMORY.claim().unwrap(), || {
        kernel::schedule();
        kernel::SCHEDULER.stop();
    });
    kernel::enter().unwrap().run();
    assert!(worker.unwrap().is_complete());
}
```
"
)]
#[macro_export]
macro_rules! global {
    (
        $(#[$attribute:meta])*
        $visibility:vis mod $name:ident: $machine:ty, $cpus:literal CPUs $(, $threads:ident)? =
        $make:expr, $settings:expr $(,)?
    ) => {
        $(#[$attribute])*
        $visibility mod $name {
            #[allow(unused_imports, reason = "what the machine and the settings name")]
            use super::*;

            /// The scheduler.
            pub static SCHEDULER: $crate::Scheduler<$machine, (), $cpus> =
                $crate::Scheduler::new($make, (), $settings);

            /// `Scheduler::enter`.
            ///
            /// # Errors
            ///
            /// As there.
            #[allow(dead_code, reason = "nobody needs all of them, here and below")]
            pub fn enter() -> ::core::result::Result<$crate::Core<$machine, (), $cpus>, $crate::EnterError> {
                SCHEDULER.enter()
            }

            /// `Scheduler::task`.
            #[allow(dead_code)]
            #[track_caller]
            pub fn task(name: &'static str) -> $crate::Builder<$machine, (), $cpus> {
                SCHEDULER.task(name)
            }

            /// `Scheduler::sleep_until`.
            #[allow(dead_code)]
            pub fn sleep_until(deadline_ns: u64) -> $crate::time::Sleep {
                SCHEDULER.sleep_until(deadline_ns)
            }

            /// `Scheduler::sleep_ns`.
            #[allow(dead_code)]
            pub fn sleep_ns(duration_ns: u64) -> $crate::time::Sleep {
                SCHEDULER.sleep_ns(duration_ns)
            }

            /// `Scheduler::sleep_ms`: rounded up, and never early.
            #[allow(dead_code)]
            pub fn sleep_ms(duration_ms: u64) -> $crate::time::Sleep {
                SCHEDULER.sleep_ms(duration_ms)
            }

            /// `Scheduler::current_task_info`.
            #[allow(dead_code)]
            pub fn current_task_info() -> ::core::option::Option<$crate::TaskInfo> {
                SCHEDULER.current_task_info()
            }

            /// `Scheduler::should_yield`.
            #[allow(dead_code)]
            pub fn should_yield() -> bool {
                SCHEDULER.should_yield()
            }

            /// `Interrupts::on_kick`: for the handler of the reschedule interrupt.
            #[allow(dead_code)]
            pub fn on_kick() {
                $crate::Interrupts::on_kick(&SCHEDULER);
            }

            /// `Interrupts::on_timer`: for the handler of the timer interrupt.
            #[allow(dead_code)]
            pub fn on_timer() {
                $crate::Interrupts::on_timer(&SCHEDULER);
            }

            $crate::__global_alloc!();
            $($crate::__global_threads!($threads, $machine, $cpus);)?
        }
    };
}

/// The part of [`global!`] that allocates.
#[cfg(feature = "alloc")]
#[doc(hidden)]
#[macro_export]
macro_rules! __global_alloc {
    () => {
        /// `Scheduler::spawn`.
        #[allow(dead_code)]
        #[track_caller]
        pub fn spawn<F>(future: F) -> $crate::JoinHandle<F::Output>
        where
            F: ::core::future::Future<Output: ::core::marker::Send + 'static>
                + ::core::marker::Send
                + 'static,
        {
            SCHEDULER.spawn(future)
        }

        /// `Scheduler::spawn_critical`.
        #[allow(dead_code)]
        #[track_caller]
        pub fn spawn_critical<F>(name: &'static str, future: F) -> $crate::JoinHandle<F::Output>
        where
            F: ::core::future::Future<Output: ::core::marker::Send + 'static>
                + ::core::marker::Send
                + 'static,
        {
            SCHEDULER.spawn_critical(name, future)
        }

        /// `Scheduler::spawn_background`.
        #[allow(dead_code)]
        #[track_caller]
        pub fn spawn_background<F>(name: &'static str, future: F) -> $crate::JoinHandle<F::Output>
        where
            F: ::core::future::Future<Output: ::core::marker::Send + 'static>
                + ::core::marker::Send
                + 'static,
        {
            SCHEDULER.spawn_background(name, future)
        }
    };
}

/// Nothing allocates.
#[cfg(not(feature = "alloc"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __global_alloc {
    () => {};
}

/// The part of [`global!`] that is about threads.
#[cfg(feature = "threads")]
#[doc(hidden)]
#[macro_export]
macro_rules! __global_threads {
    (threads, $machine:ty, $cpus:literal) => {
        /// `Scheduler::thread`.
        #[allow(dead_code)]
        #[track_caller]
        pub fn thread(name: &'static str) -> $crate::thread::ThreadBuilder<$machine, (), $cpus> {
            SCHEDULER.thread(name)
        }

        /// `Scheduler::yield_thread`: gives the CPU to who else may run.
        #[allow(dead_code)]
        pub fn schedule() {
            SCHEDULER.yield_thread();
        }
    };
}
