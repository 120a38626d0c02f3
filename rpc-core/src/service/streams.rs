//! Requests that bring a stream, or are answered with one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, PoisonError};
use std::task::{Context, Poll};

use futures_util::StreamExt;

use super::{Answer, Reply, ReplyTo, Request};
use crate::context::{Metadata, Peer};
use crate::encoding::Encoding;
use crate::fault::{Fault, TypedFault, code};
use crate::method::Method;
use crate::protocol::feed::Feed;
use crate::protocol::outbox::ReplyId;
use crate::stream::{Flow, Items, Link, Stream, TURN, Terms};
use crate::sync::{Mutex, MutexGuard};
use crate::wire::{Wire, Written};

/// The calls of one connection that have streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    flows: Mutex<Flows>,
    /// Calls that are to end with a fault: their caller sent what cannot be.
    failed: Mutex<Vec<(u64, Fault)>>,
}

#[derive(Debug, Default)]
struct Flows {
    by_number: HashMap<u64, Arc<Flow>>,
    /// In JSON-RPC, the number of each call whose caller sends a stream, by the id of its request.
    by_request: HashMap<Box<[u8]>, u64>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    pub(crate) fn flow(&self, number: u64) -> Option<Arc<Flow>> {
        lock(&self.flows).by_number.get(&number).cloned()
    }

    /// The number of the call whose JSON-RPC id was written like `raw`, if its caller sends a
    /// stream.
    #[cfg(feature = "json")]
    pub(crate) fn of_request(&self, raw: &[u8]) -> Option<u64> {
        lock(&self.flows).by_request.get(raw).copied()
    }

    pub(crate) fn fail(&self, id: u64, fault: Fault) {
        lock(&self.failed).push((id, fault));
    }

    /// The caller says nothing any more: streams that it had not ended are cut off.
    pub(crate) fn cut(&self) {
        let flows = lock(&self.flows);
        // In the order of their numbers, so that the same bytes get the same answers.
        let mut numbers: Vec<u64> = flows.by_number.keys().copied().collect();
        numbers.sort_unstable();
        for number in numbers {
            if flows.by_number.get(&number).is_some_and(|flow| flow.cut()) {
                self.fail(number, cut_off());
            }
        }
    }

    /// Those that failed since the last time; none if there are none, as at nearly all times.
    pub(crate) fn take_failed(&self) -> Option<Vec<(u64, Fault)>> {
        let mut failed = lock(&self.failed);
        (!failed.is_empty()).then(|| std::mem::take(&mut *failed))
    }
}

/// The streams of one call, known to the connection until this is dropped.
pub(crate) struct Registered {
    number: u64,
    flow: Arc<Flow>,
    call: Arc<Called>,
}

/// A call with streams, and who makes it.
struct Called {
    peer: Arc<Peer>,
    id: ReplyId,
}

impl Registered {
    /// Lets what belongs to the streams of the call `id` of `method` be found, and lets its caller
    /// send.
    pub(crate) fn new(peer: &Arc<Peer>, method: &Method, id: &ReplyId) -> Option<Self> {
        let number = id.number()?;
        let terms = match id {
            ReplyId::Subscription(of) => Terms::JSON.with_credit(of.window),
            _ => Terms::NATIVE,
        };
        let call = Arc::new(Called {
            peer: Arc::clone(peer),
            id: id.clone(),
        });
        let link: Arc<dyn Link> = Arc::<Called>::clone(&call);
        let flow = Arc::new(Flow::new(number, peer.limits.stream_bytes, terms, link));
        let takes = method.takes_stream.is_some();
        let mut flows = lock(&peer.streams.flows);
        flows.by_number.insert(number, Arc::clone(&flow));
        if let (ReplyId::Subscription(of), true) = (id, takes) {
            flows.by_request.insert((*of.raw).into(), number);
        }
        drop(flows);
        if !takes {
            flow.end(Ok(()));
        } else if flow.first_grant() > 0 {
            peer.outbox.credit(id, flow.first_grant());
        }
        Some(Self { number, flow, call })
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registered({})", self.number)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let Called { peer, id } = &*self.call;
        let mut flows = lock(&peer.streams.flows);
        // Two calls of one id may be in flight, if the client is odd: forget only this one.
        let known = flows.by_number.get(&self.number);
        if known.is_some_and(|flow| Arc::ptr_eq(flow, &self.flow)) {
            flows.by_number.remove(&self.number);
        }
        if let ReplyId::Subscription(of) = id
            && flows.by_request.get(&*of.raw) == Some(&self.number)
        {
            flows.by_request.remove(&*of.raw);
        }
    }
}

impl Link for Called {
    fn grant(&self, _: u64, bytes: usize) {
        self.peer.outbox.credit(&self.id, bytes);
        self.peer.outbox.wake();
    }
}

/// The answer to a request, still to come.
type Answering<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

