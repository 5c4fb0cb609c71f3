//! Fork–join: a task spawns a tree of short children on its own CPU, and waits for them; the other CPUs are idle or
//! less busy, and steal. Inner nodes are booked. Leaves are not: they are polled until they are done, and a leaf that
//! is lost is missing from the scheduler's own count at the end, and keeps its node waiting. In each round the last
//! leaf of each node is one that never ends, and is cancelled.

use super::{Context, Spec};
use crate::books::Booked;
use sched::JoinHandle;
use std::future::pending;

const NAME: &str = "fork-join";
/// CPUs to a root.
const CPUS_PER_ROOT: u32 = 8;
/// Each asks for about a tenth of a core.
const MOST_ROOTS: u32 = 3;
const NODES: std::ops::Range<u32> = 4..9;
const LEAVES: std::ops::Range<u32> = 4..17;
const LEAF_NS: std::ops::Range<u64> = 2_000..15_000;
const REST_NS: std::ops::Range<u64> = 1_000_000..8_000_000;

pub(super) fn launch(context: &'static Context) -> Vec<Booked> {
    (0..context.cpus.div_ceil(CPUS_PER_ROOT).min(MOST_ROOTS))
        .map(|root| context.spawn(Spec::new("forker", root), rounds(context, root)))
        .collect()
}

async fn rounds(context: &'static Context, root: u32) {
    let mut rng = context.rng(4, root);
    let mut latency = context.recorder(NAME, "fork to join");
    loop {
        let start_ns = context.now_ns();
        let nodes: Vec<Booked> = (0..rng.u32(NODES))
            .map(|node| {
                let future = fork(context, rng.fork());
                context.spawn(Spec::new("node", root * NODES.end + node), future)
            })
            .collect();
        for node in nodes {
            // It is cancelled when the run is over, if at all; then this task is, too.
            let _ = node.join().await;
        }
        latency.record_ns(context.now_ns().saturating_sub(start_ns));
        context.scheduler.sleep_ns(rng.u64(REST_NS)).await;
    }
}

async fn fork(context: &'static Context, mut rng: fastrand::Rng) {
    let leaves: Vec<JoinHandle<u64>> = (0..rng.u32(LEAVES))
        .map(|_| {
            let work_ns = rng.u64(LEAF_NS);
            context.scheduler.task("leaf").spawn(async move {
                context.work.spin(work_ns);
                work_ns
            })
        })
        .collect();
    let mut straggler = CancelOnDrop(context.scheduler.task("straggler").spawn(pending::<()>()));
    for leaf in leaves {
        if leaf.await.is_err() {
            context.faults.push("a leaf was cancelled, and nobody asked for it".into());
        }
    }
    straggler.0.cancel();
    if (&mut straggler.0).await.is_ok() {
        context.faults.push("a task without end has ended".into());
    }
}

/// A task that nobody would end if its parent ends first.
struct CancelOnDrop(JoinHandle<()>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        // Without effect if it is over.
        self.0.cancel();
    }
}
