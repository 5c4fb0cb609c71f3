//! One of several disjoint parts of all mutants, so that a test command stays short and a matrix of machines can share the rest.

use std::str::FromStr;

use anyhow::{Context, Error, Result, ensure};

use crate::command::Command;
use crate::workspace::Workspace;

/// Part `index` of `count`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    index: usize,
    count: usize,
}

impl Shard {
    /// All of them.
    pub(crate) const WHOLE: Self = Self { index: 0, count: 1 };

    /// The part of `count` that the commit under test draws: every part has its turn as commits come, and a commit always
    /// draws the same. A tree without a commit draws the first.
    pub(crate) fn of_commit(workspace: &Workspace, count: usize) -> Self {
        let git = Command::new("git").directory(&workspace.root).words("rev-parse --short=7 HEAD");
        let commit = git.quietly().output().ok().filter(|output| output.success());
        let number = commit.and_then(|output| usize::from_str_radix(output.text.trim(), 16).ok());
        Self { index: number.unwrap_or(0) % count, count }
    }

    /// Every `count`th, so that neighbours, which share a build, are spread over the parts.
    pub(super) fn retain<T>(self, all: Vec<T>) -> Vec<T> {
        all.into_iter().skip(self.index).step_by(self.count).collect()
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (index, count) = text.split_once('/').context("as 0/3")?;
        let (index, count) = (index.parse()?, count.parse()?);
        ensure!(index < count, "shards are 0/N to N-1/N");
        Ok(Self { index, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_disjoint_and_complete() {
        let shard = |text: &str| text.parse::<Shard>().unwrap();
        let mut all: Vec<_> = ["0/3", "1/3", "2/3"]
            .into_iter()
            .flat_map(|text| shard(text).retain((0..10).collect()))
            .collect();
        all.sort_unstable();
        assert_eq!(all, (0..10).collect::<Vec<_>>());
        assert_eq!(Shard::WHOLE.retain(vec![7, 8]), [7, 8]);
    }

    #[test]
    fn what_is_no_shard_is_an_error() {
        for text in ["", "1", "3/3", "0/0", "-1/2", "a/b"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_tree_without_a_commit_draws_the_first() {
        let empty = tempfile::tempdir().unwrap();
        let root = empty.path().to_path_buf();
        let workspace = Workspace { target: root.join("target"), root };
        assert_eq!(Shard::of_commit(&workspace, 3), "0/3".parse().unwrap());
    }
}
