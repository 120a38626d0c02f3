//! One call as a value.

use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::{Channel, InFlight, Inbound, Options, Outbound, SentItems, Way};
use crate::connection::client::{Unsent, Waiting};
use crate::context::Metadata;
use crate::error::{DecodeError, Error, Failure};
use crate::fault::TypedFault;
use crate::limits::Budget;
use crate::method::Method;
use crate::params::EncodeParams;
use crate::stream::{Stream, Upload, Uploaded};
use crate::wire::Written;

/// One call, not sent before it is awaited. Dropping it while it is awaited cancels it.
///
/// Holds its arguments as they were given, borrowed ones borrowed: they are encoded on the
/// caller's task, straight into the connection's buffer.
///
/// ```no_run
/// # use std::time::Duration;
/// # use farcall_core::{channel::Channel, error::Error, method::{Method, Param}};
/// static ADD: Method = Method::new("add", "")
///     .takes(&[Param::required::<i64>("x"), Param::required::<i64>("y")])
///     .returns::<i64>();
///
/// # async fn example(channel: Channel) -> Result<(), Error> {
/// let sum: i64 = channel.call(&ADD, (7_i64, 3_i64)).timeout(Duration::from_millis(50)).await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct Call<'a, P, T, E = std::convert::Infallible> {
    channel: &'a Channel,
    method: &'static Method,
    params: P,
    options: Options,
    /// The stream that the method takes.
    upload: Option<Box<dyn Upload>>,
    returns: PhantomData<fn() -> Result<T, E>>,
}

impl<'a, P, T, E> Call<'a, P, T, E> {
    pub(super) fn new(channel: &'a Channel, method: &'static Method, params: P) -> Self {
        Self {
            channel,
            method,
            params,
            options: Options::of(method, channel.1.as_deref()),
            upload: None,
            returns: PhantomData,
        }
    }

    /// Waits no longer than `timeout` for the reply. The server is told, and stops as well. A call
    /// that a handler makes ends with that handler's deadline, if that is earlier.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sends `value` along under `name`, beside the parameters.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.add(name.into(), value);
        self
    }
}

impl<P, T, E> Call<'_, P, T, E> {
    /// Sends `items` as the stream that the method takes: each as it comes up and the server wants
    /// it, until the reply comes. Such a call has no time limit but its own.
    pub fn upload<I, S>(mut self, items: S) -> Self
    where
        I: Written + Send,
        S: Stream<Item = I> + Send + 'static,
    {
        self.upload = Some(Box::new(Uploaded::new(items)));
        self
    }

    pub(super) fn channel(&self) -> &Channel {
        self.channel
    }

    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.options.timeout = Some(timeout);
    }
}

impl<'a, P, T, E> Call<'a, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    /// The same call, whose result comes with what the handler sent along
    /// ([`Context::reply_metadata`](crate::context::Context::reply_metadata)).
    ///
    /// Nothing comes with it over a JSON-RPC stream, which has no place for it.
    ///
    /// ```no_run
    /// # use farcall_core::{channel::{Call, Channel}, error::Error, method::Method};
    /// static PING: Method = Method::new("ping", "").returns::<String>();
    ///
    /// # async fn example(channel: Channel) -> Result<(), Error> {
    /// let ping: Call<'_, (), String> = channel.call(&PING, ());
    /// let (answer, metadata) = ping.with_reply_metadata().await?;
    /// println!("{answer}, by {}", metadata.get("served-by").unwrap_or("nobody"));
    /// # Ok(())
    /// # }
    /// ```
    pub fn with_reply_metadata(self) -> CallWithMetadata<'a, P, T, E> {
        CallWithMetadata(self.into_future())
    }
}

