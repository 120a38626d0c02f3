//! What came in and has not been understood yet.

use bytes::{Buf, BytesMut};

use crate::payload::Payload;

/// How far ahead of the received bytes the buffer grows at most: a length prefix is a claim.
const AHEAD: usize = 1024 * 1024;
/// How much is asked for when nothing is known.
const USUAL: usize = 8 * 1024;
/// A buffer that grew beyond this for one large message is given back when it is empty.
const KEPT: usize = 256 * 1024;

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
    /// How long the message at the start is, as far as that is known.
    expected: usize,
}

impl Received {
    /// What was read already, by whoever told the protocol from its first bytes.
    #[must_use]
    pub fn from_start(buffer: BytesMut) -> Self {
        Self {
            buffer,
            expected: 0,
        }
    }

    /// The buffer, with room to read more into. All of a message whose length is known fits, but
    /// never more than 1 MiB ahead of what has come.
    pub fn room(&mut self) -> &mut BytesMut {
        let missing = self.expected.saturating_sub(self.buffer.len()).min(AHEAD);
        if self.buffer.is_empty() && self.buffer.capacity() > KEPT {
            self.buffer = BytesMut::new();
        }
        self.buffer.reserve(missing.max(USUAL));
        &mut self.buffer
    }

    /// What came and was not taken yet.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The message at the start needs `length` bytes in all.
    pub(crate) fn expect(&mut self, length: usize) {
        self.expected = length;
    }

    /// Drops `count` bytes from the start, or all if there are fewer; gives how many.
    pub(crate) fn skip(&mut self, count: usize) -> usize {
        let count = count.min(self.buffer.len());
        self.buffer.advance(count);
        self.expected = 0;
        count
    }

    /// Takes `count` bytes from the start as a message: a small one copied, a large one shared.
    pub(crate) fn take(&mut self, count: usize) -> Payload {
        self.expected = 0;
        match self.buffer.get(..count) {
            Some(small) if Payload::would_be_inline(count) => {
                let payload = Payload::copied_from(small);
                self.buffer.advance(count);
                payload
            }
            _ => Payload::from(self.buffer.split_to(count.min(self.buffer.len())).freeze()),
        }
    }
}
