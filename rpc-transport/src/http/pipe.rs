//! A body that is written here as a byte stream: what was written waits until HTTP asks for it, but
//! no more of it than a limit.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use tokio::io::AsyncWrite;

/// So many bytes may wait: enough to fill frames of HTTP/2, and little beside what sockets hold.
const ROOM: usize = 64 * 1024;

/// The two ends of a body.
pub(super) fn pipe() -> (Writer, Piped) {
    let inner = Arc::new(Mutex::default());
    (Writer(Arc::clone(&inner)), Piped(inner))
}

#[derive(Debug, Default)]
struct Inner {
    bytes: BytesMut,
    end: Option<End>,
    /// Nobody reads any more.
    is_unread: bool,
    writer: Option<Waker>,
    reader: Option<Waker>,
}

#[derive(Clone, Copy, Debug)]
enum End {
    /// It is whole.
    Whole,
    /// It broke off.
    Broken,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// The end that is written to. Shut down, it ends the body; dropped, it breaks it off.
#[derive(Debug)]
pub(super) struct Writer(Arc<Mutex<Inner>>);

impl Writer {
    fn end(&self, how: End) {
        let mut inner = lock(&self.0);
        inner.end.get_or_insert(how);
        wake(&mut inner.reader);
    }
}

impl AsyncWrite for Writer {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut inner = lock(&self.0);
        if inner.is_unread {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let room = ROOM.saturating_sub(inner.bytes.len());
        if room == 0 {
            inner.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = bytes.get(..room).unwrap_or(bytes);
        inner.bytes.extend_from_slice(bytes);
        wake(&mut inner.reader);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.end(End::Whole);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.end(End::Broken);
    }
}

/// The end that HTTP reads.
#[derive(Debug)]
pub(super) struct Piped(Arc<Mutex<Inner>>);

impl Body for Piped {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let mut inner = lock(&self.0);
        if !inner.bytes.is_empty() {
            let bytes = inner.bytes.split().freeze();
            wake(&mut inner.writer);
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        match inner.end {
            None => {
                inner.reader = Some(cx.waker().clone());
                Poll::Pending
            }
            Some(End::Whole) => Poll::Ready(None),
            Some(End::Broken) => Poll::Ready(Some(Err(io::ErrorKind::BrokenPipe.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        let inner = lock(&self.0);
        inner.bytes.is_empty() && matches!(inner.end, Some(End::Whole))
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let mut inner = lock(&self.0);
        inner.is_unread = true;
        inner.bytes = BytesMut::new();
        wake(&mut inner.writer);
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn what_was_written_comes_whole_and_then_the_end() {
        let (mut writer, body) = pipe();
        let sent = vec![7; 3 * ROOM + 1];
        let writing = async {
            writer.write_all(&sent).await.unwrap();
            writer.shutdown().await.unwrap();
        };
        let ((), read) = tokio::join!(writing, body.collect());
        assert_eq!(read.unwrap().to_bytes(), sent);
    }

    #[tokio::test]
    async fn no_more_waits_than_there_is_room_for() {
        let (mut writer, mut body) = pipe();
        let written = writer.write(&vec![7; 2 * ROOM]).await.unwrap();
        assert_eq!(written, ROOM);
        let mut more = std::pin::pin!(writer.write(b"more"));
        let first = std::future::poll_fn(|cx| Poll::Ready(more.as_mut().poll(cx).is_pending()));
        assert!(first.await);
        body.frame().await.unwrap().unwrap();
        assert_eq!(more.await.unwrap(), 4);
    }

    #[tokio::test]
    async fn who_leaves_is_missed_at_the_other_end() {
        let (mut writer, body) = pipe();
        writer.write_all(b"half").await.unwrap();
        drop(writer);
        assert!(body.collect().await.is_err(), "it broke off");
        let (mut writer, body) = pipe();
        drop(body);
        assert!(writer.write(b"unread").await.is_err());
    }
}
