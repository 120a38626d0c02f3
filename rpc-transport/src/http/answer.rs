//! One request in, one response out.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use farcall_core::context::{Caller, Metadata, Peer};
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::payload::Payload;
use farcall_core::protocol::{self, Answered};
use farcall_core::router::Router;
use http::header::EXPECT;
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;

#[cfg(feature = "json")]
use super::admission::from_own_page;
use super::admission::{
    ContentType, Refused, content_type, misframed, not_allowed, refused, sniff,
};
use super::body::{Unread, discard, read};
use super::coding::{Coding, takes_gzip};
use super::cors::Shared;
#[cfg(feature = "json")]
use super::events;
use super::fields::Fields;
use super::gzip::compress;
use super::headers::{VERSION, deadline, metadata, reply_headers};
use super::limited::oversized;
use super::origin::Origin;
#[cfg(feature = "ws")]
use super::origin::Speaks;
use super::page::{Reply, page};
use super::reply::ResponseBody;
use super::response::{going_away, in_gzip, last, refuse_body, response};
use super::server::HALF_SENT;
use super::tunnel;
#[cfg(feature = "ws")]
use super::upgrade;
use crate::drain::Drain;
use crate::peer::peer;

/// What the head of a request says of its call.
#[derive(Debug)]
pub(super) struct Asked {
    encoding: Encoding,
    pub(super) caller: Caller,
    takes_gzip: bool,
}

/// The answer to a call, a 200.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) encoding: Encoding,
    pub(super) message: Vec<u8>,
    pub(super) is_gzip: bool,
    /// What the handler sent along.
    pub(super) metadata: Metadata,
}

impl Answer {
    fn into_reply(self) -> Reply {
        let mut reply = response(self.encoding, self.message);
        if self.is_gzip {
            reply = in_gzip(reply);
        }
        for (name, value) in reply_headers(&self.metadata) {
            reply.headers_mut().append(name, value);
        }
        reply
    }
}

/// A plain POST that is a call, and taken just like that.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) encoding: Encoding,
    /// Who sends it.
    pub(super) client: Option<SocketAddr>,
    /// What is said to browsers with its answer.
    pub(super) shared: Option<Shared>,
}

/// Answers the requests of one connection.
#[derive(Debug)]
pub(super) struct Answerer {
    router: Arc<Router>,
    origin: Origin,
    drain: Drain,
    /// Made once for each encoding and kind of client that comes.
    peers: Mutex<Vec<Arc<Peer>>>,
}

impl Answerer {
    pub(super) fn new(router: Arc<Router>, origin: Origin, drain: Drain) -> Self {
        Self {
            router,
            origin,
            drain,
            peers: Mutex::default(),
        }
    }

    pub(super) async fn answer<B>(&self, request: Request<B>) -> Response<ResponseBody>
    where
        B: Body + Send + Unpin + 'static,
        B::Data: Into<Bytes> + Send,
    {
        let (mut parts, mut body) = request.into_parts();
        let shared = self.origin.shared(&parts.headers);
        let direct = parts.extensions.get().copied().or(self.origin.peer);
        let answered = match self.origin.client(direct, &parts.headers) {
            Err(refused) => Err(refused.reply()),
            Ok(client) => match self
                .oversized(&parts)
                .or_else(|| misframed(parts.version, &parts.headers))
            {
                Some(refused) => {
                    if !parts.headers.contains_key(EXPECT) {
                        discard(&mut body, self.limits().body_time).await;
                    }
                    Err(last(refused.reply()))
                }
                None => match self.open(&mut parts, client) {
                    Some(reply) => Err(reply),
                    None if parts.method == Method::POST => {
                        self.answer_post(&parts, body, client).await
                    }
                    None => self.answer_other(&parts, client).await,
                },
            },
        };
        let mut response = answered.unwrap_or_else(|reply| reply.map(ResponseBody::from));
        if let Some(shared) = shared {
            shared.put(&mut response);
        }
        response
    }

    /// Inside somebody else's server, heads are that one's.
    fn oversized(&self, parts: &Parts) -> Option<Refused> {
        (!self.origin.is_mounted)
            .then(|| oversized(parts, self.limits()))
            .flatten()
    }

    /// When a request of `client` ends that lasts as a connection does.
    fn end_of(&self, client: Option<SocketAddr>) -> Result<Drain, Refused> {
        let (Some(list), Some(client)) = (&self.origin.allow, client) else {
            return Ok(self.drain.clone());
        };
        let admitted = list.admit(client.ip()).ok_or_else(not_allowed)?;
        Ok(self.drain.while_admitted(admitted))
    }

