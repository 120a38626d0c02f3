//! The task behind a server's connection.

mod bytes;

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Sending};
use farcall_core::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite};

use super::client::now;
use super::clock::{Clock, Due};
use crate::drain::{Drain, Working};
use crate::net::linger;

/// Serves one connection to its end; to that of a time without a call, if `idle_time` says so.
pub(crate) fn serve<IO>(
    io: IO,
    connection: Server,
    received: Received,
    limits: &Limits,
    idle_time: Option<Duration>,
    mut drain: Drain,
) -> impl Future<Output = ()> + use<IO>
where
    IO: AsyncRead + AsyncWrite + Unpin,
{
    // Made out here, and used in there where it is: an `async fn` would have room for all of it
    // twice, and each connection that idles holds this.
    let mut task = Task {
        io,
        connection,
        received,
        fresh: true,
        reading: Reading::Open,
        held: false,
        sending: Sending::default(),
        unflushed: false,
        moved: true,
        unsent_limit: limits.unsent_bytes,
        write_time: limits.write_time,
        clock: Clock::default(),
        stalled: Stalled::default(),
        idle_time,
        idle: Due::default(),
        body_time: limits.body_time,
        begun_message: Due::default(),
        silence_time: limits.silence_time,
        ended: None,
        working: None,
        begun: 0,
        drain: drain.clone(),
    };
    async move {
        // Outside of tokio's cooperative budget, which the timers and channels of many waiting
        // handlers would use up at once, so that each of them wakes the task again for nothing. The
        // task yields by itself after a batch.
        if let Served::ToItsEnd =
            tokio::task::unconstrained(serve_until(&mut task, &mut drain)).await
        {
            return linger::close(&mut task.io, &[]).await;
        }
        task.connection.drain();
        let mut patience = 2 * PATIENCE;
        tokio::select! {
            () = tokio::task::unconstrained(std::future::poll_fn(|cx| task.poll_to_idle(cx))) => {}
            () = drain.forced() => {
                task.connection.abort();
                patience = PATIENCE / 10;
            }
        }
        // Behind all answers, and before nothing is read any more.
        task.connection.say_last_word();
        match drain.is_evicted() {
            true => task.leave().await,
            false => {
                let _ = tokio::time::timeout(patience, task.say_goodbye()).await;
            }
        }
    }
}

/// How long a peer may take to read what is left, where the server has time.
const PATIENCE: Duration = Duration::from_secs(1);

/// Why a connection is not served any more.
enum Served {
    /// It is over.
    ToItsEnd,
    /// No further calls are to be taken.
    ToTheWord,
}

/// Serves until the connection is over, or the word to end comes.
async fn serve_until<IO: AsyncRead + AsyncWrite + Unpin>(
    task: &mut Task<IO>,
    drain: &mut Drain,
) -> Served {
    let word = drain.clone();
    let mut started = std::pin::pin!(drain.started());
    let mut waker: Option<Waker> = None;
    std::future::poll_fn(|cx| {
        // First, so that nothing is answered that came after it. It wakes the task, and is not asked
        // at each turn: that takes longer than the call for which there is one.
        let wakes = waker
            .as_ref()
            .is_some_and(|known| known.will_wake(cx.waker()));
        if !wakes || word.may_have_started() {
            if started.as_mut().poll(cx).is_ready() {
                return Poll::Ready(Served::ToTheWord);
            }
            waker = Some(cx.waker().clone());
        }
        task.poll(cx).map(|()| Served::ToItsEnd)
    })
    .await
}

struct Task<IO> {
    io: IO,
    connection: Server,
    received: Received,
    /// True if `received` holds bytes that were not looked at yet.
    fresh: bool,
    reading: Reading,
    /// Reading waits until what was written has left.
    held: bool,
    sending: Sending,
    /// What was written may still wait in the stream, as it does in TLS.
    unflushed: bool,
    /// Something was written since more was read than is sent.
    moved: bool,
    unsent_limit: usize,
    write_time: Duration,
    clock: Clock,
    stalled: Stalled,
    /// How long nothing may be asked.
    idle_time: Option<Duration>,
    idle: Due,
    /// How long the rest of a message may take without progress.
    body_time: Duration,
    begun_message: Due,
    /// After so long a peer that closed its half is looked at again.
    silence_time: Duration,
    ended: Option<Box<Due>>,
    /// While calls are in flight.
    working: Option<Working>,
    /// How many calls there were when that was last looked at.
    begun: u64,
    drain: Drain,
}

