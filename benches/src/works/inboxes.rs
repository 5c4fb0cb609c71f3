//! Push and drain: on one CPU, and from one to the other.

use super::inbox_rivals::{
    Array, Channel, Concurrent, CordycepsQueue, CordycepsStack, Locked, Ours, Segments,
};
use crate::floors::Floor;
use crate::goal::Goal;
use crate::pair;
use crate::work::{Contender, Sample, Work};
use std::hint::{black_box, spin_loop};
use std::mem;
use std::time::{Duration, Instant};

pub(super) const PUSH_AND_DRAIN: Work = Work {
    name: "inbox push + drain",
    about: "one node is pushed and taken out; the size is how many are pushed before all are taken out",
    sizes: &[1, 8, 64, 512],
    two_cores: false,
    goal: |size| match size {
        // The queue and the locked vector are not lock-free.
        1 => Some(Goal::of(1.0, LOCK_FREE)),
        // In the order of arrival, which the stack does not keep.
        64 => Some(Goal::of(1.1, &["cordyceps stack"])),
        _ => None,
    },
    floor: |size| Some(Floor::Rmw(1.0 + 1.0 / size as f64)),
    contenders: |size| {
        vec![
            push_and_drain::<Ours>(size),
            push_and_drain::<CordycepsStack>(size),
            push_and_drain::<CordycepsQueue>(size),
            push_and_drain::<Segments>(size),
            push_and_drain::<Array>(size),
            push_and_drain::<Concurrent>(size),
            push_and_drain::<Locked>(size),
        ]
    },
    missing: &[],
};

const LOCK_FREE: &[&str] = &["cordyceps stack", "SegQueue", "ArrayQueue", "concurrent-queue"];

pub(super) const PUSH_MANY: Work = Work {
    name: "inbox push many",
    about: "one node is pushed, and only that is timed; the size is how many are pushed by one call where there is one for it",
    sizes: &[8, 64, 512],
    two_cores: false,
    // None other has it.
    goal: |size| (size == 64).then_some(Goal::of(0.3, &["cordyceps queue"])),
    floor: |size| Some(Floor::Rmw(1.0 / size as f64)),
    contenders: |size| {
        vec![
            push_many::<Ours>(size),
            push_many::<CordycepsStack>(size),
            push_many::<CordycepsQueue>(size),
            push_many::<Segments>(size),
            push_many::<Array>(size),
            push_many::<Concurrent>(size),
            push_many::<Locked>(size),
        ]
    },
    missing: &[],
};

pub(super) const TWO_CORES: Work = Work {
    name: "inbox across two cores",
    about: "one node goes from the producer's CPU to the consumer's; the size is how many go in a row",
    sizes: &[1_000, 10_000, 100_000],
    two_cores: true,
    goal: |_| Some(Goal::fastest(0.9)),
    floor: |_| None,
    contenders: |size| {
        vec![
            across::<Ours>(size),
            across::<CordycepsStack>(size),
            across::<CordycepsQueue>(size),
            across::<Segments>(size),
            across::<Array>(size),
            across::<Concurrent>(size),
            across::<Locked>(size),
        ]
    },
    missing: &[],
};

fn nodes<C: Channel>(count: u64) -> Vec<Box<C::Node>> {
    (0..count).map(|_| Box::default()).collect()
}

fn push_and_drain<C: Channel>(size: u64) -> Contender {
    let (channel, mut receiver) = C::open();
    let mut spare = nodes::<C>(size);
    Contender::new(C::NAME, size, move || {
        while let Some(node) = spare.pop() {
            black_box(channel).push(node);
        }
        C::drain(&mut receiver, |node| spare.push(node));
    })
}

/// Rounds between two looks at the clock, which costs as much as some pushes.
const ROUNDS_TIMED_AT_ONCE: u64 = 16;

fn push_many<C: Channel>(size: u64) -> Contender {
    let (channel, mut receiver) = C::open();
    let mut spare = nodes::<C>(size * ROUNDS_TIMED_AT_ONCE);
    Contender::timed(C::NAME, move |rounds| {
        let mut elapsed = Duration::ZERO;
        let mut left = rounds;
        while left > 0 {
            let now = left.min(ROUNDS_TIMED_AT_ONCE);
            left -= now;
            let start = Instant::now();
            for _ in 0..now {
                let keep = spare.len() - size as usize;
                black_box(channel).push_many(spare.drain(keep..));
            }
            elapsed += start.elapsed();
            C::drain(&mut receiver, |node| spare.push(node));
        }
        Sample { items: size * rounds, elapsed }
    })
}

fn across<C: Channel>(size: u64) -> Contender {
    let (channel, mut receiver) = C::open();
    let mut spare = nodes::<C>(size);
    let mut received = Vec::with_capacity(spare.len());
    Contender::timed(C::NAME, move |rounds| {
        let mut elapsed = Duration::ZERO;
        for _ in 0..rounds {
            let (spare, receiver) = (&mut spare, &mut receiver);
            let arrived = &mut received;
            let all = spare.len();
            let ((), took) = pair::run(
                || spare.drain(..).for_each(|node| channel.push(node)),
                || {
                    let start = Instant::now();
                    while arrived.len() < all {
                        spin_loop();
                        C::drain(receiver, |node| arrived.push(node));
                    }
                    start.elapsed()
                },
            );
            elapsed += took;
            mem::swap(spare, &mut received);
        }
        Sample { items: size * rounds, elapsed }
    })
}
