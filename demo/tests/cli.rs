//! The program from outside: its options, its exit codes, what it writes.

use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn output(arguments: &[&str]) -> Output {
    demo(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// A file for one test, gone when it is over.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &str) -> Self {
        let path = std::env::temp_dir().join(format!("demo-cli-{}-{name}", std::process::id()));
        std::fs::write(&path, content).expect("the file is written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One line of complaint, exit code 2; the line.
fn refusal(arguments: &[&str]) -> String {
    let output = output(arguments);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
    assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    let complaint = text(&output.stderr);
    assert!(complaint.ends_with('\n') && complaint.lines().count() == 1, "{complaint:?}");
    complaint
}

/// A run whose books must be in order: the JSON, and what was said on standard error.
fn json_of(arguments: &[&str]) -> (serde_json::Value, String) {
    let arguments = [&["--json", "-"], arguments].concat();
    let output = output(&arguments);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    let json = serde_json::from_slice(&output.stdout).expect("JSON and nothing else");
    (json, said)
}

fn assert_in_order(json: &serde_json::Value) {
    let books = &json["books"];
    let number = |key: &str| books[key].as_u64().unwrap_or_else(|| panic!("{key}: {books}"));
    assert_eq!(books["ok"], true, "{json}");
    assert_eq!(number("wakes_sent"), number("wakes_seen"));
    assert!(number("wakes_sent") > 0);
    assert!(number("cancelled") > 0);
    assert_eq!(number("spawned"), number("completed") + number("cancelled"));
    assert_eq!(number("left_queued"), 0);
}

#[test]
fn bad_options_are_one_line_and_exit_code_2() {
    for arguments in [
        &["--cpus", "0"][..],
        &["--cpus", "65"],
        &["--cpus", "two"],
        &["--cpus"],
        &["--seconds", "0"],
        &["--seconds=-1"],
        &["--seconds", "inf"],
        &["--seed", "x"],
        &["--workload", "nonsense"],
        &["--frobnicate"],
        &["--no\nsuch\noption"],
        &["run"],
        &["run", "a.json", "b.json"],
        &["jump"],
        &["--workload", "ping-pong", "run", "a.json"],
        &["--json", "/no/such/directory/out.json"],
    ] {
        let complaint = refusal(arguments);
        assert!(complaint.starts_with("error: ") && !complaint.contains("Usage"), "{complaint}");
    }
}

#[test]
fn a_file_that_cannot_be_run_is_one_line_and_exit_code_2() {
    assert!(refusal(&["run", "/no/such/file.json"]).contains("/no/such/file.json"));
    let malformed = File::new("malformed.json", "{\n  \"tasks\": { \"a\": { \"run\": } }\n}\n");
    let complaint = refusal(&["run", malformed.path()]);
    assert!(complaint.starts_with(&format!("{}:2:", malformed.path())), "{complaint}");
    let not_text = File::new("not-text.json", "");
    std::fs::write(&not_text.0, [0xff, 0xfe, 0]).expect("written");
    refusal(&["run", not_text.path()]);
}

#[test]
fn help_names_the_workloads() {
    let output = output(&["--help"]);
    assert_eq!(output.status.code(), Some(0));
    let help = text(&output.stdout);
    for name in ["rtapp", "ping-pong", "wake-latency", "sleepers", "fork-join", "all"] {
        assert!(help.contains(name), "{name}: {help}");
    }
}

#[test]
fn each_workload_runs_by_name_and_its_books_are_in_order() {
    for (name, latency) in [
        ("rtapp", "rtapp"),
        ("default", "rtapp"),
        ("ping-pong", "ping-pong"),
        ("wake-latency", "wake-latency"),
        ("sleepers", "sleepers"),
        ("fork-join", "fork-join"),
        ("threads", "threads"),
    ] {
        let (json, _) = json_of(&["--cpus", "3", "--seconds", "0.4", "--workload", name]);
        assert_in_order(&json);
        assert_eq!(json["cpus"].as_array().map(Vec::len), Some(3));
        let latencies = json["latencies"].as_array().expect("a list");
        assert!(!latencies.is_empty(), "{json}");
        for row in latencies {
            assert_eq!(row["workload"], latency);
            let [p50, p99, max] = ["p50_ns", "p99_ns", "max_ns"].map(|key| row[key].as_u64());
            assert!(p50.is_some() && p50 <= p99 && p99 <= max, "{row}");
        }
    }
}

#[test]
fn all_of_them_run_at_once_on_one_cpu_and_on_many() {
    for cpus in ["1", "8", "64"] {
        let (json, _) = json_of(&["--cpus", cpus, "--seconds", "0.5"]);
        assert_in_order(&json);
        let names = json["latencies"].as_array().expect("a list").iter();
        let names: std::collections::BTreeSet<_> =
            names.filter_map(|row| row["workload"].as_str()).collect();
        assert_eq!(names.len(), 6, "{names:?}");
    }
}

#[test]
fn options_stand_before_and_after_the_command() {
    let file = File::new("two.json", r#"{ "tasks": { "a": { "run": 100, "sleep": 1000 } } }"#);
    let before = ["--cpus", "1", "--seconds", "0.2", "--seed", "7", "run", file.path()];
    let after = ["run", file.path(), "--cpus", "1", "--seconds", "0.2", "--seed", "7"];
    for arguments in [&before[..], &after[..]] {
        let (json, _) = json_of(arguments);
        assert_in_order(&json);
        let config = &json["config"];
        assert_eq!(config["cpus"], 1);
        assert_eq!(config["seed"], 7);
        assert_eq!(config["seconds"], 0.2);
        assert_eq!(config["workload"], "rtapp");
        assert_eq!(config["file"], file.path());
    }
}

/// Every kind of event, a loop that never waits, a task that forks itself, CPUs that are not there.
const EVERYTHING: &str = r#"{
    "tasks": {
        "door": { "instance": 3, "lock": "m", "run": 50, "unlock": "m", "yield": "", "sleep": 500 },
        "wait": { "lock": "n", "wait": { "ref": "c", "mutex": "n" }, "unlock": "n" },
        "tell": { "lock": "n", "signal": "c", "unlock": "n", "sleep": 700 },
        "all": { "broad": "c", "sleep": 900 },
        "ping": { "lock": "s", "sync": { "ref": "t", "mutex": "s" }, "unlock": "s", "run": 20 },
        "pong": { "lock": "s", "sync": { "ref": "t", "mutex": "s" }, "unlock": "s", "run": 20 },
        "up": { "run": 10, "resume": "down", "timer": { "ref": "unique", "period": 1000 } },
        "down": { "suspend": "down", "run": 10 },
        "meet": { "instance": 4, "run": 30, "barrier": "b", "sleep": 300 },
        "post": { "sem_post": "q", "timer": { "ref": "tick", "period": 800, "mode": "absolute" } },
        "take": { "instance": 2, "sem_wait": "q" },
        "busy": { "policy": "SCHED_IDLE", "runtime": 2000 },
        "spin": { "priority": 10, "resume": "nobody" },
        "bomb": { "policy": "SCHED_FIFO", "loop": 3, "fork": "bomb", "sleep": 100 },
        "lost": { "cpus": [200], "run": 10, "sleep": 1000 },
        "pinned": { "cpus": [1, 300], "delay": 1000, "run": 10, "sleep": 1000 },
        "stuck": { "lock": "x", "lock1": "x" },
        "odd": { "unlock": "m", "iorun": 5, "run": 1, "sleep": 1000 }
    }
}"#;

#[test]
fn a_file_with_every_event_runs_and_what_is_not_supported_is_named() {
    let file = File::new("everything.json", EVERYTHING);
    for cpus in ["1", "2", "5"] {
        let (json, said) = json_of(&["--cpus", cpus, "--seconds", "0.5", "run", file.path()]);
        assert_in_order(&json);
        let iorun = format!("{}:20:33: warning: event \"iorun\"", file.path());
        assert!(said.contains(&iorun), "{said}");
        assert!(said.contains("task \"lost\": there is none of its CPUs here"), "{said}");
        assert_eq!(said.contains("task \"pinned\": there is none"), cpus == "1", "{said}");
        assert!(json["warnings"].as_array().is_some_and(|list| list.len() >= 2), "{json}");
        // 24 instances, and of the one that forks itself as many more as one fork event may make.
        assert!(json["books"]["spawned"].as_u64() <= Some(24 + 1024), "{json}");
        let names = json["latencies"].as_array().expect("a list");
        for task in ["door", "tell", "up", "meet", "post", "pinned", "lost", "bomb"] {
            assert!(names.iter().any(|row| row["what"] == task), "{task}: {json}");
        }
    }
}

#[test]
fn a_workload_whose_tasks_have_all_ended_is_over() {
    let file = File::new("short.json", r#"{ "tasks": { "a": { "loop": 3, "sleep": 1000 } } }"#);
    let start = Instant::now();
    let output = output(&["--seconds", "60", "run", file.path()]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(start.elapsed() < Duration::from_secs(30));
    assert!(text(&output.stdout).contains("1 tasks spawned = 1 completed + 0 cancelled"));
}

#[test]
fn the_duration_is_the_files_unless_it_is_given() {
    let file = r#"{ "global": { "duration": 1 }, "tasks": { "a": { "sleep": 1000 } } }"#;
    let file = File::new("duration.json", file);
    assert_eq!(json_of(&["run", file.path()]).0["config"]["seconds"], 1.0);
    assert_eq!(json_of(&["run", file.path(), "--seconds", "0.1"]).0["config"]["seconds"], 0.1);
}

#[test]
fn tables_and_books_are_on_standard_output_within_100_columns() {
    let json = File::new("out.json", "");
    let arguments = ["--cpus", "64", "--seconds", "3", "--json", json.path()];
    let output = output(&arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let tables = text(&output.stdout);
    for word in ["polls", "wakes", "threads run", "kicks", "steals", "idle %", "queue max", "p99"] {
        assert!(tables.contains(word), "{word}: {tables}");
    }
    assert!(tables.lines().all(|line| line.chars().count() <= 100), "{tables}");
    let mut last = tables.trim_end().lines().rev();
    assert!(last.next().is_some_and(|line| line.starts_with("timeline: ")), "{tables}");
    assert!(last.find(|line| !line.is_empty()).is_some_and(|line| line.starts_with("books: ")));
    let progress = text(&output.stderr);
    assert!(progress.contains("wakes/s") && !progress.contains('\u{1b}'), "{progress}");
    let json = std::fs::read_to_string(&json.0).expect("written");
    assert_in_order(&serde_json::from_str(&json).expect("JSON"));
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_the_run_with_its_tables() {
    let start = Instant::now();
    let child = demo(&["--seconds", "60", "--cpus", "2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    std::thread::sleep(Duration::from_millis(700));
    interrupt(&child);
    let output = child.wait_with_output().expect("it ends");
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(text(&output.stdout).contains("0 left queued: ok"));
}

#[cfg(unix)]
fn interrupt(child: &Child) {
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.expect("kill is there").success());
}
