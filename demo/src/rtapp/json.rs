//! JSON as rt-app's files have it, with the place of every key and value.
//!
//! The lexer is `jsonc-parser`'s, which knows comments, strings, escapes and numbers. The grammar is
//! here because no JSON parser has it: `workgen` lets a key stand without a value (`"suspend",`), and
//! duplicate keys and their order matter. Depth is bounded by [`MAX_NESTING`], size by
//! [`MAX_TEXT_BYTES`].

use super::diagnostics::{Fault, quoted};
use super::model::MAX_TIME_NS;
use jsonc_parser::tokens::Token;
use jsonc_parser::{Scanner, ScannerOptions};
use std::borrow::Cow;

/// Deepest nesting of objects and arrays; rt-app's own language needs 5.
pub const MAX_NESTING: usize = 32;
/// Longest text that is read.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// A value and where it starts (where its key starts, if it is omitted).
#[derive(Debug)]
pub(super) struct Node<'a> {
    pub(super) at: usize,
    pub(super) value: Value<'a>,
}

#[derive(Debug)]
pub(super) enum Value<'a> {
    /// A key without a value.
    Omitted,
    Null,
    Bool,
    Number(&'a str),
    Text(Cow<'a, str>),
    Array(Vec<Node<'a>>),
    Object(Vec<Member<'a>>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Member<'a> {
    pub(super) at: usize,
    pub(super) key: Cow<'a, str>,
    pub(super) value: Node<'a>,
}

impl<'a> Node<'a> {
    fn wrong_type(&self, key: &str, wanted: &str) -> Fault {
        let found = match self.value {
            Value::Omitted => "nothing",
            Value::Null => "null",
            Value::Bool => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        };
        Fault::new(self.at, format!("{} must be {wanted}, not {found}", quoted(key)))
    }

    pub(super) fn members(&self, key: &str) -> Result<&[Member<'a>], Fault> {
        match &self.value {
            Value::Object(members) => Ok(members),
            _ => Err(self.wrong_type(key, "an object")),
        }
    }

    pub(super) fn items(&self, key: &str) -> Result<&[Node<'a>], Fault> {
        match &self.value {
            Value::Array(items) => Ok(items),
            _ => Err(self.wrong_type(key, "an array")),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<&str, Fault> {
        match &self.value {
            Value::Text(text) => Ok(text),
            _ => Err(self.wrong_type(key, "a string")),
        }
    }

    pub(super) fn integer(&self, key: &str) -> Result<i64, Fault> {
        let Value::Number(digits) = self.value else {
            return Err(self.wrong_type(key, "a whole number"));
        };
        if digits.contains(['.', 'e', 'E']) {
            let message = format!("{} must be a whole number, not {digits:.40}", quoted(key));
            return Err(Fault::new(self.at, message));
        }
        // With no fraction and no exponent, only its size can make it fail.
        digits.parse().map_err(|_| self.out_of_range(key))
    }

    /// A time of `unit_ns` per unit, in nanoseconds.
    pub(super) fn time_ns(&self, key: &str, unit_ns: u64) -> Result<u64, Fault> {
        let units = self.integer(key)?;
        let Ok(units) = u64::try_from(units) else {
            return Err(Fault::new(self.at, format!("{}: negative time {units}", quoted(key))));
        };
        match units.checked_mul(unit_ns) {
            Some(ns) if ns <= MAX_TIME_NS => Ok(ns),
            _ => {
                let limit = MAX_TIME_NS / 1_000_000_000;
                let message = format!("{}: longer than {limit} seconds", quoted(key));
                Err(Fault::new(self.at, message))
            }
        }
    }

    pub(super) fn out_of_range(&self, key: &str) -> Fault {
        Fault::new(self.at, format!("{}: number out of range", quoted(key)))
    }
}

/// Reads one JSON value, which must be all there is in the text.
pub(super) fn read(text: &str) -> Result<Node<'_>, Fault> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(Fault::new(0, format!("more than {MAX_TEXT_BYTES} bytes of text")));
    }
    let options = ScannerOptions {
        allow_single_quoted_strings: true,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let mut reader = Reader { scanner: Scanner::new(text, &options), next: None, at: 0, depth: 0 };
    reader.advance()?;
    let root = reader.value()?;
    match reader.next {
        None => Ok(root),
        Some(_) => Err(reader.unexpected("the end of the text")),
    }
}

/// A recursive-descent reader with one token of lookahead.
struct Reader<'a> {
    scanner: Scanner<'a>,
    next: Option<Token<'a>>,
    /// Where `next` starts; at the end of the text, its length.
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Takes the next token and looks at the one after it, past comments.
    fn advance(&mut self) -> Result<Option<Token<'a>>, Fault> {
        let upcoming = loop {
            match self.scanner.scan() {
                Ok(Some(Token::CommentLine(_) | Token::CommentBlock(_))) => {}
                Ok(token) => break token,
                Err(error) => return Err(lexical(&error)),
            }
        };
        self.at = self.scanner.token_start();
        Ok(std::mem::replace(&mut self.next, upcoming))
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let found = match &self.next {
            None => "the end of the text".into(),
            Some(Token::String(text)) => quoted(text),
            Some(token) => format!("{:.40}", token.as_str()),
        };
        Fault::new(self.at, format!("expected {wanted}, found {found}"))
    }

    fn value(&mut self) -> Result<Node<'a>, Fault> {
        let at = self.at;
        let value = match self.next.clone() {
            Some(Token::OpenBrace) => {
                let value = Value::Object(self.list(&Token::CloseBrace, Self::member)?);
                return Ok(Node { at, value });
            }
            Some(Token::OpenBracket) => {
                let value = Value::Array(self.list(&Token::CloseBracket, Self::value)?);
                return Ok(Node { at, value });
            }
            Some(Token::String(text)) => Value::Text(text),
            Some(Token::Number(digits)) => Value::Number(digits),
            Some(Token::Boolean(_)) => Value::Bool,
            Some(Token::Null) => Value::Null,
            _ => return Err(self.unexpected("a value")),
        };
        self.advance()?;
        Ok(Node { at, value })
    }

    fn member(&mut self) -> Result<Member<'a>, Fault> {
        let at = self.at;
        let Some(Token::String(key)) = self.next.clone() else {
            return Err(self.unexpected("a key in quotes"));
        };
        self.advance()?;
        let value = match self.next {
            Some(Token::Colon) => {
                self.advance()?;
                self.value()?
            }
            Some(Token::Comma | Token::CloseBrace) => Node { at, value: Value::Omitted },
            _ => return Err(self.unexpected("':'")),
        };
        Ok(Member { at, key, value })
    }

    /// The items between the opening token, which is next, and `close`; a comma may trail.
    fn list<T>(
        &mut self,
        close: &Token<'a>,
        item: fn(&mut Self) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        if self.depth == MAX_NESTING {
            return Err(Fault::new(self.at, format!("nested deeper than {MAX_NESTING} levels")));
        }
        self.depth += 1;
        self.advance()?;
        let mut items = Vec::new();
        while self.next.as_ref() != Some(close) {
            items.push(item(self)?);
            match &self.next {
                Some(Token::Comma) => drop(self.advance()?),
                Some(token) if token == close => {}
                _ => return Err(self.unexpected(&format!("',' or '{}'", close.as_str()))),
            }
        }
        self.advance()?;
        self.depth -= 1;
        Ok(items)
    }
}

fn lexical(error: &jsonc_parser::errors::ParseError) -> Fault {
    let message = error.kind().to_string();
    let mut chars = message.chars();
    let first = chars.next().map(|c| c.to_ascii_lowercase());
    Fault::new(error.range().start, first.into_iter().chain(chars).collect::<String>())
}
