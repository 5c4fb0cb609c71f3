//! rt-app's resources as tasks meet them: mutex, semaphore, barrier. A condition is a [`WaitList`].

use crate::workload::wait_list::WaitList;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A mutual exclusion that knows its owner, for files may unlock what they do not hold.
#[derive(Debug, Default)]
pub struct Mutex {
    /// 0: free.
    owner: AtomicU64,
    line: WaitList,
}

impl Mutex {
    /// Acquires it for `me`, which is not 0. One who has it already waits for ever, as with POSIX's default kind.
    pub async fn lock(&self, me: u64) {
        while !self.try_lock(me) {
            let place = self.line.enter();
            if self.try_lock(me) {
                return;
            }
            place.wait().await;
        }
    }

    fn try_lock(&self, me: u64) -> bool {
        // Ordering: Acquire pairs with the Release in `unlock`.
        self.owner.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Releases it; without effect if `me` does not have it.
    pub fn unlock(&self, me: u64) {
        // Ordering: Release pairs with the Acquire in `try_lock`.
        if self.owner.compare_exchange(me, 0, Ordering::Release, Ordering::Relaxed).is_ok() {
            self.line.call_one();
        }
    }
}

/// A counting semaphore.
#[derive(Debug, Default)]
pub struct Semaphore {
    count: AtomicU64,
    line: WaitList,
}

impl Semaphore {
    /// Takes one, or waits for one.
    pub async fn take(&self) {
        while !self.try_take() {
            let place = self.line.enter();
            if self.try_take() {
                return;
            }
            place.wait().await;
        }
    }

    fn try_take(&self) -> bool {
        // Ordering: Acquire pairs with the Release in `post`.
        self.count
            .fetch_update(Ordering::Acquire, Ordering::Relaxed, |count| count.checked_sub(1))
            .is_ok()
    }

    /// Adds one.
    pub fn post(&self) {
        // Ordering: Release pairs with the Acquire in `try_take`.
        self.count.fetch_add(1, Ordering::Release);
        self.line.call_one();
    }
}

/// A barrier for a number of parties, used again and again.
#[derive(Debug)]
pub struct Barrier {
    parties: u32,
    arrived: AtomicU32,
    round: AtomicU64,
    line: WaitList,
}

impl Barrier {
    /// For so many parties.
    pub fn new(parties: u32) -> Self {
        Self {
            parties,
            arrived: AtomicU32::new(0),
            round: AtomicU64::new(0),
            line: WaitList::default(),
        }
    }

    /// Waits until all parties have come.
    pub async fn wait(&self) {
        // The round does not end before this party has come. Ordering: Acquire pairs with the Release below.
        let round = self.round.load(Ordering::Acquire);
        // Ordering: AcqRel; the last party sees what all did before, and hands it on by `round`.
        if self.arrived.fetch_add(1, Ordering::AcqRel) + 1 == self.parties {
            // Ordering: Relaxed; who comes next has seen the new round.
            self.arrived.store(0, Ordering::Relaxed);
            // Ordering: Release pairs with the Acquire above and below.
            self.round.fetch_add(1, Ordering::Release);
            self.line.call_all();
            return;
        }
        // Ordering: Acquire; see above.
        while self.round.load(Ordering::Acquire) == round {
            let place = self.line.enter();
            // Ordering: Acquire; see above.
            if self.round.load(Ordering::Acquire) != round {
                return;
            }
            place.wait().await;
        }
    }
}
