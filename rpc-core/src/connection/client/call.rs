//! A call on its way through a connection: until it has a slot, and until its reply is there.

use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::slots::{Full, Outcome, Time, after};
use super::{Client, State};
use crate::channel::{Inbound, Options, Outbound};
use crate::error::Failure;

/// A call that has no slot yet. Dropping it gives its turn to the next.
pub(crate) struct Unsent {
    client: Arc<Client>,
    turn: Turn,
}

/// What such a call has until it has a slot.
#[derive(Default)]
pub(super) struct Turn {
    /// When it is given up, if it had to wait or its maker has a deadline: known from the first
    /// time it is asked for.
    pub(super) deadline: Option<Instant>,
    /// Its place in the queue for a slot, if it has to wait.
    pub(super) ticket: Option<u64>,
}

impl Unsent {
    pub(crate) fn new(client: Arc<Client>) -> Self {
        Self {
            client,
            turn: Turn::default(),
        }
    }

    /// When the call is given up, if that is known.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.turn.deadline
    }

    /// The connection, and what the call has until it has a slot in it.
    pub(super) fn parts(&mut self) -> (&Arc<Client>, &mut Turn) {
        (&self.client, &mut self.turn)
    }

    /// Encodes a call and keeps a slot for its reply, for which `cx` is woken; pending while the
    /// connection is full.
    #[cold]
    pub(crate) fn poll_start(
        &mut self,
        call: Outbound<'_>,
        cx: &Context<'_>,
    ) -> Poll<Result<Waiting, Failure>> {
        let (client, turn) = self.parts();
        let started = turn.poll_start(client, call, cx);
        started.map_ok(|id| Waiting::new(Arc::clone(client), id))
    }
}

impl Drop for Unsent {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.turn.ticket {
            self.client.leave(ticket);
        }
    }
}

impl Turn {
    #[inline]
    fn poll_start(
        &mut self,
        client: &Client,
        call: Outbound<'_>,
        cx: &Context<'_>,
    ) -> Poll<Result<u64, Failure>> {
        let shared = &client.shared;
        let options = call.options;
        let time = match (self.deadline, options.deadline) {
            // Nearly all calls. None of them looks at the clock: the driver does, for all of them.
            (None, None) => Time {
                left: options.timeout.unwrap_or(shared.limits.call_time),
                asked: options.timeout,
            },
            _ => self.time_left(client, client.now(), options, options.timeout),
        };
        let mut state = shared.lock();
        let is_alone = state.may_send_directly(shared);
        let id = ready!(self.poll_slot(client, &mut state, call, time, Some(time.left), cx))?;
        if is_alone && state.send_directly(shared) {
            return Poll::Ready(Ok(id));
        }
        let driver = state.driver.take();
        drop(state);
        // Not under the lock, which the driver asks for at once.
        if let Some(driver) = driver {
            driver.wake();
        }
        Poll::Ready(Ok(id))
    }

    /// How long the call may take from `now` on: `patience` from when it was first asked for, but not
    /// longer than the handler that makes it.
    #[cold]
    pub(super) fn time_left(
        &mut self,
        client: &Client,
        now: Instant,
        options: &Options,
        patience: Option<Duration>,
    ) -> Time {
        let deadline = *self
            .deadline
            .get_or_insert_with(|| client.deadline(now, patience, options.deadline));
        Time {
            left: deadline.saturating_duration_since(now),
            asked: options.own_timeout(deadline),
        }
    }

    /// Takes a slot for `call`, which may take `time`, and encodes it; `remaining` is the time that
    /// the server is told. Gives its id. The driver is to be woken.
    #[inline]
    pub(super) fn poll_slot(
        &mut self,
        client: &Client,
        state: &mut State,
        call: Outbound<'_>,
        time: Time,
        remaining: Option<Duration>,
        cx: &Context<'_>,
    ) -> Poll<Result<u64, Failure>> {
        if let Some(closed) = &state.closed {
            return Poll::Ready(Err(closed.failure(false)));
        }
        if time.left.is_zero() {
            return Poll::Ready(Err(Failure::timeout(time.asked, false)));
        }
        let limit = state.calls;
        let id = match state.slots.open(limit, time, Some(cx.waker())) {
            Ok(id) => id,
            Err(Full) => {
                self.queue(client, state, time, cx);
                return Poll::Pending;
            }
        };
        let at = state.out.position();
        match client.shared.write(state, &call, Some(id), remaining) {
            Ok(size) => {
                // One that leaves in pieces has no place among the whole ones.
                let at = if state.out.position() > at { at } else { 0 };
                state.slots.sent(id, size, at);
            }
            Err(failure) => {
                state.slots.close(id);
                return Poll::Ready(Err(failure));
            }
        }
        if let Some(ticket) = self.ticket.take() {
            state.turns.leave(ticket);
        }
        Poll::Ready(Ok(id))
    }

