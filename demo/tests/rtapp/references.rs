//! Names that one task says and another answers.

use crate::{good, warnings};
use demo::rtapp::{Event, Parsed};

/// The condition that the first event of this task names.
fn condition(parsed: &Parsed, task: usize) -> &str {
    match parsed.workload.tasks[task].phases[0].events[0] {
        Event::Suspend { condition } | Event::Resume { condition } => {
            &parsed.workload.resources.conditions[condition.0]
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn suspend_waits_on_its_own_name_whatever_its_value() {
    for value in [r#""suspend""#, r#""suspend": "a""#, r#""suspend": "x""#, r#""suspend": 5"#] {
        let text = format!(r#"{{ "tasks": {{ "a": {{ {value} }}, "b": {{ "resume": "a" }} }} }}"#);
        let parsed = good(&text);
        assert_eq!((condition(&parsed, 0), &*parsed.warnings), ("a", &[][..]), "{text}");
        assert_eq!(condition(&parsed, 1), "a");
    }
}

#[test]
fn suspend_waits_on_its_value_if_only_that_is_woken() {
    for waker in ["resume", "signal", "broad"] {
        let text = format!(
            r#"{{ "tasks": {{ "a": {{ "suspend": "x" }},
                "b": {{ "phases": {{ "p": {{ "{waker}": "x" }} }} }} }} }}"#
        );
        assert_eq!(condition(&good(&text), 0), "x");
        let expected = r#"1:21 doubtful suspend on "x", for nothing resumes "a""#;
        assert_eq!(warnings(&text), [expected]);
    }
}

#[test]
fn a_wait_that_nothing_ends_is_named() {
    let text = r#"{ "tasks": { "a": { "suspend": "x" } } }"#;
    assert_eq!(condition(&good(text), 0), "a");
    let expected = r#"1:21 doubtful waits for ever: nothing resumes or signals "a""#;
    assert_eq!(warnings(text), [expected]);

    let text = r#"{ "tasks": { "a": { "lock": "m", "wait": { "ref": "q", "mutex": "m" } } } }"#;
    let expected = r#"1:34 doubtful waits for ever: nothing resumes or signals "q""#;
    assert_eq!(warnings(text), [expected]);

    let text = r#"{ "tasks": { "a": { "sem_wait": "s" } } }"#;
    assert_eq!(warnings(text), [r#"1:21 doubtful waits for ever: nothing posts "s""#]);
}

#[test]
fn tasks_that_sync_answer_one_another() {
    let sync = r#"{ "lock": "m", "sync": { "ref": "q", "mutex": "m" }, "unlock": "m" }"#;
    let text = format!(r#"{{ "tasks": {{ "a": {sync}, "b": {sync} }} }}"#);
    assert_eq!(good(&text).warnings, []);
}

#[test]
fn a_mutex_that_the_task_never_locks_is_named() {
    let text = r#"{ "tasks": {
"a": { "unlock": "m", "signal": "q", "wait": { "ref": "q", "mutex": "n" } },
"b": { "lock": "m", "unlock": "m" } } }"#;
    assert_eq!(
        warnings(text),
        [r#"2:8 doubtful task "a" never locks "m""#, r#"2:38 doubtful task "a" never locks "n""#,]
    );
}

#[test]
fn a_barrier_in_a_forked_task_is_named() {
    let text = r#"{ "tasks": { "a": { "fork": "b" }, "b": { "barrier": "x" } } }"#;
    let expected = r#"1:21 doubtful "b" has a barrier, which does not count forked instances"#;
    assert_eq!(warnings(text), [expected]);
}

#[test]
fn a_barrier_without_instances_still_has_a_party() {
    let text = r#"{ "tasks": { "a": { "instance": 0, "barrier": "x" }, "b": { "run": 1 } } }"#;
    assert_eq!(good(text).workload.resources.barriers[0].parties, 1);
}
