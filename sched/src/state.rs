//! The state of a task: one atomic word, and the only functions that change it.
//!
//! ```text
//!                       1 wake, cancel                      2 begin
//!            ┌── idle ─────────────────► QUEUED ─────────────────────► RUNNING ──┐ 5 complete
//!            │    ▲                       ▲  ▲ ╲__ 1 wake: + NOTIFIED   │ │ ╲     └──► COMPLETE
//!  8 release │    │ 4 end: not NOTIFIED   │  └─────────────────────────┘ │  ╲__ 1 wake: + NOTIFIED
//!            ▼    └───────────────────────┼──────────────────────────────┘
//!        unreachable                      └── 3 end: NOTIFIED (kept)
//! ```
//!
//! | # | Transition | Function | By |
//! |---|---|---|---|
//! | 1 | wake: idle → `QUEUED`; `QUEUED`, `RUNNING` → the same `+ NOTIFIED`; `COMPLETE` → nothing | [`State::wake`], [`State::wake_owned`] | anyone, anywhere |
//! | 1' | cancel: the same, `+ CANCELLED` | [`State::cancel`] | anyone, anywhere |
//! | 1'' | shut down: the same, `+ CANCELLED`, `+ SHUT_DOWN` unless it was cancelled already | [`State::shut_down`] | anyone, anywhere |
//! | 2 | pick: `QUEUED` → `RUNNING`, `− NOTIFIED` | [`State::begin`] | the loop that holds the task |
//! | 2' | pick of a thread: the same, and it is told of `NOTIFIED` | [`State::begin_thread`] | that loop |
//! | 2'' | a thread that runs takes its token, instead of waiting: `RUNNING`, `− NOTIFIED` | [`State::take_token`] | that thread |
//! | 3' | a thread yielded or was preempted: `RUNNING` → `QUEUED`, `NOTIFIED` kept | [`State::end_runnable`] | that loop |
//! | 3, 4 | end of a run that did not finish: `RUNNING` → `QUEUED` if `NOTIFIED`, else idle | [`State::end`] | that loop |
//! | 5 | the run finished: `RUNNING` → `COMPLETE` | [`State::complete`] | that loop |
//! | 6 | the join handle goes, and its reference, unless it is to take the output | [`State::drop_join`] | its holder |
//! | 7 | a reference more | [`State::add_reference`] | who has one |
//! | 7' | the same, if there is one and the task is not over | [`State::try_add_reference`] | who is sure of the memory |
//! | 8 | a reference less | [`State::release`] | who has one |
//!
//! # Invariants
//!
//! - **S1** `QUEUED` and `RUNNING` exclude each other; either owns one reference, the *queue's*: exactly one
//!   queue, inbox, thief or loop has the task.
//! - **S2** (PA1) `NOTIFIED` is a sticky token: wakes set it, only the pick clears it, and a thread that runs, which is told by that.
//! - **S3** (PA2) Each wake of a task that is not complete is a successful read-modify-write that releases, also
//!   when the word does not change by it; picks and ends acquire. So whatever a waker wrote before its wake is
//!   seen by a poll that follows it.
//! - **S4** (PA3) After transition 4 the loop has no reference and touches the task no more.
//! - **S5** `CANCELLED`, `SHUT_DOWN` and `COMPLETE` are never cleared, and `SHUT_DOWN` comes with `CANCELLED` only.
//!
//! This module is public so that kernels can put the word into models of their own.

mod answers;

use crate::sync::{AtomicU64, Ordering, const_fn, fence};
pub use answers::{Begin, BeginThread, Completed, DropJoin, End, RunState, Wake};
use core::fmt;

const QUEUED: u64 = 1;
const RUNNING: u64 = 1 << 1;
const NOTIFIED: u64 = 1 << 2;
const COMPLETE: u64 = 1 << 3;
const CANCELLED: u64 = 1 << 4;
const JOIN: u64 = 1 << 5;
/// With `CANCELLED`: why.
const SHUT_DOWN: u64 = 1 << 6;
/// One reference. 57 bits of them cannot be used up by a program that runs for a lifetime.
const REFERENCE: u64 = 1 << 7;

