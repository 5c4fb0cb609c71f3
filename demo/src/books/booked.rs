//! A task whose wakes are in the books, for who spawned it.

use super::Record;
use sched::JoinHandle;
use std::sync::Arc;

/// A booked task in the hands of who spawned it.
#[derive(Debug)]
pub struct Booked {
    record: Arc<Record>,
    handle: JoinHandle<()>,
}

impl Booked {
    /// The task of `handle`, whose wakes `record` counts.
    #[must_use]
    pub fn new(record: Arc<Record>, handle: JoinHandle<()>) -> Self {
        Self { record, handle }
    }

    /// Cancels the task, by a wake that counts.
    pub fn cancel(&self) {
        self.record.count_wake();
        self.handle.cancel();
    }

    /// The right to its output, to be awaited.
    #[must_use]
    pub fn join(self) -> JoinHandle<()> {
        self.handle
    }
}
