//! One request in, one response out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::context::{Caller, Metadata, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::fault::{Fault, code};
use farcall_core::limits::Limits;
use farcall_core::payload::Payload;
use farcall_core::protocol;
use farcall_core::router::Router;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;

use super::admission::{ContentType, Refused, content_type, same_site, sniff};
use super::body::{Unread, read};
use super::page::{Reply, page, text};
use super::{BINCODE, TIMEOUT, VERSION};
use crate::stream::now;

/// Where the requests of one connection come from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// What they come in by.
    pub(crate) transport: &'static str,
    /// From where.
    pub(crate) peer: Option<SocketAddr>,
    /// To which address of this machine.
    pub(crate) local: Option<SocketAddr>,
    /// What they may ask for.
    pub(crate) limits: Limits,
    /// Names they may call this server by.
    pub(crate) hosts: Arc<[String]>,
}

/// Answers the requests of one connection.
#[derive(Debug)]
pub(super) struct Answerer {
    router: Arc<Router>,
    origin: Origin,
    /// Made once for each encoding and kind of client that comes.
    peers: Mutex<Vec<Arc<Peer>>>,
}

impl Answerer {
    pub(super) fn new(router: Arc<Router>, origin: Origin) -> Self {
        Self {
            router,
            origin,
            peers: Mutex::default(),
        }
    }

    pub(super) async fn answer<B>(&self, request: Request<B>) -> Reply
    where
        B: Body + Unpin,
        B::Data: Into<Bytes>,
    {
        let (parts, body) = request.into_parts();
        match self.answer_or_refuse(&parts, body).await {
            Ok(reply) => reply,
            Err(Refused { status, words }) => text(status, words + "\n"),
        }
    }

    async fn answer_or_refuse<B>(&self, parts: &Parts, body: B) -> Result<Reply, Refused>
    where
        B: Body + Unpin,
        B::Data: Into<Bytes>,
    {
        let Origin {
            local,
            hosts,
            limits,
            ..
        } = &self.origin;
        same_site(parts, *local, hosts)?;
        if parts.method != Method::POST {
            return Ok(page(&parts.method, parts.uri.path(), &self.router));
        }
        let content_type = content_type(&parts.headers)?;
        let body = match read(body, limits.message_bytes, limits.body_time).await {
            Ok(body) => body,
            Err(unread) => return refuse_body(unread, content_type, limits.message_bytes),
        };
        let encoding = match content_type {
            ContentType::Known(encoding) => encoding,
            ContentType::Missing => sniff(&body)?,
        };
        let caller = self.caller(encoding, &parts.headers);
        let reply = self.run(encoding, caller, Payload::from(body)).await;
        Ok(response(encoding, reply))
    }

    /// Runs the call, or its deadline out.
    async fn run(&self, encoding: Encoding, caller: Caller, body: Payload) -> Option<Vec<u8>> {
        let deadline = caller.deadline;
        let answer = protocol::answer(&self.router, encoding, caller, body);
        let Some(deadline) = deadline else {
            return answer.await;
        };
        match tokio::time::timeout_at(deadline.into(), answer).await {
            Ok(reply) => reply,
            Err(_) => {
                let words = "the deadline passed before the method was done";
                Some(protocol::refusal(
                    encoding,
                    &Fault::new(code::TIMEOUT, words),
                ))
            }
        }
    }

    fn caller(&self, encoding: Encoding, headers: &HeaderMap) -> Caller {
        let is_farcall = headers.contains_key(VERSION);
        Caller {
            peer: self.peer(encoding, is_farcall),
            deadline: deadline(headers, self.origin.limits.call_time_max),
            metadata: metadata(headers),
        }
    }

    fn peer(&self, encoding: Encoding, is_farcall: bool) -> Arc<Peer> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = peers
            .iter()
            .find(|peer| peer.encoding == encoding && peer.is_farcall == is_farcall);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let Origin {
            transport,
            peer,
            limits,
            ..
        } = &self.origin;
        let mut peer = Peer::new(transport, encoding, *peer, limits.clone());
        peer.is_farcall = is_farcall;
        let peer = Arc::new(peer);
        peers.push(Arc::clone(&peer));
        peer
    }
}

/// When the caller stops waiting. A time that is no number, or beyond the clock's end, is none.
fn deadline(headers: &HeaderMap, longest: Duration) -> Option<Instant> {
    let ms = headers.get(TIMEOUT)?.to_str().ok()?.parse().ok()?;
    now().checked_add(Duration::from_millis(ms).min(longest))
}

/// The headers that are the caller's own, not HTTP's.
fn metadata(headers: &HeaderMap) -> Metadata {
    const HTTPS_OWN: [&str; 12] = [
        "host",
        "connection",
        "keep-alive",
        "te",
        "expect",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "origin",
        "date",
        TIMEOUT,
        VERSION,
    ];
    let mut metadata = Metadata::default();
    for (name, value) in headers {
        let name = name.as_str();
        if HTTPS_OWN.contains(&name) || name.starts_with("content-") || name.starts_with("accept") {
            continue;
        }
        if let Ok(value) = value.to_str() {
            metadata.insert(name, value);
        }
    }
    metadata
}

/// A body too large is a fault of its call, where its protocol is known: clients of XML-RPC and
/// JSON-RPC show faults, and hide what comes with another status than 200.
fn refuse_body(unread: Unread, content: ContentType, limit: usize) -> Result<Reply, Refused> {
    let refused = |status, words: &str| {
        Err(Refused {
            status,
            words: words.to_owned(),
        })
    };
    let words = format!("the message is larger than {limit} bytes (`Limits::message_bytes`)");
    match (unread, content) {
        (Unread::TooLarge, ContentType::Known(encoding)) => {
            let fault = protocol::refusal(encoding, &Fault::new(code::TOO_LARGE, words));
            let mut reply = response(encoding, Some(fault));
            // What is left of the body is not waited for.
            reply
                .headers_mut()
                .insert(CONNECTION, HeaderValue::from_static("close"));
            Ok(reply)
        }
        (Unread::TooLarge, ContentType::Missing) => refused(StatusCode::PAYLOAD_TOO_LARGE, &words),
        (Unread::Stalled, _) => refused(
            StatusCode::REQUEST_TIMEOUT,
            "the body stopped coming (`Limits::body_time`)",
        ),
        (Unread::Broken, _) => refused(StatusCode::BAD_REQUEST, "the body broke off"),
    }
}

/// Every answer, a fault too, is a 200: foreign clients take anything else for a broken server.
/// One without a message (to a notification) is empty, as some of them fail on a 204.
fn response(encoding: Encoding, message: Option<Vec<u8>>) -> Reply {
    let mut reply = Response::new(Full::from(message.unwrap_or_default()));
    let content_type = HeaderValue::from_static(mime(encoding));
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// The content type of messages in `encoding`.
pub(super) fn mime(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Json => "application/json",
        Encoding::Xml => "text/xml",
        _ => BINCODE,
    }
}
