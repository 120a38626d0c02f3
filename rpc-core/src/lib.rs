//! The part of farcall that never waits.
//!
//! Codecs, protocols, connections, services and channels as plain values: bytes and instants go
//! in, bytes and events come out. There is no runtime, no socket and no clock in this crate, so
//! everything in it can be tested in microseconds. `farcall-transport` moves the bytes.
//!
//! A line of this list uses the lines below it, never those above:
//!
//! - [`channel`]: what a client stub calls into; [`router`]: what a server answers with;
//!   [`introspection`]: the `system.*` methods, and the OpenRPC document
//! - [`connection`]: one conversation over a byte stream, seen from either side
//! - [`service`]: the request a handler gets and the answer it gives
//! - [`protocol`]: messages to bytes and back: native frames, JSON-RPC 2.0, XML-RPC
//! - [`stream`]: items beside a call, in either direction
//! - [`method`], [`params`], [`context`]: what a call is about
//! - [`types`]: a date, any value, shared bytes; [`shape`]: a type as other languages name it
//! - [`encoding`]: which codec, chosen at run time, over [`codec`]
//! - [`fault`], [`error`], [`limits`], [`payload`]: the words they all share

// A build that leaves a codec out has no use for some of what all of them share.
#![cfg_attr(
    not(all(feature = "bincode", feature = "json", feature = "xml")),
    allow(dead_code, unused_imports, unused_variables, unused_mut)
)]
// Bytes from outside are never unwrapped or indexed.
#![cfg_attr(
    not(test),
    warn(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]

mod buffers;
pub mod channel;
pub mod codec;
pub mod connection;
pub mod context;
pub mod encoding;
pub mod error;
pub mod fault;
pub mod guard;
mod in_place;
pub mod introspection;
pub mod limits;
pub mod method;
pub mod params;
pub mod payload;
pub mod protocol;
pub mod router;
#[cfg(feature = "json")]
pub mod schema;
pub mod service;
pub mod shape;
pub mod stream;
mod sync;
mod trace;
pub mod types;
pub mod wire;
