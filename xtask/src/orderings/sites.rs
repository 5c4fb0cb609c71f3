//! Finds every ordering in a file of source, by its tokens.
//!
//! Tokens, and not a syntax tree, because a tree ends where a macro begins: what stands in `const_fn!` or in a
//! `macro_rules!` is found like all other code.
//!
//! O1. An ordering is an argument of an atomic operation, of a fence, or of a function that hands its parameter
//!     `ordering` on to an atomic operation. Any other place is an error, so that none is overlooked.
//! O2. A site is known by file, function, operation and ordinal: it stays the same when lines move.
//! O3. Code under `cfg(test)` is no library code.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, anyhow, bail, ensure};
use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// What an ordering is given to. A failed exchange is a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Load,
    Store,
    Update,
    Fence,
}

/// One use of an ordering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Site {
    /// `inbox.rs push compare_exchange_weak#1 failure`.
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) ordering: String,
    /// The bytes of `Ordering::X`, or of the fence with its argument.
    pub(super) range: Range<usize>,
}

impl Site {
    /// What the ordering becomes, one step weaker, in each way that its kind allows.
    pub(super) fn weaker(&self) -> &'static [&'static str] {
        match (self.kind, self.ordering.as_str()) {
            (Kind::Fence, _) => &["removed"],
            (Kind::Load, "SeqCst") => &["Acquire"],
            (Kind::Store, "SeqCst") => &["Release"],
            (Kind::Update, "SeqCst") => &["AcqRel"],
            (Kind::Update, "AcqRel") => &["Acquire", "Release"],
            (Kind::Load | Kind::Update, "Acquire") => &["Relaxed"],
            (Kind::Store | Kind::Update, "Release") => &["Relaxed"],
            _ => &[],
        }
    }
}

/// All of a file.
#[derive(Debug, Default)]
pub(super) struct Sites {
    pub(super) sites: Vec<Site>,
    /// Places where a parameter `ordering` is handed on: what it is stands at the callers.
    pub(super) handed_on: usize,
}

/// Functions that hand a parameter `ordering` on, and what to.
pub(super) type Helpers = BTreeMap<String, Kind>;

const ORDERINGS: [&str; 5] = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"];

/// The tokens of a file, without documentation and code under `cfg(test)`: comments are no tokens.
pub(super) fn library_tokens(text: &str) -> Result<Vec<TokenTree>> {
    let tokens: TokenStream = text.parse().map_err(|error| anyhow!("{error}"))?;
    Ok(library_part(tokens))
}

fn library_part(tokens: TokenStream) -> Vec<TokenTree> {
    let mut kept: Vec<TokenTree> = Vec::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        if let TokenTree::Group(group) = &token
            && group.delimiter() == Delimiter::Bracket
            && let Some(marks) = attribute_marks(&kept)
        {
            if is_doc(group) {
                kept.truncate(kept.len() - marks);
                continue;
            }
            if is_test(group) {
                kept.truncate(kept.len() - marks);
                skip_item(&mut tokens);
                continue;
            }
        }
        kept.push(match token {
            TokenTree::Group(group) => {
                let inner = library_part(group.stream()).into_iter().collect();
                let mut part = Group::new(group.delimiter(), inner);
                part.set_span(group.span());
                part.into()
            }
            other => other,
        });
    }
    kept
}

/// How many tokens before a bracket make it an attribute: `#` or `#!`.
fn attribute_marks(before: &[TokenTree]) -> Option<usize> {
    match before {
        [.., hash, bang] if is_punct(hash, '#') && is_punct(bang, '!') => Some(2),
        [.., hash] if is_punct(hash, '#') => Some(1),
        _ => None,
    }
}

fn is_doc(attribute: &Group) -> bool {
    attribute.stream().into_iter().next().is_some_and(|first| is_ident(&first, "doc"))
}

/// `cfg(test)` and `cfg(all(test, …))`; not `cfg(not(test))`.
fn is_test(attribute: &Group) -> bool {
    fn asks_for_test(tokens: TokenStream) -> bool {
        let mut negated = false;
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(name) => {
                negated = name == "not";
                name == "test"
            }
            TokenTree::Group(group) => !negated && asks_for_test(group.stream()),
            _ => false,
        })
    }
    let mut tokens = attribute.stream().into_iter();
    tokens.next().is_some_and(|first| is_ident(&first, "cfg"))
        && tokens.next().is_some_and(|rest| asks_for_test(rest.into()))
}

/// Up to the end of the item: its braces, or a semicolon.
fn skip_item(tokens: &mut impl Iterator<Item = TokenTree>) {
    for token in tokens {
        let braces =
            matches!(&token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace);
        if braces || is_punct(&token, ';') {
            return;
        }
    }
}

/// The functions of a file that hand their parameter `ordering` on, added to those of others.
pub(super) fn helpers(tokens: &[TokenTree], helpers: &mut Helpers) -> Result<()> {
    let mut hands_on = Vec::new();
    walk(tokens, "-", &mut |call| {
        for (index, argument) in call.orderings().enumerate() {
            if argument.handed_on {
                hands_on.push((call.function.to_owned(), call.name.clone(), index));
            }
        }
        Ok(())
    })?;
    for (function, operation, index) in hands_on {
        let Some(kind) = kind(&operation, index) else {
            bail!(
                "`{function}` hands its ordering on to `{operation}`, which is no atomic operation"
            );
        };
        let known = *helpers.entry(function.clone()).or_insert(kind);
        ensure!(
            known == kind,
            "functions `{function}` hand their ordering on to unlike operations"
        );
    }
    Ok(())
}

