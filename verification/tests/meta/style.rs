//! Short files, symmetric CPUs, and no lock that could block a kernel.

use crate::source::{LIBRARIES, code, hold, read, sources};

/// A file has one idea. Beyond this it has two.
const MOST_LINES: usize = 400;

#[test]
fn library_files_are_short() {
    hold(&sources(&LIBRARIES), "over 400 lines", too_long);
}

fn too_long(text: &str) -> Vec<usize> {
    let lines = text.lines().count();
    if lines > MOST_LINES { vec![lines] } else { Vec::new() }
}

/// The libraries are for kernels: `std` may appear only in tests.
#[test]
fn libraries_are_no_std() {
    for folder in LIBRARIES {
        let text = read(&format!("{folder}/lib.rs"));
        assert!(text.lines().any(|line| line == "#![no_std]"), "{folder}/lib.rs");
    }
}

/// No CPU is special, the first included.
#[test]
fn no_cpu_is_special() {
    hold(&sources(&["sched/src"]), "a CPU is treated specially", special_cpus);
}

/// Lines that compare a CPU with zero, or know a boot CPU.
fn special_cpus(text: &str) -> Vec<usize> {
    let special = |line: &str| {
        let code = code(line);
        let compares = ["==", "!="].iter().any(|comparison| {
            code.match_indices(comparison).any(|(at, _)| {
                is_cpu(code[..at].trim_end()) && is_zero(code[at + 2..].trim_start())
            })
        });
        compares || code.contains("is_bsp") || code.contains("boot_cpu")
    };
    text.lines().enumerate().filter(|(_, line)| special(line)).map(|(at, _)| at + 1).collect()
}

/// Whether an expression begins with the literal zero, with or without its type.
fn is_zero(expression: &str) -> bool {
    let literal = expression.split(|c: char| !c.is_alphanumeric() && c != '_').next();
    literal.is_some_and(|literal| {
        let digits = literal.trim_end_matches(|c: char| c.is_ascii_digit());
        literal == "0" || ["0u", "0_u", "0usize", "0_usize"].contains(&digits)
    })
}

/// Whether an expression ends in the name of a CPU: `cpu`, `this_cpu.0`, `task.cpu_id()`, `id`.
fn is_cpu(expression: &str) -> bool {
    let mut name = expression;
    for end in ["()", ".0", ".index", ".get", "()"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    let begin = name.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |at| at + 1);
    let name = &name[begin..];
    name == "id" || name == "cpu" || name.ends_with("_cpu") || name.ends_with("cpu_id")
}

#[test]
fn a_special_cpu_is_noticed() {
    for bad in [
        "if cpu == 0 {",
        "cpu_id() != 0",
        "self.cpu.0 == 0",
        "if this_cpu.index() == 0",
        "let x = id==0;",
        "let x = cpu == 0usize;",
        "let x = cpu == 0_u32;",
        "if is_bsp() {",
    ] {
        assert_eq!(special_cpus(bad), [1], "{bad}");
    }
    for good in ["cpus == 0", "pid == 0", "cpu == 0x10", "a == 0", "// cpu == 0", "idle != 0"] {
        assert_eq!(special_cpus(good), [], "{good}");
    }
}

/// What blocks a thread of an operating system has no place where a kernel's CPUs run.
#[test]
fn no_blocking_from_std() {
    let mut folders = LIBRARIES.to_vec();
    folders.push("demo/src/hosted");
    hold(&sources(&folders), "a mutex or channel of std", blocking);
}

/// Lines where `sync::` leads to a mutex or a channel, alone or in braces.
fn blocking(text: &str) -> Vec<usize> {
    let lines: Vec<_> = text.lines().map(code).collect();
    let code = lines.join("\n");
    let mut places = Vec::new();
    for (at, found) in code.match_indices("sync::") {
        // The models' own locks stand in for spin locks, in builds that run nowhere else.
        if ["loom::", "shuttle::"].iter().any(|checker| code[..at].ends_with(checker)) {
            continue;
        }
        let path = &code[at + found.len()..];
        let names = if path.starts_with('{') { braces(path) } else { first_name(path) };
        let words = names.split(|c: char| !c.is_alphanumeric() && c != '_');
        if words.into_iter().any(|word| ["Mutex", "MutexGuard", "mpsc"].contains(&word)) {
            places.push(code[..at].matches('\n').count() + 1);
        }
    }
    places
}

fn first_name(path: &str) -> &str {
    path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// From an opening brace to the one that closes it.
fn braces(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

#[test]
fn a_mutex_of_std_is_noticed() {
    assert_eq!(blocking("use std::sync::Mutex;"), [1]);
    assert_eq!(blocking("\nsync::Mutex"), [2]);
    assert_eq!(blocking("\nlet (a, b) = std::sync::mpsc::channel();"), [2]);
    assert_eq!(blocking("use std::{\n    sync::{\n        Arc,\n        Mutex,\n    },\n};"), [2]);
    assert_eq!(blocking("use std::sync::{atomic::{AtomicU8, Ordering}, Mutex};"), [1]);
    assert_eq!(blocking("use std::sync::Arc;\nuse spin::Mutex;"), []);
    assert_eq!(blocking("use loom::sync::Mutex;\nuse shuttle::sync::mpsc;"), []);
    assert_eq!(blocking("// not std::sync::Mutex\nuse std::sync::{Arc, Once};\nMutex"), []);
}
