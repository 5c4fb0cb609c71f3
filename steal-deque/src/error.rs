//! What is refused, and comes back.

use core::error::Error;
use core::fmt;

/// The deque is full: here is the item again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Full<T>(pub T);

impl<T> fmt::Debug for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Full(..)")
    }
}

impl<T> fmt::Display for Full<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deque is full")
    }
}

impl<T> Error for Full<T> {}

/// A refill was refused because the deque still holds items; it took nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotEmpty;

impl fmt::Display for NotEmpty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the deque still holds items")
    }
}

impl Error for NotEmpty {}
