//! The hosted scheduler's parts that stand on their own: the workload language.

pub mod hosted;
pub mod rtapp;
