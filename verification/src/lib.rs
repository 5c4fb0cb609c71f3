//! What several models share: how they are explored, and what they hand around.

#[cfg(loom)]
pub mod exhaustive;
#[cfg(shuttle)]
pub mod sampled;
