//! The byte stream below an HTTP connection: what hyper leaves unwatched of it.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use farcall_core::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_util::io::poll_read_buf;

/// A stream whose writes fail when the other side has read nothing for too long (hyper would keep
/// the answer of a client that reads no more for ever), and at which one can look ahead.
///
/// hyper holds one handle and reads and writes; whoever drives hyper holds another. Both are used
/// by one task, so the lock is always free.
pub(super) struct Line<IO>(Arc<Mutex<Inner<IO>>>);

struct Inner<IO> {
    io: IO,
    /// What came while hyper did not ask for it.
    ahead: BytesMut,
    closed: bool,
    /// Something came since anything was written.
    heard: bool,
    write_time: Duration,
    /// Runs while a write waits.
    stalled: Option<Pin<Box<Sleep>>>,
}

/// What comes next from the other side.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ahead {
    /// Bytes, for hyper to read.
    Bytes,
    /// Nothing more. It may still read: with TCP nobody can tell before the next write.
    Closed,
    /// Nothing more, and it does not read either.
    Broken,
}

impl<IO> Line<IO> {
    pub(super) fn new(io: IO, limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Inner {
            io,
            ahead: BytesMut::new(),
            closed: false,
            heard: false,
            write_time: limits.write_time,
            stalled: None,
        })))
    }

    /// The stream, and what came while hyper did not ask for it; nothing while another handle is
    /// held.
    pub(super) fn into_inner(self) -> Option<(IO, BytesMut)> {
        let inner = Arc::into_inner(self.0)?.into_inner();
        let Inner { io, ahead, .. } = inner.unwrap_or_else(PoisonError::into_inner);
        Some((io, ahead))
    }

    /// True if something came since anything was written, and nothing waits to be: words would not stand
    /// in the middle of an answer.
    pub(super) fn may_answer(&self) -> bool {
        let inner = self.lock();
        inner.heard && inner.stalled.is_none()
    }

    fn lock(&self) -> MutexGuard<'_, Inner<IO>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<IO> Clone for Line<IO> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<IO> fmt::Debug for Line<IO> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Line")
    }
}

/// How far it looks ahead: while a large body comes, each look is a read.
const AHEAD: usize = 16 * 1024;

impl<IO: AsyncRead + Unpin> Line<IO> {
    /// Looks ahead, but not past bytes that hyper has not read yet.
    pub(super) fn poll_ahead(&self, cx: &mut Context<'_>) -> Poll<Ahead> {
        let inner = &mut *self.lock();
        if inner.closed {
            return Poll::Ready(Ahead::Closed);
        }
        if !inner.ahead.is_empty() {
            return Poll::Pending;
        }
        inner.ahead.reserve(AHEAD);
        let read = ready!(poll_read_buf(Pin::new(&mut inner.io), cx, &mut inner.ahead));
        inner.closed = matches!(read, Ok(0));
        Poll::Ready(match read {
            Ok(0) => Ahead::Closed,
            Ok(_) => {
                inner.heard = true;
                Ahead::Bytes
            }
            Err(_) => Ahead::Broken,
        })
    }
}

impl<IO> Inner<IO> {
    /// What a write came to, unless it has waited too long.
    fn in_time(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            self.heard &= !matches!(written, Poll::Ready(Ok(1..)));
            return written;
        }
        let time = self.write_time;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<IO: AsyncRead + Unpin> AsyncRead for Line<IO> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let inner = &mut *self.lock();
        if inner.ahead.is_empty() && !inner.closed {
            let before = buf.filled().len();
            let read = Pin::new(&mut inner.io).poll_read(cx, buf);
            inner.heard |= buf.filled().len() > before;
            return read;
        }
        let count = inner.ahead.len().min(buf.remaining());
        buf.put_slice(&inner.ahead.split_to(count));
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Line<IO> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.lock();
        let written = Pin::new(&mut inner.io).poll_write(cx, buf);
        inner.in_time(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let inner = &mut *self.lock();
        let written = Pin::new(&mut inner.io).poll_write_vectored(cx, bufs);
        inner.in_time(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let inner = &mut *self.lock();
        // TLS takes more than it can send: what waits there waits for the other side too.
        let flushed = Pin::new(&mut inner.io).poll_flush(cx).map_ok(|()| 0);
        inner.in_time(flushed, cx).map_ok(drop)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().io).poll_shutdown(cx)
    }
}
