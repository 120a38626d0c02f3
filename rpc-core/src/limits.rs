//! How much a peer may ask for.

use std::time::Duration;

/// Every limit, for every protocol and transport, with its default.
///
/// Most violations are answered with a fault that names the limit, its value and the field to
/// raise, and the other calls of the connection go on. A client and a server each have their own: what a
/// client reads, replies and items of streams, is held to the client's.
///
/// ```
/// use farcall_core::limits::Limits;
///
/// let mut limits = Limits::default();
/// limits.message_bytes = 64 * 1024 * 1024;
/// assert_eq!(limits.depth, 64);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// The largest message received or sent, in bytes, also after inflation. Default 4 MiB, as in
    /// gRPC.
    pub message_bytes: usize,
    /// How deep bincode and XML values may nest. Default 64.
    pub depth: u16,
    /// How deep JSON values may nest: lists and objects in one another, and a request's list of parameters.
    /// Default 128, which is more than ever counts: the parser's own bound is 127.
    pub json_depth: u16,
    /// How many sequence items and map entries one message may hold in all. Default 1,048,576.
    pub items: usize,
    /// The most members of a JSON-RPC batch or a `system.multicall`. Default 1,000.
    pub batch_members: usize,
    /// How many members of a batch run at the same time. Default 64.
    pub batch_parallel: usize,
    /// The most calls in flight on one connection. Default 1,024.
    pub calls_per_connection: usize,
    /// The most calls in flight on all connections of a server. Each member of a batch counts, and a
    /// stream until it ends. Default 65,536.
    pub calls: usize,
    /// How many bytes may wait for a peer that does not read; beyond this nothing more is read
    /// from it. Default 1 MiB (one reply may overshoot). Replies that leave in pieces count only while
    /// the peer takes none of them, or there are eight. Over HTTP/2 no more requests are run.
    pub unsent_bytes: usize,
    /// How many bytes of items may be under way or unread in each direction of a stream; then its
    /// sender waits. Default 256 KiB, and not less than 64 KiB. (One item may overshoot.)
    pub stream_bytes: usize,
    /// The most connections a server holds at a time. Beyond it one without a call in flight makes room.
    /// Default 10,000.
    pub connections: usize,
    /// The longest a peer may take for a TLS handshake, the native hello, or its first byte's
    /// protocol to be told. Default 10 s.
    pub handshake_time: Duration,
    /// The longest an HTTP request head may take, and an HTTP/1.1 connection may idle before it.
    /// Default 10 s.
    pub head_time: Duration,
    /// The largest HTTP request head, in bytes. Default 32 KiB.
    pub head_bytes: usize,
    /// The most HTTP headers. Default 100, and not more than 16,384.
    pub headers: usize,
    /// The longest a body, a frame or a JSON text that was begun may go without progress. Default 10 s.
    pub body_time: Duration,
    /// The longest a write may go without progress. Default 30 s.
    pub write_time: Duration,
    /// How long a native connection may be silent while calls or streams are in flight; then the other
    /// side is asked whether it is still there. Default 60 s (it may be noticed 15 s late).
    pub silence_time: Duration,
    /// How long the answer to that may take; then the connection is given up. Default 20 s.
    pub pong_time: Duration,
    /// A call's deadline where the caller gives none: on a client how long it waits, default 10 s. (Calls
    /// with streams last as long as these do.)
    pub call_time: Duration,
    /// The longest deadline a server honours; a longer one is cut to this. Default 1 h. A call that comes
    /// without one (in JSON-RPC on a stream, over HTTP without `farcall-timeout-ms`) has none: it runs until it is
    /// done, or its connection ends.
    pub call_time_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 4 * 1024 * 1024,
            depth: 64,
            json_depth: 128,
            items: 1024 * 1024,
            batch_members: 1000,
            batch_parallel: 64,
            calls_per_connection: 1024,
            calls: 65_536,
            unsent_bytes: 1024 * 1024,
            stream_bytes: 256 * 1024,
            connections: 10_000,
            handshake_time: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            head_bytes: 32 * 1024,
            headers: 100,
            body_time: Duration::from_secs(10),
            write_time: Duration::from_secs(30),
            silence_time: Duration::from_secs(60),
            pong_time: Duration::from_secs(20),
            call_time: Duration::from_secs(10),
            call_time_max: Duration::from_secs(3600),
        }
    }
}

impl Limits {
    /// What one message may cost its decoder.
    #[must_use]
    pub fn budget(&self) -> Budget {
        Budget {
            depth: self.depth,
            json_depth: self.json_depth,
            items: self.items,
        }
    }
}

/// What one message may cost its decoder: a small part of [`Limits`] that travels with it.
///
/// ```
/// use farcall_core::limits::{Budget, Limits};
///
/// assert_eq!(Budget::default(), Limits::default().budget());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// How deep bincode and XML values may nest.
    pub depth: u16,
    /// How deep JSON values may nest.
    pub json_depth: u16,
    /// How many sequence items and map entries there may be in all.
    pub items: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Limits::default().budget()
    }
}
