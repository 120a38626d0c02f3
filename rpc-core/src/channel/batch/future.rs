//! A batch that is being awaited.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use super::calls::Calls;
use crate::channel::again::{may_be_repeated, truth};
use crate::channel::{
    BatchInFlight, Channel, Failed, Inbound, Options, Outbound, Recovering, Replies, Way,
};
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
    state: State,
    again: Option<Box<Again>>,
}

enum State {
    Unsent,
    Connection(Members),
    Carrier(BatchInFlight),
    /// Some failed, until they are made again.
    Again,
    Done,
}

/// What is known of a batch whose failed calls may be made again.
struct Again {
    /// When each of its calls is given up.
    deadlines: Vec<Instant>,
    made: u32,
    /// How the calls ended so far.
    replies: Replies,
    /// How all of them did in one, so far.
    whole: Option<Failure>,
    waiting: Option<Recovering>,
}

impl<'a, C: Calls> BatchFuture<'a, C> {
    pub(super) fn new(channel: &'a Channel, calls: C) -> Self {
        Self {
            channel,
            calls,
            state: State::Unsent,
            again: None,
        }
    }

    fn start(&mut self) -> Result<State, Failure> {
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
        if let Some(recover) = &self.channel.recover
            && self.again.is_none()
        {
            let begun = self.channel.begun().unwrap_or_else(|| recover.now());
            let time = recover.call_time();
            let deadlines = calls
                .iter()
                .map(|call| call.options.deadline_from(begun, time));
            self.again = Some(Box::new(Again {
                deadlines: deadlines.collect(),
                made: 0,
                replies: Vec::new(),
                whole: None,
                waiting: None,
            }));
        }
        let all = (0..calls.len()).collect();
        self.start_some(&calls, all)
    }

