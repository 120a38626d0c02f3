//! Drives a connection of the core over any byte stream: moves bytes, sleeps, and decides nothing.

mod client;
mod clock;
mod server;

pub(crate) use client::client;
#[cfg(feature = "ws")]
pub(crate) use client::client_in_messages;
#[cfg(feature = "http")]
pub(crate) use client::{drive, now};
#[cfg(feature = "ws")]
pub(crate) use clock::Clock;
pub(crate) use clock::clock;
pub(crate) use server::{hello, serve};

/// How many bytes a connection moves one way before its task lets others run: its own other way,
/// and the callers it woke.
const TURN: usize = 128 * 1024;
