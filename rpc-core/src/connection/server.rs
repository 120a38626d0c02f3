//! The server's side of one connection.
//!
//! Requests are answered where they are read: each complete one in the buffer is decoded, its
//! handler polled once, and a reply that is ready written into the outbox, so that a whole batch
//! costs one read and one write. A handler that has to wait moves to `pending`, and holds up
//! nobody.

mod native;

#[cfg(feature = "json")]
mod json;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Context;
use std::time::{Duration, Instant};

use super::assembly::Assembly;
use super::pending::Pending;
use super::watch::{Seen, Watch};
use super::{PeerMisbehaved, Received, Sending, Speech, Unsent};
use crate::context::{self, Id, Metadata, Peer};
use crate::fault::{Fault, code};
use crate::method::Method;
use crate::params::Arguments;
#[cfg(feature = "json")]
use crate::protocol::Incoming;
use crate::protocol::outbox::{ReplyId, Subscription};
use crate::router::{Router, Target};
use crate::service::{Registered, Reply, ReplyTo, Request, Running, Slot, Started, too_many};
use crate::trace;

/// So many requests are answered before what has gathered is sent: a peer that never stops
/// sending must not keep its replies waiting, nor other connections.
const BATCH: usize = 512;

/// After so many requests of a batch the clock is looked at again: a handler may have kept the thread.
const LOOK: usize = 8;

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