    /// Answers a call; the error is an answer too, a whole one.
    async fn answer_post<B>(
        &self,
        parts: &Parts,
        body: B,
        client: Option<SocketAddr>,
    ) -> Result<Response<ResponseBody>, Reply>
    where
        B: Body + Send + Unpin + 'static,
        B::Data: Into<Bytes> + Send,
    {
        let headers = &parts.headers;
        self.admits(parts).map_err(Refused::reply)?;
        if let Ok((Coding::Identity, ContentType::Stream)) = admit(headers) {
            let drain = self.end_of(client).map_err(Refused::reply)?;
            let mut origin = self.origin.clone();
            origin.peer = client;
            let router = Arc::clone(&self.router);
            let metadata = metadata(headers);
            return Ok(tunnel::answer(router, origin, metadata, body, drain));
        }
        let (encoding, message) = self.receive(parts, body).await?;
        // Not before: whoever sends half a body asks for nothing yet.
        let working = self.drain.work();
        let asked = self.asked(encoding, client, headers);
        #[cfg(feature = "json")]
        if wants_events(encoding, headers) {
            let drain = self.end_of(client).map_err(Refused::reply)?;
            let events = events::answer(&self.router, asked.caller, message.into(), drain).await;
            return Ok(events.map(|body| body.of_call(working)));
        }
        let reply = self.call(asked, message.into()).await.into_reply();
        Ok(reply.map(|body| ResponseBody::from(body).of_call(working)))
    }

    /// Answers what is no POST.
    async fn answer_other(
        &self,
        parts: &Parts,
        client: Option<SocketAddr>,
    ) -> Result<Response<ResponseBody>, Reply> {
        #[cfg(not(feature = "json"))]
        let _ = client;
        self.admits(parts).map_err(Refused::reply)?;
        let cors = self.origin.cors.as_ref();
        if let Some(reply) = cors.and_then(|cors| cors.preflight(&parts.method, &parts.headers)) {
            return Err(reply);
        }
        #[cfg(feature = "json")]
        if parts.method == Method::GET
            && events::are_taken(&parts.headers)
            && let Some(asked) = events::Asked::by(&parts.uri)
        {
            if !cors.is_some_and(|cors| cors.takes(&parts.headers)) {
                from_own_page(&parts.headers, authority(parts)).map_err(Refused::reply)?;
            }
            let text = asked.text(&parts.headers, &self.router);
            let text = text.map_err(|reply| *reply)?;
            let asked = self.asked(Encoding::Json, client, &parts.headers);
            let drain = self.end_of(client).map_err(Refused::reply)?;
            let working = self.drain.work();
            let events = events::answer(&self.router, asked.caller, text, drain).await;
            return Ok(events.map(|body| body.of_call(working)));
        }
        Err(page(&parts.method, parts.uri.path(), &self.router))
    }

    fn admits(&self, parts: &Parts) -> Result<(), Refused> {
        self.origin.admits(&parts.headers, authority(parts))
    }

    /// Answers a request for a WebSocket, and whatever is none where nothing else is spoken.
    #[cfg(feature = "ws")]
    fn open(&self, parts: &mut Parts, client: Option<SocketAddr>) -> Option<Reply> {
        let Speaks { http, web_socket } = self.origin.speaks;
        let is_asked_for = upgrade::is_asked_for(&parts.headers);
        if http && !is_asked_for {
            return None;
        }
        if let Err(refused) = self.admits(parts) {
            return Some(refused.reply());
        }
        if web_socket && is_asked_for {
            return Some(match self.end_of(client) {
                Ok(drain) => upgrade::answer(parts, client, drain),
                Err(refused) => refused.reply(),
            });
        }
        let words = match is_asked_for {
            true => "this port does not speak WebSocket",
            false => "this port speaks WebSocket, and no HTTP beside it",
        };
        Some(refused(StatusCode::BAD_REQUEST, words).reply())
    }

    #[cfg(not(feature = "ws"))]
    fn open(&self, _: &mut Parts, _: Option<SocketAddr>) -> Option<Reply> {
        None
    }

