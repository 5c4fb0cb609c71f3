//! The timeline: what merging keeps, what the records are read as, and what the files hold.

use demo::timeline::{
    Arrow, ArrowKind, Doing, Moments, ReadError, Story, Timeline, merge, read_records, rings,
    write_chrome, write_page, write_records,
};
use proptest::prelude::*;
use sched::trace::{Event, HeaderError, Kind, NameId, Outcome, Record, Trace};
use sched::{CpuId, Tier};
use serde_json::Value;
use std::collections::HashSet;

fn cpu(index: u32) -> Option<CpuId> {
    Some(CpuId::new(index))
}

fn record(kind: Kind, at: Option<CpuId>, time_ns: u64) -> Record {
    Record { time_ns, task: 0, argument: 0, kind, detail: 0, cpu: at, other: None, name: None }
}

/// Two CPUs: a task is spawned and woken by cpu0, kicked and stolen to cpu1, and completes there; each kind once.
fn small() -> Timeline {
    const TASK: u64 = 1 << 48 | 7;
    let task = |record: Record| Record { task: TASK, ..record };
    let other = |record: Record, cpu: u32| Record { other: Some(CpuId::new(cpu)), ..record };
    let (normal, completed) = (Tier::Normal as u8, Outcome::Completed as u8);
    let spawn = Record { detail: normal, ..task(record(Kind::Spawn, cpu(0), 100)) };
    let run =
        Record { detail: normal, name: NameId::new(1), ..task(record(Kind::Run, cpu(1), 1_000)) };
    let records = vec![
        record(Kind::Halt, cpu(1), 50),
        spawn,
        other(task(record(Kind::Wake, cpu(0), 200)), 0),
        task(record(Kind::Enqueue, cpu(0), 300)),
        other(record(Kind::Kick, cpu(0), 400), 1),
        record(Kind::Kicked, cpu(1), 500),
        record(Kind::Resume, cpu(1), 600),
        Record { argument: 3, ..record(Kind::Timers, cpu(1), 650) },
        record(Kind::Tick, cpu(1), 660),
        other(task(record(Kind::Steal, cpu(1), 700)), 0),
        other(task(record(Kind::Migrate, cpu(1), 800)), 0),
        run,
        Record { detail: completed, ..task(record(Kind::Stop, cpu(1), 1_500)) },
    ];
    let kinds: HashSet<Kind> = records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds.len(), Kind::ALL.len(), "an event of each kind");
    Timeline {
        cpus: 2,
        records,
        start_ns: 50,
        names: vec!["motor".into()],
        lost: 9,
        counts: vec![],
    }
}

#[test]
fn the_story_pairs_what_belongs_together() {
    let story = Story::new(&small());
    let [halt, run] = story.spans[..] else { panic!("{:?}", story.spans) };
    assert_eq!((halt.cpu.get(), halt.start_ns, halt.end_ns, halt.doing), (1, 50, 600, Doing::Halt));
    assert_eq!((run.start_ns, run.end_ns), (1_000, 1_500));
    let Doing::Run { outcome, latency_ns, .. } = run.doing else { panic!() };
    assert_eq!((outcome, latency_ns), (Some(Outcome::Completed), Some(800)));
    let arrow =
        |arrow: &Arrow| (arrow.kind, arrow.from, arrow.from_ns, arrow.to.get(), arrow.to_ns);
    assert_eq!(
        story.arrows.iter().map(arrow).collect::<Vec<_>>(),
        [
            (ArrowKind::Kick, cpu(0), 400, 1, 500),
            (ArrowKind::Wake, cpu(0), 200, 1, 1_000),
            (ArrowKind::Steal, cpu(0), 700, 1, 1_000),
        ]
    );
    assert_eq!(story.marks.len(), 5);
}

