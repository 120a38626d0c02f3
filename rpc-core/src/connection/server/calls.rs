//! What a server's connection does whatever protocol it speaks: starts calls, and counts them.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Context;
use std::time::{Duration, Instant};

use super::native;
use crate::connection::Speech;
use crate::connection::assembly::Assembly;
use crate::connection::pending::Pending;
use crate::connection::watch::{Seen, Watch};
use crate::context::{self, Id, Metadata, Peer};
use crate::fault::{Fault, code};
use crate::method::Method;
use crate::params::Arguments;
#[cfg(feature = "json")]
use crate::protocol::Incoming;
use crate::protocol::outbox::{ReplyId, Subscription};
use crate::router::{Router, Target};
use crate::service::{Registered, Reply, ReplyTo, Request, Running, Slot, Started, too_many};

/// What does not depend on the protocol.
pub(super) struct Core {
    pub(super) router: Arc<Router>,
    pub(super) peer: Arc<Peer>,
    pub(super) slots: Vec<Box<dyn Slot>>,
    pub(super) pending: Pending,
    /// Requests that come in pieces.
    pub(super) assembly: Assembly,
    /// Whether the client is still there, in native frames and as long as it can tell.
    pub(super) watch: Option<Watch>,
    /// It is not.
    pub(super) silent: bool,
    pub(super) draining: bool,
    /// The number of the last call with streams.
    pub(super) last_stream: u64,
    /// The context of the last call, while none is read.
    pub(super) current: Option<context::Context>,
    /// How many calls and batches were begun.
    pub(super) begun: u64,
    /// Of the next calls.
    pub(super) numbers: Range<u64>,
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core")
            .field("peer", &self.peer)
            .finish_non_exhaustive()
    }
}

impl Core {
    pub(super) fn new(router: Arc<Router>, peer: Arc<Peer>, speech: Speech) -> Self {
        let slots = router.slots();
        Self {
            router,
            peer,
            slots,
            pending: Pending::default(),
            assembly: Assembly::default(),
            watch: (speech == Speech::Native).then(Watch::default),
            silent: false,
            draining: false,
            last_stream: 0,
            current: None,
            begun: 0,
            numbers: 0..0,
        }
    }

    /// Starts what a protocol read, if it can be called.
    #[cfg(feature = "json")]
    pub(super) fn start(&mut self, incoming: Incoming, now: Instant) {
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
    pub(super) fn call(
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
            let fault = Fault::too_late(self.peer.limits.call_time_max);
            return self.peer.outbox.refuse(reply.as_ref(), &fault);
        }
        let mut streams = None;
        if method.has_streams() {
            self.last_stream += 1;
            number(&mut reply, self.last_stream, method, window);
            let id = reply.as_ref();
            streams = id.and_then(|id| Registered::new(&self.peer, method, id));
        }
        let number = self.numbers.next().unwrap_or_else(|| {
            self.numbers = self.peer.next_numbers();
            self.numbers.next().unwrap_or_default()
        });
        let peer = Arc::clone(&self.peer);
        let id = Id::of(reply.as_ref());
        let context = context::Context::numbered(peer, method, deadline, metadata, id, number);
        context::replace_current(&context);
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
                self.peer.members.beside(self.pending.len());
                if let Some(watch) = &mut self.watch {
                    watch.begin(times.now, &self.peer.limits);
                }
            }
        }
    }

    /// Runs a whole batch, which writes its own replies.
    #[cfg(feature = "json")]
    pub(super) fn run(&mut self, batch: impl Future<Output = ()> + Send + 'static) {
        self.begun += 1;
        // The batch itself is counted where it waits.
        self.peer.members.beside(self.pending.len());
        let mut running = Running::silent(batch);
        let waker = self.pending.waker();
        if Pin::new(&mut running)
            .poll(&mut Context::from_waker(waker))
            .is_pending()
        {
            self.pending.insert(running, None, None);
        }
    }

    /// Looks whether the client is still there, if it is time.
    pub(super) fn look(&mut self, now: Instant) {
        let waits = self.pending.len() > 0;
        let Some(watch) = &mut self.watch else { return };
        match watch.look(now, waits, &self.peer.limits) {
            Seen::Nothing => {}
            Seen::Silence => native::write_ping(&self.peer),
            Seen::Gone => self.silent = true,
        }
    }

    /// Looks at the clock again, if the transport lent one.
    pub(super) fn look_at_clock(&self, times: &mut Times) {
        if let Some(clock) = self.peer.clock {
            times.now = (clock.now)();
        }
    }

    /// True if there is room for another call.
    #[inline]
    pub(super) fn admits(&self) -> bool {
        let limits = &self.peer.limits;
        !self.draining
            && self.in_flight() < limits.calls_per_connection
            && self.router.calls().len() < limits.calls
    }

    /// How many calls are being answered here.
    #[inline]
    pub(super) fn in_flight(&self) -> usize {
        self.pending.len() + self.peer.members.len()
    }

    /// Why a call is not taken.
    #[cold]
    pub(super) fn unavailable(&self) -> Fault {
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
pub(super) struct Times {
    /// When its last byte was read: from then its caller's time counts, however long it waits for others.
    pub(super) arrived: Instant,
    /// When the clock was looked at last.
    pub(super) now: Instant,
}

impl Times {
    /// Of a call that waits for nobody.
    #[cfg(feature = "json")]
    fn at(now: Instant) -> Self {
        Self { arrived: now, now }
    }
}

/// What came with a call beside its parameters.
pub(super) struct Beside {
    pub(super) metadata: Metadata,
    /// How long its caller waits.
    pub(super) remaining: Option<Duration>,
    /// How many bytes of items its caller takes at first.
    pub(super) window: Option<usize>,
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
pub(super) fn finish(peer: &Peer, reply: Option<&ReplyId>, outcome: Reply) {
    if let Err(fault) = outcome {
        peer.outbox.refuse(reply, &fault);
    }
}
