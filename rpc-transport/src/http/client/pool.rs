//! The connections of a client to one HTTP server.

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::context::Metadata;
use farcall_core::error::Failure;
use farcall_core::limits::Limits;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;

use super::super::coding::{Coding, Unsupported};
use super::super::fields::Fields;
use super::super::headers::reply_metadata;
use super::super::pipe::Piped;
use super::http1::{self, Connection};
use super::post::{Post, Template};
use crate::address::Address;
use crate::stream::now;

/// So many idle connections are kept.
const IDLE: usize = 64;
/// An older one is not used again: a router in between may have forgotten it without a word, and
/// the call would wait for nothing.
const OLDEST: Duration = Duration::from_secs(60);
/// Calls that wait this long for a reply over HTTP/2 make sure that the server is still there: all
/// others wait on the same connection.
const PING: Duration = Duration::from_secs(10);

type Http2 = http2::SendRequest<RequestBody>;

/// The body of a request over HTTP/2.
pub(super) type RequestBody = Either<Full<Bytes>, Piped>;

/// HTTP/1.1: the idle connections, the last used first. HTTP/2: the one that all calls share.
pub(super) struct Pool {
    address: Address,
    /// What requests begin with, or why there can be none.
    template: Result<Template, String>,
    pub(super) limits: Limits,
    idle: Mutex<Vec<Idle>>,
    shared: tokio::sync::Mutex<Option<Http2>>,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// What came back, its body not read yet.
pub(super) struct Answered {
    pub(super) status: StatusCode,
    pub(super) coding: Result<Coding, Unsupported>,
    /// What the handler sent along.
    pub(super) metadata: Metadata,
    pub(super) body: Incoming,
}

/// A body over either version of HTTP.
pub(super) enum Incoming {
    Http1(http1::Incoming),
    Http2(hyper::body::Incoming),
}

impl Body for Incoming {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Http1(body) => Pin::new(body).poll_frame(cx),
            Self::Http2(body) => {
                let frame = Pin::new(body).poll_frame(cx);
                frame.map(|frame| frame.map(|frame| frame.map_err(io::Error::other)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}

impl Pool {
    pub(super) fn new(address: &Address, limits: Limits) -> Self {
        Self {
            address: address.clone(),
            template: Template::new(address),
            limits,
            idle: Mutex::default(),
            shared: tokio::sync::Mutex::default(),
        }
    }

    /// Sends a request; `sent` tells from when on it may have arrived.
    pub(super) async fn send(&self, post: Post, sent: &mut bool) -> Result<Answered, Failure> {
        let template = self.template()?;
        if self.is_http2() {
            self.send_shared(template.http2(post), sent).await
        } else {
            self.send_alone(&template.http1(&post), sent).await
        }
    }

    pub(super) fn template(&self) -> Result<&Template, Failure> {
        let template = self.template.as_ref();
        template.map_err(|why| Failure::unsupported(why.clone()))
    }

    pub(super) fn is_http2(&self) -> bool {
        self.address.is_http2()
    }

    /// The body of an answer was read: its connection can carry another call.
    pub(super) fn give_back(&self, body: Incoming) {
        let connection = match body {
            Incoming::Http1(body) => body.into_connection(),
            Incoming::Http2(_) => None,
        };
        if let Some(connection) = connection {
            let mut idle = self.idle_ones();
            if idle.len() < IDLE {
                let since = now();
                idle.push(Idle { connection, since });
            }
        }
    }

    fn idle_ones(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection may have been closed by the server. A request of which nothing was
    /// written goes to the next one; in the end a new one is made.
    async fn send_alone(&self, request: &[u8], sent: &mut bool) -> Result<Answered, Failure> {
        loop {
            let (mut connection, reused) = match self.idle_one() {
                Some(connection) => (connection, true),
                None => (Connection::new(self.connect().await?), false),
            };
            *sent = true;
            match connection.write(request).await {
                Ok(()) => {}
                Err((false, _)) if reused => {
                    *sent = false;
                    continue;
                }
                Err((began, _)) => {
                    *sent = began;
                    return Err(Failure::closed(began));
                }
            }
            let (head, body) = connection.answer(self.limits.head_bytes).await?;
            return Ok(Answered {
                status: head.status,
                coding: head.coding,
                metadata: head.metadata,
                body: Incoming::Http1(body),
            });
        }
    }

    /// The shared connection may be about to close; a request that was not written goes to a new
    /// one.
    async fn send_shared(
        &self,
        mut request: Request<RequestBody>,
        sent: &mut bool,
    ) -> Result<Answered, Failure> {
        for _ in 0..2 {
            let mut sender = self.http2().await?;
            if sender.ready().await.is_err() {
                continue;
            }
            *sent = true;
            let error = match sender.try_send_request(request).await {
                Ok(response) => {
                    let (parts, body) = response.into_parts();
                    return Ok(Answered {
                        status: parts.status,
                        coding: Coding::of(&parts.headers),
                        metadata: reply_metadata(parts.headers.each()),
                        body: Incoming::Http2(body),
                    });
                }
                Err(error) => error,
            };
            request = unsent(error)?;
            *sent = false;
        }
        Err(Failure::closed(false))
    }

    /// An idle connection that is still good, as far as can be told.
    fn idle_one(&self) -> Option<Connection> {
        let mut idle = self.idle_ones();
        loop {
            let Idle { connection, since } = idle.pop()?;
            if now().saturating_duration_since(since) > OLDEST {
                // Those below have been idle for longer.
                idle.clear();
                return None;
            }
            if connection.is_good() {
                return Some(connection);
            }
        }
    }

    pub(super) async fn connect(&self) -> Result<TcpStream, Failure> {
        let failed = |source| Failure::connect(&self.address, source);
        let io = TcpStream::connect(self.address.authority())
            .await
            .map_err(failed)?;
        io.set_nodelay(true).map_err(failed)?;
        Ok(io)
    }

    pub(super) async fn http2(&self) -> Result<Http2, Failure> {
        let mut shared = self.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let io = TokioIo::new(self.connect().await?);
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .handshake(io)
            .await
            .map_err(|_| Failure::closed(false))?;
        tokio::spawn(connection);
        *shared = Some(sender.clone());
        Ok(sender)
    }
}

/// The request that was not written, or why one that may have been has no answer.
fn unsent<B>(error: hyper::client::conn::TrySendError<Request<B>>) -> Result<Request<B>, Failure> {
    let mut error = error;
    if let Some(request) = error.take_message() {
        return Ok(request);
    }
    let error = error.into_error();
    if error.is_parse() {
        return Err(Failure::peer(format!("the answer is no HTTP: {error}")));
    }
    Err(Failure::closed(true))
}
