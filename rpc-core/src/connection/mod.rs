//! One conversation over a byte stream, seen from either side.
//!
//! State machines: bytes and instants go in, bytes and events come out; nothing here waits for a
//! socket or asks a clock. [`server`] reads requests, runs their handlers and gathers their
//! replies; [`client`] numbers calls, and finds the caller of each reply. [`Speech`] tells what
//! the conversation is in.

mod assembly;
pub mod client;
mod outgoing;
mod pending;
mod received;
pub mod server;
mod watch;

pub(crate) use outgoing::Outgoing;
pub use outgoing::{Sending, Unsent};
pub use received::Received;

use std::fmt;

use crate::fault::shown;

/// What is spoken on a byte stream.
///
/// ```
/// assert_ne!(farcall_core::connection::Speech::Native, farcall_core::connection::Speech::JsonRpc);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// farcall's own frames.
    Native,
    /// JSON-RPC 2.0, one text after the other.
    JsonRpc,
}

/// What stands behind each JSON text where a transport has messages, and each is a text: the record
/// separator of RFC 7464, which no JSON text has in it.
///
/// ```
/// use farcall_core::connection::MESSAGE_END;
/// use farcall_core::protocol::jsonrpc::{Split, Splitter};
///
/// let stream = [b'[', b'1', MESSAGE_END];
/// assert_eq!(Splitter::of_messages(1024).next(&stream), Split::Text(0..2));
/// ```
pub const MESSAGE_END: u8 = 0x1e;

/// The other side did what the protocol does not allow; the connection must end.
///
/// ```
/// use farcall_core::connection::PeerMisbehaved;
///
/// let error = PeerMisbehaved::new("a frame of kind 99");
/// assert_eq!(error.to_string(), "a frame of kind 99");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerMisbehaved(String);

impl PeerMisbehaved {
    /// What it did. Text from outside in it is made fit to show.
    #[must_use]
    pub fn new(what: &str) -> Self {
        Self(shown(what))
    }
}

impl fmt::Display for PeerMisbehaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PeerMisbehaved {}
