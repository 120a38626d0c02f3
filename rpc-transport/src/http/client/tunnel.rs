//! A POST whose two bodies are together one byte stream: a call with streams.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use farcall_core::connection::PeerMisbehaved;
use farcall_core::error::Failure;
use futures_util::{Stream, TryFutureExt};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use tokio_util::io::StreamReader;

use super::chunked::Chunked;
use super::http1::Connection;
use super::http2::{Http2, Outgoing};
use super::pool::Pool;
use crate::net::Stream as ByteStream;
use crate::net::dial::Dialed;

/// A byte stream to the server.
pub(super) struct Tunnel {
    pub(super) io: Box<dyn ByteStream>,
    /// The server has begun to answer.
    pub(super) is_answered: Arc<AtomicBool>,
}

/// The pieces of an answer's body.
type Pieces = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

impl Pool {
    /// Makes a request with these headers, and gives both of its bodies. Over HTTP/1.1 it has a
    /// connection of its own.
    pub(super) async fn tunnel(self: &Arc<Self>, headers: HeaderMap) -> Result<Tunnel, Failure> {
        // Where both versions may be, the server tells with each connection which it is.
        for _ in 0..3 {
            if self.is_http2() {
                if let Some(shared) = self.http2().await? {
                    return self.shared_tunnel(headers, shared);
                }
            } else if let Some(io) = self.http1().await? {
                return self.own_tunnel(&headers, io);
            }
        }
        Err(Failure::closed(false))
    }

    /// Over HTTP/2.
    fn shared_tunnel(
        self: &Arc<Self>,
        headers: HeaderMap,
        mut shared: Http2,
    ) -> Result<Tunnel, Failure> {
        let is_answered = Arc::new(AtomicBool::new(false));
        let answered = Arc::clone(&is_answered);
        let request = self.template()?.http2_stream(headers);
        let opened = shared.open(request);
        let (asked, body) = opened.ok_or_else(|| self.closed(false))?;
        let pool = Arc::clone(self);
        let pieces = async move {
            let answer = asked.answer().await.map_err(|error| match pool.refused() {
                Some(words) => misbehaved(&words),
                None => io::Error::other(error),
            })?;
            answered.store(true, Ordering::Relaxed);
            let (head, body) = answer.into_parts();
            body_of(head.status, body).await
        };
        Ok(Tunnel::new(
            pieces.try_flatten_stream(),
            Outgoing(body),
            is_answered,
        ))
    }

    /// Over HTTP/1.1.
    fn own_tunnel(&self, headers: &HeaderMap, io: Dialed) -> Result<Tunnel, Failure> {
        let is_answered = Arc::new(AtomicBool::new(false));
        let answered = Arc::clone(&is_answered);
        let (read, write) = tokio::io::split(io);
        let writer = Chunked::new(write, self.template()?.http1_stream(headers));
        let limits = self.limits.clone();
        let pieces = async move {
            let answer = Connection::new(read).answer(&limits).await;
            let (head, body) = answer.map_err(|failure| misbehaved(&failure.to_string()))?;
            answered.store(true, Ordering::Relaxed);
            body_of(head.status, body).await
        };
        Ok(Tunnel::new(
            pieces.try_flatten_stream(),
            writer,
            is_answered,
        ))
    }
}

impl Tunnel {
    fn new<S, W>(pieces: S, writer: W, is_answered: Arc<AtomicBool>) -> Self
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
        W: tokio::io::AsyncWrite + Send + Unpin + 'static,
    {
        let pieces: Pieces = Box::pin(pieces);
        Self {
            io: Box::new(tokio::io::join(StreamReader::new(pieces), writer)),
            is_answered,
        }
    }
}

/// The pieces of the body of an answer, if it is one: a refusal is an error in its own words.
async fn body_of<B>(status: StatusCode, mut body: B) -> io::Result<Pieces>
where
    B: Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if status.is_success() {
        return Ok(Box::pin(body.map_err(io::Error::other).into_data_stream()));
    }
    /// Enough of its words to show.
    const SHOWN: usize = 200;
    let mut words = Vec::new();
    while words.len() < SHOWN
        && let Some(Ok(frame)) = body.frame().await
    {
        words.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
    }
    words.truncate(SHOWN);
    let words = String::from_utf8_lossy(&words);
    Err(misbehaved(&format!("HTTP {status}: {}", words.trim())))
}

/// What the server did, in the place where the connection looks for it.
fn misbehaved(how: &str) -> io::Error {
    io::Error::other(PeerMisbehaved::new(how))
}
