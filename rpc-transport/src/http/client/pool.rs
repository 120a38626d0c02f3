//! The connections of a client to one HTTP server.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use farcall_core::context::Metadata;
use farcall_core::error::Failure;
use farcall_core::fault::Fault;
use farcall_core::limits::Limits;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};

use super::super::coding::{Coding, Unsupported};
use super::super::fields::Fields;
use super::super::headers::reply_metadata;
use super::http1::{self, Connection};
use super::http2::{self, Http2, last_words, was_refused};
use super::post::{Post, Template};
use crate::address::{Address, Version};
use crate::net::dial::{Dialed, Dialer};
use crate::stream::now;

/// So many idle connections are kept.
const IDLE: usize = 64;
/// An older one is not used again: a router in between may have forgotten it without a word, and
/// the call would wait for nothing.
const OLDEST: Duration = Duration::from_secs(60);

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
    shared: Mutex<Option<Http2>>,
    /// Held by who makes it.
    connecting: tokio::sync::Mutex<()>,
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
    Http2(http2::Incoming),
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
            Self::Http2(body) => Pin::new(body).poll_frame(cx),
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
            shared: Mutex::default(),
            connecting: tokio::sync::Mutex::default(),
        }
    }

    /// Sends a request; `sent` tells from when on it may have arrived.
    pub(super) async fn send(&self, post: Post, sent: &mut bool) -> Result<Answered, Failure> {
        let template = self.template()?;
        // Where both versions may be, the server tells with each connection which it is.
        for _ in 0..3 {
            if self.is_http2() {
                if let Some(shared) = self.http2().await? {
                    return self.send_shared(template, &post, shared, sent).await;
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
            let (head, body) = connection.answer(&self.limits).await?;
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
        template: &Template,
        post: &Post,
        mut shared: Http2,
        sent: &mut bool,
    ) -> Result<Answered, Failure> {
        for _ in 0..2 {
            let Some((asked, mut body)) = shared.open(template.http2(post)) else {
                shared = self.http2_again().await?;
                continue;
            };
            drop(shared);
            *sent = true;
            // If it is refused meanwhile, the answer says so.
            let _ = body.send_data(post.body.clone(), true);
            let answer = asked.answer().await;
            let (head, body) = answer
                .map_err(|error| self.unanswered(&error))?
                .into_parts();
            return Ok(Answered {
                status: head.status,
                coding: Coding::of(&head.headers),
                metadata: reply_metadata(head.headers.each()),
                body: Incoming::Http2(body),
            });
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
            let _connecting = self.connecting.lock().await;
            self.share(io).await?;
            return Ok(None);
        }
        Ok(Some(io))
    }

    /// The connection that all calls share; `None` if the server has HTTP/1.1 instead.
    pub(super) async fn http2(&self) -> Result<Option<Http2>, Failure> {
        if let Some(shared) = self.shared() {
            return Ok(Some(shared));
        }
        let _connecting = self.connecting.lock().await;
        // Somebody else may have made it, or found out, meanwhile.
        if let Some(shared) = self.shared() {
            return Ok(Some(shared));
        }
        if !self.is_http2() {
            return Ok(None);
        }
        let io = self.connect().await?;
        if self.address.version() == Version::Negotiated && !io.is_http2() {
            self.is_http2.store(false, Ordering::Relaxed);
            self.keep(Connection::new(io));
            return Ok(None);
        }
        self.share(io).await.map(Some)
    }

    /// The connection that all calls share, if there is one.
    fn shared(&self) -> Option<Http2> {
        let shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared
            .as_ref()
            .filter(|shared| !shared.is_closed())
            .cloned()
    }

    /// Begins HTTP/2 on a new connection, for all calls from now on.
    async fn share(&self, io: Dialed) -> Result<Http2, Failure> {
        let begun = Http2::begin(io, &self.limits, self.dialer.refusal()).await;
        let begun = begun.map_err(|_| Failure::closed(false))?;
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        *shared = Some(begun.clone());
        self.is_http2.store(true, Ordering::Relaxed);
        Ok(begun)
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

    /// Why a request that may have been written has no answer.
    fn unanswered(&self, error: &h2::Error) -> Failure {
        if was_refused(error) {
            return Failure::remote(Fault::shutting_down());
        }
        if let Some(words) = last_words(error) {
            return Failure::refused(words);
        }
        self.closed(true)
    }
}
