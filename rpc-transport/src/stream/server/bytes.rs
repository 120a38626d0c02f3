//! What a server's connection reads and writes in a turn.

use std::io;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite};

use super::{Reading, Stalled, Task};
use crate::stream::client::{now, poll_drain};
use crate::stream::{StoppedComing, TURN, poll_receive, rest};

impl<IO: AsyncRead + AsyncWrite + Unpin> Task<IO> {
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if self.reading != Reading::Open {
            return Ok(());
        }
        let mut turn = TURN;
        loop {
            if self.fresh {
                match self.connection.receive(&mut self.received, now()) {
                    // A batch: send what there is, let others run, then go on.
                    Ok(true) => {
                        cx.waker().wake_by_ref();
                        return Ok(());
                    }
                    Ok(false) => self.fresh = false,
                    Err(_) => {
                        self.reading = Reading::Broken;
                        return Ok(());
                    }
                }
            }
            if self.is_full() {
                self.held = true;
                return Ok(());
            }
            if turn == 0 {
                rest(cx);
                return Ok(());
            }
            match poll_receive(&mut self.io, cx, &mut self.received) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => {
                    self.connection.receive_end(&mut self.received);
                    self.reading = Reading::Ended;
                    return Ok(());
                }
                Poll::Ready(Ok(count)) => {
                    self.fresh = true;
                    let _ = self.begun_message.forget();
                    turn = turn.saturating_sub(count);
                }
                Poll::Ready(Err(error)) if StoppedComing::is(&error) => {
                    self.stop_reading();
                    return Ok(());
                }
                // Not of the protocol in the stream, but of what the stream is in.
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    self.reading = Reading::Broken;
                    return Ok(());
                }
                Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {
                    self.connection.hang_up();
                    self.reading = Reading::Gone;
                    return Ok(());
                }
                Poll::Ready(Err(error)) => return Err(error),
            }
        }
    }

    /// Reads no more from a peer whose message stopped coming.
    pub(super) fn check_begun(&mut self, cx: &mut Context<'_>) {
        let is_waited_for = self.reading == Reading::Open && !self.held && !self.fresh;
        let due = match is_waited_for && !self.received.bytes().is_empty() {
            true => self.begun_message.poll(self.body_time, cx),
            false => self.begun_message.forget(),
        };
        if due.is_ready() {
            self.stop_reading();
        }
    }

    fn stop_reading(&mut self) {
        self.connection.receive_stalled(&mut self.received);
        self.reading = Reading::Ended;
    }

    /// True if enough waits for the peer: one that does not read its replies is not read from.
    fn is_full(&mut self) -> bool {
        /// So many large replies may be under way to a peer that reads.
        const LARGE: usize = 8;

        let waits = self.connection.unsent();
        let unsent = self.sending.left() + waits.bytes;
        if unsent < self.unsent_limit {
            return false;
        }
        // Large replies leave in pieces, and must not hold up the calls beside them.
        let small = unsent - waits.large_bytes;
        let is_full = small >= self.unsent_limit || waits.large >= LARGE || !self.moved;
        self.moved = false;
        is_full
    }

    pub(super) fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut turn = TURN;
        let mut filled = false;
        loop {
            if turn == 0 {
                rest(cx);
                return Poll::Pending;
            }
            if self.sending.is_empty() && !self.unflushed {
                self.connection.transmit(&mut self.sending);
                if self.sending.is_empty() {
                    return Poll::Pending;
                }
                self.unflushed = true;
                filled = true;
            }
            let left = self.sending.left();
            if self.reading == Reading::Gone {
                // Nobody reads it: it counts as sent.
                self.sending.advance(left);
                self.unflushed = false;
                continue;
            }
            let drained = poll_drain(&mut self.io, cx, &mut self.sending);
            self.moved |= self.sending.left() < left;
            ready!(drained)?;
            self.unflushed = false;
            turn = turn.saturating_sub(left);
            // Nothing else would wake the reader: it did not ask the socket.
            if std::mem::take(&mut self.held) {
                cx.waker().wake_by_ref();
            }
            if filled && !self.sending.has_more() {
                // Whoever wrote since has woken the task. (Before this turn the task itself may have.)
                return Poll::Pending;
            }
        }
    }

    /// Fails once a write has made no progress for as long as the limit allows.
    pub(super) fn check_progress(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let Stalled { at, due } = &mut self.stalled;
        let left = self.sending.left();
        if std::mem::replace(at, left) != left || (left == 0 && !self.unflushed) {
            let _ = due.forget();
        }
        if left == 0 && !self.unflushed {
            return Ok(());
        }
        match due.poll(self.write_time, cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}
