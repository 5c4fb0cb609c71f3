//! Two futures in one: both of them, or the first.
//!
//! For more than two, any crate of combinators does: nothing here or in the loop is special to these two.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use pin_project_lite::pin_project;

/// Both outputs, when both futures are done. They are polled in the order given, on each wake, until they are.
///
/// No allocation, no lock; each poll polls at most both.
///
/// ```
/// use core::pin::pin;
/// use core::task::{Context, Poll, Waker};
/// let mut both = pin!(sched::join(async { 1 }, async { "a" }));
/// let poll = both.as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// assert_eq!(poll, Poll::Ready((1, "a")));
/// # use std::future::Future;
/// ```
pub fn join<A: Future, B: Future>(first: A, second: B) -> Join<A, B> {
    Join { first: Maybe::Going { future: first }, second: Maybe::Going { future: second } }
}

/// The output of whichever future is done first; of the first one, if both are. The other one is dropped with this future,
/// which ends with it.
///
/// No allocation, no lock; each poll polls at most both, the first one first.
///
/// ```
/// use core::pin::pin;
/// use core::task::{Context, Poll, Waker};
/// use sched::Either;
/// let mut first = pin!(sched::select(std::future::pending::<u8>(), async { "done" }));
/// let poll = first.as_mut().poll(&mut Context::from_waker(Waker::noop()));
/// assert_eq!(poll, Poll::Ready(Either::Second("done")));
/// # use std::future::Future;
/// ```
pub fn select<A: Future, B: Future>(first: A, second: B) -> Select<A, B> {
    Select { both: Some(Pair { first, second }) }
}

/// What [`select`] answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Either<A, B> {
    /// The first future was done.
    First(A),
    /// The second future was done, and the first one was not.
    Second(B),
}

pin_project! {
    /// The future of [`join`].
    #[must_use = "futures do nothing unless awaited"]
    pub struct Join<A: Future, B: Future> {
        #[pin]
        first: Maybe<A>,
        #[pin]
        second: Maybe<B>,
    }
}

pin_project! {
    /// A future that goes on, or what came of it.
    #[project = MaybeProjected]
    enum Maybe<F: Future> {
        Going { #[pin] future: F },
        Done { output: Option<F::Output> },
    }
}

impl<F: Future> Maybe<F> {
    /// Polls on, and says whether there is an output to be taken.
    fn go_on(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> bool {
        if let MaybeProjected::Going { future } = self.as_mut().project() {
            let Poll::Ready(output) = future.poll(context) else { return false };
            // Drops the future where it stands.
            self.set(Self::Done { output: Some(output) });
        }
        true
    }

    fn goes_on(&self) -> bool {
        matches!(self, Self::Going { .. })
    }

    fn take(self: Pin<&mut Self>) -> Option<F::Output> {
        match self.project() {
            MaybeProjected::Going { .. } => None,
            MaybeProjected::Done { output } => output.take(),
        }
    }
}

impl<A: Future, B: Future> Future for Join<A, B> {
    type Output = (A::Output, B::Output);

    /// Polled again after its output it never is ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let first = this.first.as_mut().go_on(context);
        let second = this.second.as_mut().go_on(context);
        if !(first && second) {
            return Poll::Pending;
        }
        match (this.first.take(), this.second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            _ => Poll::Pending,
        }
    }
}

impl<A: Future, B: Future> fmt::Debug for Join<A, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goes_on = [self.first.goes_on(), self.second.goes_on()];
        f.debug_struct("Join").field("goes_on", &goes_on).finish_non_exhaustive()
    }
}

pin_project! {
    #[derive(Debug)]
    struct Pair<A, B> {
        #[pin]
        first: A,
        #[pin]
        second: B,
    }
}

pin_project! {
    /// The future of [`select`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless awaited"]
    pub struct Select<A, B> {
        #[pin]
        both: Option<Pair<A, B>>,
    }
}

impl<A: Future, B: Future> Future for Select<A, B> {
    type Output = Either<A::Output, B::Output>;

    /// Polled again after its output it never is ready.
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut both = self.project().both;
        let Some(pair) = both.as_mut().as_pin_mut() else { return Poll::Pending };
        let pair = pair.project();
        let output = if let Poll::Ready(output) = pair.first.poll(context) {
            Either::First(output)
        } else if let Poll::Ready(output) = pair.second.poll(context) {
            Either::Second(output)
        } else {
            return Poll::Pending;
        };
        // The loser is dropped before the winner's output is seen.
        both.set(None);
        Poll::Ready(output)
    }
}