impl<P: EncodeParams, T, E> Call<'_, P, T, E> {
    /// Sends the call without asking for a reply: it is done when it is on its way.
    ///
    /// # Errors
    /// If it could not be sent. Whether the method ran, and how it ended, is not told.
    pub async fn notify(mut self) -> Result<(), Error> {
        self.options.notification = true;
        let outbound = self.outbound();
        match &self.channel.0 {
            Way::Connection(connection) => connection.notify(outbound)?,
            Way::Carrier(carrier) => {
                carrier.start(outbound)?.await?;
            }
        }
        Ok(())
    }

    pub(super) fn outbound(&self) -> Outbound<'_> {
        Outbound {
            method: self.method,
            params: &self.params,
            options: &self.options,
        }
    }
}

impl<P, T, E> fmt::Debug for Call<'_, P, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({})", self.method.name)
    }
}

impl<'a, P, T, E> IntoFuture for Call<'a, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    type Output = Result<T, Error<E>>;
    type IntoFuture = CallFuture<'a, P, T, E>;

    fn into_future(self) -> CallFuture<'a, P, T, E> {
        CallFuture {
            call: self,
            stage: Stage::Unsent,
            waiting: Waiting::NOTHING,
            queued: None,
            carrier: None,
        }
    }
}

/// A call that is being awaited.
///
/// ```
/// fn is_a_future<F: Future + Send + Unpin>() {}
/// is_a_future::<farcall_core::channel::CallFuture<'static, (i64,), i64>>();
/// ```
#[must_use = "a future does nothing before it is polled"]
pub struct CallFuture<'a, P, T, E = std::convert::Infallible> {
    call: Call<'a, P, T, E>,
    stage: Stage,
    waiting: Waiting<'a>,
    queued: Option<Unsent<'a>>,
    carrier: Option<InFlight>,
}

/// How far a call is. (What belongs to a stage is beside it: nothing is dropped at a step.)
#[derive(Clone, Copy)]
enum Stage {
    Unsent,
    /// Until the connection has room for it.
    Queued,
    /// Until the connection has its reply.
    Waiting,
    /// Until the carrier has its reply.
    Carried,
    /// A notification is on its way.
    Sent,
    Done,
}

impl<P, T, E> fmt::Debug for CallFuture<'_, P, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallFuture({})", self.call.method.name)
    }
}

/// Nothing in it is ever pinned in place: the parameters are only read.
impl<P, T, E> Unpin for CallFuture<'_, P, T, E> {}

impl<P, T, E> Future for CallFuture<'_, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    type Output = Result<T, Error<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = ready!(self.poll_reply(cx));
        Poll::Ready(self.call.finish(reply))
    }
}