/// What the ordering at that place is for, if the operation is one of core's.
fn kind(operation: &str, index: usize) -> Option<Kind> {
    Some(match (operation, index) {
        ("load", 0) => Kind::Load,
        ("store", 0) => Kind::Store,
        ("fence" | "compiler_fence", 0) => Kind::Fence,
        ("compare_exchange" | "compare_exchange_weak" | "fetch_update", 0) => Kind::Update,
        ("compare_exchange" | "compare_exchange_weak" | "fetch_update", 1) => Kind::Load,
        ("swap", 0) => Kind::Update,
        (name, 0) if name.starts_with("fetch_") => Kind::Update,
        _ => return None,
    })
}

/// All orderings in a file of that name.
pub(super) fn sites(file: &str, tokens: &[TokenTree], helpers: &Helpers) -> Result<Sites> {
    let mut found = Sites::default();
    let mut ordinals: BTreeMap<(String, String), usize> = BTreeMap::new();
    walk(tokens, "-", &mut |call| {
        let orderings: Vec<_> = call.orderings().collect();
        if orderings.is_empty() {
            return Ok(());
        }
        let ordinal = ordinals.entry((call.function.to_owned(), call.name.clone())).or_insert(0);
        *ordinal += 1;
        for (index, argument) in orderings.iter().enumerate() {
            if argument.handed_on {
                found.handed_on += 1;
                continue;
            }
            let place = format!("{file} {} {}#{ordinal}", call.function, call.name);
            let helper = helpers.get(&call.name).filter(|_| index == 0).copied();
            let Some(kind) = kind(&call.name, index).or(helper) else {
                bail!("{place}: `Ordering::{}` is given to no atomic operation", argument.name);
            };
            let range = match kind {
                Kind::Fence => call.range.clone(),
                _ => argument.range.clone(),
            };
            let id = if index == 0 { place } else { format!("{place} failure") };
            found.sites.push(Site { id, kind, ordering: argument.name.clone(), range });
        }
        Ok(())
    })?;
    let named = named(tokens);
    let sites = found.sites.len();
    ensure!(named == sites, "{file}: {named} orderings, but {sites} given to operations");
    Ok(found)
}

/// How often `Ordering::X` stands anywhere.
fn named(tokens: &[TokenTree]) -> usize {
    let here = tokens.windows(4).filter(|window| ordering(window).is_some()).count();
    here + inner(tokens).map(|group| named(&trees(group))).sum::<usize>()
}

/// A name with parentheses, in a function.
struct Call<'a> {
    function: &'a str,
    name: String,
    range: Range<usize>,
    arguments: Vec<TokenTree>,
}

/// An ordering among the arguments of a call.
struct Argument {
    name: String,
    range: Range<usize>,
    handed_on: bool,
}

impl Call<'_> {
    fn orderings(&self) -> impl Iterator<Item = Argument> {
        let arguments = &self.arguments;
        arguments.iter().enumerate().filter_map(|(at, token)| {
            if let Some(name) = ordering(&arguments[at..]) {
                let range =
                    token.span().byte_range().start..arguments[at + 3].span().byte_range().end;
                return Some(Argument { name, range, handed_on: false });
            }
            let alone = arguments.get(at + 1).is_none_or(|next| is_punct(next, ','));
            (is_ident(token, "ordering") && alone).then(|| Argument {
                name: "ordering".to_owned(),
                range: token.span().byte_range(),
                handed_on: true,
            })
        })
    }
}

/// Shows each call to `see`, with the function it stands in.
fn walk(
    tokens: &[TokenTree],
    function: &str,
    see: &mut impl FnMut(&Call<'_>) -> Result<()>,
) -> Result<()> {
    let mut declared: Option<String> = None;
    for (at, token) in tokens.iter().enumerate() {
        if is_ident(token, "fn") {
            declared = name_of_function(&tokens[at + 1..]).or(declared);
        } else if is_punct(token, ';') {
            declared = None;
        }
        let TokenTree::Group(group) = token else { continue };
        let inner = trees(group);
        if group.delimiter() == Delimiter::Brace {
            let name = declared.take();
            walk(&inner, name.as_deref().unwrap_or(function), see)?;
            continue;
        }
        let declaration = at >= 2 && is_ident(&tokens[at - 2], "fn");
        if group.delimiter() == Delimiter::Parenthesis
            && !declaration
            && at >= 1
            && let TokenTree::Ident(name) = &tokens[at - 1]
        {
            let range = name.span().byte_range().start..group.span_close().byte_range().end;
            see(&Call { function, name: name.to_string(), range, arguments: inner.clone() })?;
        }
        walk(&inner, function, see)?;
    }
    Ok(())
}

/// What stands behind `fn`: a name, or in a macro `$name`, and nothing where it is a type.
fn name_of_function(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [TokenTree::Ident(name), ..] => Some(name.to_string()),
        [mark, TokenTree::Ident(name), ..] if is_punct(mark, '$') => Some(format!("${name}")),
        _ => None,
    }
}

fn inner(tokens: &[TokenTree]) -> impl Iterator<Item = &Group> {
    tokens.iter().filter_map(|token| match token {
        TokenTree::Group(group) => Some(group),
        _ => None,
    })
}

fn trees(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

/// The X of `Ordering::X`, where it begins here.
fn ordering(tokens: &[TokenTree]) -> Option<String> {
    let [first, colon, second, TokenTree::Ident(name), ..] = tokens else { return None };
    let joint = matches!(colon, TokenTree::Punct(p) if p.spacing() == Spacing::Joint);
    let path =
        is_ident(first, "Ordering") && is_punct(colon, ':') && joint && is_punct(second, ':');
    let name = name.to_string();
    (path && ORDERINGS.contains(&name.as_str())).then_some(name)
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(ident) if ident == name)
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}
