//! The server's side of one connection.
//!
//! Requests are answered where they are read: each complete one in the buffer is decoded, its
//! handler polled once, and a reply that is ready written into the outbox, so that a whole batch
//! costs one read and one write. A handler that has to wait moves to `pending`, and holds up
//! nobody.

mod calls;
mod native;

#[cfg(feature = "json")]
mod json;

use std::sync::Arc;
use std::task::Context;
use std::time::Instant;

use super::watch::Watch;
use super::{PeerMisbehaved, Received, Sending, Speech, Unsent};
use crate::context::{self, Peer};
use crate::fault::{Fault, code};
use crate::router::Router;
use crate::trace;
use calls::{Core, Times, finish};

/// So many requests are answered before what has gathered is sent: a peer that never stops
/// sending must not keep its replies waiting, nor other connections.
const BATCH: usize = 512;

/// The server's side of one connection.
///
/// Call [`receive`](Self::receive) when bytes came, [`poll`](Self::poll) when the task was woken,
/// [`handle_timeout`](Self::handle_timeout) at [`poll_timeout`](Self::poll_timeout); after each of
/// them send what [`transmit`](Self::transmit) gives.
///
/// ```
/// # use std::{sync::Arc, time::Instant};
/// use farcall_core::connection::{Received, Sending, Speech, server::Server};
/// use farcall_core::{context::Peer, encoding::Encoding, limits::Limits, router::Router};
///
/// let router = Router::builder().build().unwrap();
/// let peer = Peer::new("mem", Encoding::Json, None, Limits::default());
/// let mut server = Server::new(router, Arc::new(peer), Speech::JsonRpc)?;
/// let mut received = Received::default();
/// received.room().extend_from_slice(b"[]");
/// server.receive(&mut received, Instant::now())?;
/// let (mut sending, mut reply) = (Sending::default(), Vec::new());
/// server.transmit(&mut sending);
/// sending.drain_into(&mut reply);
/// assert!(reply.starts_with(b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32600"));
/// # Ok::<(), farcall_core::connection::PeerMisbehaved>(())
/// ```
#[derive(Debug)]
pub struct Server {
    core: Core,
    speech: State,
}

#[derive(Debug)]
enum State {
    Native(native::Native),
    #[cfg(feature = "json")]
    JsonRpc(json::Json),
}

impl Server {
    /// The server's side of a conversation with `peer` in `speech`, answered by `router`.
    ///
    /// # Errors
    /// If this build does not know that speech.
    pub fn new(
        router: Arc<Router>,
        peer: Arc<Peer>,
        speech: Speech,
    ) -> Result<Self, PeerMisbehaved> {
        let state = match speech {
            Speech::Native => State::Native(native::Native::default()),
            #[cfg(feature = "json")]
            Speech::JsonRpc => State::JsonRpc(json::Json::new(peer.limits.message_bytes)),
            #[cfg(not(feature = "json"))]
            Speech::JsonRpc => {
                return Err(PeerMisbehaved::new("JSON-RPC is not in this build"));
            }
        };
        Ok(Self {
            core: Core::new(router, peer, speech),
            speech: state,
        })
    }

