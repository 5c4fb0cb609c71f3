//! Counters: one block for each CPU, and one for threads that are no CPU.

use crate::sync::{AtomicU64, Ordering, const_fn};
use core::ops::AddAssign;

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// The counters of one CPU.
        pub(crate) struct Stats {
            $(pub(crate) $name: Counter,)*
        }

        impl Stats {
            const_fn! {
                pub(crate) const fn new() -> Self {
                    Self { $($name: Counter::new(),)* }
                }
            }

            pub(crate) fn read(&self) -> CpuStats {
                CpuStats { $($name: self.$name.get(),)* }
            }
        }

        /// What one CPU counted since the scheduler was made. Each number is exact; together they are not a
        /// snapshot of one moment.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct CpuStats {
            $($(#[$doc])* pub $name: u64,)*
        }

        impl AddAssign for CpuStats {
            fn add_assign(&mut self, other: Self) {
                let queue_high_water = self.queue_high_water.max(other.queue_high_water);
                $(self.$name += other.$name;)*
                self.queue_high_water = queue_high_water;
            }
        }
    };
}

counters! {
    /// Steps of the loop.
    steps,
    /// Polls of tasks.
    polls,
    /// Runs of threads: switches to one.
    thread_runs,
    /// Threads and polls that were preempted here.
    preempted,
    /// Tasks that were made here.
    spawned,
    /// Tasks that finished here.
    completed,
    /// Tasks that were cancelled and whose future was dropped here.
    cancelled,
    /// Tasks that waited with nobody left to wake them, and were freed here.
    unreachable,
    /// Runnable tasks that were pushed to an inbox here: one for each burst of wakes of a task that waited.
    wakes_placed,
    /// Runnable tasks that came out of this CPU's inboxes.
    wakes_drained,
    /// Reschedule interrupts sent from here.
    kicks_sent,
    /// Pushes from here that needed none.
    kicks_saved,
    /// Reschedule interrupts received.
    kicks_received,
    /// Rounds over other CPUs in search of work.
    steals_tried,
    /// Tasks taken from other CPUs.
    steals_won,
    /// Tasks that were ready here, and moved to others when the CPU went offline.
    evacuated,
    /// Tasks taken from the injector.
    injected,
    /// Timers fired.
    timers_fired,
    /// Halts.
    halts,
    /// Nanoseconds spent halted.
    idle_ns,
    /// The most tasks that ever waited in the run queues.
    queue_high_water,
}

/// A counter with one writer at a time: its CPU, or several threads that use [`add_shared`](Self::add_shared).
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const_fn! {
        pub(crate) const fn new() -> Self {
            Self(AtomicU64::new(0))
        }
    }

    /// Adds, by the one writer: the loop, or code that masks interrupts on that CPU for as long.
    #[inline]
    pub(crate) fn add(&self, count: u64) {
        // Ordering: Relaxed; one writer, and readers want a number only.
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Adds, by any of several writers.
    pub(crate) fn add_shared(&self, count: u64) {
        // Ordering: Relaxed; readers want a number only.
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// Keeps the larger, by the one writer.
    #[inline]
    pub(crate) fn raise_to(&self, value: u64) {
        if value > self.get() {
            // Ordering: Relaxed; one writer, and readers want a number only.
            self.0.store(value, Ordering::Relaxed);
        }
    }

    pub(crate) fn get(&self) -> u64 {
        // Ordering: Relaxed; a number for people.
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of all CPUs and threads together.
pub type Totals = CpuStats;
