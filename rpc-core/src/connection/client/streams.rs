//! Calls with streams: what belongs to them beside a slot.
//!
//! A call that gives a stream has a slot until it is opened, and an entry here until the stream is
//! over or dropped; one that takes a stream has an entry for as long as its reply is waited for.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};

use super::slots::Outcome;
use super::{Client, Shared, State, Unsent, Waiting};
use crate::channel::{Inbound, Outbound};
use crate::connection::Speech;
#[cfg(not(feature = "json"))]
use crate::error::EncodeError;
use crate::error::Failure;
#[cfg(feature = "json")]
use crate::protocol::jsonrpc;
use crate::protocol::native;
use crate::protocol::tail::Tail;
use crate::stream::{Flow, Link, TURN, Terms, Upload};
use crate::sync::atomic::Ordering;

/// The calls of one connection that have streams.
#[derive(Debug, Default)]
pub(super) struct Streams {
    entries: HashMap<u64, Entry>,
    /// In JSON-RPC, the call of each stream that is open, by what the server calls it.
    subscriptions: HashMap<Box<[u8]>, u64>,
    /// What callers send, until the driver takes it.
    uploads: Vec<Uploading>,
}

/// The streams of one call.
#[derive(Debug)]
pub(super) struct Entry {
    flow: Arc<Flow>,
    /// What a JSON-RPC server calls its stream, once that is open.
    subscription: Option<Box<[u8]>>,
    /// It gives a stream.
    gives: bool,
    /// When the stream ends, if its caller said so, and after how long.
    deadline: Option<(Instant, Option<Duration>)>,
}

impl Entry {
    pub(super) fn subscription(&self) -> Option<&[u8]> {
        self.subscription.as_deref()
    }
}

impl Streams {
    /// True if no call has streams.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    #[inline]
    pub(super) fn flow(&self, id: u64) -> Option<&Arc<Flow>> {
        self.entries.get(&id).map(|entry| &entry.flow)
    }

    /// True if the call `id` is to be answered with a stream.
    #[inline]
    pub(super) fn gives(&self, id: u64) -> bool {
        self.entries.get(&id).is_some_and(|entry| entry.gives)
    }

    /// The call `id` is over; its caller gets nothing more but what came.
    #[inline]
    pub(super) fn remove(&mut self, id: u64) -> Option<Entry> {
        // Most calls have none, and an empty map looks up nothing.
        if self.is_empty() {
            return None;
        }
        let entry = self.entries.remove(&id)?;
        entry.flow.close();
        if let Some(subscription) = &entry.subscription
            && self.subscriptions.get(subscription) == Some(&id)
        {
            self.subscriptions.remove(subscription);
        }
        Some(entry)
    }

    /// The stream of the call `id` is open, and the server calls it `subscription`. What it is
    /// called first counts.
    #[cfg(feature = "json")]
    pub(super) fn opened(&mut self, id: u64, subscription: &[u8]) {
        if let Some(entry) = self.entries.get_mut(&id)
            && entry.subscription.is_none()
        {
            entry.subscription = Some(subscription.into());
            self.subscriptions.insert(subscription.into(), id);
        }
    }

    /// The call whose stream the server calls so.
    #[cfg(feature = "json")]
    pub(super) fn of_subscription(&self, subscription: &[u8]) -> Option<u64> {
        self.subscriptions.get(subscription).copied()
    }

    /// Ends the streams whose time is over, telling their ids, but does not remove them; gives the
    /// first deadline of the others.
    pub(super) fn expire(&self, now: Instant, late: &mut Vec<u64>) -> Option<Instant> {
        let mut next = None;
        for (&id, entry) in &self.entries {
            match entry.deadline {
                Some((deadline, after)) if deadline <= now => {
                    entry.flow.end(Err(Failure::timeout(after, true)));
                    late.push(id);
                }
                Some((deadline, _)) => next = next.into_iter().chain([deadline]).min(),
                None => {}
            }
        }
        next
    }

    /// The connection ended.
    pub(super) fn lose_all(&mut self, failure: impl Fn() -> Failure) {
        for (_, entry) in self.entries.drain() {
            entry.flow.close();
            entry.flow.end(Err(failure()));
        }
        self.subscriptions.clear();
        self.uploads.clear();
    }

