//! The locks and atomics that threads share a connection by: those of `std`, or of a model checker
//! that tries in which order threads may come (`tests/interleavings`, built with `--cfg shuttle`).

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Mutex, MutexGuard, atomic};
#[cfg(not(shuttle))]
pub(crate) use std::sync::{Mutex, MutexGuard, atomic};
