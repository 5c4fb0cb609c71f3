//! Time limits and beats, made of sleeps.
//!
//! # Invariants
//!
//! - **N1** The beats of an interval are at `start + k * period`: how late one was found changes none after it.
//! - **N2** Giving up a wait changes nothing: the next one is for the same beat.

use crate::time::{Sleep, TICK_NS};
use crate::trace::Trace;
use crate::{Machine, Scheduler};
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;
use pin_project_lite::pin_project;

impl<M: Machine, T: Trace, const CPUS: usize> Scheduler<M, T, CPUS> {
    /// Completes `ticks` times [`TICK_NS`] from now, or up to one tick after; never early.
    pub fn sleep_ticks(&'static self, ticks: u64) -> Sleep {
        self.sleep_ns(ticks.saturating_mul(TICK_NS))
    }

    /// Completes `duration` from now, or up to [`TICK_NS`] after; never early. What is longer than `u64::MAX` ns is for ever.
    pub fn sleep(&'static self, duration: Duration) -> Sleep {
        self.sleep_ns(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX))
    }

    /// `future`, for at most `limit_ns` from now: what it gives, or [`TimedOut`]. The future is polled before the time is looked
    /// at, so one that is ready is never too late.
    ///
    /// Costs what a [`Sleep`] costs; no allocation. The future is dropped with the timeout.
    pub fn timeout<F: Future>(&'static self, limit_ns: u64, future: F) -> Timeout<F> {
        Timeout { future, sleep: self.sleep_ns(limit_ns) }
    }

    /// A beat every `period_ns`, the first one a period from now. Periods shorter than [`TICK_NS`] are as long as that.
    pub fn interval(&'static self, period_ns: u64) -> Interval<M, T, CPUS> {
        let period_ns = period_ns.max(TICK_NS);
        let next_ns = self.machine().now_ns().saturating_add(period_ns);
        Interval { scheduler: self, period_ns, next_ns }
    }
}

/// The time was up before the future was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimedOut;

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time was up before the future was done")
    }
}

impl core::error::Error for TimedOut {}

pin_project! {
    /// A future with a time limit, see [`Scheduler::timeout`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Timeout<F> {
        #[pin]
        future: F,
        #[pin]
        sleep: Sleep,
    }
}

impl<F: Future> Future for Timeout<F> {
    type Output = Result<F::Output, TimedOut>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if let Poll::Ready(output) = this.future.poll(context) {
            return Poll::Ready(Ok(output));
        }
        this.sleep.poll(context).map(|()| Err(TimedOut))
    }
}

/// Beats of a constant period, see [`Scheduler::interval`].
pub struct Interval<M: 'static, T: 'static, const CPUS: usize> {
    scheduler: &'static Scheduler<M, T, CPUS>,
    period_ns: u64,
    /// The beat that is waited for next.
    next_ns: u64,
}

impl<M: Machine, T: Trace, const CPUS: usize> Interval<M, T, CPUS> {
    /// Waits for the next beat; at once, if it is over already. Answers how many beats after that one are over as well: those are
    /// left out, and the next wait is for the first one that is to come (N1).
    ///
    /// A wait that is dropped is as if it had not been (N2).
    pub async fn tick(&mut self) -> u64 {
        self.scheduler.sleep_until(self.next_ns).await;
        let late_ns = self.scheduler.machine().now_ns().saturating_sub(self.next_ns);
        let missed = late_ns / self.period_ns;
        let passed_ns = (missed + 1).saturating_mul(self.period_ns);
        self.next_ns = self.next_ns.saturating_add(passed_ns);
        missed
    }

    /// When the beat is that is waited for next, by the machine's clock.
    pub fn next_ns(&self) -> u64 {
        self.next_ns
    }
}

impl<M, T, const CPUS: usize> fmt::Debug for Interval<M, T, CPUS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interval")
            .field("period_ns", &self.period_ns)
            .field("next_ns", &self.next_ns)
            .finish_non_exhaustive()
    }
}
