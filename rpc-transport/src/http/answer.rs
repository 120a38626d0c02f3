//! One request in, one response out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use farcall_core::context::{Caller, Clock, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::fault::{Fault, code};
use farcall_core::limits::Limits;
use farcall_core::protocol;
use farcall_core::router::Router;
use http::header::{CONNECTION, CONTENT_TYPE, EXPECT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;

use super::BINCODE;
use super::admission::{ContentType, Refused, content_type, same_site, sniff};
use super::body::{Unread, discard, read};
use super::headers::{VERSION, deadline, metadata};
use super::page::{Reply, page, text};
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
        let mut stream = body;
        let body = match read(&mut stream, limits.message_bytes, limits.body_time).await {
            Ok(body) => body,
            Err(unread) => {
                // A client that asked first (`Expect: 100-continue`) sends nothing of what it is
                // not asked for.
                if unread == Unread::TooLarge && !parts.headers.contains_key(EXPECT) {
                    discard(&mut stream, limits.body_time).await;
                }
                return refuse_body(unread, content_type, limits.message_bytes);
            }
        };
        let encoding = match content_type {
            ContentType::Known(encoding) => encoding,
            ContentType::Missing => sniff(&body)?,
        };
        let caller = self.caller(encoding, &parts.headers);
        let reply = protocol::answer(&self.router, encoding, caller, body.into()).await;
        Ok(response(encoding, reply))
    }

    fn caller(&self, encoding: Encoding, headers: &HeaderMap) -> Caller {
        Caller {
            peer: self.peer(encoding, headers.contains_key(VERSION)),
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
        peer.clock = Some(Clock {
            now,
            sleep_until: |at| Box::pin(tokio::time::sleep_until(at.into())),
        });
        let peer = Arc::new(peer);
        peers.push(Arc::clone(&peer));
        peer
    }
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
