//! Ordering mutants: each ordering in the libraries, one step weaker, must make a model fail.
//!
//! G1. They are generated from the source (`sites`): none is left out because nobody thought of it.
//! G2. All of them are built at once, in a copy of the tree; the environment names the one that lives in a run.
//! G3. Only loom judges. Shuttle takes every atomic as sequentially consistent: it sees no ordering.
//! G4. A kill is a model that passes on the code as it is and fails by an assertion on the mutant. A run that hangs
//!     or in which the operation refuses the ordering is no kill.
//! G5. A result holds as long as the tokens of its file. The table says for which it was found.

mod library;
mod models;
mod sites;
mod table;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::mutants::{Copy, Tally};
use crate::orderings::library::Library;
use crate::orderings::models::{Models, Said};
use crate::orderings::table::{File, Table};
use crate::pins;
use crate::workspace::Workspace;

/// Where the libraries, their models and the results stand.
pub(crate) struct Orderings<'a> {
    workspace: &'a Workspace,
    libraries: Vec<Library>,
    /// The package with the models.
    models: &'a str,
    tables: PathBuf,
}

impl<'a> Orderings<'a> {
    /// Those of this project, of one crate or of all.
    pub(crate) fn of(workspace: &'a Workspace, of: Option<&str>) -> Result<Self> {
        Self::read(workspace, &pins::WITH_ATOMICS, "verification", of)
    }

    fn read(
        workspace: &'a Workspace,
        names: &[&str],
        models: &'a str,
        of: Option<&str>,
    ) -> Result<Self> {
        let named = names.iter().filter(|name| of.is_none_or(|of| of == **name));
        let libraries =
            named.map(|name| Library::read(&workspace.root, name)).collect::<Result<Vec<_>>>()?;
        let tables = workspace.root.join("verification/mutants/orderings");
        Ok(Self { workspace, libraries, models, tables })
    }

    /// Runs the mutants of files that changed since their results were found, or all.
    pub(crate) fn run(&self, all: bool, limit: Duration) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut models = None;
        for library in &self.libraries {
            let old = Table::read(&self.tables, &library.name)?;
            let mut table = old.brought_up_to(library);
            for at in 0..table.file.len() {
                let whole = all || table.file[at].is_stale();
                if whole || !table.file[at].is_settled() {
                    let models = match &mut models {
                        Some(models) => models,
                        none => none.insert(self.build(limit)?),
                    };
                    judge(library, &mut table.file[at], whole, models)?;
                    // At once: what was found must outlive an interrupt.
                    table.write(&self.tables, &library.name)?;
                }
            }
            if table != old {
                table.write(&self.tables, &library.name)?;
            }
            tally += count(&table);
        }
        if let Some(models) = &models {
            println!("{} models, {} runs of them", models.all.len(), models.runs.get());
        } else {
            println!("no source has changed since its orderings' mutants were run");
        }
        Ok(tally)
    }

    /// That the tables hold for the source as it is: without a build. Answers how many mutants they settle.
    pub(crate) fn check_tables(&self) -> Result<u64> {
        let mut settled = 0;
        for library in &self.libraries {
            let old = Table::read(&self.tables, &library.name)?;
            let table = old.brought_up_to(library);
            let stale: Vec<_> =
                table.file.iter().filter(|f| f.is_stale()).map(|f| f.path.as_str()).collect();
            ensure!(
                stale.is_empty() && table == old,
                "changed since its ordering mutants were run: {}; \
                 run `cargo xtask verify mutants {} --orderings`",
                if stale.is_empty() { "the list of files".to_owned() } else { stale.join(", ") },
                library.name
            );
            let tally = count(&table);
            ensure!(tally.open.is_empty(), "alive without a reason: {}", tally.open.join(", "));
            settled += tally.total as u64;
        }
        Ok(settled)
    }

    fn build(&self, limit: Duration) -> Result<Models> {
        let copy = Copy::of(self.workspace, "orderings", &|path, bytes| {
            let changed =
                path.to_str().and_then(|path| self.libraries.iter().find_map(|l| l.in_copy(path)));
            changed.map_or(bytes, String::into_bytes)
        })?;
        let target = self.workspace.target_for("orderings").join("build");
        Models::build(copy, &target, self.models, limit)
    }
}

/// Shows the mutants of one file to the models: all, or those that are neither killed nor excused.
fn judge(library: &Library, file: &mut File, all: bool, models: &Models) -> Result<()> {
    let source = &library.files[&file.path];
    for row in file.mutant.iter_mut().filter(|row| all || !row.is_settled()) {
        let begin = Instant::now();
        let site = format!("{}/{}", library.name, row.site);
        let change = row.change.rsplit(' ').next().unwrap_or_default();
        let said = models.judge(&site, change, row.model.as_deref())?;
        let took = begin.elapsed().as_secs_f64();
        match said {
            Said::Killed(kill) => {
                println!(
                    "killed   {site}: {} ({}: {}) {took:.1} s",
                    row.change, kill.model, kill.assertion
                );
                row.record(Some(kill));
            }
            Said::Nothing(notes) => {
                println!("SURVIVED {site}: {} {took:.1} s", row.change);
                notes.iter().for_each(|note| println!("         {note}"));
                row.record(None);
            }
        }
        if let Some(reason) = &row.reason {
            println!("         reason, does it still hold? {reason}");
        }
    }
    file.hash.clone_from(&source.hash);
    Ok(())
}

fn count(table: &Table) -> Tally {
    let rows = || table.file.iter().flat_map(|file| &file.mutant);
    Tally {
        total: rows().count(),
        killed: rows().filter(|row| row.is_killed()).count(),
        open: rows()
            .filter(|row| !row.is_settled())
            .map(|row| format!("{}: {}", row.site, row.change))
            .collect(),
    }
}
