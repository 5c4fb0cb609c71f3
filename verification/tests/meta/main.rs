//! What must hold for the tree itself: checks that are cheap and exact, so that nobody has to look
//! for these things in review. Each rule is a function over text, with a sample that breaks it.

mod crates;
mod excerpts;
mod operations;
mod orderings;
mod source;
mod style;
