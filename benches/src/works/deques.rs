//! The owner's push and pop, alone and beside a thief; and the thief's half.

use super::deque_rivals::{CrossbeamFifo, CrossbeamLifo, Deque, OnDemand, Ours, St3Fifo, St3Lifo};
use crate::floors::Floor;
use crate::goal::Goal;
use crate::pair;
use crate::work::{Contender, Sample, Work};
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Our other form, which stands beside the rivals and is none. An owner that shares each item at once does what the rivals'
/// do, and pays what they pay; one that shares on demand does not. Ours is the one that the row is meant for.
const AT_ONCE: &str = "ours, at once";
const ON_DEMAND: &str = "ours, on demand";

pub(super) const BATCHES: Work = Work {
    name: "deque push + pop, batches",
    about: "one item is pushed and popped; the size is how many are pushed before they are popped; ours shares on demand",
    sizes: &[8, 64, 512],
    two_cores: false,
    goal: |size| (size == 64).then(|| Goal::fastest(0.9)),
    floor: |_| Some(Floor::Fence(1.0)),
    contenders: |size| {
        vec![
            batch::<OnDemand>(size, 0),
            batch::<Ours>(size, 0).called(AT_ONCE),
            batch::<CrossbeamLifo>(size, 0),
            batch::<CrossbeamFifo>(size, 0),
            batch::<St3Lifo>(size, 0),
            batch::<St3Fifo>(size, 0),
        ]
    },
    missing: &[],
};

pub(super) const SINGLE: Work = Work {
    name: "deque push + pop, one at a time",
    about: "one item is pushed and popped; the size is how many lie in the deque meanwhile; ours shares at once",
    sizes: &[0, 32, 512],
    two_cores: false,
    goal: |size| (size == 0).then(|| Goal::fastest(1.0)),
    floor: |_| Some(Floor::Fence(1.0)),
    contenders: |size| {
        vec![
            batch::<Ours>(1, size),
            batch::<OnDemand>(1, size).called(ON_DEMAND),
            batch::<CrossbeamLifo>(1, size),
            batch::<CrossbeamFifo>(1, size),
            batch::<St3Lifo>(1, size),
            batch::<St3Fifo>(1, size),
        ]
    },
    missing: &[],
};

pub(super) const BULK: Work = Work {
    name: "deque push + pop, bulk",
    about: "one item is pushed and popped; the size is how many each call moves, where there is such a call; ours shares on demand",
    sizes: &[8, 64, 512],
    two_cores: false,
    goal: |size| (size == 8).then(|| Goal::fastest(0.35)),
    floor: |size| Some(Floor::Fence(1.0 / size as f64)),
    contenders: |size| {
        vec![
            bulk::<OnDemand>(size),
            bulk::<Ours>(size).called(AT_ONCE),
            bulk::<CrossbeamLifo>(size),
            bulk::<CrossbeamFifo>(size),
            bulk::<St3Lifo>(size),
            bulk::<St3Fifo>(size),
        ]
    },
    missing: &[],
};

pub(super) const UNDER_A_THIEF: Work = Work {
    name: "deque owner under a thief",
    about: "one item is pushed and popped, or stolen; the size is how many of each batch of 64 the thief takes; ours shares at once",
    sizes: &[2, 8, 32],
    two_cores: true,
    goal: |_| Some(Goal::fastest(0.9)),
    floor: |_| None,
    contenders: |size| {
        vec![
            under_a_thief::<Ours>(size),
            under_a_thief::<OnDemand>(size).called(ON_DEMAND),
            under_a_thief::<CrossbeamLifo>(size),
            under_a_thief::<CrossbeamFifo>(size),
            under_a_thief::<St3Lifo>(size),
            under_a_thief::<St3Fifo>(size),
        ]
    },
    missing: &[],
};

pub(super) const STEAL_HALF: Work = Work {
    name: "deque steal half",
    about: "one item is stolen, pushed and popped by the thief; the size is how many there are to take half of; the thief of ours shares on demand",
    sizes: &[20, 200, 1_000],
    two_cores: false,
    goal: |size| (size == 200).then(|| Goal::of(0.8, &["crossbeam"])),
    floor: |_| Some(Floor::Rmw(1.0)),
    contenders: |size| {
        vec![
            steal_half::<OnDemand>(size),
            steal_half::<Ours>(size).called(AT_ONCE),
            steal_half::<CrossbeamLifo>(size),
            steal_half::<CrossbeamFifo>(size),
            steal_half::<St3Lifo>(size),
            steal_half::<St3Fifo>(size),
        ]
    },
    missing: &[],
};

