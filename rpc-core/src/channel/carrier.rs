//! Ways to a server that are not one byte stream.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::pin::Pin;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::no_streams;
use crate::connection::client::after;
use crate::context::{Metadata, current_deadline};
use crate::encoding::Encoding;
use crate::error::{DecodeError, Failure};
use crate::in_place::Reading;
use crate::limits::Budget;
use crate::method::Method;
use crate::params::Outgoing;
use crate::payload::Payload;
use crate::stream::{Stream, Upload};

/// A way to a server: takes a call's parameters now, and gives its reply later.
///
/// HTTP is one, and a layer is one around another channel.
///
/// ```
/// use farcall_core::channel::{Carrier, InFlight, Outbound};
/// use farcall_core::{encoding::Encoding, error::Failure};
///
/// /// A way to nowhere.
/// struct Nowhere;
///
/// impl Carrier for Nowhere {
///     fn encoding(&self) -> Encoding {
///         Encoding::Json
///     }
///
///     fn start(&self, _: Outbound<'_>) -> Result<InFlight, Failure> {
///         Err(Failure::closed(false))
///     }
/// }
/// ```
pub trait Carrier: Send + Sync {
    /// What values are encoded in on this way.
    fn encoding(&self) -> Encoding;

    /// What the values that come this way may cost their decoder; asked once for each channel. Left as
    /// it is here, that is the default of the limits; a layer around another channel says
    /// [`Channel::budget`](super::Channel::budget).
    fn budget(&self) -> Budget {
        Budget::default()
    }

    /// Encodes the call, and gives the future that sends it and waits for the reply. Dropping that
    /// future cancels the call.
    ///
    /// # Errors
    /// If the parameters cannot be sent this way.
    fn start(&self, call: Outbound<'_>) -> Result<InFlight, Failure>;

    /// Encodes several calls, and gives the future that sends them and waits for their replies, in
    /// the order of the calls. A way that can sends them as one message; left as it is here, this
    /// sends them side by side.
    ///
    /// # Errors
    /// If none of them can be sent this way.
    fn start_batch(&self, calls: &[Outbound<'_>]) -> Result<BatchInFlight, Failure> {
        let replies = calls.iter().map(|call| {
            let started = self.start(*call);
            async move { started?.await }
        });
        let replies = futures_util::future::join_all(replies.collect::<Vec<_>>());
        Ok(Box::pin(async move { Ok(replies.await) }))
    }

    /// Encodes a call that takes `items` as its stream, and gives the future that sends them and
    /// waits for the reply. Dropping that future cancels the call. Left as it is here, this way
    /// carries no streams.
    ///
    /// # Errors
    /// If the parameters cannot be sent this way, or no stream can.
    fn start_upload(&self, call: Outbound<'_>, items: SentItems) -> Result<InFlight, Failure> {
        drop(items);
        Err(no_streams(call.method))
    }

    /// Encodes a call that is answered with a stream, and perhaps takes `items` as one; gives the
    /// future that opens it. Dropping that future, or the stream that it gives, cancels the call.
    /// Left as it is here, this way carries no streams.
    ///
    /// # Errors
    /// If the parameters cannot be sent this way, or no stream can.
    fn start_stream(
        &self,
        call: Outbound<'_>,
        items: Option<SentItems>,
    ) -> Result<StreamInFlight, Failure> {
        drop(items);
        Err(no_streams(call.method))
    }
}

/// A call that was started: its reply, later.
pub type InFlight = Pin<Box<dyn Future<Output = Result<Inbound, Failure>> + Send>>;

/// How each call of a batch ended, in their order.
pub type Replies = Vec<Result<Inbound, Failure>>;

/// A batch that was started: its replies, later.
pub type BatchInFlight = Pin<Box<dyn Future<Output = Result<Replies, Failure>> + Send>>;

/// A stream that is being opened: its items, later.
pub type StreamInFlight =
    Pin<Box<dyn Future<Output = Result<(Metadata, ReceivedItems), Failure>> + Send>>;

/// The items of a stream as they come. An error is the last.
pub type ReceivedItems = Pin<Box<dyn Stream<Item = Result<Inbound, Failure>> + Send>>;

/// A stream that a caller sends, its type forgotten.
///
/// ```
/// fn is_sent<T: Send>() {}
/// is_sent::<farcall_core::channel::SentItems>();
/// ```
pub struct SentItems(pub(crate) Box<dyn Upload>);

impl fmt::Debug for SentItems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SentItems")
    }
}

/// A call on its way out.
///
/// ```
/// use farcall_core::channel::Outbound;
///
/// fn title(call: &Outbound<'_>) -> String {
///     format!("{} within {:?}", call.method.name, call.options.timeout)
/// }
/// ```
#[derive(Clone, Copy)]
pub struct Outbound<'a> {
    /// What is called.
    pub method: &'static Method,
    /// With what, not encoded yet.
    pub params: &'a dyn Outgoing,
    /// How long, with what beside.
    pub options: &'a Options,
}

