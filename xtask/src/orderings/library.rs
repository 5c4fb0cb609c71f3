//! The libraries with atomics, and what their files hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use proc_macro2::TokenTree;
use walkdir::WalkDir;

use crate::orderings::sites::{self, Helpers, Kind, Site, Sites};

/// What stands in each copy of a library in which a site's ordering may change while it runs.
const IN_COPY: &str = include_str!("in_copy.rs.txt");

/// One crate.
#[derive(Debug)]
pub(super) struct Library {
    pub(super) name: String,
    /// By path from the root of the tree.
    pub(super) files: BTreeMap<String, Source>,
}

/// One file of a crate.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) text: String,
    /// Over its tokens, without comments, documentation and tests.
    pub(super) hash: String,
    pub(super) found: Sites,
}

impl Library {
    /// Reads a crate. `src/sync.rs` is the door to the atomics and uses none.
    pub(super) fn read(root: &Path, name: &str) -> Result<Self> {
        let mut read = Vec::new();
        let mut helpers = Helpers::new();
        for entry in WalkDir::new(root.join(name).join("src")).sort_by_file_name() {
            let entry = entry?;
            let within = entry.path().strip_prefix(root)?.to_string_lossy().into_owned();
            if !within.ends_with(".rs") || within == format!("{name}/src/sync.rs") {
                continue;
            }
            let text = fs::read_to_string(entry.path()).with_context(|| within.clone())?;
            let tokens = sites::library_tokens(&text).with_context(|| within.clone())?;
            sites::helpers(&tokens, &mut helpers).with_context(|| within.clone())?;
            read.push((within, text, tokens));
        }
        ensure!(!read.is_empty(), "no source of {name}");
        let mut files = BTreeMap::new();
        for (path, text, tokens) in read {
            let short = path.strip_prefix(&format!("{name}/src/")).unwrap_or(&path);
            let found = sites::sites(short, &tokens, &helpers)?;
            files.insert(path, Source { text, hash: hash(&tokens), found });
        }
        Ok(Self { name: name.to_owned(), files })
    }

    /// The path of the crate's root file.
    fn root_file(&self) -> String {
        format!("{}/src/lib.rs", self.name)
    }

    /// The text of that file for the copy: each site asks what it is, and the root holds whom it asks.
    pub(super) fn in_copy(&self, path: &str) -> Option<String> {
        let source = self.files.get(path)?;
        let mut text = source.text.clone();
        let mut sites: Vec<_> =
            source.found.sites.iter().filter(|s| !s.weaker().is_empty()).collect();
        sites.sort_by_key(|site| site.range.start);
        for site in sites.into_iter().rev() {
            text.replace_range(site.range.clone(), &self.asking(site));
        }
        if path == self.root_file() {
            text += IN_COPY;
        }
        Some(text)
    }

    fn asking(&self, site: &Site) -> String {
        let function = if site.kind == Kind::Fence { "fence" } else { "ordering" };
        let name = self.full_name(site);
        format!("crate::ordering_mutant::{function}({name:?}, Ordering::{})", site.ordering)
    }

    /// A site's name among those of all libraries.
    pub(super) fn full_name(&self, site: &Site) -> String {
        format!("{}/{}", self.name, site.id)
    }
}

/// FNV-1a, 64 bits: a change is to be noticed, not an attack.
fn hash(tokens: &[TokenTree]) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let mut feed = |text: &str| {
        for byte in text.bytes().chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    };
    fn each(tokens: &[TokenTree], feed: &mut impl FnMut(&str)) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => {
                    feed(&format!("{:?}", group.delimiter()));
                    each(&group.stream().into_iter().collect::<Vec<_>>(), feed);
                    feed("end");
                }
                other => feed(&other.to_string()),
            }
        }
    }
    each(tokens, &mut feed);
    format!("{hash:016x}")
}
