//! A kernel that hangs: what each of its CPUs is at, from the emulator's monitor (BO3).

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{env, fs, process};

/// From the end of the time to the end of the emulator.
pub(super) const TIME_TO_TELL: Duration = Duration::from_secs(10);

/// How long the monitor may take for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

/// Looks at the emulator when the time is over, unless it has ended.
pub(super) struct Watch {
    socket: PathBuf,
    ended: Sender<()>,
    thread: JoinHandle<()>,
}

impl Watch {
    pub(super) fn start(limit: Duration) -> Self {
        let socket = env::temp_dir().join(format!("sched-boot-{}.socket", process::id()));
        let _ = fs::remove_file(&socket);
        let (ended, end) = mpsc::channel();
        let path = socket.clone();
        let thread = thread::spawn(move || {
            if end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                println!("\nthe time is over: what each CPU is at");
                match registers(&path) {
                    Ok(text) => println!("{text}"),
                    Err(error) => println!("the monitor does not answer: {error}"),
                }
            }
        });
        Self { socket, ended, thread }
    }

    /// The monitor, as the emulator is told.
    pub(super) fn monitor(&self) -> String {
        format!("unix:{},server=on,wait=off", self.socket.display())
    }

    /// The emulator has ended.
    pub(super) fn end(self) {
        let _ = self.ended.send(());
        let _ = self.thread.join();
        let _ = fs::remove_file(&self.socket);
    }
}

/// The registers of all CPUs.
fn registers(socket: &Path) -> std::io::Result<String> {
    let mut monitor = UnixStream::connect(socket)?;
    monitor.set_read_timeout(Some(ANSWER_LIMIT))?;
    monitor.write_all(b"info cpus\ninfo registers -a\n")?;
    let mut answer = Vec::new();
    // It ends by the time limit: the monitor stays open.
    let _ = monitor.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    // The monitor echoes what it is asked, moving the cursor.
    let lines = answer.lines().filter(|line| !line.contains('\u{1b}'));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn the_monitor_is_asked_for_the_registers() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("monitor");
        let listener = UnixListener::bind(&socket).unwrap();
        let monitor = thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut question = [0; 28];
            connection.read_exact(&mut question).unwrap();
            connection.write_all(b"(qemu) i\x1b[K\r\nRIP=1234\r\nCS=8\r\n").unwrap();
            question
        });
        assert_eq!(registers(&socket).unwrap(), "RIP=1234\nCS=8");
        assert!(monitor.join().unwrap().ends_with(b"info registers -a\n"));
    }

    #[test]
    fn an_emulator_that_ends_in_time_is_left_alone() {
        let watch = Watch::start(Duration::from_secs(60));
        assert!(watch.monitor().contains("server=on"));
        watch.end();
    }
}
