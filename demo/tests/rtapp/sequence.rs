//! Order, suffixes, duplicates, phases.

use crate::{events, good, task, warnings};
use demo::rtapp::{Event, Loops};

fn run(us: u64) -> Event {
    Event::Run { duration_ns: us * 1000 }
}

fn sleep(us: u64) -> Event {
    Event::Sleep { duration_ns: us * 1000 }
}

#[test]
fn events_keep_the_order_of_the_file() {
    let expected = [sleep(1), run(2), Event::Yield, run(3), sleep(4)];
    assert_eq!(events(r#""sleep": 1, "run1": 2, "yield": "", "run0": 3, "sleep0": 4"#), expected);
}

#[test]
fn the_same_event_key_twice_is_two_events() {
    assert_eq!(
        events(r#""run": 1, "sleep": 2, "run": 3, "run": 3"#),
        [run(1), sleep(2), run(3), run(3)]
    );
    assert_eq!(task(r#""run": 1, "run": 1"#).phases[0].events.len(), 2, "and no warning");
}

#[test]
fn any_suffix_makes_an_event_as_in_rt_app() {
    assert_eq!(events(r#""run0": 1, "run_a": 2, "runner": 3"#), [run(1), run(2), run(3)]);
    assert_eq!(events(r#""runtime0": 1"#), [Event::Runtime { duration_ns: 1000 }]);
    assert_eq!(events(r#""sleep-9": 1"#), [sleep(1)]);
    assert_eq!(events(r#""yield_now": 1"#), [Event::Yield]);
    let timers = events(r#""timer_1": { "ref": "unique", "period": 5 }"#);
    assert!(matches!(timers[..], [Event::Timer { period_ns: 5000, .. }]));
    let locks = events(r#""lock1": "m", "unlock1": "m""#);
    assert!(matches!(locks[..], [Event::Lock { .. }, Event::Unlock { .. }]));
    let names = events(
        r#""suspend1": "t", "resume1": "t", "signal1": "t", "broadcast": "t",
           "sem_post1": "s", "sem_wait1": "s", "barrier1": "b", "fork1": "t""#,
    );
    assert!(
        matches!(
            names[..],
            [
                Event::Suspend { .. },
                Event::Resume { .. },
                Event::Signal { .. },
                Event::Broadcast { .. },
                Event::SemPost { .. },
                Event::SemWait { .. },
                Event::Barrier { .. },
                Event::Fork { .. }
            ]
        ),
        "{names:?}"
    );
}

#[test]
fn of_a_property_given_twice_the_first_counts_and_the_second_is_named() {
    let text = r#"{ "tasks": { "t": { "loop": 2, "run": 1, "loop": 3 } } }"#;
    assert_eq!(good(text).workload.tasks[0].phases[0].loops, Loops::Times(2));
    assert_eq!(warnings(text), [r#"1:42 duplicate "loop" again: the first one counts"#]);

    let text = r#"{ "tasks": { "t": { "run": 1 } }, "tasks": {}, "global": {}, "global": 3 }"#;
    assert_eq!(
        warnings(text),
        [
            r#"1:35 duplicate "tasks" again: the first one counts"#,
            r#"1:62 duplicate "global" again: the first one counts"#,
        ]
    );
}

#[test]
fn tasks_of_one_name_all_run_under_names_of_their_own() {
    let text = r#"{ "tasks": {
        "t": { "run": 1 }, "t1": { "run": 2 }, "t": { "run": 3 }, "t": { "run": 4 } } }"#;
    let names: Vec<_> = good(text).workload.tasks.into_iter().map(|task| task.name).collect();
    assert_eq!(names, ["t", "t1", "t2", "t3"]);
    assert_eq!(
        warnings(text),
        [
            r#"2:48 duplicate task "t" again: called "t2""#,
            r#"2:67 duplicate task "t" again: called "t3""#,
        ]
    );
}

#[test]
fn phases_keep_order_loops_and_names() {
    let task = task(
        r#""loop": 5, "phases": {
            "z": { "loop": 2, "run": 1 },
            "a": { "sleep": 1, "run": 2 },
            "z": { "loop": -1, "run": 3 } }"#,
    );
    let shown: Vec<_> = task.phases.iter().map(|p| (&*p.name, p.loops, &*p.events)).collect();
    assert_eq!(
        shown,
        [
            ("z", Loops::Times(2), &[run(1)][..]),
            ("a", Loops::Times(1), &[sleep(1), run(2)][..]),
            ("z", Loops::Forever, &[run(3)][..]),
        ]
    );
    assert_eq!(task.loops, Loops::Times(5));
}

#[test]
fn a_phase_with_nothing_supported_is_left_out() {
    let text = r#"{ "tasks": { "t": { "phases": {
        "a": { "mem": 1 }, "b": { "run": 1 } } } } }"#;
    let task = &good(text).workload.tasks[0];
    assert_eq!((task.phases.len(), &*task.phases[0].name), (1, "b"));
}

#[test]
fn events_beside_phases_are_named() {
    let text = r#"{ "tasks": { "t": { "run": 9, "phases": { "p": { "run": 1 } } } } }"#;
    assert_eq!(good(text).workload.tasks[0].phases[0].events, [run(1)]);
    assert_eq!(warnings(text), [r#"1:21 doubtful "run" beside "phases": ignored"#]);
}

#[test]
fn a_phase_after_an_endless_one_is_named() {
    let text = r#"{ "tasks": { "t": { "phases": {
        "p": { "loop": -1, "run": 1 }, "q": { "run": 1 } } } } }"#;
    assert_eq!(warnings(text), [r#"2:40 doubtful phase "q" is never reached"#]);
}

#[test]
fn comments_trailing_commas_and_single_quotes_are_read() {
    let text =
        "// first\n{ /* a { */ 'tasks' : { \"t\" : { \"cpus\": [ 0, 1, ], \"run\" : 1, }, }, }\n//";
    assert_eq!(good(text).workload.tasks[0].phases[0].events, [run(1)]);
}
