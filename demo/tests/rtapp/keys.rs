//! One test per key: what it becomes, and what it is when absent.

use crate::{events, good, task, warnings};
use demo::rtapp::{CpuSet, Event, Loops, Policy, Tier, TimerMode, TimerScope};

#[test]
fn duration_is_in_seconds_and_minus_one_or_zero_is_endless() {
    let duration = |global: &str| {
        let text = format!(r#"{{ {global} "tasks": {{ "t": {{ "run": 1 }} }} }}"#);
        good(&text).workload.global.duration_ns
    };
    assert_eq!(duration(r#""global": { "duration": 2 },"#), Some(2_000_000_000));
    assert_eq!(duration(r#""global": { "duration": -1 },"#), None);
    assert_eq!(duration(r#""global": { "duration": 0 },"#), None);
    assert_eq!(duration(r#""global": {},"#), None);
    assert_eq!(duration(""), None);
}

#[test]
fn default_policy_holds_where_a_task_names_none() {
    let text = r#"{
        "tasks": { "a": { "run": 1 }, "b": { "policy": "SCHED_OTHER", "run": 1 } },
        "global": { "default_policy": "SCHED_FIFO" }
    }"#;
    let workload = good(text).workload;
    assert_eq!(workload.global.default_policy, Policy::Fifo);
    assert_eq!((workload.tasks[0].policy, workload.tasks[0].tier), (Policy::Fifo, Tier::Critical));
    assert_eq!((workload.tasks[1].policy, workload.tasks[1].tier), (Policy::Other, Tier::Normal));
    assert_eq!(task(r#""run": 1"#).policy, Policy::Other);
}

#[test]
fn global_keys_without_effect_are_named() {
    let keys = [
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
    for key in keys {
        let text = format!(
            "{{ \"tasks\": {{ \"t\": {{ \"run\": 1 }} }},\n\"global\": {{ \"{key}\": true }} }}"
        );
        let expected = format!("2:13 unsupported \"{key}\" is not supported: ignored");
        assert_eq!(warnings(&text), [expected]);
    }
}

#[test]
fn instance() {
    assert_eq!(task(r#""run": 1"#).instances, 1);
    assert_eq!(task(r#""instance": 7, "run": 1"#).instances, 7);
    assert_eq!(task(r#""instance": 65536, "run": 1"#).instances, 65_536);
    let text = r#"{ "tasks": { "a": { "instance": 0, "run": 1 }, "b": { "run": 1 } } }"#;
    assert_eq!(good(text).workload.tasks[0].instances, 0);
}

#[test]
fn delay_is_in_microseconds() {
    assert_eq!(task(r#""delay": 1500, "run": 1"#).delay_ns, 1_500_000);
    assert_eq!(task(r#""run": 1"#).delay_ns, 0);
}

#[test]
fn tier_follows_policy_and_nice() {
    let tier = |body: &str| task(&format!(r#"{body}, "run": 1"#)).tier;
    assert_eq!(tier(r#""policy": "SCHED_FIFO""#), Tier::Critical);
    assert_eq!(tier(r#""policy": "SCHED_RR""#), Tier::Critical);
    assert_eq!(tier(r#""policy": "SCHED_DEADLINE""#), Tier::Critical);
    assert_eq!(tier(r#""policy": "SCHED_OTHER""#), Tier::Normal);
    assert_eq!(tier(r#""policy": "SCHED_OTHER", "priority": 0"#), Tier::Normal);
    assert_eq!(tier(r#""policy": "SCHED_OTHER", "priority": -20"#), Tier::Normal);
    assert_eq!(tier(r#""policy": "SCHED_OTHER", "priority": 1"#), Tier::Background);
    assert_eq!(tier(r#""priority": 19"#), Tier::Background);
    assert_eq!(tier(r#""policy": "SCHED_IDLE""#), Tier::Background);
    assert_eq!(tier(r#""policy": "SCHED_BATCH", "priority": -5"#), Tier::Background);
}

#[test]
fn priority_has_the_default_of_its_policy() {
    let priority = |body: &str| task(&format!(r#"{body} "run": 1"#)).priority;
    assert_eq!(priority(""), 0);
    assert_eq!(priority(r#""policy": "SCHED_FIFO","#), 10);
    assert_eq!(priority(r#""policy": "SCHED_RR","#), 10);
    assert_eq!(priority(r#""policy": "SCHED_DEADLINE","#), 0);
    assert_eq!(priority(r#""policy": "SCHED_FIFO", "priority": 99,"#), 99);
    assert_eq!(priority(r#""priority": -19,"#), -19);
}

#[test]
fn a_nice_value_out_of_range_is_clamped_with_a_warning() {
    let text = r#"{ "tasks": { "t": { "priority": 40, "run": 1 } } }"#;
    assert_eq!(good(text).workload.tasks[0].priority, 19);
    let expected = r#"1:33 doubtful "priority" must be in -20..=19 under this policy: 19 is used"#;
    assert_eq!(warnings(text), [expected]);
}

#[test]
fn cpus_become_a_set() {
    assert_eq!(task(r#""run": 1"#).cpus, None);
    let cpus = task(r#""cpus": [3, 0, 3, 1023], "run": 1"#).cpus.expect("given");
    assert_eq!(cpus.iter().collect::<Vec<_>>(), [0, 3, 1023]);
    assert_eq!(cpus.on_machine(4), CpuSet::new(vec![0, 3]));
    assert_eq!(cpus.on_machine(3), CpuSet::new(vec![0]), "CPU 3 would be the fourth");
    assert_eq!(cpus.on_machine(1), CpuSet::new(vec![0]));
    assert_eq!(CpuSet::new(vec![7]).expect("one").on_machine(4), None);
}

#[test]
fn loop_of_a_task_with_phases() {
    let loops = |body: &str| task(&format!(r#"{body} "phases": {{ "p": {{ "run": 1 }} }}"#)).loops;
    assert_eq!(loops(""), Loops::Forever);
    assert_eq!(loops(r#""loop": -1,"#), Loops::Forever);
    assert_eq!(loops(r#""loop": 3,"#), Loops::Times(3));
    assert_eq!(loops(r#""loop": 0,"#), Loops::Times(0));
}

#[test]
fn loop_of_a_phase() {
    let loops = |body: &str| {
        task(&format!(r#""phases": {{ "p": {{ {body} "run": 1 }} }}"#)).phases[0].loops
    };
    assert_eq!(loops(""), Loops::Times(1));
    assert_eq!(loops(r#""loop": 9,"#), Loops::Times(9));
    assert_eq!(loops(r#""loop": -1,"#), Loops::Forever);
}

#[test]
fn loop_of_a_task_without_phases_is_that_of_its_one_phase() {
    let loops = |body: &str| {
        let task = task(&format!(r#"{body} "run": 1"#));
        (task.loops, task.phases[0].loops, task.phases[0].name.clone())
    };
    assert_eq!(loops(""), (Loops::Forever, Loops::Times(1), "t".into()));
    assert_eq!(loops(r#""loop": 4,"#), (Loops::Times(1), Loops::Times(4), "t".into()));
    assert_eq!(loops(r#""loop": -1,"#), (Loops::Times(1), Loops::Forever, "t".into()));
}

#[test]
fn loop_of_zero_in_a_phase_is_forever_as_in_rt_app() {
    let text = r#"{ "tasks": { "t": { "loop": 0, "run": 1 } } }"#;
    assert_eq!(good(text).workload.tasks[0].phases[0].loops, Loops::Forever);
    let expected = r#"1:29 doubtful "loop" of 0 in a phase: taken as forever, as rt-app does"#;
    assert_eq!(warnings(text), [expected]);
}

#[test]
fn run_runtime_and_sleep_are_in_microseconds() {
    assert_eq!(events(r#""run": 20"#), [Event::Run { duration_ns: 20_000 }]);
    assert_eq!(events(r#""runtime": 30"#), [Event::Runtime { duration_ns: 30_000 }]);
    assert_eq!(events(r#""sleep": 0"#), [Event::Sleep { duration_ns: 0 }]);
    let longest = events(r#""sleep": 1000000000000"#);
    assert_eq!(longest, [Event::Sleep { duration_ns: demo::rtapp::MAX_TIME_NS }]);
}

#[test]
fn timer_of_its_own_and_shared() {
    let text = r#"{ "tasks": {
        "a": { "timer": { "ref": "unique", "period": 10 }, "run": 1,
               "timer": { "ref": "unique", "period": 30 } },
        "b": { "timer": { "ref": "unique", "period": 10, "mode": "absolute" } },
        "c": { "timer": { "ref": "tick", "period": 10 } },
        "d": { "timer": { "ref": "tick", "period": 20, "mode": "relative" } }
    } }"#;
    let parsed = good(text);
    assert_eq!(parsed.warnings, []);
    let resources = &parsed.workload.resources;
    let timer =
        |task: usize, event: usize| match parsed.workload.tasks[task].phases[0].events[event] {
            Event::Timer { timer, period_ns } => (timer, period_ns, &resources.timers[timer.0]),
            other => panic!("{other:?}"),
        };
    assert_eq!((timer(0, 0).0, timer(0, 0).1, timer(0, 2).1), (timer(0, 2).0, 10_000, 30_000));
    assert_ne!(timer(0, 0).0, timer(1, 0).0);
    assert_eq!(timer(2, 0).0, timer(3, 0).0);
    assert_eq!(resources.timers.len(), 3);
    assert!(matches!(timer(0, 0).2.scope, TimerScope::PerInstance(task) if task.0 == 0));
    assert!(matches!(timer(1, 0).2.scope, TimerScope::PerInstance(task) if task.0 == 1));
    assert_eq!(
        (timer(0, 0).2.mode, timer(1, 0).2.mode),
        (TimerMode::Relative, TimerMode::Absolute)
    );
    assert_eq!((timer(2, 0).2.scope, &*timer(2, 0).2.name), (TimerScope::Shared, "tick"));
}

#[test]
fn timer_is_absolute_for_all_once_one_event_says_so() {
    for (first, second) in [("absolute", "relative"), ("relative", "absolute")] {
        let body = format!(
            r#""timer": {{ "ref": "x", "period": 1, "mode": "{first}" }},
               "timer": {{ "ref": "x", "period": 1, "mode": "{second}" }}"#
        );
        let parsed = good(&format!(r#"{{ "tasks": {{ "t": {{ {body} }} }} }}"#));
        assert_eq!(parsed.workload.resources.timers[0].mode, TimerMode::Absolute);
    }
}

#[test]
fn lock_unlock_wait_signal_broad_sync() {
    let text = r#"{ "tasks": {
        "a": { "lock": "m", "wait": { "ref": "q", "mutex": "m" }, "unlock": "m" },
        "b": { "lock": "m", "signal": "q", "broad": "q",
               "sync": { "ref": "q", "mutex": "m" }, "unlock": "m" }
    } }"#;
    let parsed = good(text);
    assert_eq!(parsed.warnings, []);
    let resources = &parsed.workload.resources;
    assert_eq!((&resources.mutexes, &resources.conditions), (&vec!["m".into()], &vec!["q".into()]));
    let a = &parsed.workload.tasks[0].phases[0].events;
    let b = &parsed.workload.tasks[1].phases[0].events;
    let (Event::Lock { mutex }, Event::Signal { condition }) = (a[0], b[1]) else {
        panic!("{a:?} {b:?}")
    };
    assert_eq!(a[1..], [Event::Wait { condition, mutex }, Event::Unlock { mutex }]);
    let rest =
        [Event::Broadcast { condition }, Event::Sync { condition, mutex }, Event::Unlock { mutex }];
    assert_eq!((b[0], &b[2..]), (Event::Lock { mutex }, &rest[..]));
}

#[test]
fn barrier_counts_events_and_instances() {
    let text = r#"{ "tasks": {
        "a": { "instance": 3, "barrier": "x" },
        "b": { "phases": { "p": { "barrier": "x" }, "q": { "barrier0": "x", "barrier1": "y" } } }
    } }"#;
    let barriers = good(text).workload.resources.barriers;
    let shown: Vec<_> = barriers.iter().map(|b| (&*b.name, b.parties)).collect();
    assert_eq!(shown, [("x", 5), ("y", 1)]);
}

#[test]
fn sem_post_and_sem_wait() {
    let parsed = good(r#"{ "tasks": { "a": { "sem_post": "s" }, "b": { "sem_wait": "s" } } }"#);
    assert_eq!(
        (&parsed.warnings, &parsed.workload.resources.semaphores),
        (&vec![], &vec!["s".into()])
    );
    let event = |task: usize| parsed.workload.tasks[task].phases[0].events[0];
    assert!(matches!(event(0), Event::SemPost { semaphore } if semaphore.0 == 0));
    assert!(matches!(event(1), Event::SemWait { semaphore } if semaphore.0 == 0));
}

#[test]
fn yield_with_and_without_a_value() {
    assert_eq!(events(r#""yield": """#), [Event::Yield]);
    assert_eq!(events(r#""yield""#), [Event::Yield]);
    assert_eq!(events(r#""yield", "run": 0"#), [Event::Yield, Event::Run { duration_ns: 0 }]);
}

#[test]
fn fork_names_a_task_that_may_come_later() {
    let text = r#"{ "tasks": { "a": { "fork": "b" }, "b": { "instance": 0, "run": 1 } } }"#;
    let parsed = good(text);
    assert_eq!(parsed.warnings, []);
    let event = parsed.workload.tasks[0].phases[0].events[0];
    assert!(matches!(event, Event::Fork { task } if task.0 == 1));
}

#[test]
fn memory_and_io_events_are_named_and_left_out() {
    let text = r#"{ "tasks": { "t": {
        "mem": 10, "run": 1, "iorun2": 10, "memrun": { "type": "read" } } } }"#;
    assert_eq!(good(text).workload.tasks[0].phases[0].events.len(), 1);
    assert_eq!(
        warnings(text),
        [
            r#"2:9 unsupported event "mem" is not supported: ignored"#,
            r#"2:30 unsupported event "iorun2" is not supported: ignored"#,
            r#"2:44 unsupported event "memrun" is not supported: ignored"#,
        ]
    );
}

#[test]
fn a_task_left_with_nothing_to_do_ends_at_once() {
    let text = r#"{ "tasks": { "t": { "mem": 10 } } }"#;
    let parsed = good(text);
    let task = &parsed.workload.tasks[0];
    assert_eq!((task.loops, task.phases.len()), (Loops::Times(0), 0));
    assert_eq!(warnings(text)[0], r#"1:14 doubtful task "t" has nothing to do that is supported"#);
}

#[test]
fn task_keys_without_effect_are_named() {
    let keys = [
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
    for key in keys {
        let text = format!(r#"{{ "tasks": {{ "t": {{ "run": 1, "{key}": 5 }} }} }}"#);
        let expected = format!("1:31 unsupported \"{key}\" is not supported: ignored");
        assert_eq!(warnings(&text), [expected]);
    }
}

#[test]
fn scheduling_of_a_phase_is_named() {
    for key in ["cpus", "policy", "priority", "taskgroup", "dl-runtime"] {
        let text = format!(
            r#"{{ "tasks": {{ "t": {{ "phases": {{ "p": {{ "run": 1, "{key}": 5 }} }} }} }} }}"#
        );
        let expected = format!("1:50 unsupported \"{key}\" is not supported: ignored");
        assert_eq!(warnings(&text), [expected]);
    }
}

#[test]
fn keys_of_nobody_are_named_at_every_level() {
    let text = r#"{
"colour": 1,
"resources": {},
"global": { "colour": 1 },
"tasks": { "t": { "colour": 1, "phases": { "p": {
"colour": 1,
"timer": { "ref": "x", "period": 1, "colour": 1 },
"wait": { "ref": "x", "mutex": "m", "colour": 1 }, "signal": "x", "lock": "m" } } } } }"#;
    assert_eq!(
        warnings(text),
        [
            r#"2:1 unknown "colour" is not a key of this place: ignored"#,
            r#"3:1 unsupported "resources" is not supported: ignored"#,
            r#"4:13 unknown "colour" is not a key of this place: ignored"#,
            r#"5:19 unknown "colour" is not a key of this place: ignored"#,
            r#"6:1 unknown "colour" is not a key of this place: ignored"#,
            r#"7:37 unknown "colour" is not a key of this place: ignored"#,
            r#"8:37 unknown "colour" is not a key of this place: ignored"#,
        ]
    );
}
