//! H5: what every CPU is at, without a lock.

mod common;

use common::Test;
use std::fmt::Write;

fn dump(test: &Test) -> String {
    let mut text = String::new();
    test.scheduler().dump(&mut text).unwrap();
    text
}

#[test]
fn a_dump_has_a_line_for_each_cpu_that_was_there() {
    let mut test = Test::new(3);
    let scheduler = test.scheduler();
    test.settle(0);
    test.on(1, |_| {
        drop(scheduler.spawn(async move {
            let mut text = String::new();
            scheduler.dump(&mut text).unwrap();
            let id = scheduler.current_task_info().unwrap().id;
            let line = text.lines().find(|line| line.starts_with("cpu1: ")).unwrap();
            assert!(line.starts_with(&format!("cpu1: busy, runs {id}, ")), "{line}");
        }))
    });
    let text = dump(&test);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[0].starts_with("cpu0: idle, in the loop, "), "{text}");
    assert!(lines[1].contains(", inbox not empty, "), "{text}");
    test.settle(1);
    assert_eq!(scheduler.totals().completed, 1);
    test.leave_one(0);
    assert!(dump(&test).starts_with("cpu0: away, "), "{}", dump(&test));
    test.finish();
}

#[test]
fn who_cannot_write_is_told() {
    struct Full;
    impl Write for Full {
        fn write_str(&mut self, _: &str) -> std::fmt::Result {
            Err(std::fmt::Error)
        }
    }
    let mut test = Test::new(1);
    test.settle(0);
    assert!(test.scheduler().dump(&mut Full).is_err());
    test.finish();
}
