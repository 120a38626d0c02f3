//! The task behind a client's connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use farcall_core::channel::Channel;
use farcall_core::connection::client::{Client, Driver};
use farcall_core::connection::{PeerMisbehaved, Received, Sending, Speech};
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::clock::Clock;
use super::{TURN, poll_receive, rest};
use crate::net::halves::Halves;
use crate::net::said;

/// Now, by the runtime's clock, which a test can stop.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// A channel over `io`, and the task that moves its bytes.
pub(crate) fn client<IO>(io: IO, encoding: Encoding, limits: Limits) -> Channel
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    Channel::over(connection(io, encoding, limits))
}

/// A connection over `io`, and the task that moves its bytes.
pub(crate) fn connection<IO>(io: IO, encoding: Encoding, limits: Limits) -> Arc<Client>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, driver) = pair(encoding, limits);
    tokio::spawn(drive(io, driver));
    Arc::new(client)
}

/// A connection over a socket, whose callers send for themselves while they are alone.
pub(crate) fn connection_over(io: TcpStream, encoding: Encoding, limits: Limits) -> Arc<Client> {
    let (client, driver) = pair(encoding, limits);
    let io = Halves::of(io);
    driver.send_directly(io.sender());
    tokio::spawn(drive(io, driver));
    Arc::new(client)
}

/// A connection over `io`, which puts what is written into messages, and marks the end of each that it
/// reads.
#[cfg(feature = "ws")]
pub(crate) fn connection_in_messages<IO>(io: IO, encoding: Encoding, limits: Limits) -> Arc<Client>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (client, driver) = pair(encoding, limits);
    #[cfg(feature = "json")]
    let driver = driver.in_messages();
    tokio::spawn(drive(io, driver));
    Arc::new(client)
}

/// A connection that has ended.
pub(crate) fn ended(encoding: Encoding, limits: Limits) -> Arc<Client> {
    Arc::new(pair(encoding, limits).0)
}

fn pair(encoding: Encoding, limits: Limits) -> (Client, Driver) {
    Client::new(speech(encoding), encoding, limits, now)
}

/// `json+tcp` is real JSON-RPC; the other encodings travel in native frames.
fn speech(encoding: Encoding) -> Speech {
    match encoding {
        Encoding::Json => Speech::JsonRpc,
        _ => Speech::Native,
    }
}

/// The task that moves the bytes of a client's connection.
pub(crate) fn drive<IO>(io: IO, driver: Driver) -> impl Future<Output = ()> + Send
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // Outside of tokio's cooperative budget: the task hands out what it has in bounded batches.
    tokio::task::unconstrained(Task {
        io,
        driver,
        received: Received::default(),
        sending: Sending::default(),
        unflushed: false,
        yielded: false,
        clock: Clock::default(),
    })
}

struct Task<IO> {
    io: IO,
    driver: Driver,
    received: Received,
    sending: Sending,
    /// True while what was written may still wait in the stream, as it does in TLS.
    unflushed: bool,
    /// True while it stands at the back of the run queue, to let more calls gather.
    yielded: bool,
    clock: Clock,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Future for Task<IO> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = &mut *self;
        let error = ready!(this.poll_until_end(cx)).err();
        this.driver.stop_sending(&this.sending);
        this.driver.close(error.as_ref());
        // Say goodbye; whether the server hears it is its own affair.
        let _ = Pin::new(&mut this.io).poll_shutdown(cx);
        Poll::Ready(())
    }
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Task<IO> {
    /// Ready when the connection ended; an error if it was the server's fault.
    fn poll_until_end(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PeerMisbehaved>> {
        self.driver.register(cx.waker());
        if self.poll_read(cx)?.is_ready() {
            return Poll::Ready(Ok(()));
        }
        while self
            .clock
            .poll_at(self.driver.poll_timeout(), cx)
            .is_ready()
        {
            self.driver.handle_timeout(now());
            if self.driver.is_silent() {
                return Poll::Ready(Ok(()));
            }
        }
        self.driver.poll_uploads(cx);
        if let Poll::Ready(Err(_)) = self.poll_write(cx) {
            return Poll::Ready(Ok(()));
        }
        if self.driver.is_done() && self.sending.is_empty() && !self.unflushed {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }

    /// Ready when no more can come.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), PeerMisbehaved>> {
        let mut turn = TURN;
        while let Poll::Ready(read) = poll_receive(&mut self.io, cx, &mut self.received) {
            match read {
                Ok(0) => return Poll::Ready(Ok(())),
                Err(error) => {
                    if let Some(words) = said(&error) {
                        self.driver.refuse(&words);
                        return Poll::Ready(Ok(()));
                    }
                    // What carries the bytes may know what the server did, as HTTP does.
                    return Poll::Ready(error.downcast().map_or(Ok(()), Err));
                }
                Ok(count) => {
                    while self.driver.receive(&mut self.received)? {}
                    turn = turn.saturating_sub(count);
                }
            }
            if turn == 0 {
                rest(cx);
                break;
            }
        }
        Poll::Pending
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut turn = TURN;
        let mut filled = false;
        loop {
            if turn == 0 {
                rest(cx);
                return Poll::Pending;
            }
            if self.sending.is_empty() && !self.unflushed {
                let (unsent, in_flight) = self.driver.unsent();
                if unsent == 0 {
                    return Poll::Pending;
                }
                // The multi-thread scheduler runs a task that was just woken next, ahead of the
                // other callers: without going to the back of the queue once, every call would be
                // a write of its own (15 times the cost with 64 in flight). A lone caller has
                // nobody to wait for.
                if in_flight > 1 && !self.yielded {
                    self.yielded = true;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                self.yielded = false;
                self.driver.transmit(&mut self.sending);
                self.unflushed = true;
                filled = true;
            }
            turn = turn.saturating_sub(self.sending.left());
            ready!(poll_drain(&mut self.io, cx, &mut self.sending))?;
            self.unflushed = false;
            self.driver.all_sent();
            if filled && !self.sending.has_more() {
                // Whoever wrote since has woken the task. (Before this turn the task itself may have.)
                return Poll::Pending;
            }
        }
    }
}

/// Writes all of `sending`, leaves it empty, and has the stream send it. Until it is ready it is
/// called again, with nothing left to write too.
pub(super) fn poll_drain<IO: AsyncWrite + Unpin>(
    io: &mut IO,
    cx: &mut Context<'_>,
    sending: &mut Sending,
) -> Poll<io::Result<()>> {
    while !sending.is_empty() {
        let mut io = Pin::new(&mut *io);
        let written = match sending.slices() {
            [whole, piece, ..] if piece.is_empty() => io.as_mut().poll_write(cx, &whole),
            all => io.as_mut().poll_write_vectored(cx, &all),
        };
        match ready!(written)? {
            0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            count => sending.advance(count),
        }
    }
    Pin::new(io).poll_flush(cx)
}
