//! The connections of a client to one HTTP server.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::context::Metadata;
use farcall_core::error::Failure;
use farcall_core::fault::Fault;
use farcall_core::limits::Limits;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::{Either, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::super::coding::{Coding, Unsupported};
use super::super::fields::Fields;
use super::super::headers::reply_metadata;
use super::super::pipe::Piped;
use super::http1::{self, Connection};
use super::post::{Post, Template};
use crate::address::{Address, Version};
use crate::net::dial::{Dialed, Dialer};
use crate::stream::now;

/// So many idle connections are kept.
const IDLE: usize = 64;
/// An older one is not used again: a router in between may have forgotten it without a word, and
/// the call would wait for nothing.
const OLDEST: Duration = Duration::from_secs(60);
/// Calls that wait this long for a reply over HTTP/2 make sure that the server is still there: all
/// others wait on the same connection.
const PING: Duration = Duration::from_secs(10);

pub(super) type Http2 = http2::SendRequest<RequestBody>;

/// The body of a request over HTTP/2.
pub(super) type RequestBody = Either<Full<Bytes>, Piped>;

/// HTTP/1.1: the idle connections, the last used first. HTTP/2: the one that all calls share.
pub(super) struct Pool {
    address: Address,
    dialer: Dialer,
    /// True if the last connection for which both versions were offered has HTTP/2.
    is_http2: AtomicBool,
    /// What requests begin with, or why there can be none.
    template: Result<Template, String>,
    pub(super) limits: Limits,
    idle: Mutex<Vec<Idle>>,
    shared: Shared,
}

type Shared = Arc<tokio::sync::Mutex<Option<Http2>>>;

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
    pub(super) fn new(address: &Address, dialer: Dialer, limits: Limits) -> Self {
        Self {
            address: address.clone(),
            dialer,
            is_http2: AtomicBool::new(address.version() != Version::Http1),
            template: Template::new(address),
            limits,
            idle: Mutex::default(),
            shared: Shared::default(),
        }
    }

    /// Sends a request; `sent` tells from when on it may have arrived.
    pub(super) async fn send(&self, post: Post, sent: &mut bool) -> Result<Answered, Failure> {
        let template = self.template()?;
        // Where both versions may be, the server tells with each connection which it is.
        for _ in 0..3 {
            if self.is_http2() {
                if let Some(sender) = self.http2().await? {
                    return self.send_shared(template.http2(post), sender, sent).await;
                }
            } else if let Some(answered) = self.send_alone(template, &post, sent).await? {
                return Ok(answered);
            }
        }
        Err(Failure::closed(false))
    }

    pub(super) fn template(&self) -> Result<&Template, Failure> {
        let template = self.template.as_ref();
        template.map_err(|why| Failure::unsupported(why.clone()))
    }

    /// True if calls share a connection over HTTP/2, as far as is known.
    pub(super) fn is_http2(&self) -> bool {
        self.is_http2.load(Ordering::Relaxed)
    }

    /// The body of an answer was read: its connection can carry another call.
    pub(super) fn give_back(&self, body: Incoming) {
        let connection = match body {
            Incoming::Http1(body) => body.into_connection(),
            Incoming::Http2(_) => None,
        };
        if let Some(connection) = connection {
            self.keep(connection);
        }
    }

    fn keep(&self, connection: Connection) {
        let mut idle = self.idle_ones();
        if idle.len() < IDLE {
            let since = now();
            idle.push(Idle { connection, since });
        }
    }

    fn idle_ones(&self) -> MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle connection may have been closed by the server. A request of which nothing was
    /// written goes to the next one; in the end a new one is made. `None` if that one has HTTP/2.
    async fn send_alone(
        &self,
        template: &Template,
        post: &Post,
        sent: &mut bool,
    ) -> Result<Option<Answered>, Failure> {
        let request = template.http1(post);
        loop {
            let (mut connection, reused) = match self.idle_one() {
                Some(connection) => (connection, true),
                None => match self.http1().await? {
                    Some(io) => (Connection::new(io), false),
                    None => return Ok(None),
                },
            };
            *sent = true;
            match connection.write(&request).await {
                Ok(()) => {}
                Err((false, _)) if reused => {
                    *sent = false;
                    continue;
                }
                Err((began, error)) => {
                    *sent = began;
                    return Err(http1::ended(began, &error));
                }
            }
            let (head, body) = connection.answer(self.limits.head_bytes).await?;
            if head.is_last_word {
                return Err(Failure::remote(Fault::shutting_down()));
            }
            return Ok(Some(Answered {
                status: head.status,
                coding: head.coding,
                metadata: head.metadata,
                body: Incoming::Http1(body),
            }));
        }
    }

    /// The shared connection may be about to close; a request that was not written goes to a new
    /// one.
    async fn send_shared(
        &self,
        mut request: Request<RequestBody>,
        mut sender: Http2,
        sent: &mut bool,
    ) -> Result<Answered, Failure> {
        for _ in 0..2 {
            if sender.ready().await.is_err() {
                sender = self.http2_again().await?;
                continue;
            }
            *sent = true;
            let answer = sender.try_send_request(request);
            // See `share`.
            drop(sender);
            let error = match answer.await {
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
            request = self.unsent(error)?;
            *sent = false;
            sender = self.http2_again().await?;
        }
        Err(Failure::closed(false))
    }

    /// An idle connection that is still good, as far as can be told.
    fn idle_one(&self) -> Option<Connection> {
        let mut idle = self.idle_ones();
        loop {
            let Idle {
                mut connection,
                since,
            } = idle.pop()?;
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

    async fn connect(&self) -> Result<Dialed, Failure> {
        let dialed = self.dialer.dial().await;
        let io = dialed.map_err(|source| Failure::connect(&self.address, source))?;
        if self.address.transport().is_secure() && self.address.is_http2() && !io.is_http2() {
            return Err(Failure::unsupported(format!(
                "{}: the server has no HTTP/2 (it did not choose it in the TLS handshake)",
                self.address
            )));
        }
        Ok(io)
    }

    /// A new connection for HTTP/1.1; `None` if the server has HTTP/2 instead.
    pub(super) async fn http1(&self) -> Result<Option<Dialed>, Failure> {
        let io = self.connect().await?;
        if io.is_http2() {
            self.share(&mut *self.shared.lock().await, io).await?;
            return Ok(None);
        }
        Ok(Some(io))
    }

    /// The connection that all calls share; `None` if the server has HTTP/1.1 instead.
    pub(super) async fn http2(&self) -> Result<Option<Http2>, Failure> {
        let mut shared = self.shared.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(Some(sender.clone()));
        }
        // Somebody else may have found out meanwhile.
        if !self.is_http2() {
            return Ok(None);
        }
        let io = self.connect().await?;
        if self.address.version() == Version::Negotiated && !io.is_http2() {
            self.is_http2.store(false, Ordering::Relaxed);
            self.keep(Connection::new(io));
            return Ok(None);
        }
        self.share(&mut shared, io).await.map(Some)
    }

    /// Begins HTTP/2 on a new connection, for all calls from now on.
    async fn share(&self, shared: &mut Option<Http2>, io: Dialed) -> Result<Http2, Failure> {
        let (sender, connection) = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PING)
            .max_header_list_size(u32::try_from(self.limits.head_bytes).unwrap_or(u32::MAX))
            .handshake(TokioIo::new(io))
            .await
            .map_err(|_| Failure::closed(false))?;
        let (refusal, kept) = (self.dialer.refusal(), Arc::clone(&self.shared));
        tokio::spawn(async move {
            if let Err(error) = connection.await
                && let Some(words) = last_words(&error)
            {
                refusal.say(words);
            }
            // A request that was put into its queue at this moment is given back once nobody can put
            // another there, and no sooner.
            kept.lock().await.take_if(|sender| sender.is_closed());
        });
        *shared = Some(sender.clone());
        self.is_http2.store(true, Ordering::Relaxed);
        Ok(sender)
    }

    /// As [`http2`](Self::http2), after a connection that had it has closed.
    async fn http2_again(&self) -> Result<Http2, Failure> {
        match self.refused() {
            Some(words) => Err(Failure::refused(words)),
            None => self.http2().await?.ok_or_else(|| Failure::closed(false)),
        }
    }

    /// What became of the shared connection.
    pub(super) fn closed(&self, sent: bool) -> Failure {
        match self.refused() {
            Some(words) => Failure::refused(words),
            None => Failure::closed(sent),
        }
    }

    /// What the server said in the words of TLS or HTTP/2, if it refused the shared connection.
    pub(super) fn refused(&self) -> Option<String> {
        self.dialer.refused()
    }

    /// The request that was not written, or why one that may have been has no answer.
    fn unsent<B>(
        &self,
        mut error: hyper::client::conn::TrySendError<Request<B>>,
    ) -> Result<Request<B>, Failure> {
        if let Some(request) = error.take_message() {
            return Ok(request);
        }
        let error = error.into_error();
        if was_refused(&error) {
            return Err(Failure::remote(Fault::shutting_down()));
        }
        if let Some(words) = last_words(&error) {
            return Err(Failure::refused(words));
        }
        if error.is_parse() {
            return Err(Failure::peer(format!("the answer is no HTTP: {error}")));
        }
        Err(self.closed(true))
    }
}

/// True if the server said that it did not look at the request: that it refused it, or, as it ended, that
/// it had taken only those before it.
fn was_refused(error: &hyper::Error) -> bool {
    let Some(error) = of_http2(error) else {
        return false;
    };
    let says = |reason| error.is_remote() && error.reason() == Some(reason);
    (error.is_go_away() && says(h2::Reason::NO_ERROR))
        || (error.is_reset() && says(h2::Reason::REFUSED_STREAM))
}

/// What the server said as it ended the connection because of an error.
fn last_words(error: &hyper::Error) -> Option<String> {
    let error = of_http2(error)?;
    (error.is_go_away() && error.is_remote()).then(|| error.to_string())
}

fn of_http2(error: &hyper::Error) -> Option<&h2::Error> {
    std::error::Error::source(error)?.downcast_ref()
}
