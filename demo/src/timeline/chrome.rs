//! Chrome's trace events, which Perfetto reads too.

use super::{Arrow, ArrowKind, Doing, Mark, Span, Story, Timeline};
use sched::trace::{Kind, Outcome};
use sched::{CpuId, Tier};
use serde_json::{Value, json};
use std::io::{self, Write};

/// All of it is one process.
const PROCESS: u32 = 1;

/// Writes `{"traceEvents": […]}`: a thread for each CPU, a slice for each poll and halt, flows for wakes, kicks and
/// steals, instants for the rest. Times are microseconds.
///
/// # Errors
///
/// Those of `out`.
pub fn write_chrome(mut out: impl Write, timeline: &Timeline, story: &Story) -> io::Result<()> {
    let us = |time_ns: u64| time_ns.saturating_sub(timeline.start_ns) as f64 / 1e3;
    let names = (0..timeline.cpus).map(CpuId::new).flat_map(|cpu| {
        ["thread_name", "thread_sort_index"].map(|name| {
            let args = match name {
                "thread_name" => json!({"name": cpu.to_string()}),
                _ => json!({"sort_index": cpu.get()}),
            };
            json!({"ph": "M", "pid": PROCESS, "tid": cpu.get(), "name": name, "args": args})
        })
    });
    let outside = timeline.cpus;
    let outside_name = json!({"ph": "M", "pid": PROCESS, "tid": outside, "name": "thread_name",
        "args": {"name": "no CPU"}});
    let spans = story.spans.iter().map(|span| slice(timeline, span, &us));
    let arrows = story
        .arrows
        .iter()
        .filter(|arrow| arrow.from_ns >= timeline.start_ns)
        .enumerate()
        .flat_map(|(id, arrow)| flow(id, arrow, outside, &us));
    let marks = story.marks.iter().map(|mark| instant(mark, &us));

    out.write_all(b"{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    for (at, event) in
        names.chain([outside_name]).chain(spans).chain(arrows).chain(marks).enumerate()
    {
        out.write_all(if at == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut out, &event)?;
    }
    out.write_all(b"\n]}\n")
}

fn slice(timeline: &Timeline, span: &Span, us: &impl Fn(u64) -> f64) -> Value {
    let (name, category, args) = match span.doing {
        Doing::Halt => ("halted", "halt", json!({})),
        Doing::Run { task, name, tier, outcome, latency_ns } => {
            let args = json!({
                "task": task_label(task),
                "tier": tier_name(tier),
                "then": outcome.map(outcome_name),
                "wake to run (ns)": latency_ns,
            });
            let name = timeline.name(name);
            (if name.is_empty() { "task" } else { name }, "run", args)
        }
    };
    json!({
        "ph": "X", "pid": PROCESS, "tid": span.cpu.get(), "name": name, "cat": category,
        "ts": us(span.start_ns), "dur": (span.end_ns - span.start_ns) as f64 / 1e3, "args": args,
    })
}

/// A flow has two ends; it begins and ends at slices, or at instants where there is none.
fn flow(id: usize, arrow: &Arrow, outside: u32, us: &impl Fn(u64) -> f64) -> [Value; 2] {
    let name = arrow_name(arrow.kind);
    let from = arrow.from.map_or(outside, CpuId::get);
    let end = |phase: &str, cpu: u32, time_ns: u64| {
        json!({"ph": phase, "id": id, "pid": PROCESS, "tid": cpu, "name": name, "cat": name,
            "ts": us(time_ns), "bp": "e", "args": {"task": task_label(arrow.task)}})
    };
    [end("s", from, arrow.from_ns), end("f", arrow.to.get(), arrow.to_ns)]
}

fn instant(mark: &Mark, us: &impl Fn(u64) -> f64) -> Value {
    let args = match mark.kind {
        Kind::Timers => json!({"fired": mark.about}),
        Kind::Tick => json!({}),
        _ => json!({"task": task_label(mark.about)}),
    };
    json!({"ph": "i", "s": "t", "pid": PROCESS, "tid": mark.cpu.get(), "name": mark.kind.name(),
        "cat": "mark", "ts": us(mark.time_ns), "args": args})
}

pub(super) fn arrow_name(kind: ArrowKind) -> &'static str {
    match kind {
        ArrowKind::Wake => "wake",
        ArrowKind::Kick => "kick",
        ArrowKind::Steal => "steal",
    }
}

pub(super) fn tier_name(tier: Tier) -> &'static str {
    match tier {
        Tier::Background => "Background",
        Tier::Normal => "Normal",
        Tier::Critical => "Critical",
    }
}

pub(super) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Requeued => "runnable",
        Outcome::Waits => "waits",
        Outcome::Completed => "completed",
        Outcome::Cancelled => "cancelled",
        Outcome::Unreachable => "unreachable",
        Outcome::Preempted => "preempted",
    }
}

/// As the scheduler displays a task's id: where it was spawned, and as which one there.
pub(super) fn task_label(task: u64) -> String {
    format!("{}.{}", task >> 48, task & ((1 << 48) - 1))
}
