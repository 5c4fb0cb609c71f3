//! One event. As in rt-app a key is an event if it *begins* with an event's name.

use super::diagnostics::{Diagnostics, Fault, WarningKind, quoted};
use super::json::{Member, Node};
use super::model::{Event, TimerMode};
use super::read::{ignore, once};
use super::references::References;

/// The events, by the first letters of their keys.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Barrier,
    Broadcast,
    Fork,
    IoRun,
    Lock,
    Mem,
    Resume,
    Run,
    Runtime,
    SemPost,
    SemWait,
    Signal,
    Sleep,
    Suspend,
    Sync,
    Timer,
    Unlock,
    Wait,
    Yield,
}

/// Of two names that fit, the longer stands first.
const KINDS: &[(&str, Kind)] = &[
    ("barrier", Kind::Barrier),
    ("broad", Kind::Broadcast),
    ("fork", Kind::Fork),
    ("iorun", Kind::IoRun),
    ("lock", Kind::Lock),
    ("mem", Kind::Mem),
    ("resume", Kind::Resume),
    ("runtime", Kind::Runtime),
    ("run", Kind::Run),
    ("sem_post", Kind::SemPost),
    ("sem_wait", Kind::SemWait),
    ("signal", Kind::Signal),
    ("sleep", Kind::Sleep),
    ("suspend", Kind::Suspend),
    ("sync", Kind::Sync),
    ("timer", Kind::Timer),
    ("unlock", Kind::Unlock),
    ("wait", Kind::Wait),
    ("yield", Kind::Yield),
];

fn kind(key: &str) -> Option<Kind> {
    KINDS.iter().find(|(prefix, _)| key.starts_with(prefix)).map(|&(_, kind)| kind)
}

/// Is this the key of an event, supported or not?
pub(super) fn is_event(key: &str) -> bool {
    kind(key).is_some()
}

/// The name this event can wake a waiter by, if it is one that wakes.
pub(super) fn wakes<'s>(member: &'s Member<'_>) -> Option<&'s str> {
    match kind(&member.key)? {
        Kind::Resume | Kind::Signal | Kind::Broadcast => member.value.text("").ok(),
        _ => None,
    }
}

/// Reads an event; `None`, and a warning, if it is one that is not supported.
pub(super) fn read(
    member: &Member<'_>,
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Option<Event>, Fault> {
    let Member { at, key, value } = member;
    let Some(kind) = kind(key) else { return Ok(None) };
    let duration_ns = || value.time_ns(key, 1000);
    let name = || value.text(key);
    Ok(Some(match kind {
        Kind::Run => Event::Run { duration_ns: duration_ns()? },
        Kind::Runtime => Event::Runtime { duration_ns: duration_ns()? },
        Kind::Sleep => Event::Sleep { duration_ns: duration_ns()? },
        Kind::Timer => read_timer(member, references, diagnostics)?,
        Kind::Lock => Event::Lock { mutex: references.lock(name()?) },
        Kind::Unlock => Event::Unlock { mutex: references.held(name()?, *at) },
        Kind::Wait => {
            let (condition, mutex) = condition_and_mutex(member, diagnostics)?;
            Event::Wait {
                condition: references.wait(condition, *at),
                mutex: references.held(mutex, *at),
            }
        }
        Kind::Sync => {
            let (condition, mutex) = condition_and_mutex(member, diagnostics)?;
            // It wakes first, so that another task's `sync` can answer it.
            references.wake(condition);
            Event::Sync {
                condition: references.wait(condition, *at),
                mutex: references.held(mutex, *at),
            }
        }
        Kind::Signal => Event::Signal { condition: references.wake(name()?) },
        Kind::Broadcast => Event::Broadcast { condition: references.wake(name()?) },
        Kind::Resume => Event::Resume { condition: references.wake(name()?) },
        // The value is only a hint, and may be missing or of any type.
        Kind::Suspend => {
            let condition = references.suspend(name().ok(), *at, diagnostics);
            Event::Suspend { condition }
        }
        Kind::Barrier => Event::Barrier { barrier: references.barrier(name()?) },
        Kind::SemWait => Event::SemWait { semaphore: references.sem_wait(name()?, *at) },
        Kind::SemPost => Event::SemPost { semaphore: references.sem_post(name()?) },
        Kind::Yield => Event::Yield,
        Kind::Fork => match references.fork(name()?, *at) {
            Some(task) => Event::Fork { task },
            None => {
                let message = format!("{}: there is no task {}", quoted(key), quoted(name()?));
                return Err(Fault::new(value.at, message));
            }
        },
        Kind::Mem | Kind::IoRun => {
            let message = format!("event {} is not supported: ignored", quoted(key));
            diagnostics.warn(*at, WarningKind::Unsupported, message);
            return Ok(None);
        }
    }))
}

fn read_timer(
    timer: &Member<'_>,
    references: &mut References<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<Event, Fault> {
    let (mut name, mut period, mut mode) = (None, None, None);
    for member in timer.value.members(&timer.key)? {
        match &*member.key {
            "ref" => once(&mut name, member, diagnostics),
            "period" => once(&mut period, member, diagnostics),
            "mode" => once(&mut mode, member, diagnostics),
            _ => ignore(member, &[], diagnostics),
        }
    }
    let name = required(name, "ref", timer)?.text("ref")?;
    let period_ns = required(period, "period", timer)?.time_ns("period", 1000)?;
    let mode = match mode.map(|node| Ok((node, node.text("mode")?))).transpose()? {
        None | Some((_, "relative")) => TimerMode::Relative,
        Some((_, "absolute")) => TimerMode::Absolute,
        Some((node, _)) => {
            return Err(Fault::new(node.at, "\"mode\" must be \"relative\" or \"absolute\""));
        }
    };
    Ok(Event::Timer { timer: references.timer(name, mode), period_ns })
}

/// The names in the value of a `wait` or `sync`.
fn condition_and_mutex<'s>(
    event: &'s Member<'_>,
    diagnostics: &mut Diagnostics,
) -> Result<(&'s str, &'s str), Fault> {
    let (mut condition, mut mutex) = (None, None);
    for member in event.value.members(&event.key)? {
        match &*member.key {
            "ref" => once(&mut condition, member, diagnostics),
            "mutex" => once(&mut mutex, member, diagnostics),
            _ => ignore(member, &[], diagnostics),
        }
    }
    Ok((
        required(condition, "ref", event)?.text("ref")?,
        required(mutex, "mutex", event)?.text("mutex")?,
    ))
}

fn required<'s, 'a>(
    node: Option<&'s Node<'a>>,
    key: &str,
    event: &Member<'_>,
) -> Result<&'s Node<'a>, Fault> {
    node.ok_or_else(|| Fault::new(event.at, format!("{} needs a \"{key}\"", quoted(&event.key))))
}