/// A write that got nowhere: how much was left of it, and until when it may stay there.
#[derive(Default)]
struct Stalled {
    at: usize,
    due: Due,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer closed its half: what it asked is still answered.
    Ended,
    /// The peer said goodbye: nothing more is sent. Notifications are run to their ends.
    Gone,
    /// The peer broke the protocol: what was written is sent, and no more.
    Broken,
}

impl<IO: AsyncRead + AsyncWrite + Unpin> Task<IO> {
    /// Ready when the connection is over.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_work(cx).is_err() {
            return Poll::Ready(());
        }
        let over = match self.reading {
            Reading::Open => false,
            Reading::Ended | Reading::Gone => self.connection.is_idle(),
            Reading::Broken => true,
        };
        if over && self.is_sent() {
            return Poll::Ready(());
        }
        if self.reading == Reading::Ended && self.poll_broken(cx).is_ready() {
            return Poll::Ready(());
        }
        self.poll_idle(cx)
    }

    /// Ready once a peer that closed its half turns out to be gone. Reading tells nothing of that any
    /// more, and a handler may write nothing for long; so now and then nothing is written.
    fn poll_broken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let ended = self.ended.get_or_insert_default();
            ready!(ended.poll(self.silence_time, cx));
            if matches!(
                Pin::new(&mut self.io).poll_write(cx, &[]),
                Poll::Ready(Err(_))
            ) {
                return Poll::Ready(());
            }
        }
    }

    /// Ready once nothing was asked for too long.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match self.idle_time {
            Some(time) if self.connection.is_idle() => self.idle.poll(time, cx),
            _ => self.idle.forget(),
        }
    }

    /// Ready when every call is answered and every answer sent.
    fn poll_to_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.poll_work(cx).is_err() || (self.connection.is_idle() && self.is_sent()) {
            return Poll::Ready(());
        }
        Poll::Pending
    }

    fn is_sent(&self) -> bool {
        self.sending.is_empty() && !self.unflushed && self.connection.unsent().bytes == 0
    }

    /// Says whether calls are in flight.
    fn tell(&mut self) {
        let begun = self.connection.begun();
        if begun != self.begun {
            self.begun = begun;
            // Calls that are over by now were seen by nobody else.
            let _ = self.idle.forget();
            if self.working.is_none() {
                self.working = Some(self.drain.work());
            }
        }
        if self.connection.is_idle() {
            self.working = None;
        }
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.connection.is_idle() {
            self.connection.poll(cx);
        }
        self.poll_read(cx)?;
        self.check_begun(cx);
        while self
            .clock
            .poll_at(self.connection.poll_timeout(), cx)
            .is_ready()
        {
            self.connection.handle_timeout(now());
            if self.connection.is_silent() {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        // Handlers that were started by what was read may have been woken since.
        if !self.connection.is_idle() {
            self.connection.poll(cx);
        }
        self.tell();
        match self.poll_write(cx) {
            Poll::Ready(Err(error)) => Err(error),
            _ => self.check_progress(cx),
        }
    }

    /// Sends what can be sent at once, for somebody waits for the place.
    async fn leave(&mut self) {
        std::future::poll_fn(|cx| {
            let _ = self.poll_write(cx);
            Poll::Ready(())
        })
        .await;
    }

    /// Sends what is left, and closes. A peer that does not read it is not waited for long.
    async fn say_goodbye(&mut self) {
        let sent = std::future::poll_fn(|cx| match self.poll_write(cx) {
            Poll::Ready(Err(_)) => Poll::Ready(()),
            _ if self.is_sent() => Poll::Ready(()),
            _ => Poll::Pending,
        });
        if tokio::time::timeout(PATIENCE, sent).await.is_ok() {
            linger::close(&mut self.io, &[]).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use farcall_core::connection::Speech;
    use farcall_core::context::Peer;
    use farcall_core::encoding::Encoding;
    use farcall_core::router::Router;

    use super::*;

    #[test]
    fn an_idle_connection_has_a_small_task() {
        let limits = Limits::default();
        let router = Router::builder().build().unwrap();
        let peer = Peer::new("mem", Encoding::Bincode, None, limits.clone());
        let connection = Server::new(router, Arc::new(peer), Speech::Native).unwrap();
        let (io, _) = tokio::io::duplex(1);
        let (_word, drain) = Drain::new();
        let task = serve(io, connection, Received::default(), &limits, None, drain);
        let size = size_of_val(&task);
        assert!(
            size <= 2048,
            "each idle connection holds {size} bytes of task"
        );
    }
}
