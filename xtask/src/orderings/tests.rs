//! What the generator finds in samples and in the real sources, and what kills.

use std::fs;
use std::path::Path;

use super::sites::{self, Helpers, Kind, Sites};
use super::*;

fn find(text: &str) -> Result<Sites> {
    let tokens = sites::library_tokens(text)?;
    let mut helpers = Helpers::new();
    sites::helpers(&tokens, &mut helpers)?;
    sites::sites("a.rs", &tokens, &helpers)
}

fn found(text: &str) -> Vec<(String, Kind, String)> {
    let sites = find(text).unwrap().sites;
    sites.into_iter().map(|s| (s.id, s.kind, text[s.range].to_owned())).collect()
}

#[test]
fn each_kind_of_operation_is_found_where_it_stands() {
    let text = "fn f() { a.load(Ordering::SeqCst); a.load(Ordering::Acquire);
        a.compare_exchange(1, g(2), Ordering::AcqRel, Ordering::Acquire);
        a.swap(b.load(Ordering::Relaxed), Ordering::Release); }
        const_fn! { pub const fn g(x: u8) -> u8 { fence(Ordering::SeqCst); x } }
        macro_rules! m { ($n:ident) => { fn $n() { a.store(1, Ordering::Release) } } }";
    let of = |id: &str, kind, text: &str| (format!("a.rs {id}"), kind, text.to_owned());
    assert_eq!(
        found(text),
        [
            of("f load#1", Kind::Load, "Ordering::SeqCst"),
            of("f load#2", Kind::Load, "Ordering::Acquire"),
            of("f compare_exchange#1", Kind::Update, "Ordering::AcqRel"),
            of("f compare_exchange#1 failure", Kind::Load, "Ordering::Acquire"),
            of("f swap#1", Kind::Update, "Ordering::Release"),
            of("f load#3", Kind::Load, "Ordering::Relaxed"),
            of("g fence#1", Kind::Fence, "fence(Ordering::SeqCst)"),
            of("$n store#1", Kind::Store, "Ordering::Release"),
        ]
    );
}

#[test]
fn an_ordering_handed_to_a_function_is_of_the_kind_that_function_hands_it_to() {
    let text = "fn put(&self, ordering: Ordering) { self.0.fetch_or(1, ordering); }
        fn f() { set.put(Ordering::Release); }";
    let sites = find(text).unwrap();
    assert_eq!((sites.sites.len(), sites.handed_on), (1, 1));
    assert_eq!((sites.sites[0].id.as_str(), sites.sites[0].kind), ("a.rs f put#1", Kind::Update));
}

#[test]
fn an_ordering_in_any_other_place_is_an_error() {
    for text in [
        "fn f() { unknown(Ordering::Release); }",
        "const O: Ordering = Ordering::Release;",
        "fn f() { a.load(if b { Ordering::Acquire } else { Ordering::Relaxed }); }",
        "fn f() { a.load(*&Ordering::Acquire, (Ordering::Relaxed)); }",
        "fn put(ordering: Ordering) { other(ordering); }",
    ] {
        assert!(find(text).is_err(), "{text}");
    }
}

#[test]
fn tests_and_comments_are_no_library_code() {
    let bare = "fn f() { } fn g() { a.load(Ordering::Acquire) }";
    let full =
        "//! Ordering::SeqCst\n/// Ordering::SeqCst\nfn f() { /* fence(Ordering::SeqCst) */ }
        #[cfg(test)] mod tests { fn t() { a.load(Ordering::SeqCst); } }
        #[cfg(all(test, not(loom)))] #[test] fn t() { a.load(Ordering::SeqCst); }
        /** docs */ fn g() { a.load(Ordering::Acquire) }";
    let ids = |text| found(text).into_iter().map(|site| site.0).collect::<Vec<_>>();
    assert_eq!(ids(full), ids(bare));
    let outside = "#[cfg(not(test))] fn g() { a.load(Ordering::Acquire) }";
    assert_eq!(ids(outside), ["a.rs g load#1"]);
}

#[test]
fn each_weakening_is_one_step_of_its_kind() {
    let weaker = |call: &str| -> Vec<&str> {
        let sites = find(&format!("fn f() {{ {call}; }}")).unwrap().sites;
        sites.iter().flat_map(|site| site.weaker().iter().copied()).collect()
    };
    assert_eq!(weaker("a.load(Ordering::SeqCst)"), ["Acquire"]);
    assert_eq!(weaker("a.store(1, Ordering::SeqCst)"), ["Release"]);
    assert_eq!(weaker("a.swap(1, Ordering::SeqCst)"), ["AcqRel"]);
    assert_eq!(weaker("a.fetch_add(1, Ordering::AcqRel)"), ["Acquire", "Release"]);
    assert_eq!(weaker("a.load(Ordering::Acquire)"), ["Relaxed"]);
    assert_eq!(weaker("a.store(1, Ordering::Relaxed)"), [""; 0]);
    assert_eq!(weaker("fence(Ordering::Acquire)"), ["removed"]);
    let exchange = "a.compare_exchange(0, 1, Ordering::Release, Ordering::SeqCst)";
    assert_eq!(weaker(exchange), ["Relaxed", "Acquire"]);
}

