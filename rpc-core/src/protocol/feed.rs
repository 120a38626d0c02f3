//! Where the items of a stream gather as server-sent events (HTML Standard §9.2), until they are sent.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use futures_util::task::AtomicWaker;

use super::outbox::finish;
use super::tail::Tail;
use crate::context::Metadata;
use crate::error::EncodeError;
use crate::fault::Fault;

/// So many bytes may wait before the handler does.
const ROOM: usize = 64 * 1024;

/// The events of one stream.
pub(crate) struct Feed {
    events: Mutex<Gathered>,
    /// The longest item, in bytes.
    message_limit: usize,
    /// Who sends what is here.
    reader: AtomicWaker,
    /// The handler, if it waits for room.
    writer: AtomicWaker,
}

#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    /// What the handler sends along with its stream, once that is open.
    opened: Option<Metadata>,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Feed")
    }
}

/// What stands around an item.
const BEFORE: &[u8] = b"data: ";
const AFTER: &[u8] = b"\n\n";

impl Feed {
    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handler gives a stream, and this along with it.
    pub(crate) fn open(&self, metadata: Metadata) {
        self.lock().opened = Some(metadata);
        self.reader.wake();
    }

    /// Ready when an item may be written.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        // First, as what is here may be taken on another thread meanwhile.
        self.writer.register(cx.waker());
        match self.lock().bytes.len() < ROOM {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }

    /// Appends an item as an event.
    pub(crate) fn item(
        &self,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<(), Fault> {
        let mut events = self.lock();
        let message = Tail::begin(&mut events.bytes);
        message.out.extend_from_slice(BEFORE);
        let start = message.out.len();
        let written = encode(message.out);
        // In JSON a line feed is only ever white space between tokens; here it would end the item.
        for byte in message.out.iter_mut().skip(start) {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        message.out.extend_from_slice(AFTER);
        let around = BEFORE.len() + AFTER.len();
        finish(message, written, self.message_limit, around)?;
        drop(events);
        self.reader.wake();
        Ok(())
    }
}

#[cfg(feature = "json")]
impl Feed {
    pub(crate) fn new(message_limit: usize) -> Self {
        Self {
            events: Mutex::default(),
            message_limit,
            reader: AtomicWaker::new(),
            writer: AtomicWaker::new(),
        }
    }

    /// Takes what the handler gave along with its stream. None while it gives none; `cx` is woken when
    /// it does.
    pub(crate) fn opened(&self, cx: &Context<'_>) -> Option<Metadata> {
        self.reader.register(cx.waker());
        self.lock().opened.take()
    }

    /// Appends the last event, of the kind `name`. Its id is what a browser says when it connects
    /// again, as it always does.
    pub(crate) fn last(&self, name: &str, put_data: impl FnOnce(&mut Vec<u8>)) {
        let bytes = &mut self.lock().bytes;
        bytes.extend_from_slice(b"event: ");
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b"\nid: end\ndata: ");
        put_data(bytes);
        bytes.extend_from_slice(AFTER);
    }

    /// Takes what has gathered. `cx` is woken when there is more.
    pub(crate) fn take(&self, cx: &Context<'_>) -> Vec<u8> {
        self.reader.register(cx.waker());
        let bytes = std::mem::take(&mut self.lock().bytes);
        if !bytes.is_empty() {
            self.writer.wake();
        }
        bytes
    }
}
