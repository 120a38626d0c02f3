//! The part of farcall that moves bytes: sockets, HTTP, tasks and timers, on tokio.
//!
//! It decides nothing about calls; that is `farcall-core`'s. A line of this list uses the lines
//! below it, never those above:
//!
//! - [`server`]: accept, tell the protocol, hand over, drain; [`connect`]: an address to a channel
//! - [`http`]: calls as HTTP requests, both sides; `ws`: a byte stream in a WebSocket
//! - `stream`: drives the core's connections
//! - [`tls`]: certificates, and handshakes
//! - `net`: TCP, Unix sockets, memory
//! - [`proxies`]: who is believed about where calls come from; [`allow`]: who may come in
//! - [`address`], [`sniff`]: pure little questions

// Without HTTP nobody asks where a connection arrived, or by which name; without WebSocket and JSON
// nothing of its messages.
#![cfg_attr(
    not(all(feature = "http", feature = "json", feature = "ws")),
    allow(dead_code)
)]
// Bytes off the wire are somebody else's: nothing about them may be taken for granted.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

pub mod address;
pub mod allow;
pub mod connect;
mod drain;
#[cfg(feature = "http")]
pub mod http;
mod net;
mod peer;
pub mod proxies;
pub mod retry;
pub mod server;
pub mod sniff;
mod stream;
pub mod testing;
#[cfg(feature = "tls")]
pub mod tls;
mod trace;
#[cfg(feature = "ws")]
mod ws;
