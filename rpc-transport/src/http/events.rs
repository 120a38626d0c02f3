//! Streams for browsers and scripts: server-sent events (HTML Standard §9.2), in answer to a JSON-RPC
//! POST, or to the GET of an `EventSource`.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use farcall_core::context::Caller;
use farcall_core::encoding::Encoding;
use farcall_core::fault::shown;
use farcall_core::payload::Payload;
use farcall_core::protocol::jsonrpc::{self, Events, answer_with_events, text_of_call};
use farcall_core::protocol::{Answered, refusal};
use farcall_core::router::Router;
use farcall_core::stream::Stream;
use http::header::{ACCEPT, ALLOW};
use http::{HeaderName, HeaderValue, Response, StatusCode, Uri};
use http_body::{Body, Frame};
use http_body_util::Full;
use tokio::time::{Sleep, sleep};

use super::fields::{Fields, text};
use super::headers::reply_headers;
use super::page::{self, Reply};
use super::reply::ResponseBody;
use super::response::response;
use super::tunnel::streaming;
use crate::drain::Drain;
use crate::net::later::later;

/// The content type of a stream of events.
const EVENTS: &str = "text/event-stream";
/// After so long without an event a comment is sent, as the HTML Standard advises (§9.2.7): proxies
/// close what is silent for long (nginx after 60 s), and a reader that went away without a word is
/// found out.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// That comment: an empty one.
const COMMENT: &[u8] = b":\n\n";
/// What a browser says when it connects again: the id of the last event.
static LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// True if whoever asks reads events.
pub(super) fn are_taken(headers: &impl Fields) -> bool {
    let ranges = headers
        .all(&ACCEPT)
        // Most say `application/json`, and are not looked into.
        .filter(|value| value.len() >= EVENTS.len())
        .filter_map(text)
        .flat_map(|value| value.split(','));
    let mut types = ranges.map(|range| range.split(';').next().unwrap_or_default().trim());
    types.any(|range| range.eq_ignore_ascii_case(EVENTS))
}

/// Answers one JSON-RPC text with events, if it asks for a stream that opens.
pub(super) async fn answer(
    router: &Arc<Router>,
    caller: Caller,
    message: Payload,
    mut drain: Drain,
) -> Response<ResponseBody> {
    let (mut response, metadata) = match answer_with_events(router, caller, message).await {
        jsonrpc::Response::Whole(reply) => {
            let Answered { message, metadata } = reply.unwrap_or_default();
            (response(Encoding::Json, message).map(Into::into), metadata)
        }
        jsonrpc::Response::Events(events) => {
            let metadata = events.metadata().clone();
            let forced = async move { drain.forced().await };
            let body = ResponseBody::stream(EventBody::of(events, Box::pin(forced)));
            (streaming(EVENTS, body), metadata)
        }
    };
    for (name, value) in reply_headers(&metadata) {
        response.headers_mut().append(name, value);
    }
    response
}

/// The call in the address of a GET.
#[derive(Debug)]
pub(super) struct Asked {
    method: String,
    params: Option<String>,
}

impl Asked {
    /// The call in this address, if there is one: `?method=count&params=[3]`.
    pub(super) fn by(uri: &Uri) -> Option<Self> {
        let (mut method, mut params) = (None, None);
        for (name, value) in form_urlencoded::parse(uri.query()?.as_bytes()) {
            match &*name {
                "method" => method = Some(value.into_owned()),
                "params" => params = Some(value.into_owned()),
                _ => {}
            }
        }
        let method = method?;
        Some(Self { method, params })
    }

    /// The JSON-RPC text of this call, or what is answered if it may not be made like this.
    ///
    /// A browser makes it again whenever the connection ends, until it is told to stop. So its method
    /// must be one that may run twice.
    pub(super) fn text(
        &self,
        headers: &impl Fields,
        router: &Router,
    ) -> Result<Payload, Box<Reply>> {
        if headers.first(&LAST_EVENT_ID) == Some(b"end") {
            let mut stop = Response::new(Full::default());
            *stop.status_mut() = StatusCode::NO_CONTENT;
            return Err(stop.into());
        }
        let method = &self.method;
        let found = router.find(method).and_then(|target| router.method(target));
        let Some(found) = found else {
            let words = format!("there is no method `{}`\n", shown(method));
            return Err(page::text(StatusCode::NOT_FOUND, words).into());
        };
        if !found.gives_stream || !found.idempotent {
            let words = "only a method that gives a stream and is idempotent (`#[rpc(idempotent)]`) \
                         can be called with GET, as an EventSource calls it again and again; make \
                         this call with POST\n";
            let mut refused = page::text(StatusCode::METHOD_NOT_ALLOWED, words);
            let allowed = HeaderValue::from_static("POST");
            refused.headers_mut().insert(ALLOW, allowed);
            return Err(refused.into());
        }
        match text_of_call(method, self.params.as_deref()) {
            Ok(text) => Ok(Payload::from(Bytes::from(text))),
            Err(fault) => Err(response(Encoding::Json, refusal(Encoding::Json, &fault)).into()),
        }
    }
}

/// Events as a body, with a comment now and then. It is asked for more when what it gave was sent, and
/// so is the handler.
struct EventBody {
    events: Events,
    /// Ready when the server waits no longer, or whoever reads may come in no more.
    forced: Pin<Box<dyn Future<Output = ()> + Send>>,
    silence: Pin<Box<Sleep>>,
}

impl EventBody {
    fn of(events: Events, forced: Pin<Box<dyn Future<Output = ()> + Send>>) -> Self {
        Self {
            events,
            forced,
            silence: Box::pin(sleep(KEEP_ALIVE)),
        }
    }
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let Self {
            events,
            forced,
            silence,
        } = &mut *self;
        if forced.as_mut().poll(cx).is_ready() {
            let cut_off = io::ErrorKind::ConnectionAborted;
            return Poll::Ready(Some(Err(cut_off.into())));
        }
        let piece = match Pin::new(events).poll_next(cx) {
            Poll::Ready(None) => return Poll::Ready(None),
            Poll::Ready(Some(piece)) => Bytes::from(piece),
            Poll::Pending => {
                ready!(silence.as_mut().poll(cx));
                Bytes::from_static(COMMENT)
            }
        };
        silence.as_mut().reset(later(KEEP_ALIVE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}
