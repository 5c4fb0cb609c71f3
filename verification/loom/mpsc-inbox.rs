//! Models of the inbox under loom: exhaustive over interleavings and weak orderings, within stated bounds.
#![cfg(loom)]

mod inbox;
