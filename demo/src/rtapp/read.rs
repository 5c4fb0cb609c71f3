//! From text to [`Parsed`]: the root object, the `global` object, and the list of tasks.

use super::diagnostics::{Diagnostics, Fault, ParseError, Warning, WarningKind, quoted};
use super::json::{self, Member, Node};
use super::model::{Global, MAX_INSTANCES, MAX_TASKS, Policy, TaskId, Workload};
use super::names::Names;
use super::references::References;
use super::task;
use std::collections::{BTreeMap, BTreeSet};

/// A workload and what in its file has no effect or a doubtful one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The workload.
    pub workload: Workload,
    /// In the order of the text.
    pub warnings: Vec<Warning>,
}

/// Reads a workload from `text`; `file_name` is for messages only.
///
/// # Errors
/// The first thing that keeps `text` from being a workload: bad JSON, a wrong type, a number out of
/// its range, a reference to a task that is not there, a task without events.
pub fn parse(text: &str, file_name: &str) -> Result<Parsed, ParseError> {
    let mut diagnostics = Diagnostics::default();
    let workload = json::read(text)
        .and_then(|root| read_root(&root, &mut diagnostics))
        .map_err(|fault| fault.locate(text, file_name))?;
    Ok(Parsed { workload, warnings: diagnostics.locate(text, file_name) })
}

/// A key that is given once at most: the first counts, later ones are named.
pub(super) fn once<'s, 'a>(
    slot: &mut Option<&'s Node<'a>>,
    member: &'s Member<'a>,
    diagnostics: &mut Diagnostics,
) {
    if slot.is_some() {
        let message = format!("{} again: the first one counts", quoted(&member.key));
        diagnostics.warn(member.at, WarningKind::Duplicate, message);
    } else {
        *slot = Some(&member.value);
    }
}

/// Names a key that has no effect: one of rt-app's (`known`), or of nobody's.
pub(super) fn ignore(member: &Member<'_>, known: &[&str], diagnostics: &mut Diagnostics) {
    let key = quoted(&member.key);
    if known.contains(&&*member.key) {
        let message = format!("{key} is not supported: ignored");
        diagnostics.warn(member.at, WarningKind::Unsupported, message);
    } else {
        let message = format!("{key} is not a key of this place: ignored");
        diagnostics.warn(member.at, WarningKind::Unknown, message);
    }
}

fn read_root(root: &Node<'_>, diagnostics: &mut Diagnostics) -> Result<Workload, Fault> {
    let (mut global, mut tasks) = (None, None);
    for member in root.members("the workload")? {
        match &*member.key {
            "global" => once(&mut global, member, diagnostics),
            "tasks" => once(&mut tasks, member, diagnostics),
            // Resources come into being where an event names them.
            _ => ignore(member, &["resources"], diagnostics),
        }
    }
    let global = read_global(global, diagnostics)?;
    let Some(tasks) = tasks else {
        return Err(Fault::new(root.at, "there is no \"tasks\" object"));
    };
    let members = tasks.members("tasks")?;
    if members.is_empty() {
        return Err(Fault::new(tasks.at, "\"tasks\" is empty"));
    }
    if let Some(extra) = members.get(MAX_TASKS) {
        return Err(Fault::new(extra.at, format!("more than {MAX_TASKS} tasks")));
    }

    let names = Names::new(unique_names(members, diagnostics), members);
    let mut references = References::new(&names);
    let mut read = Vec::with_capacity(members.len());
    let mut instances = 0_u32;
    for (member, id) in members.iter().zip((0..).map(TaskId)) {
        let task = task::read(member, id, &global, &mut references, diagnostics)?;
        // No overflow: both are at most MAX_INSTANCES here.
        instances += task.instances;
        if instances > MAX_INSTANCES {
            let message = format!("more than {MAX_INSTANCES} instances in all");
            return Err(Fault::new(member.at, message));
        }
        read.push(task);
    }
    if instances == 0 {
        return Err(Fault::new(tasks.at, "no task has an instance: nothing would run"));
    }
    Ok(Workload { global, resources: references.finish(diagnostics), tasks: read })
}

const GLOBAL_WITHOUT_EFFECT: &[&str] = &[
    "calibration",
    "cumulative_slack",
    "frag",
    "ftrace",
    "gnuplot",
    "io_device",
    "lock_pages",
    "log_basename",
    "log_size",
    "logdir",
    "mem_buffer_size",
    "pi_enabled",
];

fn read_global(node: Option<&Node<'_>>, diagnostics: &mut Diagnostics) -> Result<Global, Fault> {
    let mut global = Global { duration_ns: None, default_policy: Policy::Other };
    let Some(node) = node else { return Ok(global) };
    let (mut duration, mut policy) = (None, None);
    for member in node.members("global")? {
        match &*member.key {
            "duration" => once(&mut duration, member, diagnostics),
            "default_policy" => once(&mut policy, member, diagnostics),
            _ => ignore(member, GLOBAL_WITHOUT_EFFECT, diagnostics),
        }
    }
    if let Some(node) = duration
        && !matches!(node.integer("duration")?, -1 | 0)
    {
        global.duration_ns = Some(node.time_ns("duration", 1_000_000_000)?);
    }
    if let Some(node) = policy {
        global.default_policy = task::read_policy(node, "default_policy")?;
    }
    Ok(global)
}

/// The tasks' names, made unique by a number at the end.
fn unique_names(members: &[Member<'_>], diagnostics: &mut Diagnostics) -> Vec<String> {
    let given: BTreeSet<&str> = members.iter().map(|member| &*member.key).collect();
    let mut copies: BTreeMap<&str, u32> = BTreeMap::new();
    let mut made = BTreeSet::new();
    let mut unique = |member: &Member<'_>, copy: &mut u32| loop {
        let name = format!("{}{copy}", member.key);
        *copy += 1;
        if !given.contains(&*name) && made.insert(name.clone()) {
            let message = format!("task {} again: called {}", quoted(&member.key), quoted(&name));
            diagnostics.warn(member.at, WarningKind::Duplicate, message);
            return name;
        }
    };
    let mut names = Vec::with_capacity(members.len());
    for member in members {
        match copies.get_mut(&*member.key) {
            Some(copy) => names.push(unique(member, copy)),
            None => {
                copies.insert(&member.key, 1);
                names.push(member.key.clone().into_owned());
            }
        }
    }
    names
}
