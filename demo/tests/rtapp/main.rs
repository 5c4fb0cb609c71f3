//! The workload language, from outside: keys, errors with their place, hostile text, whole files.

mod errors;
mod files;
mod hostile;
mod keys;
mod references;
mod sequence;

use demo::rtapp::{Event, Parsed, Task, WarningKind, parse};

/// A workload that must be one.
#[track_caller]
fn good(text: &str) -> Parsed {
    match parse(text, "test.json") {
        Ok(parsed) => parsed,
        Err(error) => panic!("{error}\nin {text}"),
    }
}

/// The first task of a file that consists of one task with this body, and no warnings.
#[track_caller]
fn task(body: &str) -> Task {
    let mut parsed = good(&format!(r#"{{ "tasks": {{ "t": {{ {body} }} }} }}"#));
    assert_eq!(parsed.warnings, [], "{body}");
    parsed.workload.tasks.remove(0)
}

/// The events of a task with this body, over all phases; warnings allowed.
#[track_caller]
fn events(body: &str) -> Vec<Event> {
    let parsed = good(&format!(r#"{{ "tasks": {{ "t": {{ {body} }} }} }}"#));
    parsed.workload.tasks[0].phases.iter().flat_map(|phase| phase.events.clone()).collect()
}

/// The warnings of a file, as `line:column kind message`.
#[track_caller]
fn warnings(text: &str) -> Vec<String> {
    let show = |warning: &demo::rtapp::Warning| {
        let kind = match warning.kind {
            WarningKind::Unsupported => "unsupported",
            WarningKind::Unknown => "unknown",
            WarningKind::Duplicate => "duplicate",
            WarningKind::Doubtful => "doubtful",
        };
        format!("{}:{} {kind} {}", warning.at.line, warning.at.column, warning.message)
    };
    good(text).warnings.iter().map(show).collect()
}
