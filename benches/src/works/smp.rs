//! What two CPUs cost each other.

use super::mailbox::Mailbox;
use super::smp_rivals::{OursSleeping, OursSpinning, Smol, Smp, Tokio, TwoTokios, rayon};
use crate::goal::Goal;
use crate::work::{Contender, Sample, Work};
use futures_lite::future::block_on;
use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc;
use std::time::Instant;

pub(super) const WAKES: Work = Work {
    name: "wake across two CPUs",
    about: "one round trip: a task wakes one on the other CPU, which wakes it; both CPUs sleep in between. The size is how many pairs \
            do so at once",
    sizes: &[1, 4, 16],
    two_cores: true,
    goal: |_| Some(Goal::of(1.0, &[TwoTokios::NAME])),
    floor: |_| None,
    contenders: |size| {
        vec![
            wakes::<OursSleeping>(size),
            wakes::<OursSpinning>(size),
            wakes::<TwoTokios>(size),
            wakes::<Smol>(size),
            wakes::<Tokio>(size),
        ]
    },
    missing: &[],
};

pub(super) const FORK_JOIN: Work = Work {
    name: "fork-join on two CPUs",
    about: "one node of a binary tree: it spawns one half of what is below it, does the other, and waits for the first; the size is how \
            many nodes there are",
    sizes: &[64, 1_024, 16_384],
    two_cores: true,
    goal: |_| Some(Goal::of(0.8, &[Tokio::NAME])),
    floor: |_| None,
    contenders: |size| {
        vec![
            fork_join::<OursSleeping>(size),
            fork_join::<OursSpinning>(size),
            fork_join::<Tokio>(size),
            fork_join::<Smol>(size),
            fork_join_of_rayon(size),
        ]
    },
    missing: &[],
};

/// Round trips between two looks at the clock.
const TRIPS: u64 = 16;

fn wakes<E: Smp>(pairs: u64) -> Contender {
    Contender::timed(E::NAME, move |rounds| {
        let trips = rounds * TRIPS;
        let (sender, receiver) = mpsc::channel();
        let boxes: Vec<_> = (0..pairs).map(|_| [Mailbox::default(), Mailbox::default()]).collect();
        let boxes: &'static [_] = boxes.leak();
        let start = Instant::now();
        for [here, there] in boxes {
            let sender = sender.clone();
            E::spawn_on(1, async move {
                for _ in 0..trips {
                    there.receive().await;
                    here.send();
                }
            });
            E::spawn_on(0, async move {
                for _ in 0..trips {
                    there.send();
                    here.receive().await;
                }
                sender.send(()).expect("it is waited for");
            });
        }
        (0..pairs).for_each(|_| receiver.recv().expect("all of them end"));
        Sample { items: pairs * trips, elapsed: start.elapsed() }
    })
}

type Node = Pin<Box<dyn Future<Output = u64> + Send>>;

/// Answers how many nodes there are: as many as asked for.
fn node<E: Smp>(nodes: u64) -> Node {
    Box::pin(async move {
        if nodes <= 1 {
            return nodes;
        }
        let half = (nodes - 1) / 2;
        let forked = E::spawn(node::<E>(half));
        1 + node::<E>(nodes - 1 - half).await + forked.await
    })
}

fn fork_join<E: Smp>(nodes: u64) -> Contender {
    Contender::new(E::NAME, nodes, move || {
        assert_eq!(block_on(E::spawn(node::<E>(nodes))), nodes);
    })
}

fn fork_join_of_rayon(nodes: u64) -> Contender {
    fn node(nodes: u64) -> u64 {
        if nodes <= 1 {
            return nodes;
        }
        let half = (nodes - 1) / 2;
        let (forked, done) = rayon::join(|| node(half), || node(nodes - 1 - half));
        1 + done + forked
    }
    Contender::new("rayon", nodes, move || assert_eq!(rayon().install(|| node(nodes)), nodes))
}
