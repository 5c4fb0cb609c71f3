//! Push and drain: on one CPU, and from one to the other.

use super::inbox_rivals::{Channel, CordycepsQueue, CordycepsStack, Ours, Segments};
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
        // The queue is not lock-free.
        1 => Some(Goal::of(1.0, &["cordyceps stack", "SegQueue"])),
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