    /// Sends `which` of `calls`.
    fn start_some(&self, calls: &[Outbound<'_>], which: Vec<usize>) -> Result<State, Failure> {
        Ok(match (&self.channel.way, self.channel.way.client()) {
            (_, Some(connection)) => {
                let now = connection.now();
                let known = self.again.as_ref().map(|again| &again.deadlines);
                let deadlines = which.iter().filter_map(|&at| {
                    let known = known.and_then(|known| known.get(at)).copied();
                    let options = calls.get(at)?.options;
                    let deadline = || connection.deadline(now, options.timeout, options.deadline);
                    Some(known.unwrap_or_else(deadline))
                });
                let deadlines = deadlines.collect();
                State::Connection(Members::new(connection, which, deadlines))
            }
            (Way::Carrier(_), _) if calls.is_empty() => {
                State::Carrier(Box::pin(std::future::ready(Ok(Vec::new()))))
            }
            (Way::Carrier(carrier), _) if which.len() == calls.len() => {
                State::Carrier(carrier.start_batch(calls)?)
            }
            (Way::Carrier(carrier), _) => {
                let some = which.iter().filter_map(|&at| calls.get(at));
                let some: Vec<_> = some.copied().collect();
                State::Carrier(carrier.start_batch(&some)?)
            }
            _ => State::Done,
        })
    }

    /// Sends those again that failed, each with the time that is left of its own.
    fn start_again(&self, failed: Vec<usize>) -> Result<State, Failure> {
        let members = self.calls.members();
        let deadlines = self.again.as_ref().map(|again| &again.deadlines);
        let options = members.iter().enumerate().map(|(at, member)| {
            let mut options = member.call.options.clone();
            options.deadline = deadlines.and_then(|known| known.get(at)).copied();
            options
        });
        let options: Vec<Options> = options.collect();
        let calls = members.iter().zip(&options).map(|(member, options)| {
            let call = member.call;
            Outbound { options, ..call }
        });
        let calls: Vec<_> = calls.collect();
        self.start_some(&calls, failed)
    }

    /// Takes the outcome of what was sent last. Gives that of the batch, unless some of its calls are to
    /// be made again.
    fn take(&mut self, sent: Result<Replies, Failure>) -> Option<Result<Replies, Failure>> {
        let (Some(again), Some(recover)) = (&mut self.again, &self.channel.recover) else {
            return Some(sent);
        };
        let members = self.calls.members();
        let is_first = again.made == 0;
        again.made += 1;
        again.waiting = None;
        let repeats = |at: usize, failure: &Failure| {
            let method = members.get(at).map(|member| member.call.method);
            method.is_some_and(|method| may_be_repeated(failure, method))
        };
        let ask = |failure: &Failure, made: u32, calls: usize| {
            recover.recover(Failed {
                failure,
                attempts: made,
                calls,
                deadline: again.deadlines.iter().max().copied()?,
            })
        };
        match sent {
            // The first to fail stands for all.
            Ok(replies) => {
                again.whole = None;
                merge(&mut again.replies, replies, repeats);
                let failed = repeated(&again.replies, repeats);
                let first = failed.first().and_then(|&at| again.replies.get(at));
                if let Some(Err(failure)) = first {
                    again.waiting = ask(failure, again.made, failed.len());
                    if again.waiting.is_some() {
                        return None;
                    }
                }
                Some(Ok(std::mem::take(&mut again.replies)))
            }
            Err(failure) => {
                if is_first {
                    let unknown = || Err(Failure::closed(failure.is_lost()));
                    again.replies = members.iter().map(|_| unknown()).collect();
                }
                let failed = repeated(&again.replies, repeats);
                if failed.iter().all(|&at| repeats(at, &failure)) && !failed.is_empty() {
                    again.waiting = ask(&failure, again.made, failed.len());
                }
                let is_whole = is_first || again.whole.is_some();
                match (again.waiting.is_some(), is_whole) {
                    (true, true) => {
                        let known = again.whole.take().filter(Failure::is_lost);
                        again.whole = Some(known.unwrap_or(failure));
                        None
                    }
                    (true, false) => None,
                    // Nothing is known of any of them.
                    (false, true) => {
                        let lost = again.whole.take().filter(Failure::is_lost);
                        Some(Err(truth(lost, failure)))
                    }
                    (false, false) => Some(Ok(std::mem::take(&mut again.replies))),
                }
            }
        }
    }
}

/// Which of `replies` are failures of calls that are to be made again.
fn repeated(replies: &Replies, repeats: impl Fn(usize, &Failure) -> bool) -> Vec<usize> {
    let failed = replies.iter().enumerate().filter(|(at, reply)| {
        let failure = reply.as_ref().err();
        failure.is_some_and(|failure| repeats(*at, failure))
    });
    failed.map(|(at, _)| at).collect()
}

/// Puts the replies to what was sent last in the places of the failures before them.
fn merge(known: &mut Replies, sent: Replies, repeats: impl Fn(usize, &Failure) -> bool) {
    if known.is_empty() {
        *known = sent;
        return;
    }
    let places = repeated(known, repeats);
    for (at, reply) in places.into_iter().zip(sent) {
        let Some(place) = known.get_mut(at) else {
            continue;
        };
        let before = std::mem::replace(place, Err(Failure::closed(true)));
        let lost = before.err().filter(Failure::is_lost);
        *place = reply.map_err(|failure| truth(lost, failure));
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
            let sent = match &mut this.state {
                State::Unsent => match this.start() {
                    Ok(state) => {
                        this.state = state;
                        continue;
                    }
                    Err(failure) => break Err(failure),
                },
                State::Connection(members) => match members.poll(&this.calls, cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(replies) => replies,
                },
                State::Carrier(in_flight) => match in_flight.as_mut().poll(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(replies) => replies,
                },
                State::Again => match this.poll_again(cx) {
                    Poll::Pending => return Poll::Pending,
                    Poll::Ready(Ok(state)) => {
                        this.state = state;
                        continue;
                    }
                    Poll::Ready(Err(failure)) => Err(failure),
                },
                State::Done => return Poll::Pending,
            };
            match this.take(sent) {
                Some(replies) => break replies,
                None => this.state = State::Again,
            }
        };
        this.state = State::Done;
        Poll::Ready(match replies {
            Ok(replies) => {
                let members = this.calls.members();
                let options = members.iter().map(|member| member.call.options);
                let replies = replies.into_iter().zip(options).map(|(reply, options)| {
                    reply.map_err(|failure| {
                        this.channel.explained(failure, options, options.deadline)
                    })
                });
                let replies = replies.collect();
                drop(members);
                Ok(this.calls.finish(replies))
            }
            Err(failure) => Err(failure.into()),
        })
    }
}

impl<C: Calls> BatchFuture<'_, C> {
    /// Ready when what failed was sent again.
    fn poll_again(&mut self, cx: &mut Context<'_>) -> Poll<Result<State, Failure>> {
        let Some(again) = &mut self.again else {
            return Poll::Pending;
        };
        if let Some(waiting) = &mut again.waiting {
            ready!(waiting.as_mut().poll(cx))?;
            again.waiting = None;
        }
        let members = self.calls.members();
        let failed = repeated(&again.replies, |at, failure| {
            let member = members.get(at);
            member.is_some_and(|member| may_be_repeated(failure, member.call.method))
        });
        drop(members);
        Poll::Ready(self.start_again(failed))
    }
}

/// The calls of a batch over a connection. They leave together as far as there is room.
struct Members {
    unsent: Unsent,
    encoding: crate::encoding::Encoding,
    /// Which of the calls.
    which: Vec<usize>,
    deadlines: Vec<Instant>,
    /// Those that have left, or failed before.
    started: Vec<Member>,
}

enum Member {
    Waiting(Waiting),
    Ended(Result<Inbound, Failure>),
}

impl Members {
    fn new(connection: Arc<Client>, which: Vec<usize>, deadlines: Vec<Instant>) -> Self {
        Self {
            encoding: connection.encoding(),
            unsent: Unsent::new(connection),
            which,
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
            let sent = self.which.iter().filter_map(|&at| members.get(at));
            let left = sent.map(|member| member.call);
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
