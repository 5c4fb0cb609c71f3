//! One task: its scheduling, its affinity, and its phases.

use super::diagnostics::{Diagnostics, Fault, WarningKind, quoted};
use super::event;
use super::json::{Member, Node};
use super::model::{CpuSet, Global, Loops, MAX_CPU, MAX_INSTANCES, Phase, Policy, Task, TaskId};
use super::read::{ignore, once};
use super::references::References;

const TASK_WITHOUT_EFFECT: &[&str] = &[
    "deadline",
    "dl-deadline",
    "dl-period",
    "dl-runtime",
    "nodes_membind",
    "period",
    "taskgroup",
    "util_max",
    "util_min",
];

/// A task keeps its tier and its affinity over all phases.
const PHASE_WITHOUT_EFFECT: &[&str] = &[
    "cpus",
    "dl-deadline",
    "dl-period",
    "dl-runtime",
    "nodes_membind",
    "policy",
    "priority",
    "taskgroup",
    "util_max",
    "util_min",
];

/// The values of a task's keys, as they are found.
#[derive(Default)]
struct Keys<'s, 'a> {
    cpus: Option<&'s Node<'a>>,
    delay: Option<&'s Node<'a>>,
    instance: Option<&'s Node<'a>>,
    loops: Option<&'s Node<'a>>,
    phases: Option<&'s Node<'a>>,
    policy: Option<&'s Node<'a>>,
    priority: Option<&'s Node<'a>>,
    events: Vec<&'s Member<'a>>,
}

