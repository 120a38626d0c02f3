//! A plain connection's bytes and times: what is read, what is to be written, until when.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_util::io::poll_read_buf;

use super::super::server::AFTER_CLOSE;
use super::alarm::Alarm;
use super::out::Out;
use crate::net::later::later;

/// How much is read at a time: most requests with their heads are smaller.
const USUAL: usize = 1024;
/// How much is read at a time where more is known to come, and how far ahead of a handler.
const MUCH: usize = 16 * 1024;

/// What came of waiting for bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    Bytes,
    /// Nothing more will.
    Closed,
    /// Nothing did for too long.
    Late,
}

/// It broke off, or the other side reads no more: nothing can be said to it.
#[derive(Debug)]
pub(super) struct Broken;

#[derive(Debug)]
pub(super) struct Connection<IO> {
    pub(super) io: IO,
    pub(super) received: BytesMut,
    pub(super) out: Out,
    /// How much room was made for what is received, which it may still hold on to.
    room: usize,
    written: usize,
    write_time: Duration,
    /// When a write that waits has waited too long.
    stalled: Option<Instant>,
    /// When a call ends whose client has closed.
    closed: Option<Instant>,
    alarm: Alarm,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Connection<IO> {
    pub(super) fn new(io: IO, received: BytesMut, write_time: Duration) -> Self {
        Self {
            io,
            received,
            out: Out::default(),
            room: 0,
            written: 0,
            write_time,
            stalled: None,
            closed: None,
            alarm: Alarm::default(),
        }
    }

    /// Waits for bytes until `end`, where `missing` of them are known to come, or `None` if that is
    /// not known.
    pub(super) fn poll_more(
        &mut self,
        cx: &mut Context<'_>,
        missing: Option<usize>,
        end: Instant,
    ) -> Poll<Result<Came, Broken>> {
        if self.closed.is_some() {
            return Poll::Ready(Ok(Came::Closed));
        }
        // A length is a claim: no more room is made ahead than for what has come already.
        let room = missing.map_or(USUAL / 2, |missing| {
            missing.min(self.received.len().max(MUCH))
        });
        match self.poll_read(cx, room) {
            Poll::Ready(Ok(0)) => Poll::Ready(Ok(Came::Closed)),
            Poll::Ready(Ok(_)) => Poll::Ready(Ok(Came::Bytes)),
            Poll::Ready(Err(_)) => Poll::Ready(Err(Broken)),
            Poll::Pending => self.alarm.poll(end, cx).map(|()| Ok(Came::Late)),
        }
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, room: usize) -> Poll<io::Result<usize>> {
        if self.received.spare_capacity_mut().len() < room {
            self.received.reserve(room.max(USUAL));
            self.room = self.room.max(self.received.capacity());
        }
        let read = ready!(poll_read_buf(
            Pin::new(&mut self.io),
            cx,
            &mut self.received
        ))?;
        if read == 0 {
            self.closed = Some(later(AFTER_CLOSE));
        }
        Poll::Ready(Ok(read))
    }

    /// While a handler runs: writes the answers to those before it, and looks whether its client is
    /// still there. Ready if it is not.
    pub(super) fn poll_beside(&mut self, cx: &mut Context<'_>) -> Poll<Broken> {
        if let Poll::Ready(Err(broken)) = self.poll_write_all(cx, &[]) {
            return Poll::Ready(broken);
        }
        while self.closed.is_none() && self.received.len() < MUCH {
            match self.poll_read(cx, USUAL / 2) {
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(Broken),
                Poll::Pending => break,
            }
        }
        match self.closed {
            Some(end) => self.alarm.poll(end, cx).map(|()| Broken),
            None => Poll::Pending,
        }
    }

    /// Writes what has gathered, and `message` behind it.
    pub(super) async fn write(&mut self, message: &[u8]) -> Result<(), Broken> {
        poll_fn(|cx| self.poll_write_all(cx, message)).await
    }

    fn poll_write_all(&mut self, cx: &mut Context<'_>, message: &[u8]) -> Poll<Result<(), Broken>> {
        if self.out.bytes.is_empty() && message.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let whole = self.out.bytes.len().saturating_add(message.len());
        while self.written < whole {
            let head = self.out.bytes.get(self.written..).unwrap_or_default();
            let behind = self.written.saturating_sub(self.out.bytes.len());
            let message = message.get(behind..).unwrap_or_default();
            let io = Pin::new(&mut self.io);
            let written = match (head.is_empty(), message.is_empty()) {
                (false, false) => {
                    io.poll_write_vectored(cx, &[IoSlice::new(head), IoSlice::new(message)])
                }
                (false, true) => io.poll_write(cx, head),
                (true, _) => io.poll_write(cx, message),
            };
            match self.in_time(written, cx) {
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(Err(Broken)),
                Poll::Ready(Ok(count)) => self.written = self.written.saturating_add(count),
                Poll::Pending => return Poll::Pending,
            }
        }
        let flushed = Pin::new(&mut self.io).poll_flush(cx);
        let flushed = flushed.map_ok(|()| 0);
        let flushed = ready!(self.in_time(flushed, cx));
        self.written = 0;
        self.out.bytes.clear();
        self.out.bytes.shrink_to(MUCH);
        Poll::Ready(flushed.map(drop).map_err(|_| Broken))
    }

    /// What a write came to, unless it has waited too long.
    fn in_time(
        &mut self,
        written: Poll<io::Result<usize>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let time = self.write_time;
        let end = *self.stalled.get_or_insert_with(|| later(time));
        self.alarm
            .poll(end, cx)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Tells the other side that no more comes, in time.
    pub(super) async fn close(&mut self) {
        let _ = poll_fn(|cx| {
            let shut = Pin::new(&mut self.io).poll_shutdown(cx).map_ok(|()| 0);
            self.in_time(shut, cx)
        })
        .await;
    }

    /// Lets go of what a large body needed, before a wait that may be long.
    pub(super) fn rest(&mut self) {
        if self.received.is_empty() && self.room > MUCH {
            self.received = BytesMut::new();
            self.room = 0;
        }
    }
}
