//! A call on its way: from its first poll to its result, over as many attempts as it takes.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use serde::de::DeserializeOwned;

use super::Call;
use crate::channel::again::{Again, Ended};
use crate::channel::{InFlight, Inbound, SentItems, Way};
use crate::connection::client::{Outcome, Unsent, Waiting};
use crate::context::Metadata;
use crate::error::{Error, Failure};
use crate::fault::TypedFault;
use crate::params::EncodeParams;

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
        let this = &mut *self;
        let reply = if let Stage::Waiting = this.stage {
            let mut ended = None;
            ready!(this.waiting.poll_ended(cx, &mut ended));
            this.stage = Stage::Done;
            match &ended {
                // Nearly all end like this. It is read where it is.
                Some(Outcome::Reply(Ok(reply))) => return Poll::Ready(this.call.read(reply)),
                _ => ready!(this.ended(ended, cx)),
            }
        } else {
            ready!(this.poll_reply(cx))
        };
        Poll::Ready(this.call.finish(reply))
    }
}

impl<'a, P, T, E> CallFuture<'a, P, T, E> {
    pub(super) fn new(call: Call<'a, P, T, E>) -> Self {
        Self {
            call,
            stage: Stage::Unsent,
            waiting: Waiting::NOTHING,
            queued: None,
            carrier: None,
            begun: None,
            again: Again::default(),
        }
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

    /// An attempt ended, without a reply that it has: polls those after it.
    #[cold]
    fn ended(
        &mut self,
        ended: Option<Outcome>,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Inbound, Failure>> {
        match ended {
            Some(Outcome::Reply(Err(failure))) => self.failed(failure, cx),
            Some(Outcome::Reply(reply)) => Poll::Ready(reply),
            _ => self.failed(Failure::closed(true), cx),
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
        let options = &self.call.options;
        let inherited = self.again.inherited(options);
        let ended = Ended {
            failure: self.call.channel.explained(failure, options, inherited),
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
        let queued = &mut self.queued;
        match self.waiting.begin(queued, client, call.outbound(), cx) {
            // The reply will wake this: it is known who waits for it.
            Poll::Ready(Ok(())) => {
                self.stage = Stage::Waiting;
                Poll::Pending
            }
            Poll::Pending => {
                self.stage = Stage::Queued;
                Poll::Pending
            }
            Poll::Ready(Err(failure)) => {
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

impl<'a, P, T, E> CallWithMetadata<'a, P, T, E> {
    pub(super) fn of(call: CallFuture<'a, P, T, E>) -> Self {
        Self(call)
    }
}

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
