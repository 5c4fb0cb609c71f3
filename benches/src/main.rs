//! `bench`: measures, and says what came of it. `cargo xtask bench` builds and runs it.

use benches::{ALL, Effort, Floors, Row, Work};
use clap::Parser;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "bench", about = "Our data structures beside their rivals")]
struct Arguments {
    /// Look for a minute or two instead of some
    #[arg(long)]
    quick: bool,
    /// Only the works with this in their name
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Write the rows to this file as well
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Where the page goes
    #[arg(long, value_name = "FILE", default_value = "target/bench/report.html")]
    page: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let works = benches::select(ALL, arguments.only.as_deref());
    if works.is_empty() {
        let names: Vec<_> = benches::select(ALL, None).iter().map(|work| work.name()).collect();
        eprintln!("error: no work is called so. There are:\n  {}", names.join("\n  "));
        return ExitCode::FAILURE;
    }
    match run(&arguments, &works) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments, works: &[&Work]) -> io::Result<()> {
    let effort = if arguments.quick { Effort::QUICK } else { Effort::FULL };
    let floors = Floors::measure();
    let mut rows: Vec<Row> = vec![];
    for work in works.iter().filter(|work| work.can_run()) {
        work.measure(effort, &floors, |row| {
            println!("{}", row.line());
            rows.push(row);
        });
    }
    print!("\n{}", benches::render_table(&rows, &floors, works));
    if let Some(file) = &arguments.json {
        fs::write(file, benches::json(&rows))?;
    }
    if let Some(folder) = arguments.page.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&arguments.page, benches::write_page(&rows, &floors, works))?;
    println!("The page: {}", arguments.page.display());
    Ok(())
}
