//! TLS: both ends of it, and what is said where they do not fit.
//!
//! The certificates are made as the tests run.

mod by_hand;
mod certificates;
mod clear;
mod hostile;
mod http;
mod identity;
mod old_versions;
mod reload;
mod revoked;
mod service;
mod verified;
