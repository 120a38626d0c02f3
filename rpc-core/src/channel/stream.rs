//! A call that is answered with a stream.

use std::convert::Infallible;
use std::fmt;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;

use super::again::{Again, Ended};
use super::{Channel, Inbound, Options, Outbound, ReceivedItems, SentItems, StreamInFlight, Way};
use crate::connection::client::{Client, Open, Unsent, Waiting};
use crate::context::Metadata;
use crate::error::{Error, Failure};
use crate::fault::TypedFault;
use crate::limits::Budget;
use crate::method::Method;
use crate::params::EncodeParams;
use crate::stream::{Flow, Stream, Upload, Uploaded};
use crate::wire::Written;

/// One call that is answered with a stream, not sent before it is awaited. Awaiting it opens the
/// stream.
///
/// `T` is an item, `E` the error that can end the stream, `O` the error of opening it.
///
/// ```no_run
/// # use farcall_core::{channel::Channel, error::Error, method::{Method, Param}};
/// use farcall_core::channel::StreamCall;
/// use futures_util::StreamExt;
///
/// static COUNT: Method = Method::new("count", "")
///     .takes(&[Param::required::<u32>("to")])
///     .returns::<u32>()
///     .gives_stream();
///
/// # async fn example(channel: Channel) -> Result<(), Error> {
/// let count: StreamCall<'_, _, u32> = channel.stream(&COUNT, (3,));
/// let mut numbers = count.await?;
/// while let Some(number) = numbers.next().await {
///     println!("{}", number?);
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "a call is sent when it is awaited"]
pub struct StreamCall<'a, P, T, E = Infallible, O = Infallible> {
    channel: &'a Channel,
    method: &'static Method,
    params: P,
    options: Options,
    upload: Option<Box<dyn Upload>>,
    gives: Gives<T, E, O>,
}

/// The types that a call is about and does not hold.
type Gives<T, E, O> = PhantomData<fn() -> (T, E, O)>;

impl<'a, P, T, E, O> StreamCall<'a, P, T, E, O> {
    pub(super) fn new(channel: &'a Channel, method: &'static Method, params: P) -> Self {
        Self {
            channel,
            method,
            params,
            options: Options::of(method, channel.defaults.as_deref()),
            upload: None,
            gives: PhantomData,
        }
    }

    /// Ends the stream after `timeout`, here and on the server. Without this a stream may last for
    /// ever, and only opening it has a limit (`Limits::call_time`).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options.timeout = Some(timeout);
        self
    }

    /// Sends `value` along under `name`, beside the parameters.
    pub fn metadata(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.add(name.into(), value);
        self
    }

    /// Sends `items` as the stream that the method takes: each as it comes up and the server wants
    /// it, until the call is over.
    pub fn upload<I, S>(mut self, items: S) -> Self
    where
        I: Written + Send,
        S: Stream<Item = I> + Send + 'static,
    {
        self.upload = Some(Box::new(Uploaded::new(items)));
        self
    }
}

impl<P, T, E, O> fmt::Debug for StreamCall<'_, P, T, E, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StreamCall({})", self.method.name)
    }
}

impl<'a, P, T, E, O> IntoFuture for StreamCall<'a, P, T, E, O>
where
    P: EncodeParams,
    O: TypedFault,
{
    type Output = Result<Streaming<T, E>, Error<O>>;
    type IntoFuture = Opening<'a, P, T, E, O>;

    fn into_future(self) -> Self::IntoFuture {
        Opening {
            call: self,
            state: State::Unsent,
            begun: None,
            again: Again::default(),
        }
    }
}

/// A stream that is being opened.
///
/// ```
/// fn is_a_future<F: Future + Send + Unpin>() {}
/// is_a_future::<farcall_core::channel::Opening<'static, (i64,), i64>>();
/// ```
#[must_use = "a future does nothing before it is polled"]
pub struct Opening<'a, P, T, E = Infallible, O = Infallible> {
    call: StreamCall<'a, P, T, E, O>,
    state: State,
    begun: Option<Instant>,
    again: Again,
}

enum State {
    Unsent,
    /// Until the connection has room for it.
    Queued(Arc<Client>, Unsent),
    Waits(Arc<Client>, Waiting, Arc<Flow>),
    Carried(StreamInFlight),
    /// It failed, until it is made again.
    Again,
    Done,
}

impl<P, T, E, O> fmt::Debug for Opening<'_, P, T, E, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opening({})", self.call.method.name)
    }
}

/// Nothing in it is ever pinned in place: the parameters are only read.
impl<P, T, E, O> Unpin for Opening<'_, P, T, E, O> {}

impl<P, T, E, O> Future for Opening<'_, P, T, E, O>
where
    P: EncodeParams,
    O: TypedFault,
{
    type Output = Result<Streaming<T, E>, Error<O>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let opened = loop {
            match ready!(self.poll_items(cx)) {
                Ok(opened) => break Ok(opened),
                Err(failure) => match self.give_up(failure) {
                    Some(failure) => break Err(failure),
                    None => self.state = State::Again,
                },
            }
        };
        self.state = State::Done;
        Poll::Ready(match opened {
            Ok((metadata, items)) => Ok(Streaming {
                items: Some(items),
                metadata,
                method: self.call.method,
                budget: self.call.channel.budget,
                item: PhantomData,
            }),
            Err(failure) => Err(match failure.fault().and_then(O::from_fault) {
                Some(fault) => Error::Fault(fault),
                None => failure.into(),
            }),
        })
    }
}

