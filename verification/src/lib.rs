//! Helpers that several models share.