impl fmt::Debug for Outbound<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbound({})", self.method.name)
    }
}

/// What a caller can say about a call beside its parameters.
///
/// ```
/// let options = farcall_core::channel::Options::default();
/// assert!(options.timeout.is_none() && !options.notification);
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// How long to wait for the reply; `None` is the channel's default.
    pub timeout: Option<Duration>,
    /// When the call is given up at the latest, whatever its timeout says: the deadline of the
    /// handler that makes it.
    pub deadline: Option<Instant>,
    /// True if no reply is wanted.
    pub notification: bool,
    /// Names and values that travel beside the parameters.
    pub metadata: Metadata,
    /// How many of those are the channel's defaults; they come first.
    defaults: usize,
}

impl Options {
    /// What is said of a call of `method` that is made here and now.
    #[inline]
    pub(super) fn of(method: &Method, defaults: Option<&Self>) -> Self {
        let of_method = Self {
            timeout: method.timeout,
            deadline: current_deadline(),
            notification: method.notification,
            metadata: Metadata::default(),
            defaults: 0,
        };
        match defaults {
            None => of_method,
            Some(defaults) => of_method.with(defaults),
        }
    }

    /// The same, as far as `defaults` say nothing else.
    fn with(self, defaults: &Self) -> Self {
        Self {
            timeout: defaults.timeout.or(self.timeout),
            metadata: defaults.metadata.clone(),
            defaults: defaults.metadata.len(),
            ..self
        }
    }

    /// Adds metadata, in the place of what the channel's defaults have of that name.
    pub(super) fn add(&mut self, name: String, value: impl Into<String>) {
        if self.defaults > 0 {
            self.defaults -= self.metadata.forget(&name, self.defaults);
        }
        self.metadata.insert(name, value);
    }

    /// When a call that began then is given up, where `usual` is the time of those that do not say.
    pub(super) fn deadline_from(&self, begun: Instant, usual: Duration) -> Instant {
        let own = after(begun, self.timeout.unwrap_or(usual));
        self.deadline.map_or(own, |inherited| inherited.min(own))
    }

    /// The call's own timeout, if `deadline` comes from that and is not inherited.
    pub(crate) fn own_timeout(&self, deadline: Instant) -> Option<Duration> {
        self.timeout.filter(|_| self.deadline != Some(deadline))
    }
}

/// A result as it came: a stretch of the message it came in.
///
/// ```
/// use farcall_core::{channel::Inbound, encoding::Encoding, payload::Payload};
///
/// let reply = Payload::copied_from(br#"{"result":10}"#);
/// let result = Inbound::new(Encoding::Json, reply, 10..12);
/// assert_eq!(result.decode::<i64>(Default::default())?, 10);
/// # Ok::<(), farcall_core::error::DecodeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Inbound {
    encoding: Encoding,
    /// The message is a frame and no text.
    in_frame: bool,
    message: Payload,
    at: Range<usize>,
    /// What came beside it.
    metadata: Metadata,
}

impl Inbound {
    /// The bytes `at` of `message`, one value.
    #[must_use]
    pub fn new(encoding: Encoding, message: Payload, at: Range<usize>) -> Self {
        Self {
            encoding,
            in_frame: false,
            message,
            at,
            metadata: Metadata::default(),
        }
    }

    /// The same, and what came beside it.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// What the handler sent along.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, where what is around the value is no text: errors say where in the value they are,
    /// and not where in the message.
    pub(crate) fn in_frame(mut self) -> Self {
        self.in_frame = true;
        self
    }

    /// What there is where nothing was asked for.
    #[must_use]
    pub fn nothing(encoding: Encoding) -> Self {
        Self::new(encoding, Payload::default(), 0..0)
    }

    /// The encoded value.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.message.get(self.at.clone()).unwrap_or_default()
    }

    /// How long the encoded value is, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Reads the value.
    ///
    /// # Errors
    /// If it is no `T`, or costs more than `budget`.
    #[inline]
    pub fn decode<T: DeserializeOwned>(&self, budget: Budget) -> Result<T, DecodeError> {
        let _reading = Reading::of(&self.message);
        let decoded = self.decode_at(&self.at, budget);
        #[cfg(feature = "json")]
        if self.encoding == Encoding::Json
            && let Err(error) = &decoded
            && error.is_malformed()
            && let Some(at) = crate::protocol::jsonrpc::whole_value(&self.message, &self.at)
        {
            // JSON-RPC guesses where the value ends, and leaves it to this to find out.
            return self.decode_at(&at, budget);
        }
        decoded
    }

    fn decode_at<T: DeserializeOwned>(
        &self,
        at: &Range<usize>,
        budget: Budget,
    ) -> Result<T, DecodeError> {
        let bytes = self.message.get(at.clone()).unwrap_or_default();
        let value = self.encoding.decode_seed(PhantomData, bytes, budget);
        value.map_err(|error: DecodeError| {
            let start = if self.in_frame { 0 } else { at.start };
            error.behind(self.message.get(..start).unwrap_or_default())
        })
    }
}
