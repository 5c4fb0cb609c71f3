//! Runs other programs: shows what they print, keeps it, and ends them when they take too long.
//!
//! Every child leads a process group of its own, so that its children end with it; an interrupt
//! from the keyboard is passed on to that group.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, BufRead, BufReader, PipeReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Child, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::pins;

/// The process groups of the children that run now.
static RUNNING: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// A program with its arguments, environment and limit.
pub(crate) struct Command {
    inner: process::Command,
    settings: String,
    limit: Duration,
    show: bool,
    hide: Option<&'static str>,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Exited(ExitStatus),
    TimedOut,
}

/// How a program ended, and all that it printed.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) end: End,
    pub(crate) text: String,
}

impl Output {
    pub(crate) fn success(&self) -> bool {
        matches!(self.end, End::Exited(status) if status.success())
    }
}

impl Command {
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut inner = process::Command::new(program);
        // Colours would stand between the text and who looks for words in it. Flags from outside
        // would build everything a second time, and not as the step means it.
        inner.env("CARGO_TERM_COLOR", "never").env_remove("RUSTFLAGS").stdin(Stdio::null());
        Self { inner, settings: String::new(), limit: pins::COMMAND_LIMIT, show: true, hide: None }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.inner.arg(argument);
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.inner.args(arguments);
        self
    }

    /// The arguments of `words`, separated by blanks.
    pub(crate) fn words(self, words: &str) -> Self {
        self.args(words.split_whitespace())
    }

    /// `-p` before each of `packages`.
    pub(crate) fn packages<'a>(self, packages: impl IntoIterator<Item = &'a str>) -> Self {
        packages.into_iter().fold(self, |command, package| command.args(["-p", package]))
    }

    /// A setting that whoever repeats the command by hand needs as well.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        let shown = value.as_ref().to_string_lossy();
        let quote = if shown.contains(' ') { "'" } else { "" };
        self.settings += &format!("{name}={quote}{shown}{quote} ");
        self.inner.env(name, value);
        self
    }

    /// Where cargo builds.
    pub(crate) fn target_dir(mut self, folder: &Path) -> Self {
        self.inner.env("CARGO_TARGET_DIR", folder);
        self
    }

    pub(crate) fn directory(mut self, folder: &Path) -> Self {
        self.inner.current_dir(folder);
        self
    }

    pub(crate) fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Prints neither the command nor what it prints.
    pub(crate) fn quietly(mut self) -> Self {
        self.show = false;
        self
    }

    /// Does not print lines that begin like this.
    pub(crate) fn hide(mut self, beginning: &'static str) -> Self {
        self.hide = Some(beginning);
        self
    }

    /// Runs the command to its end or its limit. An error means that it could not be started.
    pub(crate) fn output(mut self) -> Result<Output> {
        if self.show {
            println!("$ {self}");
        }
        let (reader, writer) = io::pipe()?;
        self.inner.process_group(0).stdout(writer.try_clone()?).stderr(writer);
        let mut child = self.inner.spawn().with_context(|| format!("cannot run `{self}`"))?;
        running(|groups| groups.insert(group(&child)));
        let limit = self.limit;
        let (show, hide) = (self.show, self.hide);
        let shown = move |line: &str| show && hide.is_none_or(|hide| !line.starts_with(hide));
        // Closes our ends of the pipe: only the child's are left, so the reader sees its end.
        drop(self);
        let output = collect(&mut child, lines(reader), limit, shown);
        running(|groups| groups.remove(&group(&child)));
        output
    }

    /// Runs the command; anything but success is an error.
    pub(crate) fn check(self) -> Result<Output> {
        let (line, limit) = (self.to_string(), self.limit);
        let output = self.output()?;
        match output.end {
            End::Exited(status) if status.success() => Ok(output),
            End::Exited(status) => bail!("{status}: {line}"),
            End::TimedOut => bail!("ended after {} s: {line}", limit.as_secs()),
        }
    }
}

/// The command as one would type it.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.settings, self.inner.get_program().to_string_lossy())?;
        self.inner.get_args().try_for_each(|argument| write!(f, " {}", argument.to_string_lossy()))
    }
}

/// An interrupt from the keyboard, or a request to end, ends the running children and then us.
pub(crate) fn kill_children_on_interrupt() -> Result<()> {
    ctrlc::set_handler(|| {
        running(|groups| groups.iter().for_each(|group| signal(*group, Signal::SIGTERM)));
        process::exit(130);
    })
    .context("cannot handle interrupts")
}

fn running<R>(change: impl FnOnce(&mut BTreeSet<i32>) -> R) -> R {
    change(&mut RUNNING.lock().unwrap_or_else(PoisonError::into_inner))
}

fn group(child: &Child) -> i32 {
    child.id().cast_signed()
}

fn signal(group: i32, signal: Signal) {
    // It fails when the group is gone already: that is what was wanted.
    let _ = killpg(Pid::from_raw(group), signal);
}

/// Reads on a thread of its own, so that the reader of the lines can stop waiting.
fn lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                break;
            }
            line.clear();
        }
    });
    receiver
}

fn collect(
    child: &mut Child,
    lines: Receiver<String>,
    limit: Duration,
    shown: impl Fn(&str) -> bool,
) -> Result<Output> {
    let mut text = String::new();
    let mut deadline = Instant::now() + limit;
    let mut timed_out = false;
    loop {
        match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if shown(&line) {
                    print!("{line}");
                }
                text += &line;
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) if !timed_out => {
                timed_out = true;
                signal(group(child), Signal::SIGTERM);
                deadline = Instant::now() + pins::KILL_GRACE;
            }
            Err(RecvTimeoutError::Timeout) => break,
        }
    }
    if timed_out {
        signal(group(child), Signal::SIGKILL);
    }
    let status = child.wait()?;
    Ok(Output { end: if timed_out { End::TimedOut } else { End::Exited(status) }, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        Command::new("sh").arg("-c").arg(script).quietly()
    }

    #[test]
    fn keeps_what_both_streams_print_in_order() {
        let output = shell("echo one; echo two >&2; printf three").output().unwrap();
        assert_eq!(output.text, "one\ntwo\nthree");
        assert!(output.success());
    }

    #[test]
    fn failure_names_the_command() {
        let error = shell("exit 3").check().unwrap_err().to_string();
        assert_eq!(error, "exit status: 3: sh -c exit 3");
    }

    /// The background `sleep` holds the pipe open: only its end lets the reading end in time.
    #[test]
    fn a_program_that_hangs_ends_with_its_children() {
        let begin = Instant::now();
        let output = shell("sleep 60 & wait").limit(Duration::from_millis(200)).output().unwrap();
        assert_eq!(output.end, End::TimedOut);
        assert!(begin.elapsed() < pins::KILL_GRACE);
    }

    #[test]
    fn settings_are_part_of_the_command_line() {
        let command = shell("true").env("A", "b c").env("D", "e");
        assert_eq!(command.to_string(), "A='b c' D=e sh -c true");
    }
}