/// Counted by words in lines, as one would with a search: another method, with other mistakes.
fn counted(text: &str) -> (usize, usize, usize) {
    let library = text.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    let library = library.take_while(|line| !line.starts_with("#[cfg(all(test"));
    let code = library.map(|line| line.split("//").next().unwrap());
    let code: Vec<_> = code.filter(|line| !line.trim_start().starts_with("use ")).collect();
    let words = |line: &str, names: &[&str]| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| names.contains(w)).count()
    };
    let names = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];
    let handed_on = ["(ordering)", ", ordering)", " ordering,"];
    (
        code.iter().map(|line| words(line, &names)).sum(),
        code.iter().filter(|line| line.contains("fence(")).count(),
        code.iter().map(|l| handed_on.iter().map(|h| l.matches(h).count()).sum::<usize>()).sum(),
    )
}

#[test]
fn another_count_of_the_real_sources_agrees() {
    let workspace = Workspace::find().unwrap();
    let mut total = 0;
    for library in Orderings::of(&workspace, None).unwrap().libraries {
        for (path, source) in &library.files {
            let sites = &source.found.sites;
            let fences = sites.iter().filter(|site| site.kind == Kind::Fence).count();
            let generated = (sites.len(), fences, source.found.handed_on);
            assert_eq!(generated, counted(&source.text), "{path}");
            total += sites.len();
        }
    }
    assert!(total > 100, "{total} orderings in all: is the source where it was?");
}

/// A copy of a small crate with a model, and with a swap to its checker that happens, or does not.
fn fixture(swap: &str) -> (tempfile::TempDir, Workspace) {
    let home = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/orderings");
    let root = home.path().join("tree");
    for file in [
        "Cargo.toml",
        "checker/Cargo.toml",
        "checker/src/lib.rs",
        "fixture/Cargo.toml",
        "fixture/src/lib.rs",
        "fixture/tests/loom.rs",
    ] {
        fs::create_dir_all(root.join(file).parent().unwrap()).unwrap();
        fs::copy(from.join(file), root.join(file)).unwrap();
    }
    fs::copy(from.join(swap), root.join("fixture/src/sync.rs")).unwrap();
    let target = home.path().join("target");
    (home, Workspace { root, target })
}

fn run_fixture(workspace: &Workspace, all: bool) -> Tally {
    let orderings = Orderings::read(workspace, &["fixture"], "fixture", None).unwrap();
    orderings.run(all, Duration::from_secs(20)).unwrap()
}

#[test]
fn a_model_that_notices_kills_and_only_what_changed_is_run_again() {
    let (_home, workspace) = fixture("sync-swapped.rs");
    let check = || Orderings::read(&workspace, &["fixture"], "fixture", None)?.check_tables();
    assert!(check().is_err(), "nothing has been run");
    let tally = run_fixture(&workspace, false);
    assert_eq!((tally.killed, tally.total), (2, 3), "{tally:?}");
    assert_eq!(tally.open, ["lib.rs forgotten load#1: Acquire -> Relaxed"]);

    let path = workspace.root.join("verification/mutants/orderings/fixture.toml");
    let table = fs::read_to_string(&path).unwrap();
    assert!(table.contains("the reader sees what was written"), "{table}");
    let error = check().unwrap_err().to_string();
    assert!(error.contains("without a reason: lib.rs forgotten"), "{error}");
    let excuse = "change = \"Acquire -> Relaxed\"\nreason = \"nobody calls it\"\n";
    let (before, after) = table.rsplit_once("change = \"Acquire -> Relaxed\"\n").unwrap();
    fs::write(&path, format!("{before}{excuse}{after}")).unwrap();
    assert_eq!(check().unwrap(), 3);

    let source = workspace.root.join("fixture/src/lib.rs");
    let text = fs::read_to_string(&source).unwrap();
    fs::write(&source, format!("// A comment changes nothing.\n{text}")).unwrap();
    assert_eq!(check().unwrap(), 3);
    let more = "pub fn more(&self) { self.number.store(1, Ordering::Release) }\n    /// No model";
    fs::write(&source, text.replace("/// No model", more)).unwrap();
    let error = check().unwrap_err().to_string();
    assert!(error.contains("fixture/src/lib.rs"), "{error}");
    let tally = run_fixture(&workspace, false);
    assert_eq!((tally.killed, tally.total, tally.open.len()), (2, 4, 1), "{tally:?}");
}

#[test]
fn a_model_whose_swap_does_not_happen_kills_nothing() {
    let (_home, workspace) = fixture("sync-not-swapped.rs");
    let tally = run_fixture(&workspace, true);
    assert_eq!((tally.killed, tally.total, tally.open.len()), (0, 3, 3), "{tally:?}");
    let error = tally.verdict().unwrap_err().to_string();
    assert!(error.ends_with("0/3 mutants killed"), "{error}");
}