impl Request {
    /// Answers with a stream: each of `items` as it comes up and the caller takes it.
    ///
    /// Boxed, so that the one future of a service stays small.
    pub fn stream<'a, S>(self, items: S) -> Answering<'a>
    where
        S: Stream + Send + 'a,
        S::Item: Written,
    {
        self.try_stream(items.map(Ok::<_, Infallible>))
    }

    /// As [`stream`](Self::stream), of items that can fail: the first error ends the stream.
    pub fn try_stream<'a, S, T, E>(self, items: S) -> Answering<'a>
    where
        S: Stream<Item = Result<T, E>> + Send + 'a,
        T: Written,
        E: TypedFault,
    {
        Box::pin(async move {
            let sink = Sink::of(&self)?;
            sink.open(self.reply_metadata()?)?;
            let mut items = pin!(items);
            let mut turn = 0;
            loop {
                poll_fn(|cx| sink.poll_ready(cx)).await?;
                match items.next().await {
                    Some(Ok(item)) => sink.item(&item)?,
                    Some(Err(error)) => {
                        return Err(self.fault_of(&error));
                    }
                    None => {
                        sink.end();
                        return Ok(Answer::sent());
                    }
                }
                turn += 1;
                if turn % TURN == 0 {
                    let_others_run().await;
                }
            }
        })
    }

    /// Fails if the method takes a stream, and this request came by a way that brings none.
    pub(crate) fn has_its_stream(&self) -> Result<(), Fault> {
        let method = self.context.called();
        match (&self.streams, &method.takes_stream) {
            (None, Some(_)) => Err(Fault::no_streams(method.name, self.encoding())),
            _ => Ok(()),
        }
    }

    /// Answers that a stream cannot be opened.
    ///
    /// # Errors
    /// Always: the method's own error as a fault.
    pub fn refuse<E: TypedFault>(self, error: &E) -> Reply {
        Err(self.fault_of(error))
    }

    /// The stream that the caller sends.
    #[must_use]
    pub fn items<T: Wire>(&self) -> Items<T> {
        let streams = self.streams.as_ref();
        let id = streams.map_or(0, |streams| streams.number);
        let flow = streams.map(|streams| Arc::clone(&streams.flow));
        Items::new(flow, id, self.context.copy())
    }
}

/// The fault of a call whose caller went before its streams were over.
fn cut_off() -> Fault {
    Fault::new(
        code::INVALID_REQUEST,
        "the connection ended before the streams of this call did",
    )
}

async fn let_others_run() {
    let mut waited = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut waited, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Where the items of a stream go.
struct Sink<'a> {
    to: To<'a>,
    encoding: Encoding,
    method: &'static str,
}

enum To<'a> {
    Connection {
        peer: &'a Peer,
        id: &'a ReplyId,
        flow: &'a Flow,
    },
    Feed(&'a Feed),
}

impl<'a> Sink<'a> {
    fn of(request: &'a Request) -> Result<Self, Fault> {
        let method = request.context.method();
        let to = match (&request.reply_to, &request.streams) {
            (ReplyTo::Connection(id), Some(streams)) => To::Connection {
                peer: request.context.peer(),
                id,
                flow: &streams.flow,
            },
            (ReplyTo::Feed(feed), _) => To::Feed(feed),
            _ => return Err(Fault::no_streams(method, request.encoding())),
        };
        Ok(Self {
            to,
            encoding: request.encoding(),
            method,
        })
    }

    fn open(&self, metadata: Metadata) -> Result<(), Fault> {
        let opened = match &self.to {
            To::Connection { peer, id, .. } => peer.outbox.open(id, &metadata),
            To::Feed(feed) => {
                feed.open(metadata);
                Ok(())
            }
        };
        opened.map_err(|error| {
            let error = super::unsent(self.method, &error);
            Fault::new(code::INTERNAL_ERROR, error.to_string())
        })
    }

    /// Ready when an item may be sent.
    fn poll_ready(&self, cx: &Context<'_>) -> Poll<Result<(), Fault>> {
        match &self.to {
            To::Connection { peer, flow, .. } => match flow.poll_credit(cx) {
                Poll::Ready(true) if peer.outbox.lock().has_room(cx) => Poll::Ready(Ok(())),
                Poll::Ready(false) => Poll::Ready(Err(cut_off())),
                _ => Poll::Pending,
            },
            To::Feed(feed) => feed.poll_room(cx).map(Ok),
        }
    }

    fn item<T: Written>(&self, item: &T) -> Result<(), Fault> {
        let encode = |out: &mut Vec<u8>| {
            let encoded = self.encoding.encode(item, out);
            encoded.map_err(|error| super::unsent(self.method, &error))
        };
        match &self.to {
            To::Connection { peer, id, flow } => flow.spend(peer.outbox.item(id, encode)?),
            To::Feed(feed) => feed.item(encode)?,
        }
        Ok(())
    }

    fn end(&self) {
        match &self.to {
            To::Connection { peer, id, .. } => peer.outbox.end(id),
            // The handler's own end is the stream's.
            To::Feed(_) => {}
        }
    }
}
