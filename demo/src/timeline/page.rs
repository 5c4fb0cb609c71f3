//! The page: a template, its style and its scripts, and the story as JSON, in one file.

use super::chrome::{outcome_name, task_label};
use super::{ArrowKind, Doing, Story, Timeline};
use sched::CpuId;
use sched::trace::{Kind, Outcome};
use serde::Serialize;
use std::collections::HashMap;
use std::io::{self, Write};

const TEMPLATE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/style.css");
/// In the order in which they need each other.
const SCRIPTS: [&str; 5] = [
    include_str!("page/model.js"),
    include_str!("page/colour.js"),
    include_str!("page/draw.js"),
    include_str!("page/panel.js"),
    include_str!("page/main.js"),
];

/// What the scripts are told. Lists of things are flat lists of numbers, so many for each thing; times are nanoseconds
/// from the start.
#[derive(Serialize)]
struct Data<'a> {
    title: &'a str,
    cpus: u32,
    /// When the trace begins, on the machine's clock.
    begun: u64,
    end: u64,
    lost: u64,
    names: Vec<&'a str>,
    /// Labels of tasks, which the lists name by their place here.
    tasks: Vec<String>,
    outcomes: [&'static str; 6],
    kinds: Vec<&'static str>,
    /// How often each kind happened in the whole run.
    counts: &'a [u64],
    /// cpu, start, duration, task, name (0: none), tier, outcome (−1: unknown), latency (−1: none); halts: task −1
    spans: Vec<i64>,
    /// kind (0 wake, 1 kick, 2 steal), from (−1: no CPU), at, to, at, task (−1: none)
    arrows: Vec<i64>,
    /// kind, cpu, at, task or count
    marks: Vec<i64>,
}

/// Writes the page.
///
/// # Errors
///
/// Those of `out`.
pub fn write_page(
    mut out: impl Write,
    timeline: &Timeline,
    story: &Story,
    title: &str,
) -> io::Result<()> {
    let data = serde_json::to_string(&Data::new(timeline, story, title))?;
    let scripts = SCRIPTS.concat();
    let parts = [
        ("TITLE", in_html(title)),
        ("STYLE", STYLE.to_owned()),
        ("DATA", in_script(&data)),
        ("SCRIPT", scripts),
    ];
    let mut rest = TEMPLATE;
    for (name, text) in parts {
        let Some((before, after)) = rest.split_once(&format!("{{{{{name}}}}}")) else {
            return Err(io::Error::other(format!("the template has no place for {name}")));
        };
        out.write_all(before.as_bytes())?;
        out.write_all(text.as_bytes())?;
        rest = after;
    }
    out.write_all(rest.as_bytes())
}

/// JSON that cannot end the script element it stands in, nor begin a comment there.
fn in_script(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// Text in an element of HTML.
fn in_html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

impl<'a> Data<'a> {
    fn new(timeline: &'a Timeline, story: &Story, title: &'a str) -> Self {
        let mut tasks = Tasks::default();
        let at = |time_ns: u64| time_ns.saturating_sub(timeline.start_ns) as i64;
        let cpu = |cpu: CpuId| i64::from(cpu.get());
        let mut spans = Vec::new();
        for span in &story.spans {
            let length_ns = (span.end_ns - span.start_ns) as i64;
            spans.extend([cpu(span.cpu), at(span.start_ns), length_ns]);
            spans.extend(match span.doing {
                Doing::Halt => [-1, 0, 0, -1, -1],
                Doing::Run { task, name, tier, outcome, latency_ns } => [
                    tasks.index(task),
                    name.map_or(0, |name| name.get().into()),
                    tier as i64,
                    outcome.map_or(-1, |outcome| outcome as i64),
                    latency_ns.map_or(-1, |latency_ns| latency_ns as i64),
                ],
            });
        }
        let mut arrows = Vec::new();
        for arrow in story.arrows.iter().filter(|arrow| arrow.from_ns >= timeline.start_ns) {
            let kind = match arrow.kind {
                ArrowKind::Wake => 0,
                ArrowKind::Kick => 1,
                ArrowKind::Steal => 2,
            };
            let task = if arrow.kind == ArrowKind::Kick { -1 } else { tasks.index(arrow.task) };
            let from = arrow.from.map_or(-1, cpu);
            arrows.extend([kind, from, at(arrow.from_ns), cpu(arrow.to), at(arrow.to_ns), task]);
        }
        let mut marks = Vec::new();
        for mark in &story.marks {
            let about = match mark.kind {
                Kind::Tick | Kind::Timers => mark.about as i64,
                _ => tasks.index(mark.about),
            };
            marks.extend([mark.kind.index() as i64, cpu(mark.cpu), at(mark.time_ns), about]);
        }
        use Outcome::{Cancelled, Completed, Preempted, Requeued, Unreachable, Waits};
        Self {
            title,
            cpus: timeline.cpus,
            begun: timeline.start_ns,
            end: timeline.end_ns() - timeline.start_ns.min(timeline.end_ns()),
            lost: timeline.lost,
            names: timeline.names.iter().map(String::as_str).collect(),
            tasks: tasks.labels,
            outcomes: [Requeued, Waits, Completed, Cancelled, Unreachable, Preempted]
                .map(outcome_name),
            kinds: Kind::ALL.iter().map(|kind| kind.name()).collect(),
            counts: &timeline.counts,
            spans,
            arrows,
            marks,
        }
    }
}

/// Gives each task a small number: its id does not fit a number of JavaScript.
#[derive(Default)]
struct Tasks {
    indexes: HashMap<u64, i64>,
    labels: Vec<String>,
}

impl Tasks {
    fn index(&mut self, task: u64) -> i64 {
        *self.indexes.entry(task).or_insert_with(|| {
            self.labels.push(task_label(task));
            self.labels.len() as i64 - 1
        })
    }
}
