//! Message ping-pong, as hackbench: groups of pairs that pass messages as fast as they are woken.
//!
//! Of each four pairs in a group two are pinned to one CPU each, one is pinned to two CPUs (where there are two), so that
//! each message is a wake of another CPU, and one goes where the scheduler puts it. A pair plays a rally of random
//! length, then rests for a random while. Each message has a number, and one that is out of turn is a fault.

use super::bell::{Mailbox, Message};
use super::{Context, Spec};
use crate::books::Booked;
use sched::{CpuId, CpuSet};
use std::sync::Arc;

const NAME: &str = "ping-pong";
/// Pairs in a group.
const PAIRS: u32 = 20;
/// More would ask for more than some cores can give, and the CPUs here may be more than the cores.
const MOST_GROUPS: u32 = 2;
const RALLY: std::ops::Range<u64> = 64..1024;
const REST_NS: std::ops::Range<u64> = 2_000_000..30_000_000;

#[derive(Default)]
struct Table {
    ping: Mailbox,
    pong: Mailbox,
}

pub(super) fn launch(context: &'static Context) -> Vec<Booked> {
    let groups = context.cpus.div_ceil(2).min(MOST_GROUPS);
    (0..groups * PAIRS).flat_map(|pair| spawn_pair(context, pair)).collect()
}

fn spawn_pair(context: &'static Context, pair: u32) -> [Booked; 2] {
    let table = Arc::new(Table::default());
    let (ping, pong) = (Spec::new("ping", pair), Spec::new("pong", pair));
    let on = |cpu: u32| CpuSet::EMPTY.with(CpuId::new(cpu % context.cpus));
    let (ping, pong) = match pair % 4 {
        0 | 2 => (ping.on(on(pair)), pong.on(on(pair))),
        1 => (ping.on(on(pair)), pong.on(on(pair + 1))),
        _ => (ping, pong),
    };
    [
        context.spawn(ping, serve(context, table.clone(), pair)),
        context.spawn(pong, answer(context, table, pair)),
    ]
}

async fn serve(context: &'static Context, table: Arc<Table>, pair: u32) {
    let mut rng = context.rng(0, pair);
    let mut latency = context.recorder(NAME, "message to answer");
    let mut number = 0;
    loop {
        for _ in 0..rng.u64(RALLY) {
            number += 1;
            table.pong.send(Message { number, sent_ns: context.now_ns() });
            let answer = table.ping.receive().await;
            if answer.number != number {
                context.faults.push(format!("ping {pair}: {} came for {number}", answer.number));
            }
            latency.record_ns(context.now_ns().saturating_sub(answer.sent_ns));
        }
        context.scheduler.sleep_ns(rng.u64(REST_NS)).await;
    }
}

async fn answer(context: &'static Context, table: Arc<Table>, pair: u32) {
    let mut expected = 0;
    loop {
        let message = table.pong.receive().await;
        expected += 1;
        if message.number != expected {
            context.faults.push(format!("pong {pair}: {} came for {expected}", message.number));
        }
        // The time of the first sending, so that the server learns the whole way.
        table.ping.send(message);
    }
}
