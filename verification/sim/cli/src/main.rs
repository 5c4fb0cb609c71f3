//! `cargo xtask verify sim`: many runs of the simulator, each from a seed.

mod campaign;
mod failure;
mod options;
mod results;
mod shapes;

use clap::Parser;
use options::Options;
use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic is a result of a run, and told as one.
    std::panic::set_hook(Box::new(|_| {}));
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Whether nothing was violated.
fn run(options: &Options) -> anyhow::Result<bool> {
    if !options.merge.is_empty() {
        return results::merge(&options.merge);
    }
    let cpus = |default: &[u32]| {
        if options.on.is_empty() { default.to_vec() } else { options.on.clone() }
    };
    if let Some(file) = &options.rtapp {
        return shapes::run_file(file, &cpus(&[1, 4, 16, 64]), options.seeds.start, &options.out);
    }
    if options.shapes || !options.shape.is_empty() {
        let all = <shapes::Shape as clap::ValueEnum>::value_variants();
        let some = if options.shape.is_empty() { all } else { &options.shape };
        return shapes::run(
            some,
            &cpus(&[1, 4, 16, 64, 256, 1024]),
            options.seeds.start,
            &options.out,
        );
    }
    if options.timeline {
        let seed = options.seeds.start;
        failure::write_timeline(&options.plan(seed), options)?;
        return Ok(true);
    }
    let results = campaign::run(options);
    println!("{results}");
    if let Some(file) = &options.json {
        results.write(file)?;
    }
    if let Some(first) = results.violations.first() {
        failure::explain(first, options)?;
    }
    Ok(results.violations.is_empty())
}
