//! The parser of workloads: no text makes it panic, and what it accepts keeps the model's invariants.
#![no_main]

#[allow(dead_code, unused_imports, reason = "its tests are not for here")]
#[path = "../../../demo/tests/rtapp/hostile.rs"]
mod hostile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        hostile::check(text);
    }
});