/// What does not depend on the protocol.
struct Core {
    router: Arc<Router>,
    peer: Arc<Peer>,
    slots: Vec<Box<dyn Slot>>,
    pending: Pending,
    /// How many calls of batches run, beyond one for each batch.
    members: Arc<AtomicUsize>,
    /// Requests that come in pieces.
    assembly: Assembly,
    /// Whether the client is still there, in native frames and as long as it can tell.
    watch: Option<Watch>,
    /// It is not.
    silent: bool,
    draining: bool,
    /// The number of the last call with streams.
    last_stream: u64,
    /// The context of the last call, while none is read.
    current: Option<context::Context>,
    /// How many calls and batches were begun.
    begun: u64,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
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
        let slots = router.slots();
        let pending = Pending::default();
        Ok(Self {
            core: Core {
                router,
                peer,
                slots,
                pending,
                members: Arc::default(),
                assembly: Assembly::default(),
                watch: (speech == Speech::Native).then(Watch::default),
                silent: false,
                draining: false,
                last_stream: 0,
                current: None,
                begun: 0,
            },
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
            finish(peer, reply_id.as_ref(), Err(Fault::too_late()))
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

impl Core {
    /// Starts what a protocol read, if it can be called.
    #[cfg(feature = "json")]
    fn start(&mut self, incoming: Incoming, now: Instant) {
        let Incoming {
            target,
            arguments,
            reply,
            window,
        } = incoming;
        let beside = Beside {
            metadata: self.peer.metadata.clone(),
            remaining: None,
            window,
        };
        match target {
            Ok(target) => self.call(target, arguments, reply, beside, Times::at(now)),
            Err(fault) => self.peer.outbox.refuse(reply.as_ref(), &fault),
        }
    }

    /// Starts a call; writes its reply if it is ready at once.
    #[inline(always)]
    fn call(
        &mut self,
        target: Target,
        arguments: Arguments,
        mut reply: Option<ReplyId>,
        beside: Beside,
        times: Times,
    ) {
        let Beside {
            metadata,
            remaining,
            window,
        } = beside;
        let admitted = self.router.method(target).filter(|_| self.admits());
        let (Some(method), Some(slot)) = (admitted, self.slots.get_mut(target.slot())) else {
            let fault = self.unavailable();
            return self.peer.outbox.refuse(reply.as_ref(), &fault);
        };
        self.begun += 1;
        // A longer time than the limit is cut to it; one that overflows the clock is no deadline.
        let deadline = remaining.and_then(|remaining| {
            let time = remaining.min(self.peer.limits.call_time_max);
            times.arrived.checked_add(time)
        });
        if deadline.is_some_and(|deadline| deadline <= times.now) {
            return self.peer.outbox.refuse(reply.as_ref(), &Fault::too_late());
        }
        let mut streams = None;
        if method.has_streams() {
            self.last_stream += 1;
            number(&mut reply, self.last_stream, method, window);
            let id = reply.as_ref();
            streams = id.and_then(|id| Registered::new(&self.peer, method, id));
        }
        let context = context::Context::new(Arc::clone(&self.peer), method, deadline, metadata)
            .with_id(Id::of(reply.as_ref()));
        context::replace_current(&context);
        let number = context.number();
        let reply_to = match &reply {
            Some(id) => ReplyTo::Connection(id.clone()),
            None => ReplyTo::Nobody,
        };
        let mut request = Some(Request::new(context, target.index(), arguments, reply_to));
        if let Some(streams) = streams {
            request = request.map(|request| request.with_streams(streams));
        }
        let waker = self.pending.waker();
        match slot.start(&mut request, &mut Context::from_waker(waker)) {
            Started::Done => self.peer.end_call(number),
            Started::Failed(fault) => {
                self.peer.end_call(number);
                self.peer.outbox.refuse(reply.as_ref(), &fault);
            }
            Started::Pending(running) => {
                let running = running.counted(self.router.calls().add());
                self.pending.insert(running, reply, deadline);
                if let Some(watch) = &mut self.watch {
                    watch.begin(times.now, &self.peer.limits);
                }
            }
        }
    }

    /// Runs a whole batch, which writes its own replies, and of which so many calls run at a time.
    #[cfg(feature = "json")]
    fn run(&mut self, calls: usize, batch: impl Future<Output = ()> + Send + 'static) {
        self.begun += 1;
        // The batch itself is counted where it waits.
        let members = Members::of(&self.members, calls.saturating_sub(1));
        let mut running = Running::silent(async move {
            let _members = members;
            batch.await;
        });
        let waker = self.pending.waker();
        if Pin::new(&mut running)
            .poll(&mut Context::from_waker(waker))
            .is_pending()
        {
            self.pending.insert(running, None, None);
        }
    }

    /// Looks whether the client is still there, if it is time.
    fn look(&mut self, now: Instant) {
        let waits = self.pending.len() > 0;
        let Some(watch) = &mut self.watch else { return };
        match watch.look(now, waits, &self.peer.limits) {
            Seen::Nothing => {}
            Seen::Silence => native::write_ping(&self.peer),
            Seen::Gone => self.silent = true,
        }
    }

    /// Looks at the clock again, if the transport lent one.
    fn look_at_clock(&self, times: &mut Times) {
        if let Some(clock) = self.peer.clock {
            times.now = (clock.now)();
        }
    }

    /// True if there is room for another call.
    #[inline]
    fn admits(&self) -> bool {
        let limits = &self.peer.limits;
        !self.draining
            && self.in_flight() < limits.calls_per_connection
            && self.router.calls().len() < limits.calls
    }

    /// How many calls are being answered here.
    #[inline]
    fn in_flight(&self) -> usize {
        self.pending.len() + self.members.load(Ordering::Relaxed)
    }

    /// Why a call is not taken.
    #[cold]
    fn unavailable(&self) -> Fault {
        let limit = self.peer.limits.calls_per_connection;
        if self.draining {
            Fault::shutting_down()
        } else if self.in_flight() >= limit {
            Fault::overloaded(&format!(
                "{limit} calls are in flight (`Limits::calls_per_connection`)"
            ))
        } else if self.router.calls().len() >= self.peer.limits.calls {
            too_many(self.peer.limits.calls)
        } else {
            Fault::new(code::METHOD_NOT_FOUND, "there is no such method")
        }
    }
}

/// What time it is for a call.
#[derive(Clone, Copy)]
struct Times {
    /// When its last byte was read: from then its caller's time counts, however long it waits for others.
    arrived: Instant,
    /// When the clock was looked at last.
    now: Instant,
}

impl Times {
    /// Of a call that waits for nobody.
    #[cfg(feature = "json")]
    fn at(now: Instant) -> Self {
        Self { arrived: now, now }
    }
}

/// Calls of a batch, which count until this is dropped.
#[cfg(feature = "json")]
struct Members {
    counted: Arc<AtomicUsize>,
    number: usize,
}

#[cfg(feature = "json")]
impl Members {
    fn of(counted: &Arc<AtomicUsize>, number: usize) -> Self {
        counted.fetch_add(number, Ordering::Relaxed);
        Self {
            counted: Arc::clone(counted),
            number,
        }
    }
}

#[cfg(feature = "json")]
impl Drop for Members {
    fn drop(&mut self) {
        self.counted.fetch_sub(self.number, Ordering::Relaxed);
    }
}

/// What came with a call beside its parameters.
struct Beside {
    metadata: Metadata,
    /// How long its caller waits.
    remaining: Option<Duration>,
    /// How many bytes of items its caller takes at first.
    window: Option<usize>,
}

/// Has a JSON-RPC call of `method`, which has streams, known by `number`.
fn number(reply: &mut Option<ReplyId>, number: u64, method: &Method, window: Option<usize>) {
    if let Some(ReplyId::Json { raw, version_1 }) = reply {
        let raw = std::mem::take(raw);
        let subscription = Subscription::new(raw, *version_1, number, method.name, window);
        *reply = Some(ReplyId::Subscription(Arc::new(subscription)));
    }
}

/// Writes the fault of a call that has one; its result was written by [`Request::reply`].
fn finish(peer: &Peer, reply: Option<&ReplyId>, outcome: Reply) {
    if let Err(fault) = outcome {
        peer.outbox.refuse(reply, &fault);
    }
}