impl<P: EncodeParams, T, E, O> Opening<'_, P, T, E, O> {
    /// Gives how opening it ends, or `None` if it is to be tried again.
    #[cold]
    fn give_up(&mut self, failure: Failure) -> Option<Failure> {
        let deadline = match &self.state {
            State::Queued(_, unsent) => unsent.deadline(),
            State::Waits(_, waiting, _) => waiting.deadline(),
            _ => None,
        };
        let begun = self.begun;
        let options = &self.call.options;
        let inherited = self.again.inherited(options);
        let ended = Ended {
            failure: self.call.channel.explained(failure, options, inherited),
            deadline,
            begun,
        };
        let call = &mut self.call;
        if call.method.takes_stream.is_some() && call.upload.is_none() {
            // Some of it may be used up.
            return Some(ended.failure);
        }
        // That the deadline of opening a stream is that of the stream as well is right only if its
        // caller said so.
        let (timeout, before) = (call.options.timeout, call.options.deadline);
        let ends = self
            .again
            .failed(call.channel, call.method, &mut call.options, ended);
        if timeout.is_none() {
            call.options.deadline = before;
        }
        ends
    }

    fn poll_items(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Metadata, Incoming), Failure>> {
        let Self {
            call,
            state,
            begun,
            again,
        } = self;
        let outbound = Outbound {
            method: call.method,
            params: &call.params,
            options: &call.options,
        };
        loop {
            match &mut *state {
                State::Unsent => {
                    if begun.is_none() {
                        *begun = call.channel.begun();
                    }
                    *state = match (&call.channel.way, call.channel.way.client()) {
                        (_, Some(client)) => {
                            let unsent = Unsent::new(Arc::clone(&client));
                            State::Queued(client, unsent)
                        }
                        (Way::Carrier(carrier), _) => {
                            let items = call.upload.take().map(SentItems);
                            State::Carried(carrier.start_stream(outbound, items)?)
                        }
                        _ => State::Done,
                    };
                }
                State::Queued(client, unsent) => {
                    let (waiting, flow) = ready!(unsent.poll_open(outbound, &mut call.upload, cx))?;
                    *state = State::Waits(Arc::clone(client), waiting, flow);
                }
                State::Waits(client, waiting, flow) => {
                    let id = waiting.id();
                    let opened = ready!(waiting.poll_reply(cx))?;
                    let open = Open::new(Arc::clone(client), id, Arc::clone(flow));
                    let metadata = opened.metadata().clone();
                    return Poll::Ready(Ok((metadata, Incoming::Open(open))));
                }
                State::Carried(opening) => {
                    let opened = opening.as_mut().poll(cx);
                    return opened.map_ok(|(metadata, items)| (metadata, Incoming::Carried(items)));
                }
                State::Again => {
                    ready!(again.poll(cx))?;
                    *state = State::Unsent;
                }
                State::Done => return Poll::Pending,
            }
        }
    }
}

/// Why a call with a stream cannot go another way.
pub(crate) fn no_streams(method: &'static Method) -> Failure {
    Failure::unsupported(format!(
        "`{}` has a stream, which this way does not carry: use `tcp://`, `unix://`, `mem://` or \
         `http://`",
        method.name
    ))
}

/// The items that a method gives, as they come. Dropping it stops the handler.
///
/// Ends where the handler ends it. An error is the last item: the method's own ([`Error::Fault`]),
/// or what befell the call.
///
/// ```
/// use farcall_core::channel::Streaming;
/// use farcall_core::stream::Stream;
///
/// fn is_a_stream<S: Stream + Send + Unpin + 'static>() {}
/// is_a_stream::<Streaming<String>>();
/// ```
#[must_use = "dropping a stream stops its handler"]
pub struct Streaming<T, E = Infallible> {
    /// None once it is over.
    items: Option<Incoming>,
    metadata: Metadata,
    method: &'static Method,
    /// What an item may cost.
    budget: Budget,
    item: PhantomData<fn() -> Result<T, E>>,
}

impl<T, E> Streaming<T, E> {
    /// What the handler sent along as it opened the stream.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }
}

/// Where the items come from.
enum Incoming {
    Open(Open),
    Carried(ReceivedItems),
}

impl Incoming {
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Inbound, Failure>>> {
        match self {
            Self::Open(open) => open.poll_next(cx),
            Self::Carried(items) => items.as_mut().poll_next(cx),
        }
    }
}

impl<T, E> fmt::Debug for Streaming<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streaming({})", self.method.name)
    }
}

impl<T: DeserializeOwned, E: TypedFault> Stream for Streaming<T, E> {
    type Item = Result<T, Error<E>>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(items) = &mut self.items else {
            return Poll::Ready(None);
        };
        let next = match ready!(items.poll_next(cx)) {
            Some(Ok(item)) => match item.decode(self.budget) {
                Ok(item) => return Poll::Ready(Some(Ok(item))),
                Err(error) => Some(Err(Failure::decode(self.method.name, error).into())),
            },
            Some(Err(failure)) => Some(Err(match failure.fault().and_then(E::from_fault) {
                Some(fault) => Error::Fault(fault),
                None => failure.into(),
            })),
            None => None,
        };
        self.items = None;
        Poll::Ready(next)
    }
}
