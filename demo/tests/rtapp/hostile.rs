//! No text makes the parser panic, and what it accepts keeps the model's invariants.

use demo::rtapp::{Event, Loops, MAX_INSTANCES, MAX_TIME_NS, Parsed, TimerScope, Workload, parse};
use proptest::prelude::*;

const VALID: [&str; 4] = [
    include_str!("../../workloads/default.json"),
    include_str!("../../workloads/periodic.json"),
    include_str!("../../workloads/pipeline.json"),
    include_str!("../../workloads/bursts.json"),
];

/// What may stand where in a workload, to make texts that get past the first check.
const PIECES: [&str; 48] = [
    "{",
    "}",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    ",",
    ":",
    "\"tasks\"",
    "\"global\"",
    "\"phases\"",
    "\"loop\"",
    "\"instance\"",
    "\"cpus\"",
    "\"priority\"",
    "\"policy\"",
    "\"SCHED_FIFO\"",
    "\"run\"",
    "\"sleep1\"",
    "\"timer\"",
    "\"ref\"",
    "\"unique\"",
    "\"period\"",
    "\"mode\"",
    "\"suspend\"",
    "\"resume\"",
    "\"lock\"",
    "\"unlock\"",
    "\"wait\"",
    "\"mutex\"",
    "\"signal\"",
    "\"sync\"",
    "\"barrier\"",
    "\"fork\"",
    "\"yield\"",
    "\"sem_wait\"",
    "\"sem_post\"",
    "\"mem\"",
    "0",
    "-1",
    "1000000000",
    "99999999999999999999",
    "1e999",
    "null",
    "/*",
    "*/",
];

pub(crate) fn check(text: &str) -> Option<Parsed> {
    match parse(text, "f") {
        Ok(parsed) => {
            check_model(&parsed.workload);
            assert!(parsed.warnings.is_sorted_by_key(|warning| warning.at));
            for warning in &parsed.warnings {
                assert_eq!(warning.to_string().lines().count(), 1);
            }
            let _ = parsed.workload.summary();
            Some(parsed)
        }
        Err(error) => {
            assert_eq!(error.to_string().lines().count(), 1, "{error:?}");
            assert!(error.line <= text.matches('\n').count() + 1, "{error:?}");
            let line = text.split('\n').nth(error.line - 1).expect("a line of the text");
            assert!(error.column <= line.chars().count() + 1, "{error:?}");
            None
        }
    }
}

/// M1 to M4 of the model.
fn check_model(workload: &Workload) {
    let resources = &workload.resources;
    let time = |ns: u64| assert!(ns <= MAX_TIME_NS);
    let instances: u64 = workload.tasks.iter().map(|task| u64::from(task.instances)).sum();
    assert!((1..=u64::from(MAX_INSTANCES)).contains(&instances));
    for timer in &resources.timers {
        if let TimerScope::PerInstance(task) = timer.scope {
            assert!(task.0 < workload.tasks.len());
        }
    }
    assert!(resources.barriers.iter().all(|barrier| barrier.parties > 0));
    for task in &workload.tasks {
        time(task.delay_ns);
        assert!(!task.phases.is_empty() || task.loops == Loops::Times(0));
        for phase in &task.phases {
            assert!(!phase.events.is_empty() && phase.loops != Loops::Times(0));
            for event in &phase.events {
                match *event {
                    Event::Run { duration_ns }
                    | Event::Runtime { duration_ns }
                    | Event::Sleep { duration_ns } => time(duration_ns),
                    Event::Timer { timer, period_ns } => {
                        time(period_ns);
                        assert!(timer.0 < resources.timers.len());
                    }
                    Event::Suspend { condition }
                    | Event::Resume { condition }
                    | Event::Signal { condition }
                    | Event::Broadcast { condition } => {
                        assert!(condition.0 < resources.conditions.len());
                    }
                    Event::Lock { mutex } | Event::Unlock { mutex } => {
                        assert!(mutex.0 < resources.mutexes.len());
                    }
                    Event::Wait { condition, mutex } | Event::Sync { condition, mutex } => {
                        assert!(condition.0 < resources.conditions.len());
                        assert!(mutex.0 < resources.mutexes.len());
                    }
                    Event::Barrier { barrier } => assert!(barrier.0 < resources.barriers.len()),
                    Event::SemWait { semaphore } | Event::SemPost { semaphore } => {
                        assert!(semaphore.0 < resources.semaphores.len());
                    }
                    Event::Fork { task } => assert!(task.0 < workload.tasks.len()),
                    Event::Yield => {}
                }
            }
        }
    }
}

/// A change to a text: at a place (taken modulo its length), drop some characters and put others in.
fn mutate(text: &str, at: usize, dropped: usize, put: &str) -> String {
    let at = at % (text.chars().count() + 1);
    let before = text.chars().take(at);
    before.chain(put.chars()).chain(text.chars().skip(at + dropped)).collect()
}

proptest! {
    #[test]
    fn any_text(text in any::<String>()) {
        check(&text);
    }

    #[test]
    fn any_sequence_of_pieces(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..60)) {
        check(&pieces.concat());
    }

    #[test]
    fn changed_files(
        file in prop::sample::select(&VALID[..]),
        changes in prop::collection::vec(
            (any::<usize>(), 0_usize..12, prop_oneof![
                prop::sample::select(&PIECES[..]).prop_map(str::to_owned),
                ".{0,4}",
            ]),
            1..4,
        ),
    ) {
        let change = |text: String, (at, dropped, put): &(usize, usize, String)| {
            mutate(&text, *at, *dropped, put)
        };
        check(&changes.iter().fold(file.to_owned(), change));
    }

    #[test]
    fn changed_numbers(file in prop::sample::select(&VALID[..]), nth in 0_usize..60, number in any::<i64>()) {
        let starts: Vec<usize> = file.match_indices(": ").map(|(at, _)| at + 2)
            .filter(|&at| file[at..].starts_with(|c: char| c.is_ascii_digit())).collect();
        let at = starts[nth % starts.len()];
        let digits = file[at..].bytes().take_while(u8::is_ascii_digit).count();
        check(&format!("{}{number}{}", &file[..at], &file[at + digits..]));
    }
}

#[test]
fn every_prefix_of_a_valid_file() {
    for file in VALID {
        assert!(check(file).is_some());
        for (at, _) in file.char_indices().step_by(7) {
            check(&file[..at]);
        }
    }
}

/// Time must be linear in the text: with anything quadratic these would not end in a test's time.
#[test]
fn large_texts_of_one_line() {
    let many_unknown =
        format!(r#"{{ "tasks": {{ "t": {{ "run": 1, {} }} }} }}"#, r#""x":1,"#.repeat(150_000));
    assert_eq!(check(&many_unknown).expect("valid").warnings.len(), 150_000);
    let many_waits =
        format!(r#"{{ "tasks": {{ "t": {{ {} }} }} }}"#, r#""suspend","#.repeat(100_000));
    assert_eq!(check(&many_waits).expect("valid").warnings.len(), 100_000);
    let many_phases = r#""p":{"run":1},"#.repeat(60_000);
    let many_phases = format!(r#"{{ "tasks": {{ "t": {{ "phases": {{ {many_phases} }} }} }} }}"#);
    check(&many_phases).expect("valid");
    check(&format!("[{}]", "0,".repeat(500_000)));
}
