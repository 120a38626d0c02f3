//! Answering one text with a stream of server-sent events.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use serde_json::value::RawValue;

use super::answer::{answer, faulted};
use super::request::{Received, read_request};
use super::write::put_error;
use crate::codec::json;
use crate::context::{self, Caller, Id, Metadata};
use crate::fault::{Fault, code};
use crate::payload::Payload;
use crate::protocol::feed::Feed;
use crate::protocol::{Answered, Incoming};
use crate::router::{Router, Target};
use crate::service::{Reply, ReplyTo, Request};
use crate::stream::Stream;

/// How one text is answered, where its sender reads server-sent events.
///
/// ```
/// use farcall_core::protocol::jsonrpc::Response;
///
/// fn content_type(response: &Response) -> &'static str {
///     match response {
///         Response::Whole(_) => "application/json",
///         Response::Events(_) => "text/event-stream",
///     }
/// }
/// ```
#[derive(Debug)]
pub enum Response {
    /// By one text, or by nothing if nothing is wanted.
    Whole(Option<Answered>),
    /// By a stream, which is open.
    Events(Events),
}

/// Answers one HTTP body whose sender reads server-sent events: by them if it calls one method and
/// that opens its stream, and else as [`answer`] does. Dropping what this gives drops the handler.
pub async fn answer_with_events(router: &Arc<Router>, caller: Caller, body: Payload) -> Response {
    if let Received::One(incoming) = read_request(router, &body, &caller.peer.limits)
        && let Ok(target) = incoming.target
        && incoming.reply.is_some()
        && router.method(target).is_some_and(|method| {
            // One that takes a stream too is refused like any other way that carries none.
            method.gives_stream && method.takes_stream.is_none()
        })
    {
        let id = incoming.reply.clone();
        return match Events::open(router, &caller, target, incoming).await {
            Ok(events) => Response::Events(events),
            Err(fault) => Response::Whole(Some(faulted(id.as_ref(), &fault).into())),
        };
    }
    Response::Whole(answer(router, caller, body).await)
}

/// The text of a call of `method` with `params`, an array or object in JSON; without them, with
/// none.
///
/// # Errors
/// If `params` is no JSON.
pub fn text_of_call(method: &str, params: Option<&str>) -> Result<Vec<u8>, Fault> {
    let params = params.unwrap_or("[]");
    let params: &RawValue = serde_json::from_str(params).map_err(|error| {
        Fault::new(
            code::PARSE_ERROR,
            format!("the parameters are not well-formed JSON: {error}"),
        )
    })?;
    let mut out = br#"{"jsonrpc":"2.0","method":"#.to_vec();
    // A string has a JSON form always.
    let _ = json::encode(method, &mut out);
    out.extend_from_slice(br#","params":"#);
    out.extend_from_slice(params.get().as_bytes());
    out.extend_from_slice(br#","id":null}"#);
    Ok(out)
}

/// Server-sent events, each piece of bytes some of them: the items of a stream, then an event `end`
/// or `fault`. Dropping it drops the handler.
///
/// ```
/// use farcall_core::{protocol::jsonrpc::Events, stream::Stream};
///
/// fn is_bytes<S: Stream<Item = Vec<u8>> + Send + Unpin>() {}
/// is_bytes::<Events>();
/// ```
pub struct Events {
    /// The handler, until it is done.
    handler: Option<Pin<Box<dyn Future<Output = Reply> + Send>>>,
    feed: Arc<Feed>,
    metadata: Metadata,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

impl Events {
    /// Starts the handler, and waits until it gives a stream.
    async fn open(
        router: &Router,
        caller: &Caller,
        target: Target,
        incoming: Incoming,
    ) -> Result<Self, Fault> {
        let Some(method) = router.method(target) else {
            return Err(Fault::method_not_found(""));
        };
        let Caller {
            peer,
            deadline,
            metadata,
        } = caller.clone();
        let feed = Arc::new(Feed::new(peer.outbox.message_limit()));
        let (clock, most) = (peer.clock, peer.limits.call_time_max);
        let context = context::Context::new(peer, method, deadline, metadata)
            .with_id(Id::of(incoming.reply.as_ref()));
        let reply_to = ReplyTo::Feed(Arc::clone(&feed));
        let request = Request::new(context, target.index(), incoming.arguments, reply_to);
        let running = router.call(target, request)?;
        let mut events = Self {
            handler: Some(Box::pin(running.in_time(clock, deadline, most))),
            feed,
            metadata: Metadata::default(),
        };
        poll_fn(|cx| {
            let done = events.poll_handler(cx);
            let Some(metadata) = events.feed.opened(cx) else {
                return done.map(|reply| reply.and_then(|_| Err(no_stream())));
            };
            events.metadata = metadata;
            if let Poll::Ready(reply) = done {
                events.end(reply);
            }
            Poll::Ready(Ok(()))
        })
        .await?;
        Ok(events)
    }

    /// What the handler sent along with its stream.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    fn poll_handler(&mut self, cx: &mut Context<'_>) -> Poll<Reply> {
        let Some(handler) = &mut self.handler else {
            return Poll::Pending;
        };
        let reply = handler.as_mut().poll(cx);
        if reply.is_ready() {
            self.handler = None;
        }
        reply
    }

    fn end(&self, reply: Reply) {
        match reply {
            Ok(_) => self.feed.last("end", |out| out.extend_from_slice(b"null")),
            Err(fault) => self.feed.last("fault", |out| put_error(out, &fault)),
        }
    }
}

fn no_stream() -> Fault {
    Fault::new(code::INTERNAL_ERROR, "the handler gave no stream")
}

impl Stream for Events {
    type Item = Vec<u8>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        if let Poll::Ready(reply) = self.poll_handler(cx) {
            self.end(reply);
        }
        let events = self.feed.take(cx);
        match (events.is_empty(), &self.handler) {
            (false, _) => Poll::Ready(Some(events)),
            (true, None) => Poll::Ready(None),
            (true, Some(_)) => Poll::Pending,
        }
    }
}
