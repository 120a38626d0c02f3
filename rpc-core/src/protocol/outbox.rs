//! What waits to be sent to the peer of a byte stream.
//!
//! Replies are encoded straight into this buffer, under a lock that is never held across an await
//! and that nobody but the connection's own task asks for, unless a handler runs elsewhere.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::connection::Outgoing;
use crate::context::Metadata;
use crate::error::EncodeError;
use crate::fault::{Fault, code};
use crate::in_place::Aside;
use crate::payload::Payload;
use crate::protocol::native;
use crate::protocol::tail::Tail;

/// Which request a reply answers, in the terms of the connection's protocol.
///
/// ```
/// let id = farcall_core::protocol::outbox::ReplyId::Native(1);
/// assert!(matches!(id, farcall_core::protocol::outbox::ReplyId::Native(1)));
/// ```
#[derive(Clone, Debug)]
pub enum ReplyId {
    /// The id of a native request.
    Native(u64),
    /// The `id` of a JSON-RPC request, exactly as it was written.
    Json {
        /// The raw JSON text.
        raw: Payload,
        /// True if the request was in JSON-RPC 1.0 form, and the reply is to be.
        version_1: bool,
    },
}

/// The bytes to send, and the largest message that the peer takes.
#[derive(Debug)]
pub(crate) struct Outbox {
    bytes: Mutex<Outgoing>,
    /// The connection's task, where something is written beside it.
    task: AtomicWaker,
    message_limit: AtomicUsize,
}

impl Outbox {
    pub(crate) fn new(message_limit: usize) -> Self {
        Self {
            bytes: Mutex::default(),
            task: AtomicWaker::new(),
            message_limit: AtomicUsize::new(message_limit),
        }
    }

    /// The buffer. (A `Serialize` that panicked in here poisons nothing: see [`Tail`].)
    pub(crate) fn lock(&self) -> MutexGuard<'_, Outgoing> {
        self.bytes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The task that sends what is written here.
    pub(crate) fn register(&self, task: &Waker) {
        self.task.register(task);
    }

    /// Wakes it: something was written elsewhere than in a handler's poll.
    pub(crate) fn wake(&self) {
        self.task.wake();
    }

    pub(crate) fn message_limit(&self) -> usize {
        self.message_limit.load(Ordering::Relaxed)
    }

    /// The peer takes no message of more than `bytes`.
    pub(crate) fn limit_messages(&self, bytes: usize) {
        self.message_limit.fetch_min(bytes, Ordering::Relaxed);
    }

    /// Appends the reply to `id`: what `encode` appends, in the envelope, with `metadata` where that
    /// has a place for it.
    pub(crate) fn reply(
        &self,
        id: &ReplyId,
        metadata: &Metadata,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<(), Fault> {
        let mut bytes = self.lock();
        let start = bytes.whole.len();
        let mut aside = match id {
            ReplyId::Native(id) => bytes.aside(*id),
            ReplyId::Json { .. } => None,
        };
        let mut message = Tail::begin(&mut bytes.whole);
        let written = match id {
            ReplyId::Native(id) => native::write_reply(message.out, *id, metadata, encode),
            #[cfg(feature = "json")]
            ReplyId::Json { raw, version_1 } => {
                crate::protocol::jsonrpc::write_reply(message.out, raw, *version_1, encode)
            }
            #[cfg(not(feature = "json"))]
            ReplyId::Json { .. } => encode(message.out),
        };
        match id {
            ReplyId::Native(id) => {
                // The limit is that of a frame's body; its header does not count.
                let (segments, beside) = aside.as_mut().map(Aside::take).unwrap_or_default();
                message.beside = beside;
                finish(message, written, self.message_limit(), native::HEADER)?;
                bytes.settle(start, *id, segments);
                Ok(())
            }
            ReplyId::Json { .. } => finish(message, written, self.message_limit(), 0),
        }
    }

    /// Appends `fault` as the reply to a call, unless it was a notification.
    #[cold]
    pub(crate) fn refuse(&self, id: Option<&ReplyId>, fault: &Fault) {
        if let Some(id) = id {
            self.fault(id, fault);
        }
    }

    /// Appends an item of the native call `id`; gives its length.
    pub(crate) fn item(
        &self,
        id: u64,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<usize, Fault> {
        let mut bytes = self.lock();
        let start = bytes.whole.len();
        let message = Tail::begin(&mut bytes.whole);
        let written = native::write_item(message.out, id, encode);
        let length = message.len().saturating_sub(native::HEADER);
        finish(message, written, self.message_limit(), native::HEADER)?;
        bytes.settle(start, id, Vec::new());
        Ok(length)
    }

    /// Appends the end of the stream of the native call `id`.
    pub(crate) fn end(&self, id: u64) {
        let mut bytes = self.lock();
        let start = bytes.whole.len();
        native::write_empty(&mut bytes.whole, native::Kind::End, id);
        bytes.settle(start, id, Vec::new());
    }

    /// Appends `fault` as the reply to `id`.
    pub(crate) fn fault(&self, id: &ReplyId, fault: &Fault) {
        let mut bytes = self.lock();
        match id {
            ReplyId::Native(id) => {
                let start = bytes.whole.len();
                native::write_fault(&mut bytes.whole, *id, fault);
                bytes.settle(start, *id, Vec::new());
            }
            #[cfg(feature = "json")]
            ReplyId::Json { raw, version_1 } => {
                let out = &mut bytes.whole;
                crate::protocol::jsonrpc::write_fault(out, raw, *version_1, fault);
            }
            #[cfg(not(feature = "json"))]
            ReplyId::Json { .. } => {}
        }
    }
}

/// Keeps a reply if it was `written` and, without its `header`, is not too large.
pub(crate) fn finish(
    reply: Tail<'_>,
    written: Result<(), EncodeError>,
    limit: usize,
    header: usize,
) -> Result<(), Fault> {
    written.map_err(|error| Fault::new(code::INTERNAL_ERROR, error.to_string()))?;
    let size = reply.len() - header;
    if size > limit {
        return Err(Fault::new(
            code::TOO_LARGE,
            format!(
                "the reply has {size} bytes; the limit is {limit} (`Limits::message_bytes`, of \
                 either side)"
            ),
        ));
    }
    reply.keep();
    Ok(())
}