#[test]
fn what_has_not_ended_lasts_to_the_end() {
    let mut timeline = small();
    timeline.records.pop();
    timeline.records.push(record(Kind::Tick, cpu(0), 9_000));
    let story = Story::new(&timeline);
    let run = story.spans.last().unwrap();
    assert_eq!((run.start_ns, run.end_ns), (1_000, 9_000));
    assert!(matches!(run.doing, Doing::Run { outcome: None, .. }));
}

#[test]
fn chrome_events_are_json_and_none_is_missing() {
    let timeline = small();
    let mut bytes = Vec::new();
    write_chrome(&mut bytes, &timeline, &Story::new(&timeline)).unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).collect::<Vec<_>>();
    let names = |phase: &str| {
        of(phase).iter().map(|event| event["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("X"), ["halted", "motor"]);
    assert_eq!(names("s"), ["kick", "wake", "steal"]);
    assert_eq!(names("f"), names("s"));
    assert_eq!(names("i"), ["spawn", "enqueue", "timers", "tick", "migrate"]);
    let run = of("X")[1];
    assert_eq!(
        (run["tid"].as_u64(), run["ts"].as_f64(), run["dur"].as_f64()),
        (Some(1), Some(0.95), Some(0.5))
    );
    assert_eq!(run["args"]["task"], "1.7");
    assert_eq!(run["args"]["then"], "completed");
    assert_eq!(of("M").len(), 5);
}

#[test]
fn the_page_holds_its_data_and_nothing_from_elsewhere() {
    let timeline = small();
    let mut page = Vec::new();
    write_page(&mut page, &timeline, &Story::new(&timeline), "Title").unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("<title>Title</title>"));
    let data = data_of(&page);
    assert_eq!(data["cpus"], 2);
    assert_eq!(data["spans"].as_array().unwrap().len(), 2 * 8);
    assert_eq!(data["arrows"].as_array().unwrap().len(), 3 * 6);
    assert_eq!(data["marks"].as_array().unwrap().len(), 5 * 4);
    for (at, _) in page.match_indices("http") {
        assert!(
            page[at..].starts_with("http://www.w3.org/2000/svg"),
            "the network is asked for something"
        );
    }
    assert!(!page.contains("{{"));
}

/// The JSON in the page, as a browser would find it: up to the first end of the script element.
fn data_of(page: &str) -> Value {
    let (_, data) = page.split_once("<script type=\"application/json\" id=\"data\">").unwrap();
    let (data, _) = data.split_once("</script").unwrap();
    serde_json::from_str(data).unwrap()
}

#[test]
fn hostile_names_stay_text() {
    let hostile = "</script><script>alert(1)</script><!-- <b>&amp; \u{2028} \"' {{STYLE}}";
    let timeline = Timeline { names: vec![hostile.into()], ..small() };
    let mut page = Vec::new();
    write_page(&mut page, &timeline, &Story::new(&timeline), hostile).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert_eq!(page.matches("</script>").count(), 2, "the data ends the script");
    assert!(!page.contains("<script>alert") && !page.contains("<!--"));
    assert_eq!(data_of(&page)["names"][0], hostile);
    assert_eq!(data_of(&page)["title"], hostile);
}

#[test]
fn records_survive_their_file() {
    let timeline = small();
    let mut bytes = Vec::new();
    write_records(&mut bytes, &timeline).unwrap();
    assert_eq!(read_records(&bytes).as_ref(), Ok(&timeline));
    for length in 0..bytes.len() {
        assert!(read_records(&bytes[..length]).is_err(), "cut to {length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert_eq!(read_records(&longer), Err(ReadError::Length));
    assert_eq!(read_records(b"{}"), Err(ReadError::Header(HeaderError::NotATrace)));
}

#[test]
fn moments_with_a_steal_outlive_dull_ones() {
    let rings = rings(2);
    let mut moments = Moments::new(rings);
    rings.record(cpu(1), 5, Event::Halt);
    moments.look(0);
    let id = task_id();
    rings.record(cpu(1), 10, Event::Steal { task: id, victim: CpuId::new(0) });
    rings.record(cpu(1), 11, Event::Run { task: id, tier: Tier::Normal, name: "stolen" });
    moments.look(1);
    for now_ns in 100..100_000 {
        rings.record(cpu(1), now_ns, Event::Tick);
    }
    let timeline = moments.end();
    let kinds: Vec<Kind> = timeline.records.iter().map(|record| record.kind).collect();
    assert_eq!(kinds, [Kind::Halt, Kind::Steal, Kind::Run]);
    assert_eq!(timeline.counts[Kind::Tick.index()], 99_900);
}

/// Any task's id: there is no way to make one but to spawn a task.
fn task_id() -> sched::TaskId {
    struct First(std::sync::OnceLock<sched::TaskId>);
    impl Trace for First {
        fn record(&self, _: Option<CpuId>, _: u64, event: Event) {
            if let Event::Spawn { task, .. } = event {
                let _ = self.0.set(task);
            }
        }
    }
    let machine = demo::hosted::Hosted::new(1, 1);
    let settings = sched::Settings::DEFAULT;
    let trace: &'static First = Box::leak(Box::new(First(std::sync::OnceLock::new())));
    let scheduler: &'static sched::Scheduler<_, _, 1> =
        Box::leak(Box::new(sched::Scheduler::new(machine, trace, settings)));
    drop(scheduler.spawn(async {}));
    *trace.0.get().unwrap()
}

#[test]
fn a_capture_tells_names_and_losses() {
    let rings = rings(1);
    let id = task_id();
    rings.record(cpu(0), 1, Event::Run { task: id, tier: Tier::Normal, name: "known" });
    let written = 1 << 15;
    for now_ns in 2..=written {
        rings.record(cpu(0), now_ns, Event::Tick);
    }
    let timeline = Timeline::capture(rings);
    assert_eq!(timeline.lost + timeline.records.len() as u64, written);
    assert_eq!(timeline.end_ns(), written);
    assert!(timeline.names.iter().any(|name| name == "known"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever the streams: order within each is kept, nothing appears from nowhere, and what is left out is counted.
    #[test]
    fn merging_keeps_order_and_counts(
        times in prop::collection::vec(prop::collection::vec(0u64..1_000, 0..40), 1..5),
        sorted in any::<bool>(),
        most in 0usize..200,
    ) {
        let mut number = 0;
        let streams: Vec<(Vec<Record>, bool)> = times.into_iter().zip(0u32..).map(|(mut times, index)| {
            if sorted {
                times.sort_unstable();
            }
            let records = times.into_iter().map(|time_ns| {
                number += 1;
                let kind = if number % 3 == 0 { Kind::Halt } else { Kind::Tick };
                Record { argument: number, ..record(kind, cpu(index), time_ns) }
            });
            (records.collect(), index % 2 == 1)
        }).collect();
        let (merged, start_ns, left_out) = merge(streams.clone(), most);
        let total: usize = streams.iter().map(|(records, _)| records.len()).sum();
        prop_assert_eq!(merged.len() as u64 + left_out, total as u64);
        prop_assert!(merged.len() <= most + streams.len());
        for (stream, _) in &streams {
            let of_stream: Vec<_> = merged.iter().filter(|record| stream.contains(record)).collect();
            prop_assert!(of_stream.is_sorted_by_key(|record| record.argument));
        }
        if sorted {
            prop_assert!(merged.is_sorted_by_key(|record| record.time_ns));
            // Nothing is missing from the start on.
            for record in streams.iter().flat_map(|(records, _)| records) {
                prop_assert!(record.time_ns <= start_ns || merged.contains(record));
            }
            for (records, lossy) in &streams {
                let first_ns = records.first().map_or(0, |record| record.time_ns);
                prop_assert!(!lossy || start_ns >= first_ns);
            }
        }
    }
}