    /// What callers began to send since the last time.
    pub(super) fn take_uploads(&mut self) -> Vec<Uploading> {
        std::mem::take(&mut self.uploads)
    }
}

impl Link for Shared {
    fn grant(&self, id: u64, bytes: usize) {
        let mut state = self.lock();
        let State {
            streams,
            out,
            closed: None,
            ..
        } = &mut *state
        else {
            return;
        };
        let Some(entry) = streams.entries.get(&id) else {
            return;
        };
        match (self.speech, entry.subscription()) {
            (Speech::Native, _) => native::write_credit(&mut out.whole, id, bytes),
            #[cfg(feature = "json")]
            (Speech::JsonRpc, Some(subscription)) => {
                jsonrpc::write_credit(&mut out.whole, subscription, bytes);
                state.told = true;
            }
            (Speech::JsonRpc, _) => {}
        }
        state.wake_driver();
    }
}

impl Unsent {
    /// Starts a call that gives a stream or takes `upload`; pending while the connection is full.
    pub(crate) fn poll_open(
        &mut self,
        call: Outbound<'_>,
        upload: &mut Option<Box<dyn Upload>>,
        cx: &Context<'_>,
    ) -> Poll<Result<(Waiting, Arc<Flow>), Failure>> {
        let (client, turn) = self.parts();
        let shared = &client.shared;
        let options = call.options;
        let gives = call.method.gives_stream;
        // A stream lasts as long as it lasts, unless its caller says how long; opening it does not.
        let patience = match gives {
            true => options.timeout,
            false => options.timeout.or(Some(Duration::MAX)),
        };
        let now = client.now();
        let time = turn.time_left(client, now, options, patience);
        // When the stream ends, not just the opening of it.
        let end = match options.timeout {
            Some(_) => turn.deadline,
            None => options.deadline,
        };
        let remaining = end.map(|end| end.saturating_duration_since(now));
        let mut state = shared.lock();
        let id = ready!(turn.poll_slot(client, &mut state, call, time, remaining, cx))?;
        // Opening it and the stream itself end at one and the same time.
        state.begin(|| now, shared);
        let link = Arc::clone(shared);
        let terms = match shared.speech {
            Speech::Native => Terms::NATIVE,
            Speech::JsonRpc => Terms::JSON,
        };
        let flow = Arc::new(Flow::new(id, shared.limits.stream_bytes, terms, link));
        // In JSON-RPC the request says it all.
        if gives && flow.first_grant() > 0 && shared.speech == Speech::Native {
            native::write_credit(&mut state.out.whole, id, flow.first_grant());
        }
        let entry = Entry {
            flow: Arc::clone(&flow),
            subscription: None,
            gives,
            deadline: end.map(|end| (end, time.asked)),
        };
        state.streams.entries.insert(id, entry);
        if let Some(items) = upload.take() {
            state.streams.uploads.push(Uploading {
                id,
                flow: Arc::clone(&flow),
                items,
                shared: Arc::clone(shared),
                method: call.method.name,
            });
            shared.uploads.store(true, Ordering::Release);
        }
        state.wake_driver();
        drop(state);
        Poll::Ready(Ok((Waiting::new(Arc::clone(client), id), flow)))
    }
}

/// A stream that is open. Dropping it ends it, and tells the server.
pub(crate) struct Open {
    client: Arc<Client>,
    id: u64,
    flow: Arc<Flow>,
}

impl Open {
    pub(crate) fn new(client: Arc<Client>, id: u64, flow: Arc<Flow>) -> Self {
        Self { client, id, flow }
    }

    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Result<Inbound, Failure>>> {
        self.flow.poll_next(cx)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut state = self.client.shared.lock();
        if state.streams.flow(self.id).is_some() {
            state.abandon(self.id);
        }
    }
}

/// A caller's stream on its way: sends each item as it comes up and is granted.
pub(super) struct Uploading {
    id: u64,
    flow: Arc<Flow>,
    items: Box<dyn Upload>,
    shared: Arc<Shared>,
    method: &'static str,
}

impl std::fmt::Debug for Uploading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Uploading({})", self.id)
    }
}

