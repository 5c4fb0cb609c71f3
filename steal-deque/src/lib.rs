//! Under construction.
#![no_std]
mod sync;
