//! What came in and has not been understood yet.

use std::time::Instant;

use bytes::buf::Limit;
use bytes::{Buf, BufMut, BytesMut};

use crate::payload::Payload;

/// How far ahead of the received bytes the buffer grows at most: a length prefix is a claim.
const AHEAD: usize = 1024 * 1024;
/// How much is asked for at least when nothing is known: what an idle connection holds.
const LEAST: usize = 1024;
/// And at most, where each read brings as much as there is room for.
const MOST: usize = 64 * 1024;
/// A buffer that grew beyond this for one large message is given back when it is empty.
const KEPT: usize = 256 * 1024;
/// As much of a large message is read at a time: calls beside it wait for that.
const AT_ONCE: usize = 256 * 1024;

/// The read buffer of a connection: fed by a transport, emptied by the state machine.
///
/// ```
/// use farcall_core::connection::Received;
///
/// let mut received = Received::default();
/// received.room().extend_from_slice(b"ping");
/// assert_eq!(received.bytes(), b"ping");
/// ```
#[derive(Debug, Default)]
pub struct Received {
    buffer: BytesMut,
    /// How many bytes at the start were taken: a whole batch is dropped at once.
    start: usize,
    /// How long the message at the start is, as far as that is known.
    expected: usize,
    reads: Reads,
    /// When the last bytes came, as far as somebody looked.
    arrived: Option<Instant>,
    /// The body of a message in pieces, lent while one of them is read, and how long it is with that
    /// one; 0 if none is lent.
    body: Vec<u8>,
    until: usize,
}

/// How much the reads bring, to ask for that much.
#[derive(Debug)]
struct Reads {
    /// How much is asked for.
    usual: usize,
    /// How much there was in the buffer when room was made last, and how much room.
    before: usize,
    room: usize,
    /// How much was taken out of it since.
    taken: usize,
}

impl Default for Reads {
    fn default() -> Self {
        Self {
            usual: LEAST,
            before: 0,
            room: 0,
            taken: 0,
        }
    }
}

impl Reads {
    /// The buffer has `len` bytes now: learns from what the last read brought.
    fn learn(&mut self, len: usize) {
        let brought = (len + self.taken).saturating_sub(self.before);
        if self.room > 0 && brought >= self.room {
            self.usual = (self.usual * 2).min(MOST);
        } else if brought < self.usual / 8 {
            self.usual = (self.usual / 2).max(LEAST);
        }
        self.taken = 0;
    }
}

impl Received {
    /// What was read already, by whoever told the protocol from its first bytes.
    #[must_use]
    pub fn from_start(buffer: BytesMut) -> Self {
        Self {
            buffer,
            ..Self::default()
        }
    }

    /// The buffer, with room to read more into. All of a message whose length is known fits, but
    /// never more than 1 MiB ahead of what has come.
    pub fn room(&mut self) -> &mut BytesMut {
        self.arrived = None;
        self.settle();
        let missing = self.expected.saturating_sub(self.buffer.len()).min(AHEAD);
        self.reads.learn(self.buffer.len());
        let kept = if self.reads.usual == LEAST {
            4 * LEAST
        } else {
            KEPT
        };
        if self.buffer.is_empty() && self.buffer.capacity() > kept {
            self.buffer = BytesMut::new();
        }
        self.buffer.reserve(missing.max(self.reads.usual));
        self.reads.before = self.buffer.len();
        self.reads.room = self.buffer.capacity() - self.buffer.len();
        &mut self.buffer
    }

    /// The room for the rest of a large message, where its bytes need not be moved again. What comes
    /// next belongs there, if there is such room. (What is put into [`room`](Self::room) finds its way
    /// too.)
    ///
    /// ```
    /// use farcall_core::connection::Received;
    ///
    /// assert!(Received::default().body().is_none(), "nothing is expected yet");
    /// ```
    pub fn body(&mut self) -> Option<Limit<&mut Vec<u8>>> {
        let length = self.body.len();
        let room = self.until.min(self.body.capacity());
        let room = room.saturating_sub(length).min(AT_ONCE);
        if room == 0 {
            return None;
        }
        self.arrived = None;
        Some((&mut self.body).limit(room))
    }

