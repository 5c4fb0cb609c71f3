//! Whole files: ours, and those of rt-app itself.

use demo::rtapp::{DEFAULT_WORKLOAD, Parsed, Tier, parse};
use std::path::{Path, PathBuf};

#[track_caller]
fn ours(name: &str) -> Parsed {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads").join(name);
    let text = std::fs::read_to_string(path).expect("a file of this package");
    parse(&text, name).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn our_files_are_clean() {
    for name in ["default.json", "periodic.json", "pipeline.json", "bursts.json"] {
        let parsed = ours(name);
        assert_eq!(parsed.warnings, [], "{name}");
        assert!(parsed.workload.estimated_demand_permille() < 600, "{}", parsed.workload.summary());
    }
}

#[test]
fn the_default_is_mixed_and_fits_one_cpu() {
    let workload = parse(DEFAULT_WORKLOAD, "default.json").expect("embedded").workload;
    assert_eq!(workload, ours("default.json").workload);
    for tier in [Tier::Critical, Tier::Normal, Tier::Background] {
        assert!(workload.tasks.iter().any(|task| task.tier == tier), "{tier:?}");
    }
    assert!(workload.tasks.iter().any(|task| task.cpus.is_some()));
    assert!(workload.tasks.iter().any(|task| task.instances > 1));
    assert!(workload.global.duration_ns.is_some());
    let demand = workload.estimated_demand_permille();
    assert!((300..600).contains(&demand), "{demand}");
}

#[test]
fn demand_follows_timers_sleeps_and_wakes() {
    let demand = |tasks: &str| {
        let text = format!(r#"{{ "tasks": {{ {tasks} }} }}"#);
        parse(&text, "f").expect(tasks).workload.estimated_demand_permille()
    };
    assert_eq!(demand(r#""t": { "run": 1 }"#), 1000);
    assert_eq!(demand(r#""t": { "instance": 3, "run": 1 }"#), 3000);
    assert_eq!(demand(r#""t": { "run": 10, "sleep": 90 }"#), 100);
    let timer = r#""timer": { "ref": "unique", "period": 100 }"#;
    assert_eq!(demand(&format!(r#""t": {{ "run": 10, {timer} }}"#)), 100);
    assert_eq!(demand(&format!(r#""t": {{ "run": 10, "sleep": 50, {timer} }}"#)), 100);
    assert_eq!(demand(&format!(r#""t": {{ "run": 400, {timer} }}"#)), 1000);
    let follower = |wake: &str, wait: &str| {
        demand(&format!(
            r#""a": {{ {timer}, {wake} }}, "b": {{ "instance": 2, {wait}, "run": 10 }}"#
        ))
    };
    assert_eq!(follower(r#""resume": "b""#, r#""suspend""#), 200, "resume wakes both");
    assert_eq!(follower(r#""sem_post": "s""#, r#""sem_wait": "s""#), 100, "they share a post");
    let chained = format!(
        r#""a": {{ {timer}, "sem_post": "s" }}, "b": {{ "sem_wait": "s", "resume": "c" }},
           "c": {{ "suspend", "run": 10, "sleep": 10 }}"#
    );
    assert_eq!(demand(&chained), 100, "a follower that also sleeps still follows");
    let turns = r#""a": { "run": 10, "resume": "b", "suspend" },
                   "b": { "run": 10, "resume": "a", "suspend" }"#;
    assert_eq!(demand(turns), 2000, "a bound, not the truth, which is 1000");
    let phases = r#""t": { "phases": { "a": { "loop": 5, "run": 10, "sleep": 10 },
                                       "b": { "sleep": 400 } } }"#;
    assert_eq!(demand(phases), 100);
}

#[test]
fn a_summary_says_what_runs() {
    let text = r#"{ "global": { "duration": 3 }, "tasks": {
        "beat": { "policy": "SCHED_RR", "cpus": [ 1, 0 ], "instance": 2, "run": 1500,
                  "timer": { "ref": "unique", "period": 16667 } },
        "log": { "priority": 5, "loop": 3,
                 "phases": { "a": { "suspend" }, "b": { "loop": 2, "run": 40, "resume": "log" } } }
    } }"#;
    let summary = parse(text, "f").expect("valid").workload.summary();
    let expected = "\
2 tasks, 3 instances (2 critical, 0 normal, 1 background), for 3 s; \
asks for at most 118.0 % of one CPU
  beat ×2   critical   on CPU 0,1  run 1.5 ms, every 16.667 ms
  log  ×1   background  suspend log; then 2× run 40 µs, resume log; all that 3×";
    assert_eq!(summary, expected);
}

/// Parses every `.json` file under the directory `RTAPP_EXAMPLES`, such as a checkout's
/// `doc/examples`: those files have their own licence and are not kept here. Each must be read, or be
/// one of the fragments under `merge/`, which are of an older language and no workloads.
#[test]
fn examples_of_rt_app() {
    let Some(directory) = std::env::var_os("RTAPP_EXAMPLES") else {
        eprintln!("skipped: set RTAPP_EXAMPLES to rt-app's doc/examples");
        return;
    };
    let mut files = Vec::new();
    collect(Path::new(&directory), &mut files);
    files.sort();
    assert!(!files.is_empty(), "no .json files under {directory:?}");
    let mut failed = Vec::new();
    for file in &files {
        let name = file.strip_prefix(&directory).unwrap_or(file).display().to_string();
        let bytes = std::fs::read(file).expect("a file just listed");
        let Ok(text) = std::str::from_utf8(&bytes) else { panic!("{name} is not UTF-8") };
        match parse(text, &name) {
            Ok(parsed) => {
                println!("{name}: {}", parsed.workload.summary());
                parsed.warnings.iter().for_each(|warning| println!("{warning}"));
            }
            Err(error) => {
                println!("{error}");
                failed.push(name);
            }
        }
    }
    failed.retain(|name| !name.starts_with("merge/"));
    assert!(failed.is_empty(), "{failed:?}");
}

fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in
        std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("entry"))
    {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
}
