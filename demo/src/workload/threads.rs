//! Threads beside futures: on each CPU a thread and a task that pass a message to and fro, a real-time thread that wakes at a
//! fixed period and measures how late it is, and short threads that are made, and joined, on stacks that are used again.
//!
//! A thread's code is a future that it waits for: so its wakes are in the books like a task's.

use super::bell::{Mailbox, Message};
use super::{Context, Spec};
use crate::books::Booked;
use sched::class::Nice;
use sched::thread::Policy;
use sched::{CpuId, CpuSet};
use std::sync::Arc;

const NAME: &str = "threads";
const PERIOD_NS: u64 = 4_000_000;
const REST_NS: std::ops::Range<u64> = 100_000..4_000_000;
/// What a short thread does.
const SHORT_NS: u64 = 50_000;
/// Work before a message: enough to be preempted now and then.
const PAUSE_NS: std::ops::Range<u64> = 1_000..200_000;

#[derive(Default)]
struct Table {
    of_thread: Mailbox,
    of_task: Mailbox,
}

pub(super) fn launch(context: &'static Context) -> Vec<Booked> {
    let mut roots = Vec::new();
    for cpu in 0..context.cpus {
        let here = CpuSet::EMPTY.with(CpuId::new(cpu));
        let table = Arc::new(Table::default());
        // Now nicer, now less so than the futures.
        let policy = Policy::fair(Nice::new(if cpu % 2 == 0 { -5 } else { 5 }));
        let asker = Spec::new("asker", cpu).on(here);
        roots.extend(context.spawn_thread(asker, policy, ask(context, table.clone(), cpu)));
        roots.push(context.spawn(Spec::new("answerer", cpu), answer(context, table, cpu)));
        let metronome = Spec::new("metronome", cpu).on(here);
        let urgent = Policy::Realtime { priority: 50 };
        roots.extend(context.spawn_thread(metronome, urgent, beat(context)));
    }
    roots.push(context.spawn(Spec::new("spawner", 0), spawn_short(context)));
    roots
}

/// The thread's side: works, asks, and waits for the answer.
async fn ask(context: &'static Context, table: Arc<Table>, index: u32) {
    let mut rng = context.rng(5, index);
    let mut latency = context.recorder(NAME, "question to answer");
    for number in 1.. {
        context.work_in_thread(rng.u64(PAUSE_NS));
        table.of_task.send(Message { number, sent_ns: context.now_ns() });
        let answer = table.of_thread.receive().await;
        if answer.number != number {
            context.faults.push(format!("asker {index}: {} came for {number}", answer.number));
        }
        latency.record_ns(context.now_ns().saturating_sub(answer.sent_ns));
        context.scheduler.sleep_ns(rng.u64(REST_NS)).await;
    }
}

/// The task's side.
async fn answer(context: &'static Context, table: Arc<Table>, index: u32) {
    for expected in 1.. {
        let question = table.of_task.receive().await;
        if question.number != expected {
            context.faults.push(format!("answerer {index}: {} is not next", question.number));
        }
        table.of_thread.send(question);
    }
}

/// As cyclictest has it: a real-time thread and a grid of deadlines.
async fn beat(context: &'static Context) {
    let mut latency = context.recorder(NAME, "deadline to real-time thread");
    let mut deadline_ns = context.now_ns() + PERIOD_NS;
    loop {
        context.scheduler.sleep_until(deadline_ns).await;
        let late_ns = context.now_ns().saturating_sub(deadline_ns);
        latency.record_ns(late_ns);
        deadline_ns += PERIOD_NS * (late_ns / PERIOD_NS + 1);
    }
}

/// Threads that come and go, wherever there is room.
async fn spawn_short(context: &'static Context) {
    let mut rng = context.rng(5, u32::MAX);
    for index in 0.. {
        let short = Spec::new("short", index);
        let run = async move { context.work_in_thread(SHORT_NS) };
        if let Some(thread) = context.spawn_thread(short, Policy::DEFAULT, run) {
            let _ = thread.join().await;
        }
        context.scheduler.sleep_ns(rng.u64(REST_NS)).await;
    }
}
