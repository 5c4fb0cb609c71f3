//! Models of the deque.
