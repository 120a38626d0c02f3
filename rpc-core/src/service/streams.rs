//! Requests that bring a stream, or are answered with one.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::StreamExt;

use super::{Answer, Reply, ReplyTo, Request};
use crate::context::{Metadata, Peer};
use crate::encoding::Encoding;
use crate::fault::{Fault, TypedFault, code};
use crate::protocol::native;
use crate::protocol::outbox::ReplyId;
use crate::protocol::tail::Tail;
use crate::stream::{Flow, Items, Link, Stream, TURN};
use crate::wire::{Wire, Written};

/// The calls of one connection that have streams.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    flows: Mutex<HashMap<u64, Arc<Flow>>>,
    /// Calls that are to end with a fault: their caller sent what cannot be.
    failed: Mutex<Vec<(u64, Fault)>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    pub(crate) fn flow(&self, id: u64) -> Option<Arc<Flow>> {
        lock(&self.flows).get(&id).cloned()
    }

    pub(crate) fn fail(&self, id: u64, fault: Fault) {
        lock(&self.failed).push((id, fault));
    }

    pub(crate) fn take_failed(&self) -> Vec<(u64, Fault)> {
        std::mem::take(&mut lock(&self.failed))
    }
}

/// The streams of one call, known to the connection until this is dropped.
pub(crate) struct Registered {
    id: u64,
    flow: Arc<Flow>,
    peer: Arc<Peer>,
}

impl Registered {
    /// Lets the items of the call `id` be found.
    pub(crate) fn new(peer: &Arc<Peer>, id: u64) -> Self {
        let link = Arc::clone(peer);
        let flow = Arc::new(Flow::new(id, peer.limits.stream_bytes, link));
        lock(&peer.streams.flows).insert(id, Arc::clone(&flow));
        Self {
            id,
            flow,
            peer: Arc::clone(peer),
        }
    }

    pub(crate) fn first_grant(&self) -> usize {
        self.flow.first_grant()
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registered({})", self.id)
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        let mut flows = lock(&self.peer.streams.flows);
        // Two calls of one id may be in flight, if the client is odd: forget only this one.
        let known = flows.get(&self.id);
        if known.is_some_and(|flow| Arc::ptr_eq(flow, &self.flow)) {
            flows.remove(&self.id);
        }
    }
}

impl Link for Peer {
    fn grant(&self, id: u64, bytes: usize) {
        native::write_credit(&mut self.outbox.lock().whole, id, bytes);
        self.outbox.wake();
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
            sink.open(&self.reply_metadata()?)?;
            let mut items = pin!(items);
            let mut turn = 0;
            loop {
                poll_fn(|cx| sink.poll_ready(cx)).await;
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
            (None, Some(taken)) => Err(Fault::new(
                code::INVALID_REQUEST,
                format!(
                    "`{}` takes a stream, `{}`, which only native frames carry: call it with a \
                     client of farcall's, or see docs/wire.md",
                    method.name, taken.name
                ),
            )),
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
        let id = streams.map_or(0, |streams| streams.id);
        let flow = streams.map(|streams| Arc::clone(&streams.flow));
        Items::new(flow, id, self.context.copy())
    }
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
    peer: &'a Peer,
    id: u64,
    flow: &'a Flow,
    encoding: Encoding,
    method: &'static str,
}

impl<'a> Sink<'a> {
    fn of(request: &'a Request) -> Result<Self, Fault> {
        let method = request.context.method();
        match (&request.reply_to, &request.streams) {
            (ReplyTo::Connection(ReplyId::Native(id)), Some(streams)) => Ok(Self {
                peer: request.context.peer(),
                id: *id,
                flow: &streams.flow,
                encoding: request.encoding(),
                method,
            }),
            _ => Err(Fault::new(
                code::INVALID_REQUEST,
                format!(
                    "`{method}` gives a stream, which only native frames carry: call it over \
                     `tcp://`, `unix://` or `mem://` in bincode or XML"
                ),
            )),
        }
    }

    fn open(&self, metadata: &Metadata) -> Result<(), Fault> {
        let mut out = self.peer.outbox.lock();
        let message = Tail::begin(&mut out.whole);
        let opened = native::write_opened(message.out, self.id, metadata);
        opened.map_err(|error| {
            let error = super::unsent(self.method, &error);
            Fault::new(code::INTERNAL_ERROR, error.to_string())
        })?;
        message.keep();
        Ok(())
    }

    /// Ready when an item may be sent.
    fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        match self.flow.poll_credit(cx) {
            Poll::Ready(true) if self.peer.outbox.lock().has_room(cx) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }

    fn item<T: Written>(&self, item: &T) -> Result<(), Fault> {
        let encode = |out: &mut Vec<u8>| {
            let encoded = self.encoding.encode(item, out);
            encoded.map_err(|error| super::unsent(self.method, &error))
        };
        let length = self.peer.outbox.item(self.id, encode)?;
        self.flow.spend(length);
        Ok(())
    }

    fn end(&self) {
        self.peer.outbox.end(self.id);
    }
}