impl Future for Uploading {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        for _ in 0..TURN {
            if !ready!(self.flow.poll_credit(cx)) {
                return Poll::Ready(());
            }
            if !self.shared.lock().out.has_room(cx) {
                return Poll::Pending;
            }
            let items = &mut self.items;
            let next = catch_unwind(AssertUnwindSafe(|| items.poll_item(cx)));
            let Ok(next) = next else {
                self.fail(Failure::unsupported("the stream that was sent panicked"));
                return Poll::Ready(());
            };
            let is_item = ready!(next);
            let sent = if is_item { self.send() } else { self.finish() };
            if sent.map_err(|failure| self.fail(failure)).is_err() || !is_item {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Uploading {
    fn send(&mut self) -> Result<(), Failure> {
        let Self {
            id,
            items,
            shared,
            method,
            ..
        } = self;
        let mut state = shared.lock();
        let state = &mut *state;
        let start = state.out.whole.len();
        let message = Tail::begin(&mut state.out.whole);
        let encode = |out: &mut Vec<u8>| items.encode(shared.encoding, out);
        let encoded = match shared.speech {
            Speech::Native => {
                let written = native::write_item(message.out, *id, encode);
                written.map(|()| message.len() - native::HEADER)
            }
            #[cfg(feature = "json")]
            Speech::JsonRpc => {
                state.told = true;
                jsonrpc::write_item(message.out, *id, encode)
            }
            #[cfg(not(feature = "json"))]
            Speech::JsonRpc => Err(EncodeError::new("JSON-RPC is not in this build")),
        };
        let length = encoded.map_err(|error| Failure::encode(method, error))?;
        let size = message.len();
        if size > shared.most(state.message_bytes) {
            return Err(Failure::too_large(size, state.message_bytes));
        }
        message.keep();
        self.flow.spend(length);
        state.out.settle(start, *id, None);
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Failure> {
        let mut state = self.shared.lock();
        let start = state.out.whole.len();
        let out = &mut state.out.whole;
        match self.shared.speech {
            Speech::Native => native::write_empty(out, native::Kind::End, self.id),
            #[cfg(feature = "json")]
            Speech::JsonRpc => jsonrpc::write_end(out, self.id),
            #[cfg(not(feature = "json"))]
            Speech::JsonRpc => {}
        }
        state.out.settle(start, self.id, None);
        Ok(())
    }

    /// The call fails with its stream.
    fn fail(&self, failure: Failure) {
        let mut state = self.shared.lock();
        state.give_up(self.id);
        if state.slots.is_waited_for(self.id) {
            let waker = state.slots.complete(self.id, Outcome::Reply(Err(failure)));
            drop(state);
            waker.into_iter().for_each(Waker::wake);
        } else {
            self.flow.end(Err(failure));
        }
    }
}

impl State {
    /// An item of the call `id` came. One of a stream that was given up is nobody's fault: its
    /// server does not know yet.
    pub(super) fn item(&mut self, id: u64, item: Inbound) -> Option<Waker> {
        let broken = self.streams.flow(id)?.push(item).err()?;
        self.break_off(id, Failure::peer(broken.to_string()))
    }

    /// The server reads on in what the call `id` sends.
    pub(super) fn granted(&mut self, id: u64, bytes: u32) -> Option<Waker> {
        let broken = self.streams.flow(id)?.granted(bytes).err()?;
        self.break_off(id, Failure::peer(broken.to_string()))
    }

    /// Ends the call `id` here and there; gives the waker of who waits for its reply. Whoever reads
    /// its stream instead is woken.
    pub(super) fn break_off(&mut self, id: u64, failure: Failure) -> Option<Waker> {
        let is_waited_for = self.slots.is_waited_for(id);
        if !is_waited_for && self.streams.flow(id).is_none() {
            return None;
        }
        let streams = self.give_up(id);
        self.wake_driver();
        if is_waited_for {
            return self.slots.complete(id, Outcome::Reply(Err(failure)));
        }
        streams?.flow.end(Err(failure));
        None
    }

    /// The stream of the call `id` is over; true if there was one.
    pub(super) fn stream_ended(&mut self, id: u64, how: Result<(), Failure>) -> bool {
        match self.streams.remove(id) {
            Some(streams) => {
                streams.flow.end(how);
                true
            }
            None => false,
        }
    }
}
