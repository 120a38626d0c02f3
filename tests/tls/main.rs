//! TLS: both ends of it, and what is said where they do not fit.
//!
//! The certificates are made as the tests run.

mod certificates;
mod clear;
mod identity;
mod service;
mod verified;
