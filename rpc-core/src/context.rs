//! Who calls, from where, and until when.

mod current;

pub(crate) use current::{current_deadline, enter};

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use crate::encoding::Encoding;
use crate::limits::Limits;
use crate::method::Method;
use crate::protocol::outbox::Outbox;
use crate::service::Streams;

/// What a handler can know about the call it answers. A method asks for it with a parameter
/// `cx: &Context`, which is not on the wire.
///
/// ```
/// use farcall_core::context::Context;
///
/// fn greeting(cx: &Context) -> String {
///     format!("you called `{}` in {}", cx.method(), cx.encoding())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    peer: Arc<Peer>,
    method: &'static Method,
    deadline: Option<Instant>,
    metadata: Metadata,
}

impl Context {
    /// The context of one call of `method` from `peer`.
    #[must_use]
    pub fn new(
        peer: Arc<Peer>,
        method: &'static Method,
        deadline: Option<Instant>,
        metadata: Metadata,
    ) -> Self {
        Self {
            peer,
            method,
            deadline,
            metadata,
        }
    }

    /// The method's wire name.
    #[must_use]
    pub fn method(&self) -> &'static str {
        self.method.name
    }

    /// The address of the caller, where its transport has addresses.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.peer.address
    }

    /// What the call came in by: `tcp`, `unix`, `http` or `mem`.
    #[must_use]
    pub fn transport(&self) -> &'static str {
        self.peer.transport
    }

    /// What its values are encoded in.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.peer.encoding
    }

    /// When the caller stops waiting.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// What the caller sent along; over HTTP the request's headers.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    pub(crate) fn called(&self) -> &'static Method {
        self.method
    }

    pub(crate) fn peer(&self) -> &Arc<Peer> {
        &self.peer
    }

    /// The same caller's context for another method.
    pub(crate) fn for_method(&self, method: &'static Method) -> Self {
        Self {
            method,
            ..self.clone()
        }
    }
}

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
    /// What it came in by: `tcp`, `unix`, `http` or `mem`.
    pub transport: &'static str,
    /// What its values are encoded in.
    pub encoding: Encoding,
    /// Where it is, if its transport has addresses.
    pub address: Option<SocketAddr>,
    /// True if it is a farcall client too, so that XML-RPC faults may carry data.
    pub is_farcall: bool,
    /// What it may ask for.
    pub limits: Limits,
    /// Ends calls at their deadline, where no connection of the core does.
    pub clock: Option<Clock>,
    /// Runs handlers that block on threads of their own; without it they run where all others do.
    pub threads: Option<Threads>,
    /// What it sent along with its connection: what calls bring that send nothing along themselves.
    pub metadata: Metadata,
    /// Its calls that have streams.
    pub(crate) streams: Streams,
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
            is_farcall: false,
            limits,
            clock: None,
            threads: None,
            metadata: Metadata::default(),
            streams: Streams::default(),
            outbox,
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

/// Names and values that travel beside the parameters. Names are compared without regard to case.
///
/// ```
/// use farcall_core::context::Metadata;
///
/// let mut metadata = Metadata::default();
/// metadata.insert("Trace-Id", "7f");
/// assert_eq!(metadata.get("trace-id"), Some("7f"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Shared by clones, as a context is cloned for each call; none if there are no entries.
    entries: Option<Arc<Vec<(String, String)>>>,
}

impl Metadata {
    /// The first value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Adds a value of `name`.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let entries = self.entries.get_or_insert_default();
        Arc::make_mut(entries).push((name.into(), value.into()));
    }

    /// All names and values, in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let entries = self.entries.iter().flat_map(|entries| entries.iter());
        entries.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// True if there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_none()
    }
}