/// The state word of one task.
pub struct State(AtomicU64);

impl State {
    const_fn! {
        /// A new task in the hands of its spawner: queued, with a join handle; one reference for each.
        pub const fn new() -> Self {
            Self(AtomicU64::new(QUEUED | JOIN | (2 * REFERENCE)))
        }
    }

    /// Transition 1, for a waker that stays alive. [`Wake::Place`] comes with a new reference.
    ///
    /// Lock-free; any context but NMI.
    pub fn wake(&self) -> Wake {
        self.wake_with(0, REFERENCE, 0)
    }

    /// Transition 1, for a waker that gives its reference up: to the queue with [`Wake::Place`], to nobody with
    /// [`Wake::Told`]; with [`Wake::Complete`] the caller still has it, and releases it.
    ///
    /// Lock-free; any context but NMI.
    pub fn wake_owned(&self) -> Wake {
        self.wake_with(0, 0, REFERENCE)
    }

    /// Transition 1': cancel and wake in one step (PA3). [`Wake::Place`] comes with a new reference.
    ///
    /// Lock-free; any context but NMI.
    pub fn cancel(&self) -> Wake {
        self.wake_with(CANCELLED, REFERENCE, 0)
    }

    /// Transition 1'': as [`cancel`](Self::cancel), but for the reason that is given for it. The first reason stands.
    ///
    /// Lock-free; any context but NMI.
    pub fn shut_down(&self) -> Wake {
        self.wake_with(CANCELLED | SHUT_DOWN, REFERENCE, 0)
    }

