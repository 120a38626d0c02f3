//! A socket on which callers may send what is small, beside the task that drives the connection.

use std::io::{self, ErrorKind, IoSlice};
use std::net::Shutdown;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, tcp};

/// A TCP connection as its task has it. It reads by the half that only it has: that one remembers a
/// short read, and spares the empty one behind it.
#[derive(Debug)]
pub(crate) struct Halves {
    read: tcp::OwnedReadHalf,
    write: Arc<tcp::OwnedWriteHalf>,
}

impl Halves {
    pub(crate) fn of(io: TcpStream) -> Self {
        let (read, write) = io.into_split();
        let write = Arc::new(write);
        Self { read, write }
    }

    /// What sends bytes if that takes no time, and gives how many. An error is left for the task to
    /// find, which does something about it.
    pub(crate) fn sender(&self) -> impl FnMut(&[u8]) -> usize + Send + use<> {
        let write = Arc::clone(&self.write);
        move |bytes| write.try_write(bytes).unwrap_or(0)
    }

    /// Writes by `write` as soon as it does not block.
    fn poll_by(
        &self,
        cx: &mut Context<'_>,
        write: impl Fn(&tcp::OwnedWriteHalf) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        let socket: &TcpStream = (*self.write).as_ref();
        loop {
            ready!(socket.poll_write_ready(cx))?;
            match write(&self.write) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                written => return Poll::Ready(written),
            }
        }
    }
}

impl AsyncRead for Halves {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.read).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Halves {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_by(cx, |half| half.try_write(bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_by(cx, |half| half.try_write_vectored(slices))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let socket: &TcpStream = (*self.write).as_ref();
        Poll::Ready(SockRef::from(socket).shutdown(Shutdown::Write))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_sender_sends_what_there_is_room_for_and_nothing_once_it_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let io = TcpStream::connect(listener.local_addr().unwrap()).await;
        let mut halves = Halves::of(io.unwrap());
        let (mut peer, _) = listener.accept().await.unwrap();
        let mut send = halves.sender();
        let mut count = 0;
        // Until the kernel takes no more, which the sender does not wait for.
        loop {
            match send(&[7; 65_536]) {
                0 if count > 0 => break,
                // Before the first of them is known to be possible.
                0 => tokio::task::yield_now().await,
                sent => count += sent,
            }
        }
        let reading = tokio::spawn(async move {
            let mut bytes = Vec::new();
            peer.read_to_end(&mut bytes).await.unwrap();
            bytes
        });
        halves.write_all(b"behind it").await.unwrap();
        halves.shutdown().await.unwrap();
        let bytes = reading.await.unwrap();
        assert_eq!(bytes.len(), count + 9);
        assert!(bytes.ends_with(b"\x07behind it"));
        assert_eq!(send(b"too late"), 0);
    }
}