    /// Waits for a slot: the time of the call counts from now.
    #[cold]
    fn queue(&mut self, client: &Client, state: &mut State, time: Time, cx: &Context<'_>) {
        let deadline = *self
            .deadline
            .get_or_insert_with(|| after(client.now(), time.left));
        self.ticket = Some(state.wait(self.ticket, deadline, cx.waker()));
    }
}

/// A call whose reply is waited for. Dropping it gives the call up, and tells the server.
pub(crate) struct Waiting {
    /// None once the reply was taken.
    client: Option<Arc<Client>>,
    id: u64,
    /// Of a call that failed: when its time would have been over.
    deadline: Option<Instant>,
}

impl Waiting {
    /// One that waits for nothing.
    pub(crate) const NOTHING: Self = Self {
        client: None,
        id: 0,
        deadline: None,
    };

    pub(super) fn new(client: Arc<Client>, id: u64) -> Self {
        Self {
            client: Some(client),
            id,
            deadline: None,
        }
    }

    /// Encodes a call at once, which this then waits for; where the connection is full, it is
    /// `queued`. (Both are places: what is given back is copied at each step.)
    #[inline]
    pub(crate) fn begin(
        &mut self,
        queued: &mut Option<Unsent>,
        client: Arc<Client>,
        call: Outbound<'_>,
        cx: &Context<'_>,
    ) -> Poll<Result<(), Failure>> {
        let mut turn = Turn::default();
        match turn.poll_start(&client, call, cx) {
            Poll::Ready(Ok(id)) => {
                self.client = Some(client);
                self.id = id;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(failure)) => Poll::Ready(Err(failure)),
            Poll::Pending => {
                *queued = Some(Unsent { client, turn });
                Poll::Pending
            }
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// When the time of the call would have been over, if it failed.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Leaves the call to whoever waits for its id.
    pub(super) fn into_id(mut self) -> u64 {
        self.client = None;
        self.id
    }

    pub(crate) fn poll_reply(&mut self, cx: &Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let mut ended = None;
        ready!(self.poll_ended(cx, &mut ended));
        Poll::Ready(match ended {
            Some(Outcome::Reply(reply)) => reply,
            _ => Err(Failure::closed(true)),
        })
    }

    /// Puts the reply into `ended` once it is there. (A place, because a reply that is given back is
    /// copied at each step.)
    #[inline]
    pub(crate) fn poll_ended(&mut self, cx: &Context<'_>, ended: &mut Option<Outcome>) -> Poll<()> {
        let Some(client) = &self.client else {
            return Poll::Pending;
        };
        let mut state = client.shared.lock();
        ready!(state.slots.poll(self.id, cx.waker(), ended));
        state.wake_waiting();
        if !matches!(ended, Some(Outcome::Reply(Ok(_)))) {
            self.deadline = state.slots.deadline(self.id);
            let failure = ended.take().map(|outcome| outcome.failure(&state));
            *ended = failure.map(|failure| Outcome::Reply(Err(failure)));
        }
        drop(state);
        self.client = None;
        Poll::Ready(())
    }
}

impl Outcome {
    /// Why there is no reply.
    #[cold]
    fn failure(self, state: &State) -> Failure {
        match self {
            Self::Reply(reply) => reply.err().unwrap_or_else(|| Failure::closed(true)),
            Self::TimedOut(after) => Failure::timeout(after, true),
            Self::Lost { sent } => match &state.closed {
                Some(why) => why.failure(sent),
                None => Failure::closed(sent),
            },
        }
    }
}

impl Drop for Waiting {
    #[inline]
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            client.cancel(self.id);
        }
    }
}
