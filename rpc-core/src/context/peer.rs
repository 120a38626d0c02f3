//! Who is at the other end, and what the core borrows from whoever drives it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use super::extra::Extras;
use super::{Metadata, TlsPeer};
use crate::buffers::Usual;
use crate::encoding::Encoding;
use crate::limits::Limits;
use crate::protocol::outbox::Outbox;
use crate::service::{Members, Streams};

/// The other end of a conversation, as the server sees it.
///
/// ```
/// use farcall_core::{context::Peer, encoding::Encoding, limits::Limits};
///
/// let peer = Peer::new("tcp", Encoding::Bincode, "127.0.0.1:9".parse().ok(), Limits::default());
/// assert_eq!(peer.transport, "tcp");
/// ```
#[derive(Debug)]
pub struct Peer {
    /// What it came in by: `tcp`, `tls`, `unix`, `http`, `https`, `ws`,
    /// `wss` or `mem`.
    pub transport: &'static str,
    /// What its values are encoded in.
    pub encoding: Encoding,
    /// Where it is, if its transport has addresses.
    pub address: Option<SocketAddr>,
    /// What TLS says of it, if it came in over TLS.
    pub tls: Option<Arc<TlsPeer>>,
    /// True if it is a farcall client too, so that XML-RPC faults may carry data.
    pub is_farcall: bool,
    /// What it may ask for.
    pub limits: Limits,
    /// Tells how long a call has left, and ends it at its deadline, where no connection of the core
    /// does.
    pub clock: Option<Clock>,
    /// Runs handlers that block on threads of their own; without it they run where all others do.
    pub threads: Option<Threads>,
    /// What it sent along with its connection: what calls bring that send nothing along themselves.
    pub metadata: Metadata,
    /// Its calls that have streams.
    pub(crate) streams: Streams,
    /// What few of its calls have.
    pub(super) extras: Extras,
    /// Its calls inside of batches.
    pub(crate) members: Members,
    /// How long replies to it are that have a buffer each.
    pub(crate) replies: Usual,
    /// What waits to be sent to it, where it is at the end of a byte stream.
    pub(crate) outbox: Outbox,
}

impl Peer {
    /// A peer that is not known to be farcall.
    #[must_use]
    pub fn new(
        transport: &'static str,
        encoding: Encoding,
        address: Option<SocketAddr>,
        limits: Limits,
    ) -> Self {
        let outbox = Outbox::new(limits.message_bytes);
        Self {
            transport,
            encoding,
            address,
            tls: None,
            is_farcall: false,
            limits,
            clock: None,
            threads: None,
            metadata: Metadata::default(),
            streams: Streams::default(),
            extras: Extras::default(),
            members: Members::default(),
            replies: Usual::default(),
            outbox,
        }
    }

    /// The numbers of its next calls.
    #[cold]
    pub(crate) fn next_numbers(&self) -> std::ops::Range<u64> {
        self.extras.next_numbers()
    }

    /// Its call of this number is over.
    #[inline]
    pub(crate) fn end_call(&self, number: u64) {
        if self.extras.is_any() {
            self.extras.end(number);
        }
    }
}

/// Tells the time, and waits for one: the core itself does neither.
///
/// ```
/// use farcall_core::context::Clock;
///
/// let stopped = Clock { now: std::time::Instant::now, sleep_until: |_| Box::pin(std::future::pending()) };
/// assert!(format!("{stopped:?}").contains("Clock"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// Now.
    pub now: fn() -> Instant,
    /// Ready once an instant is past.
    pub sleep_until: fn(Instant) -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Runs futures on threads where they may block: the core has no threads.
///
/// ```
/// use farcall_core::context::Threads;
///
/// let threads = Threads { run: |future| drop(future) };
/// assert!(format!("{threads:?}").contains("Threads"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Runs a future to its end, elsewhere.
    pub run: fn(Pin<Box<dyn Future<Output = ()> + Send>>),
}

/// Who sent a message, and what came with it outside of it.
///
/// ```
/// # use std::sync::Arc;
/// use farcall_core::{context::{Caller, Peer}, encoding::Encoding, limits::Limits};
///
/// let peer = Peer::new("http", Encoding::Json, None, Limits::default());
/// let caller = Caller::new(Arc::new(peer));
/// assert!(caller.deadline.is_none() && caller.metadata.is_empty());
/// ```
#[derive(Clone, Debug)]
pub struct Caller {
    /// Where it came from.
    pub peer: Arc<Peer>,
    /// When the sender stops waiting, if it said so.
    pub deadline: Option<Instant>,
    /// What it sent along.
    pub metadata: Metadata,
}

impl Caller {
    /// A caller that said nothing beside its message.
    #[must_use]
    pub fn new(peer: Arc<Peer>) -> Self {
        Self {
            peer,
            deadline: None,
            metadata: Metadata::default(),
        }
    }
}
