//! Curated mutants: known ways to break the code, each with the test that must notice.
//!
//! M1. The source tree is never written to: mutants live in a copy under the build folder.
//! M2. A kill is a test that passes on the code as it is, fails on the mutant, and prints the text
//!     that its assertion is known by. What does not compile, hangs, or fails for another reason is
//!     no kill.
//! M3. Tools work side by side, each in a copy and a build folder of its own.
//! M4. A test that does not run kills nothing: the unmutated run must have run at least one.

mod copy;
mod file;
mod shard;
mod tally;
mod trial;
mod verb;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::num::NonZero;
use std::panic;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

pub(crate) use crate::mutants::copy::Copy;
use crate::mutants::file::{Mutant, Target, Tool};
pub(crate) use crate::mutants::shard::Shard;
pub(crate) use crate::mutants::tally::Tally;
use crate::mutants::trial::Trial;
pub(crate) use crate::mutants::verb::Options;
use crate::needs;
use crate::pins;
use crate::workspace::Workspace;

/// What became of a mutant.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Killed,
    /// The test did not notice.
    Survived,
    /// The mutant shows nothing, for this reason.
    Broken(String),
}

/// Which of the curated mutants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Choice<'a> {
    /// Of one crate.
    pub(crate) of: Option<&'a str>,
    /// The one of that name.
    pub(crate) only: Option<&'a str>,
    /// The `long` ones too.
    pub(crate) long: bool,
    /// Of those, this part.
    pub(crate) shard: Shard,
}

/// Runs the chosen mutants.
pub(crate) fn run(workspace: &Workspace, choice: Choice<'_>, limit: Duration) -> Result<Tally> {
    let mut mutants = file::load(&workspace.root.join("verification/mutants"), choice)?;
    // By package and test, so that what one build made is there for the next.
    mutants.sort_by_key(Mutant::target);
    let mutants = choice.shard.retain(mutants);
    let tools = Mutex::new(mutants.chunk_by(|left, right| left.tool() == right.tool()));
    let next = || tools.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || -> Result<Tally> {
        let mut tally = Tally::default();
        while let Some(mutants) = next() {
            tally += of_one_tool(workspace, mutants, limit)?;
        }
        Ok(tally)
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_fold(Tally::default(), |mut tally, worker| -> Result<Tally> {
            tally += worker.join().unwrap_or_else(|panic| panic::resume_unwind(panic))?;
            Ok(tally)
        })
    })
}

/// Runs mutants for one tool, one after the other, in that tool's copy and build folder.
fn of_one_tool(workspace: &Workspace, mutants: &[Mutant], limit: Duration) -> Result<Tally> {
    let [first, ..] = mutants else { return Ok(Tally::default()) };
    let copy = Copy::of(workspace, &home(first.tool()), &|_, bytes| bytes)?;
    let mut baselines = HashMap::new();
    let mut open = Vec::new();
    for mutant in mutants {
        let begin = Instant::now();
        let target = mutant.target();
        let trial = Trial { workspace, copy: &copy, target: &target, limit };
        let baseline = baselines.entry(target.clone()).or_insert_with(|| trial.unmutated());
        let verdict = match baseline {
            Ok(output) => examine(mutant, output, &trial)?,
            Err(why) => Verdict::Broken(why.clone()),
        };
        let word = match &verdict {
            Verdict::Killed => "killed",
            Verdict::Survived => "SURVIVED",
            Verdict::Broken(_) => "BROKEN",
        };
        let took = begin.elapsed().as_secs_f64();
        let why = if let Verdict::Broken(why) = &verdict {
            format!("\n         {why}")
        } else {
            String::new()
        };
        println!("{word:8} {} ({}) {took:.1} s{why}", mutant.name, mutant.rule);
        if verdict != Verdict::Killed {
            open.push(mutant.name.clone());
        }
    }
    let total = mutants.len();
    Ok(Tally { total, killed: total - open.len(), open })
}

/// Below the build folder, where a tool's copy and what is built from it stand.
fn home(tool: Tool) -> String {
    format!("mutants/{}", tool.name())
}

/// Puts one mutant into the copy, runs its test, and takes it out again.
fn examine(mutant: &Mutant, unmutated: &str, trial: &Trial<'_>) -> Result<Verdict> {
    if unmutated.contains(&mutant.expect) {
        let why = format!("the passing test prints `{}` too: it proves nothing", mutant.expect);
        return Ok(Verdict::Broken(why));
    }
    let source = match trial.copy.read(&mutant.file) {
        Ok(source) => source,
        Err(error) => return Ok(Verdict::Broken(format!("{error:#}"))),
    };
    let mutated = match mutant.apply(&source) {
        Ok(mutated) => mutated,
        Err(error) => return Ok(Verdict::Broken(format!("{error:#}"))),
    };
    trial.copy.write(&mutant.file, &mutated)?;
    let result = trial.mutated(&mutant.expect);
    trial.copy.write(&mutant.file, &source)?;
    result
}

/// Miri comes with a toolchain of its own; machine code is looked at for both machines.
fn obtain_needs(target: &Target) -> Result<()> {
    match target.tool {
        file::Tool::Miri => needs::toolchain(pins::NIGHTLY, &["miri", "rust-src"]),
        file::Tool::Boot => {
            pins::BARE_METAL.iter().try_for_each(|triple| needs::target(None, triple))
        }
        _ => Ok(()),
    }
}
