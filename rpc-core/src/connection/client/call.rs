//! A call on its way through a connection: until it has a slot, and until its reply is there.

use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use super::slots::{Full, Outcome};
use super::{Client, State};
use crate::channel::Inbound;
use crate::channel::{Options, Outbound};
use crate::error::Failure;

/// A call that has no slot yet. Dropping it gives its turn to the next.
pub(crate) struct Unsent<'a> {
    pub(super) client: &'a Client,
    /// When it is given up. Counts from the first time it is asked for: one look at the clock.
    pub(super) deadline: Option<Instant>,
    /// Its place in the queue for a slot, if it has to wait.
    pub(super) ticket: Option<u64>,
}

impl<'a> Unsent<'a> {
    pub(crate) fn new(client: &'a Client) -> Self {
        Self {
            client,
            deadline: None,
            ticket: None,
        }
    }

    /// Encodes a call and keeps a slot for its reply, for which `cx` is woken; pending while the
    /// connection is full.
    pub(crate) fn poll_start(
        &mut self,
        call: Outbound<'_>,
        cx: &Context<'_>,
    ) -> Poll<Result<Waiting<'a>, Failure>> {
        let shared = &self.client.shared;
        let now = self.client.now();
        let Options {
            timeout, deadline, ..
        } = call.options;
        let deadline = self
            .deadline
            .unwrap_or_else(|| self.client.deadline(now, *timeout, *deadline));
        self.deadline = Some(deadline);
        let remaining = deadline.saturating_duration_since(now);
        let mut state = shared.lock();
        let id = ready!(self.poll_slot(&mut state, call, (now, deadline), Some(remaining), cx))?;
        drop(state);
        Poll::Ready(Ok(Waiting::new(self.client, id)))
    }

    /// Takes a slot for `call`, which is given up at `deadline`, and encodes it; `remaining` is the
    /// time that the server is told. Gives its id.
    #[inline]
    pub(super) fn poll_slot(
        &mut self,
        state: &mut State,
        call: Outbound<'_>,
        (now, deadline): (Instant, Instant),
        remaining: Option<Duration>,
        cx: &Context<'_>,
    ) -> Poll<Result<u64, Failure>> {
        let timeout = call.options.own_timeout(deadline);
        if let Some(closed) = &state.closed {
            return Poll::Ready(Err(closed.failure(false)));
        }
        if deadline <= now {
            return Poll::Ready(Err(Failure::timeout(timeout, false)));
        }
        let limit = state.calls;
        let id = match state.slots.open(limit, deadline, timeout, Some(cx.waker())) {
            Ok(id) => id,
            Err(Full) => {
                self.ticket = Some(state.wait(self.ticket, deadline, cx.waker()));
                return Poll::Pending;
            }
        };
        match self.client.shared.write(state, &call, Some(id), remaining) {
            Ok(size) => state.slots.sent(id, size),
            Err(failure) => {
                state.slots.close(id);
                return Poll::Ready(Err(failure));
            }
        }
        state.expect(now, deadline, &self.client.shared);
        if let Some(ticket) = self.ticket.take() {
            state.turns.leave(ticket);
        }
        Poll::Ready(Ok(id))
    }
}

impl Drop for Unsent<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.client.leave(ticket);
        }
    }
}

/// A call whose reply is waited for. Dropping it gives the call up, and tells the server.
pub(crate) struct Waiting<'a> {
    /// None once the reply was taken.
    client: Option<&'a Client>,
    id: u64,
}

impl<'a> Waiting<'a> {
    pub(super) fn new(client: &'a Client, id: u64) -> Self {
        Self {
            client: Some(client),
            id,
        }
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Leaves the call to whoever waits for its id.
    pub(super) fn into_id(mut self) -> u64 {
        self.client = None;
        self.id
    }

    pub(crate) fn poll_reply(&mut self, cx: &Context<'_>) -> Poll<Result<Inbound, Failure>> {
        let Some(client) = self.client else {
            return Poll::Pending;
        };
        let mut state = client.shared.lock();
        match state.slots.poll(self.id, cx.waker()) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(outcome) => {
                let reply = match outcome {
                    Outcome::Reply(reply) => reply,
                    Outcome::TimedOut(after) => Err(Failure::timeout(after, true)),
                    Outcome::Lost => {
                        let closed = state.closed.as_ref();
                        Err(closed.map_or_else(|| Failure::closed(true), |why| why.failure(true)))
                    }
                };
                state.wake_waiting();
                drop(state);
                self.client = None;
                Poll::Ready(reply)
            }
        }
    }
}

impl Drop for Waiting<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            client.cancel(self.id);
        }
    }
}