/// Reads the task of this member.
pub(super) fn read(
    member: &Member<'_>,
    id: TaskId,
    global: &Global,
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Task, Fault> {
    let mut keys = Keys::default();
    for member in member.value.members(&member.key)? {
        match &*member.key {
            "cpus" => once(&mut keys.cpus, member, diagnostics),
            "delay" => once(&mut keys.delay, member, diagnostics),
            "instance" => once(&mut keys.instance, member, diagnostics),
            "loop" => once(&mut keys.loops, member, diagnostics),
            "phases" => once(&mut keys.phases, member, diagnostics),
            "policy" => once(&mut keys.policy, member, diagnostics),
            "priority" => once(&mut keys.priority, member, diagnostics),
            key if event::is_event(key) => keys.events.push(member),
            _ => ignore(member, TASK_WITHOUT_EFFECT, diagnostics),
        }
    }

    let policy = match keys.policy {
        Some(node) => read_policy(node, "policy")?,
        None => global.default_policy,
    };
    let priority = read_priority(keys.priority, policy, diagnostics)?;
    let instances = match keys.instance {
        Some(node) => match u32::try_from(node.integer("instance")?) {
            Ok(count) if count <= MAX_INSTANCES => count,
            _ => {
                let message = format!("\"instance\" must be in 0..={MAX_INSTANCES}");
                return Err(Fault::new(node.at, message));
            }
        },
        None => 1,
    };
    let name = references.begin_task(id, instances);
    let (mut loops, phases) = match keys.phases {
        Some(node) => phased(node, &keys, references, diagnostics)?,
        None => flat(member, name, &keys, references, diagnostics)?,
    };
    if phases.is_empty() {
        loops = Loops::Times(0);
        let message = format!("task {} has nothing to do that is supported", quoted(name));
        diagnostics.warn(member.at, WarningKind::Doubtful, message);
    }
    Ok(Task {
        name: name.to_owned(),
        instances,
        loops,
        policy,
        priority,
        tier: policy.tier(priority),
        cpus: keys.cpus.map(read_cpus).transpose()?,
        delay_ns: keys.delay.map_or(Ok(0), |node| node.time_ns("delay", 1000))?,
        phases,
    })
}

/// A task that has `phases`.
fn phased(
    node: &Node<'_>,
    keys: &Keys<'_, '_>,
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<(Loops, Vec<Phase>), Fault> {
    for event in &keys.events {
        let message = format!("{} beside \"phases\": ignored", quoted(&event.key));
        diagnostics.warn(event.at, WarningKind::Doubtful, message);
    }
    let members = node.members("phases")?;
    if members.is_empty() {
        return Err(Fault::new(node.at, "\"phases\" is empty"));
    }
    let mut phases: Vec<Phase> = Vec::with_capacity(members.len());
    for member in members {
        if phases.last().is_some_and(|phase| phase.loops == Loops::Forever) {
            let message = format!("phase {} is never reached", quoted(&member.key));
            diagnostics.warn(member.at, WarningKind::Doubtful, message);
        }
        phases.extend(read_phase(member, references, diagnostics)?);
    }
    Ok((read_loops(keys.loops)?.unwrap_or(Loops::Forever), phases))
}

/// A task whose events stand in the task itself: one phase, which has the task's `loop`.
fn flat(
    member: &Member<'_>,
    name: &str,
    keys: &Keys<'_, '_>,
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<(Loops, Vec<Phase>), Fault> {
    let (task_loops, phase_loops) = match keys.loops {
        Some(node) => (Loops::Times(1), read_phase_loops(node, diagnostics)?),
        None => (Loops::Forever, Loops::Times(1)),
    };
    let phase = make_phase(member, name, phase_loops, &keys.events, references, diagnostics)?;
    Ok((task_loops, phase.into_iter().collect()))
}

fn read_phase(
    phase: &Member<'_>,
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Phase>, Fault> {
    let mut loops = None;
    let mut events = Vec::new();
    for member in phase.value.members(&phase.key)? {
        match &*member.key {
            "loop" => once(&mut loops, member, diagnostics),
            key if event::is_event(key) => events.push(member),
            _ => ignore(member, PHASE_WITHOUT_EFFECT, diagnostics),
        }
    }
    let loops = match loops {
        Some(node) => read_phase_loops(node, diagnostics)?,
        None => Loops::Times(1),
    };
    make_phase(phase, &phase.key, loops, &events, references, diagnostics)
}

/// The phase of these events; none if no event is supported.
fn make_phase(
    owner: &Member<'_>,
    name: &str,
    loops: Loops,
    members: &[&Member<'_>],
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Phase>, Fault> {
    if members.is_empty() {
        return Err(Fault::new(owner.at, format!("{} has no events", quoted(&owner.key))));
    }
    let mut events = Vec::with_capacity(members.len());
    for member in members {
        events.extend(event::read(member, references, diagnostics)?);
    }
    Ok((!events.is_empty()).then(|| Phase { name: name.to_owned(), loops, events }))
}

fn read_loops(node: Option<&Node<'_>>) -> Result<Option<Loops>, Fault> {
    let Some(node) = node else { return Ok(None) };
    match node.integer("loop")? {
        -1 => Ok(Some(Loops::Forever)),
        count => match u32::try_from(count) {
            Ok(count) => Ok(Some(Loops::Times(count))),
            Err(_) => Err(Fault::new(node.at, "\"loop\" must be -1 (forever) or 0..=4294967295")),
        },
    }
}

fn read_phase_loops(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Result<Loops, Fault> {
    match read_loops(Some(node))? {
        Some(Loops::Times(0)) => {
            let message = "\"loop\" of 0 in a phase: taken as forever, as rt-app does";
            diagnostics.warn(node.at, WarningKind::Doubtful, message);
            Ok(Loops::Forever)
        }
        loops => Ok(loops.unwrap_or(Loops::Forever)),
    }
}

/// Reads the name of a scheduling policy.
pub(super) fn read_policy(node: &Node<'_>, key: &str) -> Result<Policy, Fault> {
    let name = node.text(key)?;
    Policy::from_name(name).ok_or_else(|| {
        let message = format!(
            "{}: no such policy (SCHED_OTHER, _BATCH, _IDLE, _FIFO, _RR, _DEADLINE)",
            quoted(name)
        );
        Fault::new(node.at, message)
    })
}

fn read_priority(
    node: Option<&Node<'_>>,
    policy: Policy,
    diagnostics: &mut Diagnostics,
) -> Result<i32, Fault> {
    let given = node.map(|node| Ok((node, node.integer("priority")?))).transpose()?;
    let (range, default) = match policy {
        Policy::Fifo | Policy::RoundRobin => (1..=99, 10),
        Policy::Deadline => (0..=0, 0),
        Policy::Other | Policy::Batch | Policy::Idle => (-20..=19, 0),
    };
    let Some((node, given)) = given else { return Ok(default) };
    // Linux refuses a real-time priority out of range, clamps a nice value, ignores the rest.
    let clamped = given.clamp(i64::from(*range.start()), i64::from(*range.end()));
    let clamped = i32::try_from(clamped).unwrap_or(default);
    if i64::from(clamped) != given {
        let message = format!("\"priority\" must be in {range:?} under this policy");
        if matches!(policy, Policy::Fifo | Policy::RoundRobin) {
            return Err(Fault::new(node.at, message));
        }
        let message = format!("{message}: {clamped} is used");
        diagnostics.warn(node.at, WarningKind::Doubtful, message);
    }
    Ok(clamped)
}

fn read_cpus(node: &Node<'_>) -> Result<CpuSet, Fault> {
    let mut ids = Vec::new();
    for item in node.items("cpus")? {
        match u32::try_from(item.integer("cpus")?) {
            Ok(id) if id < MAX_CPU => ids.push(id),
            _ => {
                let message = format!("\"cpus\": a CPU id must be in 0..{MAX_CPU}");
                return Err(Fault::new(item.at, message));
            }
        }
    }
    CpuSet::new(ids).ok_or_else(|| Fault::new(node.at, "\"cpus\" names no CPU"))
}