    /// What a plain POST is, if it is a call that is taken just like that.
    pub(super) fn plain(&self, headers: &impl Fields) -> Option<Plain> {
        let Origin { peer, speaks, .. } = &self.origin;
        if !speaks.http {
            return None;
        }
        let client = self.origin.client(*peer, headers).ok()?;
        self.origin.admits(headers, None).ok()?;
        match admit(headers).ok()? {
            (Coding::Identity, ContentType::Known(encoding))
                if !wants_events(encoding, headers) =>
            {
                Some(Plain {
                    encoding,
                    client,
                    shared: self.origin.shared(headers),
                })
            }
            _ => None,
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.origin.limits
    }

    /// The message in a request, or what is answered if it is not taken.
    async fn receive<B>(&self, parts: &Parts, mut body: B) -> Result<(Encoding, Bytes), Reply>
    where
        B: Body + Unpin,
        B::Data: Into<Bytes>,
    {
        let limits = &self.origin.limits;
        let (limit, time) = (limits.message_bytes, limits.body_time);
        // A client that asks first sends nothing of what it is not asked for.
        let asks = parts.headers.contains_key(EXPECT);
        let (coding, content_type) = match admit(&parts.headers) {
            Ok(admitted) => admitted,
            Err(refused) => {
                if !asks {
                    discard(&mut body, time).await;
                }
                return Err(refused.reply());
            }
        };
        let is_asked_for = !asks || body.size_hint().lower() <= limit as u64;
        let message = tokio::select! {
            biased;
            message = read(&mut body, coding, limit, time) => message,
            () = too_late(self.drain.clone()) => return Err(going_away()),
        };
        let message = match message {
            Ok(message) => message,
            Err(unread) => {
                if matches!(unread, Unread::TooLarge | Unread::Corrupt(_)) && is_asked_for {
                    discard(&mut body, time).await;
                }
                return Err(refuse_body(unread, content_type, limits));
            }
        };
        match content_type {
            ContentType::Known(encoding) => Ok((encoding, message)),
            ContentType::Stream => {
                let words = "a stream of farcall's is not compressed";
                Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, words).reply())
            }
            ContentType::Missing => {
                let encoding = sniff(&message).map_err(Refused::reply)?;
                Ok((encoding, message))
            }
        }
    }

    /// Answers a message.
    pub(super) async fn call(&self, asked: Asked, message: Payload) -> Answer {
        let Asked {
            encoding,
            caller,
            takes_gzip,
        } = asked;
        let reply = protocol::answer(&self.router, encoding, caller, message).await;
        let Answered { message, metadata } = reply.unwrap_or_default();
        let mut answer = Answer {
            encoding,
            message,
            is_gzip: false,
            metadata,
        };
        if takes_gzip && let Some(compressed) = compress(&answer.message).await {
            answer.message = compressed;
            answer.is_gzip = true;
        }
        answer
    }

    /// What the headers say of a call beside its message.
    pub(super) fn asked(
        &self,
        encoding: Encoding,
        client: Option<SocketAddr>,
        headers: &impl Fields,
    ) -> Asked {
        let caller = Caller {
            peer: self.peer(encoding, client, headers.has(&VERSION)),
            deadline: deadline(headers, self.origin.limits.call_time_max),
            metadata: metadata(headers),
        };
        Asked {
            encoding,
            caller,
            takes_gzip: takes_gzip(headers),
        }
    }

    fn peer(&self, encoding: Encoding, client: Option<SocketAddr>, is_farcall: bool) -> Arc<Peer> {
        if client != self.origin.peer {
            // Behind a proxy, where each request may come from somebody else.
            return Arc::new(self.new_peer(encoding, client, is_farcall));
        }
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let known = peers
            .iter()
            .find(|peer| peer.encoding == encoding && peer.is_farcall == is_farcall);
        if let Some(known) = known {
            return Arc::clone(known);
        }
        let peer = Arc::new(self.new_peer(encoding, client, is_farcall));
        peers.push(Arc::clone(&peer));
        peer
    }

    fn new_peer(&self, encoding: Encoding, client: Option<SocketAddr>, is_farcall: bool) -> Peer {
        let Origin {
            transport,
            tls,
            limits,
            ..
        } = &self.origin;
        let mut peer = peer(transport, encoding, client, tls.clone(), limits.clone());
        peer.is_farcall = is_farcall;
        peer
    }
}

/// The host in the request's own address.
fn authority(parts: &Parts) -> Option<&str> {
    parts.uri.authority().map(http::uri::Authority::as_str)
}

/// True if a message in `encoding` may be answered with events.
#[cfg(feature = "json")]
fn wants_events(encoding: Encoding, headers: &impl Fields) -> bool {
    encoding == Encoding::Json && events::are_taken(headers)
}

#[cfg(not(feature = "json"))]
fn wants_events(_: Encoding, _: &impl Fields) -> bool {
    false
}

/// What the body of a POST is in, compressed and then encoded; or why it is not taken.
fn admit(headers: &impl Fields) -> Result<(Coding, ContentType), Refused> {
    Ok((Coding::of(headers)?, content_type(headers)?))
}

/// Waits until a body that is not all there is too late. (Who is to leave for another reason than the end of
/// the server is seen to elsewhere.)
async fn too_late(mut drain: Drain) {
    drain.started().await;
    if drain.is_evicted() || !drain.admits() {
        return std::future::pending().await;
    }
    tokio::time::sleep(HALF_SENT).await;
}
