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
        let state = match &self.channel.0 {
            Way::Connection(connection) if !self.options.notification => {
                State::Queued(Unsent::new(connection))
            }
            _ => State::Unsent,
        };
        CallFuture { call: self, state }
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
    state: State<'a>,
}

enum State<'a> {
    Unsent,
    /// Until the connection has room for it.
    Queued(Unsent<'a>),
    Connection(Waiting<'a>),
    Carrier(InFlight),
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
        self.poll_as(cx, |call, reply| call.finish(reply))
    }
}

impl<P, T, E> CallFuture<'_, P, T, E>
where
    P: EncodeParams,
    T: DeserializeOwned,
    E: TypedFault,
{
    /// Polls the call, and has its reply made into an output.
    #[inline]
    fn poll_as<R>(
        &mut self,
        cx: &mut Context<'_>,
        finish: impl FnOnce(&Call<'_, P, T, E>, Result<Inbound, Failure>) -> R,
    ) -> Poll<R> {
        if let State::Unsent = self.state {
            match self.call.start() {
                Ok(state) => self.state = state,
                Err(failure) => return self.end(finish, Err(failure)),
            }
        }
        match &mut self.state {
            State::Queued(unsent) if self.call.upload.is_some() => {
                let mut upload = self.call.upload.take();
                let opened = unsent.poll_open(self.call.outbound(), &mut upload, cx);
                self.call.upload = upload;
                match ready!(opened) {
                    Ok((waiting, _)) => {
                        self.state = State::Connection(waiting);
                        Poll::Pending
                    }
                    Err(failure) => self.end(finish, Err(failure)),
                }
            }
            State::Queued(unsent) => match ready!(unsent.poll_start(self.call.outbound(), cx)) {
                Ok(waiting) => {
                    // The reply will wake this: it is known who waits for it.
                    self.state = State::Connection(waiting);
                    Poll::Pending
                }
                Err(failure) => self.end(finish, Err(failure)),
            },
            State::Connection(waiting) => {
                let reply = ready!(waiting.poll_reply(cx));
                self.end(finish, reply)
            }
            State::Carrier(in_flight) => {
                let reply = ready!(in_flight.as_mut().poll(cx));
                self.end(finish, reply)
            }
            State::Sent => {
                let nothing = Inbound::nothing(self.call.channel.encoding());
                self.end(finish, Ok(nothing))
            }
            State::Unsent | State::Done => Poll::Pending,
        }
    }

    #[inline]
    fn end<R>(
        &mut self,
        finish: impl FnOnce(&Call<'_, P, T, E>, Result<Inbound, Failure>) -> R,
        reply: Result<Inbound, Failure>,
    ) -> Poll<R> {
        self.state = State::Done;
        Poll::Ready(finish(&self.call, reply))
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
        self.0.poll_as(cx, |call, reply| {
            let metadata = reply.as_ref().map(Inbound::metadata);
            let metadata = metadata.cloned().unwrap_or_default();
            call.finish(reply).map(|result| (result, metadata))
        })
    }
}

impl<'a, P: EncodeParams, T: DeserializeOwned, E: TypedFault> Call<'a, P, T, E> {
    /// Starts what does not wait in a connection's slot.
    fn start(&mut self) -> Result<State<'a>, Failure> {
        Ok(match &self.channel.0 {
            Way::Connection(connection) => {
                connection.notify(self.outbound())?;
                State::Sent
            }
            Way::Carrier(carrier) => State::Carrier(match self.upload.take() {
                Some(items) => carrier.start_upload(self.outbound(), SentItems(items))?,
                None => carrier.start(self.outbound())?,
            }),
        })
    }

    /// The result of a call that has no reply.
    fn nothing(&self) -> Result<T, Error<E>> {
        let unit: UnitDeserializer<DecodeError> = ().into_deserializer();
        T::deserialize(unit).map_err(|error| Failure::decode(self.method.name, error).into())
    }

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
