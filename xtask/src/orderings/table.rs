//! The table of results: `verification/mutants/orderings/<crate>.toml`.
//!
//! The runs write it, all but the reasons: why no tool here can kill a mutant is for a person to say.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::orderings::library::Library;
use crate::orderings::models::Kill;

const HEADER: &str = "\
# Every ordering of this crate, one step weaker, and the model that noticed.
# `cargo xtask verify mutants --orderings` writes this file, all but each `reason`: that says why none can notice.

";

/// All of one crate.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    #[serde(default)]
    pub(super) file: Vec<File>,
}

/// One file of the crate that has orderings to weaken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) path: String,
    /// Of the tokens for which the results hold.
    pub(super) hash: String,
    pub(super) mutant: Vec<Row>,
}

/// One mutant: killed by a model, or alive for a reason.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) site: String,
    pub(super) change: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) assertion: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
}

impl Row {
    pub(super) fn is_killed(&self) -> bool {
        self.model.is_some()
    }

    /// Killed, or with a reason in words.
    pub(super) fn is_settled(&self) -> bool {
        self.is_killed() || self.reason.as_ref().is_some_and(|reason| !reason.trim().is_empty())
    }

    /// A kill makes a reason void; a reason outlives a run that finds the mutant alive again.
    pub(super) fn record(&mut self, kill: Option<Kill>) {
        (self.model, self.assertion) = match kill {
            Some(kill) => {
                self.reason = None;
                (Some(kill.model), Some(kill.assertion))
            }
            None => (None, None),
        };
    }
}

impl Table {
    /// A crate without a table has no results.
    pub(super) fn read(folder: &Path, library: &str) -> Result<Self> {
        let path = folder.join(format!("{library}.toml"));
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path)?;
        toml::from_str(&text).with_context(|| path.display().to_string())
    }

    pub(super) fn write(&self, folder: &Path, library: &str) -> Result<()> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{library}.toml"));
        let text = HEADER.to_owned() + &toml::to_string(self)?;
        fs::write(&path, text).with_context(|| path.display().to_string())
    }

    /// What the source as it is asks for, with the results that still hold; a file whose results do not has no hash.
    pub(super) fn brought_up_to(&self, library: &Library) -> Self {
        let mut file = Vec::new();
        for (path, source) in &library.files {
            let before = self.file.iter().find(|file| file.path == *path);
            let mut mutant = Vec::new();
            for site in &source.found.sites {
                for weaker in site.weaker() {
                    let change = match *weaker {
                        "removed" => format!("{} -> removed", site.ordering),
                        weaker => format!("{} -> {weaker}", site.ordering),
                    };
                    let known = before.and_then(|file| {
                        file.mutant.iter().find(|row| row.site == site.id && row.change == change)
                    });
                    mutant.push(known.cloned().unwrap_or_else(|| Row {
                        site: site.id.clone(),
                        change,
                        ..Row::default()
                    }));
                }
            }
            if mutant.is_empty() {
                continue;
            }
            let holds =
                before.is_some_and(|file| file.hash == source.hash && file.mutant == mutant);
            let hash = if holds { source.hash.clone() } else { String::new() };
            file.push(File { path: path.clone(), hash, mutant });
        }
        Self { file }
    }
}

impl File {
    pub(super) fn is_stale(&self) -> bool {
        self.hash.is_empty()
    }

    pub(super) fn is_settled(&self) -> bool {
        self.mutant.iter().all(Row::is_settled)
    }
}
