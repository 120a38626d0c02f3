//! A connection that is HTTP's no more: how it comes back from hyper.

use std::net::SocketAddr;

use bytes::BytesMut;
use http::Response;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use hyper_util::server::conn::auto::upgrade::downcast;
use tokio::io::{AsyncRead, AsyncWrite};

use super::line::Line;
use crate::drain::Drain;

/// What comes with an answer that opens a WebSocket: the connection, once it is free, and what is
/// spoken on it.
#[derive(Clone)]
pub(super) struct Opening {
    pub(super) connection: OnUpgrade,
    /// It is farcall's own protocol, in binary messages.
    pub(super) is_native: bool,
    /// Who asked for it, and until when it may last.
    pub(super) peer: Option<SocketAddr>,
    pub(super) drain: Drain,
}

/// A WebSocket that was opened in the place of a connection.
pub(crate) struct Opened<IO> {
    pub(crate) io: IO,
    /// What the client sent at once.
    pub(crate) start: BytesMut,
    pub(crate) is_native: bool,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) drain: Drain,
}

impl Opening {
    /// What `reply` opens, if it opens anything.
    pub(super) fn of<B>(reply: &mut Response<B>) -> Option<Self> {
        reply.extensions_mut().remove()
    }

    /// Takes the connection back, of which `line` is the last other handle.
    pub(super) async fn opened<IO>(self, line: Line<IO>) -> Option<Opened<IO>>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Self {
            connection,
            is_native,
            peer,
            drain,
        } = self;
        let parts = downcast::<TokioIo<Line<IO>>>(connection.await.ok()?).ok()?;
        drop(line);
        let (io, ahead) = parts.io.into_inner().into_inner()?;
        let mut start = BytesMut::from(&parts.read_buf[..]);
        start.extend_from_slice(&ahead);
        Some(Opened {
            io,
            start,
            is_native,
            peer,
            drain,
        })
    }
}