    /// Puts bytes to where a transport reads them to, and gives those behind them that belong elsewhere:
    /// these come next, once the machine has seen the first.
    ///
    /// ```
    /// use farcall_core::connection::Received;
    ///
    /// let mut received = Received::default();
    /// assert!(received.put(b"ping").is_empty());
    /// assert_eq!(received.bytes(), b"ping");
    /// ```
    pub fn put<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(mut body) = self.body() else {
            self.room().extend_from_slice(bytes);
            return &[];
        };
        let (here, behind) = bytes.split_at(body.remaining_mut().min(bytes.len()));
        body.put_slice(here);
        behind
    }

    /// Lends a body, of which `left` bytes are to come.
    pub(super) fn lend(&mut self, body: Vec<u8>, left: usize) {
        self.until = body.len().saturating_add(left);
        self.body = body;
    }

    /// The body that was lent, with what came; and how much is still to come.
    pub(super) fn take_back(&mut self) -> Option<(Vec<u8>, usize)> {
        let until = std::mem::take(&mut self.until);
        if until == 0 {
            return None;
        }
        let body = std::mem::take(&mut self.body);
        let left = until.saturating_sub(body.len());
        Some((body, left))
    }

    /// When what is here came: `now`, if nobody asked since it was read.
    pub(crate) fn arrived(&mut self, now: Instant) -> Instant {
        *self.arrived.get_or_insert(now)
    }

    /// What came and was not taken yet.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    /// The message at the start needs `length` bytes in all.
    pub(crate) fn expect(&mut self, length: usize) {
        self.expected = length;
    }

    /// Drops `count` bytes from the start, or all if there are fewer; gives how many.
    pub(crate) fn skip(&mut self, count: usize) -> usize {
        let count = count.min(self.bytes().len());
        self.start += count;
        self.expected = 0;
        count
    }

    /// Takes `count` bytes from the start as a message: a small one copied, a large one shared.
    #[inline]
    pub(crate) fn take(&mut self, count: usize) -> Payload {
        match Payload::start_of(self.bytes(), count) {
            Some(small) => {
                self.start += count;
                self.expected = 0;
                small
            }
            None => self.share(count),
        }
    }

    /// As [`take`](Self::take), for a large message or one that is not all there.
    #[cold]
    #[inline(never)]
    fn share(&mut self, count: usize) -> Payload {
        self.settle();
        self.expected = 0;
        let count = count.min(self.buffer.len());
        self.reads.taken += count;
        Payload::from(self.buffer.split_to(count).freeze())
    }

    /// Drops from the buffer what was taken.
    fn settle(&mut self) {
        self.reads.taken += self.start;
        if self.start == self.buffer.len() {
            // As nearly always. What comes next is put where this was: behind it there would soon be
            // no room, and the rest moved.
            self.buffer.clear();
        } else {
            self.buffer.advance(self.start);
        }
        self.start = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `count` bytes, takes them all, and gives how much room there was for them.
    fn read(received: &mut Received, count: usize) -> usize {
        let buffer = received.room();
        let room = buffer.capacity() - buffer.len();
        let count = count.min(room);
        buffer.extend_from_slice(&vec![0; count]);
        received.skip(count);
        room
    }

    #[test]
    fn room_grows_with_what_comes_and_goes_with_it() {
        let mut received = Received::default();
        assert_eq!(read(&mut received, 40), LEAST);
        for _ in 0..20 {
            read(&mut received, usize::MAX);
        }
        assert!(read(&mut received, usize::MAX) >= MOST);
        for _ in 0..20 {
            read(&mut received, 40);
        }
        assert!(
            received.room().capacity() <= 4 * LEAST,
            "an idle one holds little"
        );
    }
}
