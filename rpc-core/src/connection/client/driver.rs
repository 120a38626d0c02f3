//! The end of a client's connection that moves the bytes.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::slots::Outcome;
use super::streams::Uploading;
use super::{Closed, Shared, State};
use crate::channel::Inbound;
use crate::connection::watch::Seen;
use crate::connection::{PeerMisbehaved, Received, Sending, Speech};
use crate::error::Failure;
use crate::fault::shown;
use crate::limits::Limits;
use crate::protocol::native::{Kind, write_empty};
use crate::sync::atomic::Ordering;

/// So many replies are handed out before the callers they wake get to run.
const BATCH: usize = 512;

/// The end of a client's connection that a transport drives.
///
/// Call [`receive`](Self::receive) when bytes came and [`handle_timeout`](Self::handle_timeout) at
/// [`poll_timeout`](Self::poll_timeout); send what [`transmit`](Self::transmit) gives. The waker
/// given to [`register`](Self::register) is woken when there is something to do.
///
/// ```
/// use farcall_core::{connection::{Speech, client::Client}, encoding::Encoding, limits::Limits};
///
/// let now = std::time::Instant::now;
/// let (client, driver) = Client::new(Speech::JsonRpc, Encoding::Json, Limits::default(), now);
/// assert!(!driver.is_done());
/// drop(client);
/// assert!(driver.is_done(), "nobody is left to serve");
/// ```
pub struct Driver {
    pub(super) shared: Arc<Shared>,
    greeted: bool,
    /// Up to where of all that was written may have left, as far as the transport said so.
    left_until: Option<u64>,
    #[cfg(feature = "json")]
    pub(super) splitter: crate::protocol::jsonrpc::Splitter,
    /// What callers send as streams.
    uploads: FuturesUnordered<Uploading>,
    /// Whom to wake after the lock is let go; kept for its room.
    pub(super) wakers: Vec<Waker>,
}

