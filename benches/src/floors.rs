//! What the machine asks for a step that nobody can do without, measured in the same run.

use crate::pair;
use crate::stats::median;
use std::hint::{black_box, spin_loop};
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Instant;

/// Costs of the machine, ns.
#[derive(Clone, Copy, Debug)]
pub struct Floors {
    /// An atomic read-modify-write that nobody else wants.
    pub rmw_ns: f64,
    /// A store, a sequentially consistent fence and a load.
    pub fence_ns: f64,
    /// A cache line to the other CPU and back; `NAN` with one CPU.
    pub line_ns: f64,
    /// Reading the clock once.
    pub clock_ns: f64,
}

/// So many of one of them are the least that an item can cost.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Floor {
    Rmw(f64),
    Fence(f64),
}

impl Floor {
    pub(crate) fn ns(self, floors: &Floors) -> f64 {
        match self {
            Self::Rmw(times) => times * floors.rmw_ns,
            Self::Fence(times) => times * floors.fence_ns,
        }
    }
}

impl Floors {
    /// Takes about a tenth of a second.
    pub fn measure() -> Self {
        let word = AtomicU64::new(0);
        let other = AtomicU64::new(0);
        Self {
            rmw_ns: ns_each(|| {
                black_box(&word).fetch_add(1, Ordering::AcqRel);
            }),
            fence_ns: ns_each(|| {
                black_box(&word).store(1, Ordering::Relaxed);
                fence(Ordering::SeqCst);
                black_box(black_box(&other).load(Ordering::Relaxed));
            }),
            line_ns: if pair::can_pair() { line_round_trip_ns() } else { f64::NAN },
            clock_ns: ns_each(|| {
                black_box(Instant::now());
            }),
        }
    }
}

fn ns_each(mut step: impl FnMut()) -> f64 {
    const STEPS: u32 = 20_000;
    median((0..51).map(|_| {
        let start = Instant::now();
        for _ in 0..STEPS {
            step();
        }
        start.elapsed().as_nanos() as f64 / f64::from(STEPS)
    }))
}

fn line_round_trip_ns() -> f64 {
    const TRIPS: u64 = 5_000;
    #[repr(align(128))]
    struct Ball(AtomicU64);
    median((0..21).map(|_| {
        let ball = Ball(AtomicU64::new(0));
        let play = |parity: u64| {
            let start = Instant::now();
            for trip in 0..TRIPS {
                while ball.0.load(Ordering::Acquire) != 2 * trip + parity {
                    spin_loop();
                }
                ball.0.store(2 * trip + parity + 1, Ordering::Release);
            }
            start.elapsed().as_nanos() as f64 / TRIPS as f64
        };
        pair::run(|| play(0), || play(1)).0
    }))
}
