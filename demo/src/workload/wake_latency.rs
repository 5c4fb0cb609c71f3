//! Wake latency, as schbench: message tasks wake workers, which measure how long it took to be polled, think for a
//! while, and wait to be woken again.

use super::bell::{Bell, Mailbox, Message};
use super::{Context, Spec};
use crate::books::Booked;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const NAME: &str = "wake-latency";
/// CPUs to a message task.
const CPUS_PER_HUB: u32 = 4;
/// Each asks for about a tenth of a core.
const MOST_HUBS: u32 = 3;
/// Workers of a message task.
const WORKERS: u32 = 6;
const THINK_NS: std::ops::Range<u64> = 5_000..30_000;
const PAUSE_NS: std::ops::Range<u64> = 200_000..1_500_000;

/// What a message task and its workers share.
struct Hub {
    /// Some worker waits.
    asked: Bell,
    desks: [Desk; WORKERS as usize],
}

#[derive(Default)]
struct Desk {
    waits: AtomicBool,
    mailbox: Mailbox,
}

pub(super) fn launch(context: &'static Context) -> Vec<Booked> {
    (0..context.cpus.div_ceil(CPUS_PER_HUB).min(MOST_HUBS))
        .flat_map(|hub| spawn_hub(context, hub))
        .collect()
}

fn spawn_hub(context: &'static Context, index: u32) -> Vec<Booked> {
    let hub = Arc::new(Hub { asked: Bell::default(), desks: Default::default() });
    let mut roots =
        vec![context.spawn(Spec::new("messenger", index), send(context, hub.clone(), index))];
    roots.extend((0..WORKERS).map(|worker| {
        let spec = Spec::new("worker", index * WORKERS + worker);
        context.spawn(spec, work(context, hub.clone(), worker, spec.index))
    }));
    roots
}

async fn send(context: &'static Context, hub: Arc<Hub>, index: u32) {
    let mut rng = context.rng(1, index);
    let mut number = 0;
    loop {
        hub.asked.wait().await;
        for desk in &hub.desks {
            // Ordering: Acquire pairs with the Release in `work`: the worker has taken the last message.
            if desk.waits.swap(false, Ordering::Acquire) {
                number += 1;
                desk.mailbox.send(Message { number, sent_ns: context.now_ns() });
            }
        }
        context.scheduler.sleep_ns(rng.u64(PAUSE_NS)).await;
    }
}

async fn work(context: &'static Context, hub: Arc<Hub>, worker: u32, index: u32) {
    let mut rng = context.rng(2, index);
    let mut latency = context.recorder(NAME, "wake to poll");
    let Some(desk) = hub.desks.get(worker as usize) else { return };
    loop {
        // Ordering: Release pairs with the Acquire in `send`.
        desk.waits.store(true, Ordering::Release);
        hub.asked.ring();
        let message = desk.mailbox.receive().await;
        latency.record_ns(context.now_ns().saturating_sub(message.sent_ns));
        context.work.run(context, rng.u64(THINK_NS)).await;
    }
}
