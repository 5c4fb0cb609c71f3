//! `counts NAME` calls one operation, for Callgrind to count; `counts` alone lists them. `cargo xtask bench --counts`
//! builds and runs it.

use std::process::ExitCode;

fn main() -> ExitCode {
    match std::env::args().nth(1) {
        None => benches::counted_operations().for_each(|name| println!("{name}")),
        Some(name) => match benches::count(&name) {
            Some(calls) => println!("calls {calls}"),
            None => {
                eprintln!("error: no operation is called {name}");
                return ExitCode::FAILURE;
            }
        },
    }
    ExitCode::SUCCESS
}
