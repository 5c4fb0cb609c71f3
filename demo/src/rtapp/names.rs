//! What is known of all tasks before any is read: their names, and which names are woken.

use super::event;
use super::json::{Member, Value};
use super::model::TaskId;
use std::collections::{BTreeMap, BTreeSet};

/// The names of a file.
pub(super) struct Names<'s> {
    tasks: Vec<String>,
    by_name: BTreeMap<String, TaskId>,
    woken: BTreeSet<&'s str>,
}

impl<'s> Names<'s> {
    /// From the unique names of the tasks, and the members of the `tasks` object.
    pub(super) fn new(tasks: Vec<String>, members: &'s [Member<'_>]) -> Self {
        let by_name = tasks.iter().cloned().zip((0..).map(TaskId)).collect();
        let mut woken = BTreeSet::new();
        for task in members {
            let keys = object(task);
            woken.extend(keys.iter().filter_map(event::wakes));
            let phases = keys.iter().filter(|member| member.key == "phases").flat_map(object);
            woken.extend(phases.flat_map(object).filter_map(event::wakes));
        }
        Self { tasks, by_name, woken }
    }

    /// The name of a task.
    pub(super) fn of(&self, task: TaskId) -> &str {
        &self.tasks[task.0]
    }

    pub(super) fn task(&self, name: &str) -> Option<TaskId> {
        self.by_name.get(name).copied()
    }

    /// Does any `resume`, `signal` or `broad` name this?
    pub(super) fn is_woken(&self, name: &str) -> bool {
        self.woken.contains(name)
    }
}

/// The members of an object; none if it is something else, which its reader will say.
fn object<'s, 'a>(member: &'s Member<'a>) -> &'s [Member<'a>] {
    match &member.value.value {
        Value::Object(members) => members,
        _ => &[],
    }
}
