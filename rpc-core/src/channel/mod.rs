//! What a client stub calls into.
//!
//! A [`Channel`] is a handle on the way to a server: a connection that carries many calls, or
//! anything that is a [`Carrier`] (HTTP, a layer around another channel). A [`Call`] is one call as
//! a value, sent when it is awaited; a [`Batch`] is several that are sent together.

mod again;
mod batch;
mod call;
mod carrier;
mod stream;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use again::{Failed, Line, Recover, Recovering};
pub use batch::{Batch, BatchFuture, Calls, Member};
pub use call::{Call, CallFuture, CallWithMetadata};
pub use carrier::{
    BatchInFlight, Carrier, InFlight, Inbound, Options, Outbound, ReceivedItems, Replies,
    SentItems, StreamInFlight,
};
pub(crate) use stream::no_streams;
pub use stream::{Opening, StreamCall, Streaming};

use crate::connection::client::Client;
use crate::encoding::Encoding;
use crate::error::Failure;
use crate::limits::Budget;
use crate::method::Method;

/// The way to a server, as a generated client holds it. Cheap to clone; clones share the way.
///
/// ```no_run
/// # fn example(channel: farcall_core::channel::Channel) {
/// println!("values travel in {}", channel.encoding());
/// # }
/// ```
#[derive(Clone)]
pub struct Channel {
    way: Way,
    /// What a reply, or an item of a stream, may cost.
    budget: Budget,
    /// What is said of calls that do not say it themselves.
    defaults: Option<Arc<Options>>,
    /// Who has calls made again that failed.
    recover: Option<Arc<dyn Recover>>,
}

#[derive(Clone)]
enum Way {
    /// A byte stream: the fast one, without a box for each call.
    Connection(Arc<Client>),
    /// Byte streams, one after the other.
    Line(Arc<Line>),
    Carrier(Arc<dyn Carrier>),
}

impl Way {
    /// The connection that a call goes over, if it goes over one.
    #[inline]
    fn client(&self) -> Option<Arc<Client>> {
        match self {
            Self::Connection(client) => Some(Arc::clone(client)),
            Self::Line(line) => Some(line.current()),
            Self::Carrier(_) => None,
        }
    }
}

impl Channel {
    /// A channel over a connection that somebody drives.
    #[must_use]
    pub fn over(connection: Arc<Client>) -> Self {
        let budget = connection.budget();
        Self::by(Way::Connection(connection), budget)
    }

    /// A channel over connections one after the other, which `recover` makes.
    #[must_use]
    pub fn over_line(line: Arc<Line>, recover: Arc<dyn Recover>) -> Self {
        let budget = line.current().budget();
        Self::by(Way::Line(line), budget).recovering(recover)
    }

    /// A channel over any other way to a server.
    #[must_use]
    pub fn carried_by(carrier: Arc<dyn Carrier>) -> Self {
        let budget = carrier.budget();
        Self::by(Way::Carrier(carrier), budget)
    }

    /// The same channel, whose calls are made again as `recover` has it.
    #[must_use]
    pub fn recovering(mut self, recover: Arc<dyn Recover>) -> Self {
        self.recover = Some(recover);
        self
    }

    fn by(way: Way, budget: Budget) -> Self {
        Self {
            way,
            budget,
            defaults: None,
            recover: None,
        }
    }

    /// What values are encoded in on this way.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        match &self.way {
            Way::Connection(connection) => connection.encoding(),
            Way::Line(line) => line.current().encoding(),
            Way::Carrier(carrier) => carrier.encoding(),
        }
    }

    /// What a reply, or an item of a stream, may cost its decoder: of the limits of the connection or
    /// the carrier.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// A call of `method` with `params`, not sent yet.
    ///
    /// Asks nothing of the types before the call is awaited: a generated client compiles, and its
    /// table says which type cannot travel, once.
    pub fn call<P, T, E>(&self, method: &'static Method, params: P) -> Call<'_, P, T, E> {
        Call::new(self, method, params)
    }

    /// A call of `method` with `params` that is answered with a stream, not sent yet.
    pub fn stream<P, T, E, O>(
        &self,
        method: &'static Method,
        params: P,
    ) -> StreamCall<'_, P, T, E, O> {
        StreamCall::new(self, method, params)
    }
}

impl Channel {
    /// The same channel for calls that wait no longer than `timeout` where they do not say
    /// themselves; it goes before what the trait says (`#[rpc(timeout = "5s")]`). A stream that it
    /// opens ends after that time.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.defaults().timeout = Some(timeout);
        self
    }

    /// The same channel for calls that all send `value` along under `name`. What a call itself has of
    /// that name takes the place of it, and so does what is said here again.
    ///
    /// ```no_run
    /// # fn example(channel: farcall_core::channel::Channel) {
    /// let ours = channel.clone().with_metadata("tenant", "7");
    /// let theirs = channel.with_metadata("tenant", "8");
    /// # }
    /// ```
    #[must_use]
    pub fn with_metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let defaults = self.defaults();
        let name = name.into();
        defaults.metadata.forget(&name, usize::MAX);
        defaults.metadata.insert(name, value);
        self
    }

    /// What is said of calls that do not say it themselves, to be changed.
    fn defaults(&mut self) -> &mut Options {
        Arc::make_mut(self.defaults.get_or_insert_default())
    }

    /// The time at which a call begins, if it may be asked for later: a way that carries calls itself
    /// keeps it to itself.
    fn begun(&self) -> Option<Instant> {
        let recover = self.recover.as_ref()?;
        if let Way::Carrier(_) = self.way {
            recover.called();
        }
        Some(recover.now())
    }

    /// The same failure, which says how long a call had that has no time of its own in `options`, nor one
    /// that it inherited. (Another way than a connection says it itself.)
    fn explained(
        &self,
        failure: Failure,
        options: &Options,
        inherited: Option<Instant>,
    ) -> Failure {
        let is_usual = options.timeout.is_none() && inherited.is_none();
        match self.way.client().filter(|_| is_usual) {
            Some(client) => failure.after_usual(client.call_time()),
            None => failure,
        }
    }

    /// Several `calls` over this channel, each typed, to be sent together.
    pub fn batch<C: Calls>(&self, calls: C) -> Batch<'_, C> {
        Batch::new(self, calls)
    }

    /// True if both lead the same way.
    fn is(&self, other: &Self) -> bool {
        match (&self.way, &other.way) {
            (Way::Line(one), Way::Line(other)) => Arc::ptr_eq(one, other),
            (Way::Connection(one), Way::Connection(other)) => Arc::ptr_eq(one, other),
            (Way::Carrier(one), Way::Carrier(other)) => {
                std::ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
            }
            _ => false,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Channel({})", self.encoding())
    }
}
