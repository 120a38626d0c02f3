//! A batch that is being awaited.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use super::calls::Calls;
use crate::channel::{BatchInFlight, Channel, Inbound, Replies, Way};
use crate::connection::client::{Client, Unsent, Waiting};
use crate::error::{Error, Failure};

/// A batch that is being awaited. Dropping it gives its calls up.
///
/// ```
/// use farcall_core::channel::{BatchFuture, Call};
///
/// fn is_a_future<F: Future + Send + Unpin>() {}
/// is_a_future::<BatchFuture<'static, Vec<Call<'static, (i64,), i64>>>>();
/// ```
#[must_use = "a future does nothing before it is polled"]
pub struct BatchFuture<'a, C> {
    channel: &'a Channel,
    calls: C,
    state: State<'a>,
}

enum State<'a> {
    Unsent,
    Connection(Members<'a>),
    Carrier(BatchInFlight),
    Done,
}

impl<'a, C: Calls> BatchFuture<'a, C> {
    pub(super) fn new(channel: &'a Channel, calls: C) -> Self {
        Self {
            channel,
            calls,
            state: State::Unsent,
        }
    }

    fn start(&self) -> Result<State<'a>, Failure> {
        let members = self.calls.members();
        if members
            .iter()
            .any(|member| !member.channel.is(self.channel))
        {
            return Err(Failure::unsupported(
                "the calls of a batch go over the channel of the client that sends it",
            ));
        }
        let calls: Vec<_> = members.iter().map(|member| member.call).collect();
        Ok(match &self.channel.0 {
            Way::Connection(connection) => {
                let now = connection.now();
                let deadlines = calls.iter().map(|call| {
                    connection.deadline(now, call.options.timeout, call.options.deadline)
                });
                State::Connection(Members::new(connection, deadlines.collect()))
            }
            Way::Carrier(_) if calls.is_empty() => {
                State::Carrier(Box::pin(std::future::ready(Ok(Vec::new()))))
            }
            Way::Carrier(carrier) => State::Carrier(carrier.start_batch(&calls)?),
        })
    }
}

impl<C> fmt::Debug for BatchFuture<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BatchFuture")
    }
}

/// Nothing in it is ever pinned in place: the calls are only read.
impl<C> Unpin for BatchFuture<'_, C> {}

impl<C: Calls> Future for BatchFuture<'_, C> {
    type Output = Result<C::Results, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let replies = loop {
            match &mut this.state {
                State::Unsent => match this.start() {
                    Ok(state) => this.state = state,
                    Err(failure) => break Err(failure),
                },
                State::Connection(members) => match members.poll(&this.calls, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(replies) => break replies,
                },
                State::Carrier(in_flight) => match in_flight.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(replies) => break replies,
                },
                State::Done => return Poll::Pending,
            }
        };
        this.state = State::Done;
        Poll::Ready(match replies {
            Ok(replies) => Ok(this.calls.finish(replies)),
            Err(failure) => Err(failure.into()),
        })
    }
}

/// The calls of a batch over a connection. They leave together as far as there is room.
struct Members<'a> {
    unsent: Unsent<'a>,
    encoding: crate::encoding::Encoding,
    deadlines: Vec<Instant>,
    /// Those that have left, or failed before.
    started: Vec<Member<'a>>,
}

enum Member<'a> {
    Waiting(Waiting<'a>),
    Ended(Result<Inbound, Failure>),
}

impl<'a> Members<'a> {
    fn new(connection: &'a Client, deadlines: Vec<Instant>) -> Self {
        Self {
            unsent: Unsent::new(connection),
            encoding: connection.encoding(),
            started: Vec::with_capacity(deadlines.len()),
            deadlines,
        }
    }

    fn poll(&mut self, calls: &impl Calls, cx: &mut Context<'_>) -> Poll<Result<Replies, Failure>> {
        loop {
            let all_started = self.poll_start(calls, cx);
            let (mut ended, mut waits) = (false, false);
            for member in &mut self.started {
                let Member::Waiting(waiting) = member else {
                    continue;
                };
                match waiting.poll_reply(cx) {
                    Poll::Pending => waits = true,
                    Poll::Ready(Err(failure)) if failure.is_of_batch() => {
                        return Poll::Ready(Err(failure));
                    }
                    Poll::Ready(reply) => {
                        *member = Member::Ended(reply);
                        ended = true;
                    }
                }
            }
            match all_started {
                true if !waits => break,
                // There is room for more of them now.
                false if ended => {}
                _ => return Poll::Pending,
            }
        }
        let ended = self.started.drain(..).map(|member| match member {
            Member::Ended(reply) => reply,
            Member::Waiting(_) => Err(Failure::left_out()),
        });
        Poll::Ready(Ok(ended.collect()))
    }

    /// Sends what has not left yet, as far as there is room; true once all of it has left.
    fn poll_start(&mut self, calls: &impl Calls, cx: &Context<'_>) -> bool {
        while self.started.len() < self.deadlines.len() {
            let members = calls.members();
            let left = members.iter().map(|member| member.call);
            let left: Vec<_> = left
                .zip(self.deadlines.iter().copied())
                .skip(self.started.len())
                .collect();
            match self.unsent.poll_start_batch(&left, cx) {
                Poll::Pending => return false,
                Poll::Ready(started) => {
                    self.started
                        .extend(started.into_iter().map(|member| match member {
                            Ok(Some(waiting)) => Member::Waiting(waiting),
                            Ok(None) => Member::Ended(Ok(Inbound::nothing(self.encoding))),
                            Err(failure) => Member::Ended(Err(failure)),
                        }));
                }
            }
        }
        true
    }
}
