//! A thread that is a CPU.

use super::{CPU, Hosted};
use sched::trace::Trace;
use sched::{CpuId, Scheduler};
use std::io;
use std::sync::atomic::{Ordering, fence};
use std::thread::JoinHandle;

/// A running CPU of a hosted scheduler.
#[derive(Debug)]
pub struct CpuThread(JoinHandle<()>);

impl CpuThread {
    /// Starts the thread that is CPU `index`, which runs the scheduler's loop until it is stopped.
    ///
    /// # Errors
    ///
    /// When the operating system has no more threads, or the CPU has had a thread already.
    pub fn start<T: Trace + Send, const CPUS: usize>(
        scheduler: &'static Scheduler<Hosted, T, CPUS>,
        index: u32,
    ) -> io::Result<Self> {
        if scheduler
            .machine()
            .cpus
            .get(index as usize)
            .is_none_or(|cpu| cpu.taken.swap(true, Ordering::Relaxed))
        {
            return Err(io::Error::new(
                io::ErrorKind::AlreadyExists,
                format!("cpu{index} has a thread, or is none"),
            ));
        }
        let thread = std::thread::Builder::new().name(format!("cpu{index}")).spawn(move || {
            let id = CpuId::new(index);
            CPU.set(Some(id));
            if let Some(cpu) = scheduler.machine().cpus.get(id.index()) {
                let _ = cpu.thread.set(std::thread::current());
            }
            // Ordering: SeqCst, pairs with the fence in `Hosted::kick`.
            fence(Ordering::SeqCst);
            match scheduler.enter() {
                // The executor needs no stack of its own: nothing could interrupt a poll on it.
                Ok(mut core) => core.run(),
                Err(error) => eprintln!("{id} cannot enter the scheduler: {error}"),
            }
        })?;
        Ok(Self(thread))
    }

    /// Waits until the loop has ended; `false` if it panicked.
    pub fn join(self) -> bool {
        self.0.join().is_ok()
    }
}