impl std::fmt::Debug for Driver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Driver({:?})", self.shared.speech)
    }
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            greeted: shared.speech == Speech::JsonRpc,
            left_until: None,
            #[cfg(feature = "json")]
            splitter: crate::protocol::jsonrpc::Splitter::new(shared.limits.message_bytes),
            shared,
            uploads: FuturesUnordered::new(),
            wakers: Vec::new(),
        }
    }

    /// The same conversation over a transport that has messages: of JSON-RPC, each text is one, and
    /// the transport puts [`MESSAGE_END`](crate::connection::MESSAGE_END) behind it.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn in_messages(mut self) -> Self {
        let limit = self.shared.limits.message_bytes;
        self.splitter = crate::protocol::jsonrpc::Splitter::of_messages(limit);
        self
    }

    /// Has `waker` woken when there is something to send, a timer to set, or nobody left to serve.
    pub fn register(&self, waker: &Waker) {
        let mut state = self.shared.lock();
        match &mut state.driver {
            Some(known) => known.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
    }

    /// True if all that remains is to close: nobody holds the client, and all was sent.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.shared.released.load(Ordering::Acquire) && self.shared.lock().out.len() == 0
    }

    /// How many bytes are to be sent, and how many calls are in flight.
    #[must_use]
    pub fn unsent(&self) -> (usize, usize) {
        let state = self.shared.lock();
        (state.out.len(), state.slots.len())
    }

    /// Fills `sending`, which must be empty, with what is to be sent next.
    pub fn transmit(&mut self, sending: &mut Sending) {
        let mut state = self.shared.lock();
        // At the latest when they are sent: the server's time begins soon after.
        state.begin(self.shared.now, &self.shared);
        state.out.transmit(sending);
        let sends = !sending.is_empty();
        self.shared.sending.store(sends, Ordering::Release);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called. Calls that were made since
    /// this was last asked count their time from now.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let mut state = self.shared.lock();
        state.begin(self.shared.now, &self.shared);
        state.alarm
    }

    /// Ends the calls whose time is over, and tells the server to stop working on them.
    pub fn handle_timeout(&mut self, now: Instant) {
        let mut state = self.shared.lock();
        state.begin(|| now, &self.shared);
        let wakers = &mut self.wakers;
        let mut late = Vec::new();
        let next_call = state.slots.expire(now, |id, waker| {
            late.push(id);
            wakers.extend(waker);
        });
        for id in late.drain(..) {
            state.give_up(id);
        }
        let next_stream = state.streams.expire(now, &mut late);
        for id in late {
            state.give_up(id);
        }
        let next_turn = state.turns.expire(now, |waker| wakers.push(waker));
        let waits = next_call.is_some() || !state.streams.is_empty();
        match state.watch.look(now, waits, &self.shared.limits) {
            Seen::Nothing => {}
            Seen::Silence => write_empty(&mut state.out.whole, Kind::Ping, 0),
            Seen::Gone => {
                let Limits {
                    silence_time,
                    pong_time,
                    ..
                } = self.shared.limits;
                state.closed = Some(Closed::Silent(silence_time, pong_time));
            }
        }
        let next = [next_call, next_stream, next_turn, state.watch.next()];
        state.alarm = next.into_iter().flatten().min();
        drop(state);
        self.wake();
    }

    /// True if the server did not even answer a ping: there is nothing more to be had from the
    /// connection, and [`close`](Self::close) is to be called.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        matches!(self.shared.lock().closed, Some(Closed::Silent(..)))
    }

    /// Hands out the complete replies in `received`, up to a batch; true if there may be more.
    ///
    /// # Errors
    /// If the connection must end; [`close`](Self::close) is to be called then too.
    pub fn receive(&mut self, received: &mut Received) -> Result<bool, PeerMisbehaved> {
        if !self.greeted {
            self.greeted = self.greet(received)?;
            if !self.greeted {
                return Ok(false);
            }
        }
        let shared = Arc::clone(&self.shared);
        let mut state = shared.lock();
        state.watch.heard();
        let mut more = true;
        let mut outcome = Ok(());
        for _ in 0..BATCH {
            let next = match shared.speech {
                Speech::Native => self.frame(&mut state, received),
                Speech::JsonRpc => self.text(&mut state, received),
            };
            match next {
                Ok(true) => {}
                Ok(false) => {
                    more = false;
                    break;
                }
                Err(misbehaved) => {
                    outcome = Err(misbehaved);
                    break;
                }
            }
        }
        drop(state);
        self.wake();
        outcome.map(|()| more)
    }

    /// The server refused the connection in these `words`, which came outside of the protocol.
    pub fn refuse(&mut self, words: &str) {
        let mut state = self.shared.lock();
        state
            .closed
            .get_or_insert_with(|| Closed::Refused(shown(words)));
    }

    /// Nothing more can be sent, not what is left of `sending` either: calls whose messages had not
    /// begun to leave will be known not to have run.
    pub fn stop_sending(&mut self, sending: &Sending) {
        self.left_until = Some(self.shared.lock().out.left_until(sending));
    }

    /// The connection ended: in the middle of things if there was an `error`.
    pub fn close(&mut self, error: Option<&PeerMisbehaved>) {
        let mut state = self.shared.lock();
        match (&state.closed, error) {
            (
                Some(Closed::Refused(_) | Closed::Broken(_) | Closed::Silent(..) | Closed::Over),
                _,
            ) => {}
            (_, Some(error)) => state.closed = Some(Closed::Broken(error.to_string())),
            (_, None) => state.closed = Some(Closed::Ended),
        }
        let wakers = &mut self.wakers;
        // What the transport has taken, it may have sent.
        let all_taken = || state.out.left_until(&Sending::default());
        let left_until = self.left_until.unwrap_or_else(all_taken);
        state
            .slots
            .lose_all(left_until, |waker| wakers.extend(waker));
        wakers.extend(state.waits_for_hello.take());
        state.direct = None;
        let State {
            streams, closed, ..
        } = &mut *state;
        streams.lose_all(|| match &*closed {
            Some(closed) => closed.failure(true),
            None => Failure::closed(true),
        });
        wakers.extend(state.turns.dismiss());
        drop(state);
        self.wake();
    }

    fn wake(&mut self) {
        for waker in self.wakers.drain(..) {
            waker.wake();
        }
    }

    /// Goes on with what callers send as streams. `cx` is woken when there is more to do.
    pub fn poll_uploads(&mut self, cx: &mut Context<'_>) {
        if self.shared.uploads.swap(false, Ordering::Acquire) {
            let new = self.shared.lock().streams.take_uploads();
            self.uploads.extend(new);
        }
        if self.uploads.is_empty() {
            return;
        }
        while let Poll::Ready(Some(())) = self.uploads.poll_next_unpin(cx) {}
    }

    /// Ends a call.
    #[inline]
    pub(super) fn complete(&mut self, state: &mut State, id: u64, reply: Result<Inbound, Failure>) {
        if let Some(waker) = state.slots.complete(id, Outcome::Reply(reply)) {
            self.wakers.push(waker);
        }
    }

    #[cfg(not(feature = "json"))]
    fn text(&mut self, _: &mut State, _: &mut Received) -> Result<bool, PeerMisbehaved> {
        Err(PeerMisbehaved::new("JSON-RPC is not in this build"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close(None);
    }
}