impl<'a, P: EncodeParams, T, E> CallFuture<'a, P, T, E> {
    /// Polls the call until its reply is there.
    #[inline]
    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let reply = match self.stage {
            Stage::Unsent => return self.start(cx),
            Stage::Queued => return self.start_queued(cx),
            Stage::Waiting => ready!(self.waiting.poll_reply(cx)),
            Stage::Carried => {
                let Some(in_flight) = &mut self.carrier else {
                    return Poll::Pending;
                };
                let reply = ready!(in_flight.as_mut().poll(cx));
                self.carrier = None;
                reply
            }
            Stage::Sent => Ok(Inbound::nothing(self.call.channel.encoding())),
            Stage::Done => return Poll::Pending,
        };
        self.stage = Stage::Done;
        Poll::Ready(reply)
    }

    #[inline]
    fn start(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let call = &self.call;
        let Way::Connection(connection) = &call.channel.0 else {
            return self.start_otherwise(cx);
        };
        if call.upload.is_some() || call.options.notification {
            return self.start_otherwise(cx);
        }
        let mut unsent = Unsent::new(connection);
        match unsent.poll_start(call.outbound(), cx) {
            // The reply will wake this: it is known who waits for it.
            Poll::Ready(started) => self.started(started),
            Poll::Pending => {
                self.queued = Some(unsent);
                self.stage = Stage::Queued;
                Poll::Pending
            }
        }
    }

    /// Starts what takes a stream, wants no reply, or goes by a carrier.
    #[cold]
    fn start_otherwise(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let call = &self.call;
        let started = match &call.channel.0 {
            Way::Connection(connection) if call.options.notification => {
                connection.notify(call.outbound()).map(|()| Stage::Sent)
            }
            Way::Connection(connection) => {
                self.queued = Some(Unsent::new(connection));
                Ok(Stage::Queued)
            }
            Way::Carrier(carrier) => {
                let started = match self.call.upload.take() {
                    Some(items) => carrier.start_upload(self.call.outbound(), SentItems(items)),
                    None => carrier.start(self.call.outbound()),
                };
                started.map(|in_flight| {
                    self.carrier = Some(in_flight);
                    Stage::Carried
                })
            }
        };
        match started {
            Ok(stage) => {
                self.stage = stage;
                self.poll_reply(cx)
            }
            Err(failure) => {
                self.stage = Stage::Done;
                Poll::Ready(Err(failure))
            }
        }
    }

    /// Starts a call that waits for room in its connection, or takes a stream.
    #[cold]
    fn start_queued(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let Some(unsent) = &mut self.queued else {
            return Poll::Pending;
        };
        let started = if self.call.upload.is_some() {
            let mut upload = self.call.upload.take();
            let opened = unsent.poll_open(self.call.outbound(), &mut upload, cx);
            self.call.upload = upload;
            ready!(opened).map(|(waiting, _)| waiting)
        } else {
            ready!(unsent.poll_start(self.call.outbound(), cx))
        };
        self.queued = None;
        self.started(started)
    }

    #[inline]
    fn started(&mut self, started: Result<Waiting<'a>, Failure>) -> Poll<Result<Inbound, Failure>> {
        match started {
            Ok(waiting) => {
                self.waiting = waiting;
                self.stage = Stage::Waiting;
                Poll::Pending
            }
            Err(failure) => {
                self.stage = Stage::Done;
                Poll::Ready(Err(failure))
            }
        }
    }
}

/// A call that gives its result and what the handler sent along with it; see
/// [`Call::with_reply_metadata`].
///
/// ```
/// use farcall_core::channel::CallWithMetadata;
///
/// fn is_a_future<F: Future + Send + Unpin>() {}
/// is_a_future::<CallWithMetadata<'static, (i64,), i64>>();
/// ```
#[must_use = "a future does nothing before it is polled"]
pub struct CallWithMetadata<'a, P, T, E = std::convert::Infallible>(CallFuture<'a, P, T, E>);

impl<P, T, E> fmt::Debug for CallWithMetadata<'_, P, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CallWithMetadata({})", self.0.call.method.name)
    }
}

impl<P, T, E> Future for CallWithMetadata<'_, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    type Output = Result<(T, Metadata), Error<E>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let reply = ready!(self.0.poll_reply(cx));
        let metadata = reply.as_ref().map(Inbound::metadata);
        let metadata = metadata.cloned().unwrap_or_default();
        Poll::Ready(self.0.call.finish(reply).map(|result| (result, metadata)))
    }
}

impl<P: EncodeParams, T: DeserializeOwned, E: TypedFault> Call<'_, P, T, E> {
    /// The result of a call that has no reply.
    fn nothing(&self) -> Result<T, Error<E>> {
        let unit: UnitDeserializer<DecodeError> = ().into_deserializer();
        T::deserialize(unit).map_err(|error| Failure::decode(self.method.name, error).into())
    }

    #[inline]
    pub(super) fn finish(&self, reply: Result<Inbound, Failure>) -> Result<T, Error<E>> {
        let failure = match reply {
            Ok(_) if self.options.notification => return self.nothing(),
            Ok(inbound) => {
                return inbound
                    .decode(Budget::default())
                    .map_err(|error| Failure::decode(self.method.name, error).into());
            }
            Err(failure) => failure,
        };
        match failure.fault().and_then(E::from_fault) {
            Some(fault) => Err(Error::Fault(fault)),
            None => Err(failure.into()),
        }
    }
}