    fn wake_with(&self, also: u64, gain_if_placed: u64, loss_if_told: u64) -> Wake {
        // Ordering: Relaxed; only the value for the exchange below, which decides.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            if word & COMPLETE != 0 {
                return Wake::Complete;
            }
            // S5.
            let also = if word & CANCELLED == 0 { also } else { 0 };
            let (next, answer) = if word & (QUEUED | RUNNING) != 0 {
                // S1: the queue's reference is not ours, so ours is not the last.
                ((word | also | NOTIFIED) - loss_if_told, Wake::Told)
            } else {
                ((word | also | QUEUED) + gain_if_placed, Wake::Place)
            };
            // Ordering: AcqRel. Release pairs with the Acquire of `begin` and `end`: they see what the waker
            // wrote before (S3). Acquire pairs with the Release of `end`: the one who places the task sees its
            // home CPU as the last loop left it.
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return answer,
                Err(seen) => word = seen,
            }
        }
    }

    /// Transition 2, by the loop that took the task from a queue.
    ///
    /// Lock-free: retried only when a wake or a reference count came between.
    #[inline]
    pub fn begin(&self) -> Begin {
        // Ordering: Relaxed; only the value for the exchange below, which decides.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(word & (QUEUED | RUNNING | COMPLETE) == QUEUED, "pick of {self:?}");
            let next = (word ^ (QUEUED | RUNNING)) & !NOTIFIED;
            // Ordering: Acquire pairs with the Release of every wake so far, each of which is in this word's
            // release sequence (S3). Nothing is published by a pick.
            match self.0.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) if word & CANCELLED != 0 => return Begin::Cancelled,
                Ok(_) => return Begin::Poll,
                Err(seen) => word = seen,
            }
        }
    }

    /// Transition 2, for a thread: the token goes from the word to the thread.
    ///
    /// Lock-free: retried only when a wake or a reference count came between.
    pub fn begin_thread(&self) -> BeginThread {
        // Ordering: Relaxed; only the value for the exchange below, which decides.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(word & (QUEUED | RUNNING | COMPLETE) == QUEUED, "pick of {self:?}");
            let next = (word ^ (QUEUED | RUNNING)) & !NOTIFIED;
            // Ordering: Acquire; as in `begin`.
            match self.0.compare_exchange_weak(word, next, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    return BeginThread {
                        was_notified: word & NOTIFIED != 0,
                        is_cancelled: word & CANCELLED != 0,
                    };
                }
                Err(seen) => word = seen,
            }
        }
    }

    /// Transition 2'', by the thread that runs, or what runs on its CPU in its stead: whether a wake came since the pick, or since
    /// the last time.
    ///
    /// Wait-free.
    pub fn take_token(&self) -> bool {
        // Ordering: Relaxed; a wake that is not seen here is seen by the end of the run, which decides.
        if self.0.load(Ordering::Relaxed) & NOTIFIED == 0 {
            return false;
        }
        // Ordering: Acquire pairs with the Release of every wake so far (S3). Nothing is published.
        let word = self.0.fetch_and(!NOTIFIED, Ordering::Acquire);
        debug_assert!(word & (QUEUED | RUNNING | COMPLETE) == RUNNING, "token of {self:?}");
        true
    }

    /// Transition 3', by the loop that ran a thread which does not wait: it yielded, or was preempted. A wake that came
    /// meanwhile stays for its next pick (PA1).
    ///
    /// Wait-free.
    pub fn end_runnable(&self) {
        // Ordering: Release pairs with the Acquire of the next pick, on whatever CPU: it sees the thread as this run left
        // it.
        let word = self.0.fetch_xor(QUEUED | RUNNING, Ordering::Release);
        debug_assert!(word & (QUEUED | RUNNING | COMPLETE) == RUNNING, "end of run of {self:?}");
    }

    /// Transitions 3 and 4, by the loop that ran the task.
    ///
    /// Lock-free: retried only when a wake or a reference count came between.
    #[inline]
    pub fn end(&self) -> End {
        // Ordering: Relaxed; only the value for the exchange below, which decides.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            debug_assert!(
                word & (QUEUED | RUNNING | COMPLETE) == RUNNING,
                "end of run of {self:?}"
            );
            let (next, answer) = if word & NOTIFIED != 0 {
                (word ^ (QUEUED | RUNNING), End::Requeue)
            } else if word / REFERENCE == 1 {
                ((word & !RUNNING) - REFERENCE, End::Unreachable)
            } else {
                ((word & !RUNNING) - REFERENCE, End::Idle)
            };
            // Ordering: AcqRel. Release pairs with the Acquire of the next wake or pick: they see the future as
            // this run left it (PA2, PA3). Acquire pairs with the Release of wakes and of released references,
            // for the loop that requeues or frees the task.
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return answer,
                Err(seen) => word = seen,
            }
        }
    }

    /// Transition 5, by the loop that ran the task, after the output is in its place. Answers who is there besides the caller,
    /// which keeps its reference.
    ///
    /// Wait-free.
    pub fn complete(&self) -> Completed {
        // Ordering: AcqRel. Release pairs with the Acquire of `is_complete` and `drop_join`: the handle's holder
        // sees the output. Acquire pairs with the Release of a `drop_join` that came first, and of every reference
        // given up before, should the caller's be the only one left.
        let word = self.0.fetch_xor(RUNNING | COMPLETE, Ordering::AcqRel);
        debug_assert!(word & (QUEUED | RUNNING | COMPLETE) == RUNNING, "completion of {self:?}");
        match word / REFERENCE {
            _ if word & JOIN != 0 => Completed::Join,
            1 => Completed::Nobody,
            _ => Completed::Others,
        }
    }

    /// Transition 6.
    ///
    /// Lock-free: retried only when another transition came between; any context.
    pub fn drop_join(&self) -> DropJoin {
        // Ordering: Relaxed; only the value for the exchange below, or for the fence behind it.
        let mut word = self.0.load(Ordering::Relaxed);
        while word & COMPLETE == 0 {
            let next = word - JOIN - REFERENCE;
            // Ordering: AcqRel. Release pairs with the Acquire of `complete`, which sees that there is no handle, and of whoever
            // gives up the last reference. Acquire pairs with the Release of every reference given up before, should this be
            // the last.
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) if next < REFERENCE => return DropJoin::Unreachable,
                Ok(_) => return DropJoin::Done,
                Err(seen) => word = seen,
            }
        }
        // Ordering: Acquire pairs with the Release of `complete`: the handle's holder sees the output.
        fence(Ordering::Acquire);
        DropJoin::Complete
    }

    /// Transition 7. Wait-free; any context.
    pub fn add_reference(&self) {
        // Ordering: Relaxed; who adds one has one, and hands the new one on by other means.
        self.0.fetch_add(REFERENCE, Ordering::Relaxed);
    }

    /// Transition 7 for one who has no reference, but is sure of the memory: a reference to a task that somebody else has one
    /// to, and that is not complete. Of any other one, who has the last reference may have made sure already that it is the last
    /// ([`Completed::Nobody`], [`End::Unreachable`]).
    ///
    /// Lock-free: retried only when another transition came between; any context.
    pub fn try_add_reference(&self) -> bool {
        // Ordering: Relaxed; only the value for the exchange below, which decides.
        let mut word = self.0.load(Ordering::Relaxed);
        while word >= REFERENCE && word & COMPLETE == 0 {
            let next = word + REFERENCE;
            // Ordering: Relaxed; what is read by way of the reference never changes, or is atomic, and what keeps the memory
            // there has ordered its making. Who frees the task comes after this in the word's order, or this fails.
            match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(seen) => word = seen,
            }
        }
        false
    }

    /// What the task is at, for people: by the time of the answer it may be something else.
    pub fn run_state(&self) -> RunState {
        // Ordering: Relaxed; a hint.
        let word = self.0.load(Ordering::Relaxed);
        match word & (QUEUED | RUNNING | COMPLETE) {
            0 => RunState::Waiting,
            QUEUED => RunState::Queued,
            RUNNING => RunState::Running,
            _ => RunState::Complete,
        }
    }

    /// Transition 8. Answers whether it was the last: then the task is the caller's alone.
    ///
    /// Wait-free; any context.
    pub fn release(&self) -> bool {
        // Ordering: Release pairs with the Acquire fence of whoever gives up the last reference.
        let before = self.0.fetch_sub(REFERENCE, Ordering::Release);
        debug_assert!(before >= REFERENCE, "a reference too many given up");
        let last = before < 2 * REFERENCE;
        if last {
            // Ordering: Acquire pairs with the Release of every reference given up before.
            fence(Ordering::Acquire);
        }
        last
    }

    /// Whether nobody has a reference: the task was pushed to an inbox to be freed, not to be run.
    pub fn is_unreferenced(&self) -> bool {
        // Ordering: Relaxed; asked by the only one who can still reach the task, after an Acquire of its own.
        self.0.load(Ordering::Relaxed) < REFERENCE
    }

    /// Whether the task was cancelled.
    pub fn is_cancelled(&self) -> bool {
        // Ordering: Acquire pairs with the Release of `cancel`.
        self.0.load(Ordering::Acquire) & CANCELLED != 0
    }

    /// Whether the task was shut down, and not cancelled before.
    pub fn is_shut_down(&self) -> bool {
        // Ordering: Acquire pairs with the Release of `shut_down`.
        self.0.load(Ordering::Acquire) & SHUT_DOWN != 0
    }

    /// Whether the output is there.
    pub fn is_complete(&self) -> bool {
        // Ordering: Acquire pairs with the Release of `complete`.
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ordering: Relaxed; a snapshot for people.
        let word = self.0.load(Ordering::Relaxed);
        let bits = [
            (QUEUED, "queued"),
            (RUNNING, "running"),
            (NOTIFIED, "notified"),
            (COMPLETE, "complete"),
            (CANCELLED, "cancelled"),
            (SHUT_DOWN, "shut down"),
            (JOIN, "join"),
        ];
        let mut set = f.debug_set();
        for (_, name) in bits.iter().filter(|(bit, _)| word & bit != 0) {
            set.entry(&format_args!("{name}"));
        }
        set.entry(&format_args!("{} references", word / REFERENCE)).finish()
    }
}
