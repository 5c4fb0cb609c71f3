//! Errors: one line each, at the exact place.

use demo::rtapp::{MAX_TEXT_BYTES, parse};

/// The whole message of the error that this text is.
#[track_caller]
fn error(text: &str) -> String {
    let error = parse(text, "f.json").expect_err(text).to_string();
    assert_eq!(error.lines().count(), 1, "{error:?}");
    error
}

/// The error of a task with this body, which starts at column 7 of line 2.
#[track_caller]
fn in_task(body: &str) -> String {
    error(&format!("{{ \"tasks\": {{\n\"t\": {{{body}}} }} }}"))
}

#[test]
fn syntax() {
    assert_eq!(error(""), "f.json:1:1: expected a value, found the end of the text");
    assert_eq!(error("\n "), "f.json:2:2: expected a value, found the end of the text");
    assert_eq!(error("{"), "f.json:1:2: expected a key in quotes, found the end of the text");
    assert_eq!(error("{} {"), "f.json:1:4: expected the end of the text, found {");
    assert_eq!(error("{ 5: 1 }"), "f.json:1:3: expected a key in quotes, found 5");
    assert_eq!(error(r#"{ "a" 1 }"#), "f.json:1:7: expected ':', found 1");
    assert_eq!(error(r#"{ "a": }"#), "f.json:1:8: expected a value, found }");
    assert_eq!(error(r#"{ "a": 1 "b": 2 }"#), r#"f.json:1:10: expected ',' or '}', found "b""#);
    assert_eq!(error("{ \"a\": [1,\n 2 }"), "f.json:2:4: expected ',' or ']', found }");
    assert_eq!(error(r#"{ "a": NaN }"#), "f.json:1:8: expected a value, found NaN");
    assert_eq!(error(r#"{ "a": , }"#), "f.json:1:8: expected a value, found ,");
    assert_eq!(error("{,}"), "f.json:1:2: expected a key in quotes, found ,");
}

#[test]
fn lexis() {
    assert_eq!(error("/* {}"), "f.json:1:1: unterminated comment block");
    assert_eq!(error("{ \"a"), "f.json:1:3: unterminated string literal");
    assert_eq!(error(r#"{ "a\q": 1 }"#), "f.json:1:5: invalid escape");
    assert_eq!(error(r#"{ "a": 0x1F }"#), "f.json:1:8: hexadecimal numbers are not allowed");
    assert!(error("{ \"a\": @ }").starts_with("f.json:1:8: "));
    assert!(error("\u{7f}").starts_with("f.json:1:1: "));
}

#[test]
fn columns_count_characters_and_lines_count_newlines() {
    assert_eq!(error("{ \"ä€𝄞\" 1 }"), "f.json:1:9: expected ':', found 1");
    assert_eq!(error("{ \"a\": 1,\r\n\t\"b\" 1 }"), "f.json:2:6: expected ':', found 1");
}

#[test]
fn the_root() {
    assert_eq!(error("[]"), "f.json:1:1: \"the workload\" must be an object, not an array");
    assert_eq!(error("\n{}"), "f.json:2:1: there is no \"tasks\" object");
    assert_eq!(error(r#"{ "tasks": {} }"#), "f.json:1:12: \"tasks\" is empty");
    assert_eq!(
        error(r#"{ "tasks": [] }"#),
        "f.json:1:12: \"tasks\" must be an object, not an array"
    );
    assert_eq!(error(r#"{ "tasks" }"#), "f.json:1:3: \"tasks\" must be an object, not nothing");
    let text = r#"{ "global": 1, "tasks": { "t": { "run": 1 } } }"#;
    assert_eq!(error(text), "f.json:1:13: \"global\" must be an object, not a number");
}

#[test]
fn the_globals() {
    let global = |body: &str| {
        error(&format!("{{ \"global\": {{\n{body} }}, \"tasks\": {{ \"t\": {{ \"run\": 1 }} }} }}"))
    };
    assert_eq!(global(r#""duration": -2"#), "f.json:2:13: \"duration\": negative time -2");
    assert_eq!(
        global(r#""duration": 1000001"#),
        "f.json:2:13: \"duration\": longer than 1000000 seconds"
    );
    assert_eq!(
        global(r#""duration": "5""#),
        "f.json:2:13: \"duration\" must be a whole number, not a string"
    );
    assert_eq!(
        global(r#""default_policy": "FIFO""#),
        "f.json:2:19: \"FIFO\": no such policy \
         (SCHED_OTHER, _BATCH, _IDLE, _FIFO, _RR, _DEADLINE)"
    );
}

#[test]
fn wrong_types() {
    let wrong = |body: &str, found: &str| {
        let message = in_task(body);
        assert!(message.ends_with(found), "{body}: {message}");
        assert!(message.starts_with("f.json:2:"), "{message}");
    };
    wrong(r#""run": "1""#, r#""run" must be a whole number, not a string"#);
    wrong(r#""run": null"#, r#""run" must be a whole number, not null"#);
    wrong(r#""run": true"#, r#""run" must be a whole number, not true or false"#);
    wrong(r#""run""#, r#""run" must be a whole number, not nothing"#);
    wrong(r#""run0": 1.5"#, r#""run0" must be a whole number, not 1.5"#);
    wrong(r#""run": 1e3"#, r#""run" must be a whole number, not 1e3"#);
    wrong(r#""sleep": [1]"#, r#""sleep" must be a whole number, not an array"#);
    wrong(r#""resume": 1"#, r#""resume" must be a string, not a number"#);
    wrong(r#""lock""#, r#""lock" must be a string, not nothing"#);
    wrong(r#""wait": "x""#, r#""wait" must be an object, not a string"#);
    wrong(r#""timer": 5"#, r#""timer" must be an object, not a number"#);
    wrong(r#""phases": 5"#, r#""phases" must be an object, not a number"#);
    wrong(r#""phases": { "p": 5 }"#, r#""p" must be an object, not a number"#);
    wrong(r#""run": 1, "cpus": 1"#, r#""cpus" must be an array, not a number"#);
    wrong(r#""run": 1, "cpus": ["a"]"#, r#""cpus" must be a whole number, not a string"#);
    wrong(r#""run": 1, "policy": 1"#, r#""policy" must be a string, not a number"#);
    let message = error("{ \"tasks\": {\n\"t\": 7 } }");
    assert_eq!(message, "f.json:2:6: \"t\" must be an object, not a number");
}

#[test]
fn numbers_out_of_range() {
    assert_eq!(in_task(r#""run": -1"#), "f.json:2:14: \"run\": negative time -1");
    assert_eq!(in_task(r#""sleep": -5"#), "f.json:2:16: \"sleep\": negative time -5");
    assert_eq!(in_task(r#""delay": -5, "run": 1"#), "f.json:2:16: \"delay\": negative time -5");
    assert_eq!(
        in_task(r#""timer": { "ref": "x", "period": -5 }"#),
        "f.json:2:40: \"period\": negative time -5"
    );
    assert_eq!(
        in_task(r#""run": 1000000000001"#),
        "f.json:2:14: \"run\": longer than 1000000 seconds"
    );
    assert_eq!(
        in_task(r#""run": 99999999999999999999"#),
        "f.json:2:14: \"run\": number out of range"
    );
    let loops = "\"loop\" must be -1 (forever) or 0..=4294967295";
    assert_eq!(in_task(r#""run": 1, "loop": -2"#), format!("f.json:2:25: {loops}"));
    assert_eq!(in_task(r#""run": 1, "loop": 4294967296"#), format!("f.json:2:25: {loops}"));
    let priority = "\"priority\" must be in 1..=99 under this policy";
    for bad in ["0", "100", "-1", "9223372036854775807"] {
        let body = format!(r#""policy": "SCHED_RR", "priority": {bad}, "run": 1"#);
        assert_eq!(in_task(&body), format!("f.json:2:41: {priority}"));
    }
    for bad in ["-1", "1024", "4294967296"] {
        let body = format!(r#""run": 1, "cpus": [0, {bad}]"#);
        let expected = "f.json:2:29: \"cpus\": a CPU id must be in 0..1024";
        assert_eq!(in_task(&body), expected);
    }
    assert_eq!(in_task(r#""run": 1, "cpus": []"#), "f.json:2:25: \"cpus\" names no CPU");
}

#[test]
fn absurd_instance_counts() {
    for bad in ["-1", "65537", "1000000000", "4294967297"] {
        let message = in_task(&format!(r#""run": 1, "instance": {bad}"#));
        assert_eq!(message, "f.json:2:29: \"instance\" must be in 0..=65536");
    }
    let text =
        "{ \"tasks\": {\n\"a\": { \"instance\": 65536, \"run\": 1 },\n\"b\": { \"run\": 1 } } }";
    assert_eq!(error(text), "f.json:3:1: more than 65536 instances in all");
    let message = in_task(r#""run": 1, "instance": 0"#);
    assert_eq!(message, "f.json:1:12: no task has an instance: nothing would run");
}

#[test]
fn nothing_to_do() {
    assert_eq!(in_task(""), "f.json:2:1: \"t\" has no events");
    assert_eq!(in_task(r#""loop": 1"#), "f.json:2:1: \"t\" has no events");
    assert_eq!(in_task(r#""phases": {}"#), "f.json:2:17: \"phases\" is empty");
    assert_eq!(in_task(r#""phases": { "p": { "loop": 1 } }"#), "f.json:2:19: \"p\" has no events");
}

#[test]
fn references() {
    assert_eq!(in_task(r#""fork": "x""#), "f.json:2:15: \"fork\": there is no task \"x\"");
    assert_eq!(in_task(r#""wait": { "ref": "x" }"#), "f.json:2:7: \"wait\" needs a \"mutex\"");
    assert_eq!(in_task(r#""sync": { "mutex": "x" }"#), "f.json:2:7: \"sync\" needs a \"ref\"");
    assert_eq!(in_task(r#""timer": { "period": 1 }"#), "f.json:2:7: \"timer\" needs a \"ref\"");
    assert_eq!(in_task(r#""timer0": { "ref": "x" }"#), "f.json:2:7: \"timer0\" needs a \"period\"");
    assert_eq!(
        in_task(r#""timer": { "ref": "x", "period": 1, "mode": "late" }"#),
        "f.json:2:51: \"mode\" must be \"relative\" or \"absolute\""
    );
}

#[test]
fn deep_nesting() {
    let expected = "f.json:1:33: nested deeper than 32 levels";
    assert_eq!(error(&"[".repeat(1_000_000)), expected);
    let message = error(&r#"{"":"#.repeat(100_000));
    assert_eq!(message, "f.json:1:129: nested deeper than 32 levels");
    let message = error(&format!("{}{}", "[".repeat(32), "]".repeat(32)));
    assert_eq!(message, "f.json:1:1: \"the workload\" must be an object, not an array");
}

#[test]
fn long_texts_and_long_or_odd_names() {
    let message = error(&" ".repeat(MAX_TEXT_BYTES + 1));
    assert_eq!(message, "f.json:1:1: more than 1048576 bytes of text");
    let message = in_task(&format!(r#""run{}": "a""#, "x".repeat(1000)));
    assert!(message.len() < 120, "{message}");
    let message = in_task("\"run\\n\\u0000\": \"a\"");
    assert!(message.contains(r#""run\n\0" must be"#), "{message}");
    let error = parse("", "odd\nname").expect_err("empty");
    assert_eq!(error.to_string(), "odd\\nname:1:1: expected a value, found the end of the text");
    assert_eq!((error.file_name.as_str(), error.line, error.column), ("odd\nname", 1, 1));
}

#[test]
fn too_many_tasks() {
    let tasks = r#""t": { "run": 1 }, "#.repeat(4096);
    assert!(parse(&format!("{{ \"tasks\": {{ {tasks} }} }}"), "f").is_ok());
    let message = error(&format!("{{ \"tasks\": {{ {tasks}\n\"u\": 0 }} }}"));
    assert_eq!(message, "f.json:2:1: more than 4096 tasks");
}
