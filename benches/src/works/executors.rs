//! What a task costs: a turn, and a life.

use super::MAITAKE;
use super::executor_rivals::{Executor, Ours, Progress, Smol, Tokio, TokioYield};
use super::mailbox::Mailbox;
use crate::floors::Floor;
use crate::goal::Goal;
use crate::work::{Contender, Sample, Work};
use std::time::Instant;

pub(super) const YIELDS: Work = Work {
    name: "async yield",
    about: "one task wakes itself, is queued and polled; the size is how many tasks take turns",
    sizes: &[1, 100, 10_000],
    two_cores: false,
    goal: |size| Some(Goal::fastest(if size <= 100 { 0.85 } else { 0.7 })),
    floor: |_| Some(Floor::Rmw(3.0)),
    contenders: |size| {
        vec![
            yields::<Ours>(size),
            yields::<Tokio>(size),
            yields::<TokioYield>(size),
            yields::<Smol>(size),
        ]
    },
    missing: &[MAITAKE],
};

pub(super) const MESSAGES: Work = Work {
    name: "async ping-pong",
    about: "one round trip: a task wakes another one of the same CPU, which wakes it; the size is how many pairs take turns",
    sizes: &[1, 16, 256],
    two_cores: false,
    goal: |_| Some(Goal::fastest(0.8)),
    floor: |_| Some(Floor::Rmw(6.0)),
    contenders: |size| {
        vec![messages::<Ours>(size), messages::<Tokio>(size), messages::<Smol>(size)]
    },
    missing: &[MAITAKE],
};

pub(super) const SPAWNS: Work = Work {
    name: "async spawn + complete",
    about: "one task is spawned, polled once, and freed; the size is how many are spawned before they run",
    sizes: &[1, 64, 4_096],
    two_cores: false,
    goal: |_| Some(Goal::fastest(0.5)),
    floor: |_| None,
    contenders: |size| vec![spawns::<Ours>(size), spawns::<Tokio>(size), spawns::<Smol>(size)],
    missing: &[MAITAKE],
};

/// The tasks yield for ever; a round is over when 1 000 turns, or one of each, have been taken.
fn yields<E: Executor>(size: u64) -> Contender {
    let mut executor = E::new();
    let progress = Progress::new();
    for _ in 0..size {
        executor.spawn(async {
            loop {
                progress.count();
                E::yield_now().await;
            }
        });
    }
    let turns = size.max(1_000);
    Contender::timed(E::NAME, move |rounds| {
        let start = Instant::now();
        executor.run(rounds, progress, |_| progress.expect(turns));
        Sample { items: turns * rounds, elapsed: start.elapsed() }
    })
}

/// The pairs go on for ever; a round is over when 100 round trips, or one of each, have been made.
fn messages<E: Executor>(pairs: u64) -> Contender {
    let mut executor = E::new();
    let progress = Progress::new();
    let boxes: Vec<_> = (0..pairs).map(|_| [Mailbox::default(), Mailbox::default()]).collect();
    let boxes: &'static [_] = boxes.leak();
    for [first, second] in boxes {
        executor.spawn(async {
            loop {
                second.receive().await;
                first.send();
            }
        });
        executor.spawn(async {
            loop {
                second.send();
                first.receive().await;
                progress.count();
            }
        });
    }
    let trips = pairs.max(100);
    Contender::timed(E::NAME, move |rounds| {
        let start = Instant::now();
        executor.run(rounds, progress, |_| progress.expect(trips));
        Sample { items: trips * rounds, elapsed: start.elapsed() }
    })
}

fn spawns<E: Executor>(size: u64) -> Contender {
    let mut executor = E::new();
    let progress = Progress::new();
    Contender::timed(E::NAME, move |rounds| {
        let start = Instant::now();
        executor.run(rounds, progress, |executor| {
            progress.expect(size);
            (0..size).for_each(|_| executor.spawn(async { progress.count() }));
        });
        Sample { items: size * rounds, elapsed: start.elapsed() }
    })
}