/// Batches of `size` on top of `resident` others.
fn batch<D: Deque>(size: u64, resident: u64) -> Contender {
    let mut deque = D::new();
    (0..resident as usize).for_each(|item| deque.push(item));
    Contender::new(D::NAME, size, move || {
        (0..size as usize).for_each(|item| deque.push(black_box(item)));
        for _ in 0..size {
            black_box(deque.pop());
        }
    })
}

fn bulk<D: Deque>(size: u64) -> Contender {
    let mut deque = D::new();
    Contender::new(D::NAME, size, move || {
        deque.push_many(0..black_box(size as usize));
        deque.pop_many(black_box(size as usize), |item| {
            black_box(item);
        });
    })
}

fn steal_half<D: Deque>(size: u64) -> Contender {
    let (mut victim, mut own) = (D::new(), D::new());
    let thief = victim.thief();
    let half = size as usize / 2;
    Contender::timed(D::NAME, move |rounds| {
        let mut elapsed = Duration::ZERO;
        for _ in 0..rounds {
            (0..size as usize).for_each(|item| victim.push(black_box(item)));
            victim.publish();
            let start = Instant::now();
            D::steal_half(&thief, &mut own, half);
            let stolen = std::iter::from_fn(|| own.pop()).map(black_box).count();
            elapsed += start.elapsed();
            assert_eq!(stolen, half, "{} stole another share", D::NAME);
            while victim.pop().is_some() {}
        }
        Sample { items: half as u64 * rounds, elapsed }
    })
}

/// The owner says which batch it is at, pushes it, and pops all but `most` items, for which it waits until the thief has
/// them: so each deque loses the same share, and one that is slower to steal from is not the better off for it.
fn under_a_thief<D: Deque>(most: u64) -> Contender {
    const BATCH: u64 = 64;
    #[repr(align(128))]
    struct Line(AtomicU64);
    let (mut deque, mut own) = (D::new(), D::new());
    let thief = deque.thief();
    let mut thief = Some(thief);
    Contender::timed(D::NAME, move |rounds| {
        let (at, done) = (Line(AtomicU64::new(0)), Line(AtomicU64::new(0)));
        // The least that a pair of threads is worth.
        let batches = rounds * 64;
        let (deque, own) = (&mut deque, &mut own);
        let stealing = thief.take().expect("given back below");
        let (elapsed, stealing) = pair::run(
            || {
                let at = Until(&at.0);
                let start = Instant::now();
                for batch in 1..=batches {
                    at.0.store(batch, Ordering::Relaxed);
                    (0..BATCH as usize).for_each(|item| deque.push(black_box(item)));
                    let mut left = BATCH - most;
                    while left != 0 {
                        left -= u64::from(black_box(deque.pop()).is_some());
                    }
                    deque.publish();
                    while done.0.load(Ordering::Relaxed) != batch {
                        spin_loop();
                    }
                }
                start.elapsed()
            },
            || {
                let mut last = 0;
                loop {
                    let now = at.0.load(Ordering::Relaxed);
                    if now == OVER {
                        return stealing;
                    }
                    if now == last {
                        spin_loop();
                        continue;
                    }
                    last = now;
                    let mut stolen = 0;
                    while stolen < most && at.0.load(Ordering::Relaxed) == now {
                        if let Some(item) = D::steal_one(&stealing, own) {
                            black_box(item);
                            stolen += 1;
                        }
                    }
                    done.0.store(now, Ordering::Relaxed);
                }
            },
        );
        thief = Some(stealing);
        Sample { items: batches * BATCH, elapsed }
    })
}

/// What the thief reads when there is no next batch.
const OVER: u64 = u64::MAX;

/// Says that it is over when it goes, also by a panic: the thief would wait for ever.
struct Until<'a>(&'a AtomicU64);

impl Drop for Until<'_> {
    fn drop(&mut self) {
        self.0.store(OVER, Ordering::Relaxed);
    }
}