    /// The same conversation over a transport that has messages: of JSON-RPC, each text is one, and
    /// the transport puts [`MESSAGE_END`](crate::connection::MESSAGE_END) behind it.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn in_messages(mut self) -> Self {
        if let State::JsonRpc(json) = &mut self.speech {
            *json = json::Json::of_messages(self.core.peer.limits.message_bytes);
        }
        self
    }

    /// Answers the complete messages in `received`, up to a batch; true if there may be more.
    ///
    /// # Errors
    /// If the connection must end. What was written until then is still to be sent.
    pub fn receive(
        &mut self,
        received: &mut Received,
        now: Instant,
    ) -> Result<bool, PeerMisbehaved> {
        if let Some(watch) = &mut self.core.watch {
            watch.heard();
        }
        let times = Times {
            arrived: received.arrived(now),
            now,
        };
        // Entered once for all of the batch: each call puts its own in the place of the last one's.
        let mut current = self.core.current.take();
        let inside = context::enter(&mut current);
        let outcome = match &mut self.speech {
            State::Native(native) => native.receive(&mut self.core, received, times),
            #[cfg(feature = "json")]
            State::JsonRpc(json) => json.receive(&mut self.core, received, now),
        };
        drop(inside);
        if let Some(current) = &mut current {
            current.let_go();
        }
        self.core.current = current;
        trace::ended(&self.core.peer, &outcome);
        outcome
    }

    /// No more bytes will come. (The peer may have closed its half only: what it asked is still
    /// answered.)
    pub fn receive_end(&mut self, received: &mut Received) {
        self.core.peer.streams.cut();
        match &mut self.speech {
            // It may wait for its answers still, and cannot say so.
            State::Native(_) => self.core.watch = None,
            #[cfg(feature = "json")]
            State::JsonRpc(json) => json.receive_end(&self.core, received),
        }
    }

    /// A message was begun, and no more of it came for as long as the limit allows: as
    /// [`receive_end`](Self::receive_end), and the peer is told so.
    pub fn receive_stalled(&mut self, received: &mut Received) {
        let time = self.core.peer.limits.body_time;
        let fault = Fault::new(
            code::TIMEOUT,
            format!("no more of the message came for {time:?} (`Limits::body_time`)"),
        );
        match &self.speech {
            State::Native(_) => native::refuse_begun(&self.core, received, &fault),
            #[cfg(feature = "json")]
            State::JsonRpc(_) => json::refuse_begun(&self.core, &fault),
        }
        received.skip(usize::MAX);
        self.receive_end(received);
    }

    /// Goes on with the handlers that were woken. `cx` is woken when another one is.
    pub fn poll(&mut self, cx: &Context<'_>) {
        let Core { pending, peer, .. } = &mut self.core;
        peer.outbox.register(cx.waker());
        pending.poll(cx, |reply_id, reply| finish(peer, reply_id.as_ref(), reply));
        peer.members.beside(pending.len());
        if let Some(failed) = self.core.peer.streams.take_failed() {
            for (id, fault) in failed {
                self.core.fail(id, &fault);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let Core { pending, watch, .. } = &self.core;
        let next = [
            pending.next_deadline(),
            self.core.next_piece_due(),
            watch.as_ref().and_then(Watch::next),
        ];
        next.into_iter().flatten().min()
    }

    /// Ends the calls whose time is over at `now`.
    pub fn handle_timeout(&mut self, now: Instant) {
        let Core { pending, peer, .. } = &mut self.core;
        pending.expire(now, |reply_id| {
            let fault = Fault::too_late(peer.limits.call_time_max);
            finish(peer, reply_id.as_ref(), Err(fault))
        });
        self.core.refuse_unfinished(now);
        self.core.look(now);
    }

    /// True if the client did not even answer a ping: the connection is to end.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.core.silent
    }

    /// Fills `sending`, which must be empty, with what is to be sent next.
    pub fn transmit(&mut self, sending: &mut Sending) {
        self.core.peer.outbox.lock().transmit(sending);
    }

    /// What waits for [`transmit`](Self::transmit).
    #[must_use]
    pub fn unsent(&self) -> Unsent {
        self.core.peer.outbox.lock().unsent()
    }

    /// True if no call is being answered.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.core.pending.len() == 0
    }

    /// How many calls are being answered.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.core.in_flight()
    }

    /// How many calls and batches were begun here so far.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.core.begun
    }

    /// Tells the peer that no further calls are taken: new ones are answered `unavailable`.
    pub fn drain(&mut self) {
        if !std::mem::replace(&mut self.core.draining, true)
            && let State::Native(native) = &self.speech
            && native.is_greeted()
        {
            native::write_going_away(&self.core.peer);
        }
    }

    /// The peer has said goodbye: nobody waits for its calls, and they are dropped. Notifications go
    /// on.
    pub fn hang_up(&mut self) {
        self.core.pending.drop_answered();
    }

    /// Ends the calls that are still being answered.
    pub fn abort(&mut self) {
        let Core { pending, peer, .. } = &mut self.core;
        pending.abort(|reply_id| finish(peer, reply_id.as_ref(), Err(Fault::aborted())));
    }

    /// Tells the peer, behind all answers, that what is not answered by now was not run. Nothing may be
    /// received after this.
    pub fn say_last_word(&mut self) {
        match &self.speech {
            // Before the hello nothing can have been asked.
            State::Native(native) if !native.is_greeted() => {}
            State::Native(_) => native::write_last_word(&self.core.peer),
            #[cfg(feature = "json")]
            State::JsonRpc(_) => json::write_last_word(&self.core.peer),
        }
    }
}
