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
use http_body_util::{BodyExt, Either};
use tokio_util::io::StreamReader;

use super::super::pipe::pipe;
use super::chunked::Chunked;
use super::http1::Connection;
use super::pool::Pool;
use crate::net::Stream as ByteStream;

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
    pub(super) async fn tunnel(&self, headers: HeaderMap) -> Result<Tunnel, Failure> {
        let template = self.template()?;
        let is_answered = Arc::new(AtomicBool::new(false));
        let answered = Arc::clone(&is_answered);
        if self.is_http2() {
            let (writer, body) = pipe();
            let request = template.http2_stream(headers, Either::Right(body));
            let mut sender = self.http2().await?;
            sender.ready().await.map_err(|_| Failure::closed(false))?;
            let answer = sender.send_request(request);
            let pieces = async move {
                let answer = answer.await.map_err(io::Error::other)?;
                answered.store(true, Ordering::Relaxed);
                let (head, body) = answer.into_parts();
                body_of(head.status, body).await
            };
            return Ok(Tunnel::new(
                pieces.try_flatten_stream(),
                writer,
                is_answered,
            ));
        }
        let (read, write) = tokio::io::split(self.connect().await?);
        let writer = Chunked::new(write, template.http1_stream(&headers));
        let limit = self.limits.head_bytes;
        let pieces = async move {
            let answer = Connection::new(read).answer(limit).await;
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
