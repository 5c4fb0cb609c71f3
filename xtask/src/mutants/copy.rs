//! A copy of the source tree to break. It is kept from run to run, and only what differs is
//! written, so that builds from it are incremental.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::workspace::Workspace;

/// What becomes of a file, by its path within the tree.
pub(crate) type Change<'a> = dyn Fn(&Path, Vec<u8>) -> Vec<u8> + 'a;

/// The copy. While it lives no other process uses the same one.
pub(crate) struct Copy {
    pub(crate) folder: PathBuf,
    _lock: File,
}

impl Copy {
    /// Brings the copy for that purpose up to date, with what `change` makes of each file, and waits for whoever works
    /// with it.
    pub(crate) fn of(workspace: &Workspace, purpose: &str, change: &Change<'_>) -> Result<Self> {
        let home = workspace.target_for(purpose);
        let folder = home.join("tree");
        fs::create_dir_all(&folder)?;
        let lock = File::create(home.join("lock"))?;
        if lock.try_lock().is_err() {
            println!("waiting for another run of these mutants");
            lock.lock().context("cannot lock the copy of the tree")?;
        }
        synchronise(&workspace.root, &folder, &workspace.target, change)?;
        Ok(Self { folder, _lock: lock })
    }

    pub(super) fn read(&self, file: &str) -> Result<String> {
        fs::read_to_string(self.folder.join(file)).with_context(|| format!("cannot read {file}"))
    }

    pub(super) fn write(&self, file: &str, text: &str) -> Result<()> {
        fs::write(self.folder.join(file), text).with_context(|| format!("cannot write {file}"))
    }
}

/// Makes `to` like `from`, each file as `change` has it, leaving out what is built (`target` and folders of that name) and git's
/// own. Files that are alike already keep their time, so that cargo sees them as unchanged.
fn synchronise(from: &Path, to: &Path, target: &Path, change: &Change<'_>) -> Result<()> {
    let mut kept = HashSet::new();
    for path in files(from, target) {
        let path = path?;
        let (source, copy) = (from.join(&path), to.join(&path));
        let bytes = fs::read(&source).with_context(|| source.display().to_string())?;
        let bytes = change(&path, bytes);
        if fs::read(&copy).ok().is_none_or(|old| old != bytes) {
            fs::create_dir_all(copy.parent().context("a file stands in a folder")?)?;
            fs::write(&copy, bytes)?;
        }
        kept.insert(path);
    }
    for path in files(to, target) {
        let path = path?;
        if !kept.contains(&path) {
            fs::remove_file(to.join(path))?;
        }
    }
    Ok(())
}

/// The files of a tree, as paths within it.
fn files(root: &Path, target: &Path) -> impl Iterator<Item = Result<PathBuf>> {
    let skipped = move |entry: &walkdir::DirEntry| {
        let built = entry.file_name() == "target" || entry.path() == target;
        entry.file_name() == ".git" || (entry.file_type().is_dir() && built)
    };
    WalkDir::new(root)
        .into_iter()
        .filter_entry(move |entry| entry.depth() == 0 || !skipped(entry))
        .filter(|entry| entry.as_ref().map_or(true, |entry| !entry.file_type().is_dir()))
        .map(move |entry| Ok(entry?.path().strip_prefix(root)?.to_path_buf()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_follows_changes_and_deletions_and_leaves_the_rest_alone() {
        let home = tempfile::tempdir().unwrap();
        let (from, to) = (home.path().join("from"), home.path().join("to"));
        let target = from.join("built");
        for folder in ["src", "built", "target", "a/target"] {
            fs::create_dir_all(from.join(folder)).unwrap();
            fs::write(from.join(folder).join("file"), folder).unwrap();
        }
        fs::write(from.join("gone"), "").unwrap();
        synchronise(&from, &to, &target, &|_, bytes| bytes).unwrap();
        assert!(to.join("gone").exists());
        assert_eq!(fs::read_to_string(to.join("src/file")).unwrap(), "src");
        assert!(
            !to.join("built").exists() && !to.join("target").exists() && !to.join("a").exists()
        );

        let written = |name: &str| fs::metadata(to.join(name)).unwrap().modified().unwrap();
        fs::write(from.join("still"), "same").unwrap();
        synchronise(&from, &to, &target, &|_, bytes| bytes).unwrap();
        let before = written("still");
        fs::remove_file(from.join("gone")).unwrap();
        fs::write(to.join("src/file"), "a mutant left behind").unwrap();
        synchronise(&from, &to, &target, &|_, bytes| bytes).unwrap();
        assert!(!to.join("gone").exists());
        assert_eq!(fs::read_to_string(to.join("src/file")).unwrap(), "src");
        assert_eq!(written("still"), before);
    }
}
