//! The body of a request over HTTP/1.1 that has no length: each write is a chunk (RFC 9112 §7.1).

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::AsyncWrite;

/// The longest chunk that is made: larger writes are several.
const LONGEST: usize = 64 * 1024;

/// Writes what it is given in chunks. Shut down, it ends the body, and leaves open what is below.
#[derive(Debug)]
pub(super) struct Chunked<IO> {
    io: IO,
    /// What is on its way, and how much of it has left.
    out: Vec<u8>,
    written: usize,
    is_ended: bool,
}

impl<IO: AsyncWrite + Unpin> Chunked<IO> {
    /// Writes `head`, and the body behind it.
    pub(super) fn new(io: IO, head: Vec<u8>) -> Self {
        Self {
            io,
            out: head,
            written: 0,
            is_ended: false,
        }
    }

    /// Ready when nothing is on its way.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.out.get(self.written..).filter(|rest| !rest.is_empty()) {
            match ready!(Pin::new(&mut self.io).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                count => self.written = self.written.saturating_add(count),
            }
        }
        self.out.clear();
        self.written = 0;
        Poll::Ready(Ok(()))
    }
}

impl<IO: AsyncWrite + Unpin> AsyncWrite for Chunked<IO> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_drain(cx))?;
        let bytes = bytes.get(..LONGEST).unwrap_or(bytes);
        // A chunk of nothing would be the last.
        if !bytes.is_empty() {
            write!(self.out, "{:x}\r\n", bytes.len())?;
            self.out.extend_from_slice(bytes);
            self.out.extend_from_slice(b"\r\n");
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(cx))?;
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.is_ended {
            self.out.extend_from_slice(b"0\r\n\r\n");
            self.is_ended = true;
        }
        self.poll_flush(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    #[tokio::test]
    async fn each_write_is_a_chunk_behind_the_head() {
        let mut out = Vec::new();
        let mut chunked = Chunked::new(&mut out, b"head\r\n\r\n".to_vec());
        for piece in [&b"Wiki"[..], b"", b"pedia in \r\nchunks."] {
            chunked.write_all(piece).await.unwrap();
            chunked.flush().await.unwrap();
        }
        chunked.shutdown().await.unwrap();
        let expected = "head\r\n\r\n4\r\nWiki\r\n12\r\npedia in \r\nchunks.\r\n0\r\n\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[tokio::test]
    async fn a_long_write_is_several_chunks() {
        let mut out = Vec::new();
        let mut chunked = Chunked::new(&mut out, Vec::new());
        chunked.write_all(&vec![b'x'; LONGEST + 1]).await.unwrap();
        chunked.shutdown().await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("10000\r\nxx") && text.ends_with("x\r\n1\r\nx\r\n0\r\n\r\n"));
    }
}
