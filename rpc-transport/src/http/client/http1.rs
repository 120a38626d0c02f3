//! One HTTP/1.1 connection, driven by the caller that uses it: one request is on it at a time, so
//! it needs no task of its own, and a call no way to one and back.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::{Bytes, BytesMut};
use farcall_core::error::Failure;
use farcall_core::limits::Limits;
use http_body::{Body, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::io::poll_read_buf;

use super::framing::Framing;
use super::head::{self, Head};
use crate::net::dial::Dialed;
use crate::net::said;

/// How much is read at a time where nothing is known.
const USUAL: usize = 8 * 1024;
/// How far ahead of a body's bytes room is made for them: its length is a claim.
const AHEAD: u64 = 1024 * 1024;

/// A connection that has no request on it.
#[derive(Debug)]
pub(super) struct Connection<IO = Dialed> {
    io: IO,
    received: BytesMut,
    /// The last request was not written to its end: nothing can follow it.
    is_cut_off: bool,
}

impl Connection {
    /// False if the server closed it, or said something that nobody asked for.
    pub(super) fn is_good(&mut self) -> bool {
        // Nobody waits: whoever uses it next asks again.
        let mut cx = Context::from_waker(Waker::noop());
        let nothing = Pin::new(&mut self.io).poll_read(&mut cx, &mut ReadBuf::new(&mut [0]));
        nothing.is_pending()
    }

    /// Writes a request: all of it, unless an answer begins to come before. The error has false if
    /// surely nothing of it arrived.
    pub(super) async fn write(&mut self, request: &[u8]) -> Result<(), (bool, io::Error)> {
        let mut written = 0;
        poll_fn(|cx| self.poll_write(cx, request, &mut written))
            .await
            .map_err(|error| (written > 0, error))
    }

    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        request: &[u8],
        written: &mut usize,
    ) -> Poll<io::Result<()>> {
        let left = loop {
            let wrote = match request.get(*written..).filter(|rest| !rest.is_empty()) {
                Some(rest) => Pin::new(&mut self.io).poll_write(cx, rest),
                // What is encrypted may still be on its way.
                None => Pin::new(&mut self.io).poll_flush(cx).map_ok(|()| 0),
            };
            match wrote {
                Poll::Ready(Ok(0)) if *written == request.len() => return Poll::Ready(Ok(())),
                Poll::Ready(Ok(0)) => break Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(count)) => *written = written.saturating_add(count),
                Poll::Ready(Err(error)) => break Some(error),
                Poll::Pending => break None,
            }
        };
        match (self.poll_read(cx, USUAL), left) {
            // It answers before it has read all: a refusal, or why it closed.
            (Poll::Ready(Ok(1..)), left) if *written > 0 || left.is_none() => {
                self.is_cut_off = true;
                Poll::Ready(Ok(()))
            }
            (Poll::Ready(Err(error)), _) | (_, Some(error)) => Poll::Ready(Err(error)),
            (Poll::Ready(Ok(_)), None) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            (Poll::Pending, None) => Poll::Pending,
        }
    }
}

impl<IO: AsyncRead + Unpin> Connection<IO> {
    pub(super) fn new(io: IO) -> Self {
        Self {
            io,
            received: BytesMut::new(),
            is_cut_off: false,
        }
    }

    /// Reads the head of the answer within the limits; the body can be read from what this gives.
    pub(super) async fn answer(mut self, limits: &Limits) -> Result<(Head, Incoming<IO>), Failure> {
        let limit = limits.head_bytes;
        let no_http = |why: &str| Failure::peer(format!("the answer is no HTTP: {why}"));
        loop {
            match head::take(&mut self.received, limits.headers).map_err(|why| no_http(&why))? {
                Some(mut head) => {
                    let framing = std::mem::replace(&mut head.framing, Framing::Done);
                    let keeps_alive = head.keeps_alive && !self.is_cut_off;
                    let connection = self;
                    let incoming = Incoming {
                        connection,
                        framing,
                        keeps_alive,
                    };
                    return Ok((head, incoming));
                }
                None if self.received.len() > limit => {
                    return Err(no_http(&format!(
                        "its head is longer than {limit} bytes (`Limits::head_bytes`)"
                    )));
                }
                None => {}
            }
            let read = poll_fn(|cx| self.poll_read(cx, USUAL));
            match read.await {
                // It began like one, or not at all.
                Ok(0) if begins_like_http(&self.received) => return Err(Failure::closed(true)),
                Ok(0) => return Err(no_http("it ends in its head")),
                Ok(_) => {}
                Err(error) => return Err(ended(true, &error)),
            }
        }
    }

    /// Reads what there is, into room for at least `room` bytes.
    fn poll_read(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        self.received.reserve(room);
        poll_read_buf(Pin::new(&mut self.io), cx, &mut self.received)
    }
}

/// True if an answer over HTTP may begin with `received`.
fn begins_like_http(received: &[u8]) -> bool {
    const START: &[u8] = b"HTTP/1.";
    let begun = received.len().min(START.len());
    received.get(..begun) == START.get(..begun)
}

/// A connection ended with this error; `sent` if the request may have left before.
pub(super) fn ended(sent: bool, error: &io::Error) -> Failure {
    match said(error) {
        Some(words) => Failure::refused(words),
        None => Failure::closed(sent),
    }
}

/// The body of an answer, and its connection.
#[derive(Debug)]
pub(super) struct Incoming<IO = Dialed> {
    connection: Connection<IO>,
    framing: Framing,
    keeps_alive: bool,
}

impl Incoming {
    /// The connection, if it can carry another request: the body was read to its end, and nothing
    /// came behind it.
    pub(super) fn into_connection(self) -> Option<Connection> {
        let over = matches!(self.framing, Framing::Done | Framing::Length(0));
        let good = over && self.keeps_alive && self.connection.received.is_empty();
        good.then_some(self.connection)
    }
}

impl<IO: AsyncRead + Unpin> Body for Incoming<IO> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let broken = |_| io::Error::from(io::ErrorKind::InvalidData);
        let this = &mut *self;
        loop {
            match this
                .framing
                .take(&mut this.connection.received)
                .map_err(broken)
            {
                Err(error) => return Poll::Ready(Some(Err(error))),
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(Frame::data(piece)))),
                Ok(None) if this.framing == Framing::Done => return Poll::Ready(None),
                Ok(None) => {}
            }
            let room = match this.framing {
                Framing::Length(left) => usize::try_from(left.min(AHEAD)).unwrap_or(USUAL),
                _ => USUAL,
            };
            match ready!(this.connection.poll_read(cx, room)) {
                Ok(0) => match this.framing.close().map_err(broken) {
                    Ok(()) => return Poll::Ready(None),
                    Err(error) => return Poll::Ready(Some(Err(error))),
                },
                Ok(_) => {}
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.framing, Framing::Done | Framing::Length(0))
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length(left) => SizeHint::with_exact(left),
            _ => SizeHint::default(),
        }
    }
}
