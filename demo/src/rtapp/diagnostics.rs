//! Errors and warnings with their place in the text.
//!
//! The readers speak of byte offsets ([`Fault`], [`Diagnostics`]); lines and columns are worked out
//! once, at the end, in one pass over the text.

use std::fmt;
use std::sync::Arc;

/// A place in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// Why a text is no workload. Displays as `file:line:column: message`, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The name the caller gave the text.
    pub file_name: String,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file_name, line, column, message } = self;
        write!(f, "{}:{line}:{column}: {message}", OneLine(file_name))
    }
}

impl std::error::Error for ParseError {}

/// Something in a workload that has no effect, or a doubtful one. Displays as
/// `file:line:column: warning: message`, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// The name the caller gave the text.
    pub file_name: Arc<str>,
    /// Where.
    pub at: Position,
    /// Of which kind.
    pub kind: WarningKind,
    /// What about it.
    pub message: String,
}

/// The kinds of warnings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WarningKind {
    /// rt-app knows the key; here it has no effect.
    Unsupported,
    /// No such key is known; it is ignored.
    Unknown,
    /// The key was given before; the first one counts.
    Duplicate,
    /// It is done as written, or nearly so, and is probably not what was meant.
    Doubtful,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file_name, at: Position { line, column }, message, .. } = self;
        write!(f, "{}:{line}:{column}: warning: {message}", OneLine(file_name))
    }
}

/// An error on its way up: where (a byte offset) and what.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    pub(super) fn locate(self, text: &str, file_name: &str) -> ParseError {
        let Position { line, column } = Locator::new(text).locate(self.at);
        ParseError { file_name: file_name.into(), line, column, message: self.message }
    }
}

/// The warnings so far.
#[derive(Debug, Default)]
pub(super) struct Diagnostics {
    found: Vec<(usize, WarningKind, String)>,
}

impl Diagnostics {
    pub(super) fn warn(&mut self, at: usize, kind: WarningKind, message: impl Into<String>) {
        self.found.push((at, kind, message.into()));
    }

    /// All warnings, in the order of the text.
    pub(super) fn locate(mut self, text: &str, file_name: &str) -> Vec<Warning> {
        self.found.sort_by_key(|&(at, ..)| at);
        let file_name: Arc<str> = file_name.into();
        let mut locator = Locator::new(text);
        let warning = |(at, kind, message)| Warning {
            file_name: Arc::clone(&file_name),
            at: locator.locate(at),
            kind,
            message,
        };
        self.found.into_iter().map(warning).collect()
    }
}

/// Turns ascending byte offsets into positions, in one pass over the text for all of them.
struct Locator<'a> {
    rest: std::str::CharIndices<'a>,
    here: Position,
}

impl<'a> Locator<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text.char_indices(), here: Position { line: 1, column: 1 } }
    }

    fn locate(&mut self, at: usize) -> Position {
        while self.rest.offset() < at {
            match self.rest.next() {
                Some((_, '\n')) => {
                    self.here = Position { line: self.here.line + 1, column: 1 };
                }
                Some(_) => self.here.column += 1,
                None => break,
            }
        }
        self.here
    }
}

/// A string from the file as messages show it: in quotes, in one line, and not too long.
pub(super) fn quoted(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut shown: String = text.chars().take(LONGEST).flat_map(char::escape_debug).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    format!("\"{shown}\"")
}

/// Displays a name with its control characters escaped.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            c if c.is_control() => write!(f, "{}", c.escape_debug()),
            c => write!(f, "{c}"),
        })
    }
}
