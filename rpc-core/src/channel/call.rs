//! One call as a value.

use std::fmt;
use std::future::poll_fn;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use serde::de::value::UnitDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use super::again::{Again, Ended};
use super::{Channel, InFlight, Inbound, Options, Outbound, SentItems, Way};
use crate::connection::client::{Begun, Unsent, Waiting};
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
            options: Options::of(method, channel.defaults.as_deref()),
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
        let mut again = Again::default();
        loop {
            let begun = self.channel.begun();
            let told = match self.tell() {
                Some(in_flight) => in_flight.await,
                None => return Ok(()),
            };
            let Err(mut failure) = told else {
                return Ok(());
            };
            loop {
                let Self {
                    channel,
                    method,
                    options,
                    ..
                } = &mut self;
                let ended = Ended {
                    failure,
                    deadline: None,
                    begun,
                };
                if let Some(failure) = again.failed(channel, method, options, ended) {
                    return Err(failure.into());
                }
                match poll_fn(|cx| again.poll(cx)).await {
                    Ok(()) => break,
                    Err(next) => failure = next,
                }
            }
        }
    }

    /// Sends the notification; gives what is to be waited for.
    fn tell(&self) -> Option<InFlight> {
        let outbound = self.outbound();
        let started = match &self.channel.way {
            Way::Carrier(carrier) => carrier.start(outbound),
            way => match way.client()?.notify(outbound) {
                Ok(()) => return None,
                Err(failure) => Err(failure),
            },
        };
        let failed = |failure| -> InFlight { Box::pin(std::future::ready(Err(failure))) };
        Some(started.unwrap_or_else(failed))
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
            begun: None,
            again: Again::default(),
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
    waiting: Waiting,
    queued: Option<Unsent>,
    carrier: Option<InFlight>,
    /// When it began, where nobody else knows.
    begun: Option<Instant>,
    again: Again,
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
    /// It failed, until it is made again.
    Again,
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
        match ready!(self.poll_attempt(cx)) {
            Ok(reply) => Poll::Ready(Ok(reply)),
            Err(failure) => self.failed(failure, cx),
        }
    }

    /// Polls one attempt until its reply is there.
    #[inline]
    fn poll_attempt(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
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
            Stage::Again => match ready!(self.again.poll(cx)) {
                Ok(()) => return self.start(cx),
                Err(failure) => Err(failure),
            },
            Stage::Done => return Poll::Pending,
        };
        self.stage = Stage::Done;
        Poll::Ready(reply)
    }

    /// An attempt failed: polls those after it.
    #[cold]
    fn failed(
        &mut self,
        mut failure: Failure,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Inbound, Failure>> {
        loop {
            if let Some(failure) = self.give_up(failure) {
                return Poll::Ready(Err(failure));
            }
            self.stage = Stage::Again;
            match ready!(self.poll_attempt(cx)) {
                Ok(reply) => return Poll::Ready(Ok(reply)),
                Err(next) => failure = next,
            }
        }
    }

    /// Gives how the call ends that failed, or `None` if it is to be made again.
    fn give_up(&mut self, failure: Failure) -> Option<Failure> {
        let queued = self.queued.take();
        let ended = Ended {
            failure,
            deadline: queued
                .and_then(|unsent| unsent.deadline())
                .or_else(|| self.waiting.deadline()),
            begun: self.begun,
        };
        let call = &mut self.call;
        if call.method.takes_stream.is_some() && call.upload.is_none() {
            // Some of it may be used up.
            return Some(ended.failure);
        }
        self.again
            .failed(call.channel, call.method, &mut call.options, ended)
    }

    #[inline]
    fn start(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let call = &self.call;
        let Some(client) = call.channel.way.client() else {
            return self.start_otherwise(cx);
        };
        if call.upload.is_some() || call.options.notification {
            return self.start_otherwise(cx);
        }
        match Unsent::begin(client, call.outbound(), cx) {
            // The reply will wake this: it is known who waits for it.
            Begun::Waiting(waiting) => {
                self.waiting = waiting;
                self.stage = Stage::Waiting;
                Poll::Pending
            }
            Begun::Queued(unsent) => {
                self.queued = Some(unsent);
                self.stage = Stage::Queued;
                Poll::Pending
            }
            Begun::Failed(failure) => {
                self.stage = Stage::Done;
                Poll::Ready(Err(failure))
            }
        }
    }

    /// Starts what takes a stream, wants no reply, or goes by a carrier.
    #[cold]
    fn start_otherwise(&mut self, cx: &mut Context<'_>) -> Poll<Result<Inbound, Failure>> {
        if self.begun.is_none() {
            self.begun = self.call.channel.begun();
        }
        let call = &self.call;
        let started = match (&call.channel.way, call.channel.way.client()) {
            (_, Some(connection)) if call.options.notification => {
                connection.notify(call.outbound()).map(|()| Stage::Sent)
            }
            (_, Some(connection)) => {
                self.queued = Some(Unsent::new(connection));
                Ok(Stage::Queued)
            }
            (Way::Carrier(carrier), _) => {
                let started = match self.call.upload.take() {
                    Some(items) => carrier.start_upload(self.call.outbound(), SentItems(items)),
                    None => carrier.start(self.call.outbound()),
                };
                started.map(|in_flight| {
                    self.carrier = Some(in_flight);
                    Stage::Carried
                })
            }
            _ => Ok(Stage::Done),
        };
        match started {
            Ok(stage) => {
                self.stage = stage;
                self.poll_attempt(cx)
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
        match started {
            Ok(waiting) => {
                self.queued = None;
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
