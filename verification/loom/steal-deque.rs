//! Models of the deque under loom: exhaustive over interleavings and weak orderings, within stated bounds.
#![cfg(loom)]

mod deque;
