//! Drives a connection of the core over any byte stream: moves bytes, sleeps, and decides nothing.

mod client;
mod clock;
mod hello;
mod server;

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use farcall_core::connection::Received;
use tokio::io::AsyncRead;
use tokio_util::io::poll_read_buf;

#[cfg(feature = "ws")]
pub(crate) use client::connection_in_messages;
#[cfg(feature = "http")]
pub(crate) use client::drive;
pub(crate) use client::{client, connection, connection_over, ended, now};
pub(crate) use clock::clock;
#[cfg(feature = "ws")]
pub(crate) use clock::{Clock, Due};
pub(crate) use hello::{hello, late_hello};
pub(crate) use server::serve;

/// What a stream that is carried in pieces of another fails with when a piece was begun and stopped coming:
/// nobody else knows of one that has brought no byte of it yet.
#[derive(Debug)]
pub(crate) struct StoppedComing;

impl fmt::Display for StoppedComing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a part of it stopped coming")
    }
}

impl std::error::Error for StoppedComing {}

impl StoppedComing {
    fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// Has the task of `cx` polled again when others had their turn, and the runtime has looked at its
/// sockets and timers. (A task that wakes itself may be polled 61 times before it does: it would send
/// 30 MB of large replies before it knew of a small request.)
fn rest(cx: &mut Context<'_>) {
    let _ = pin!(tokio::task::yield_now()).poll(cx);
}

/// Reads what comes next to where it belongs.
fn poll_receive<IO: AsyncRead + Unpin>(
    io: &mut IO,
    cx: &mut Context<'_>,
    received: &mut Received,
) -> Poll<io::Result<usize>> {
    // Not `try_read`: this remembers a short read and spares the empty one behind it.
    match received.body() {
        Some(mut body) => poll_read_buf(Pin::new(io), cx, &mut body),
        None => poll_read_buf(Pin::new(io), cx, received.room()),
    }
}

/// How many bytes a connection moves one way before its task lets others run: its own other way,
/// and the callers it woke.
const TURN: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[tokio::test]
    async fn while_a_task_rests_the_runtime_looks_at_its_sockets() {
        const ALL: usize = 50;

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (io, _) = listener.accept().unwrap();
        io.set_nonblocking(true).unwrap();
        let io = tokio::net::TcpStream::from_std(io).unwrap();
        let turns = Arc::<AtomicUsize>::default();
        let counted = Arc::clone(&turns);
        let busy = tokio::spawn(poll_fn(move |cx| {
            if counted.fetch_add(1, Relaxed) == ALL {
                return Poll::Ready(());
            }
            rest(cx);
            Poll::Pending
        }));
        peer.write_all(b"small").unwrap();
        io.readable().await.unwrap();
        assert!(turns.load(Relaxed) < ALL, "it was looked at last");
        busy.await.unwrap();
    }
}
