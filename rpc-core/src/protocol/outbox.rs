//! What waits to be sent to the peer of a byte stream.
//!
//! Replies are encoded straight into this buffer, under a lock that is never held across an await
//! and that nobody but the connection's own task asks for, unless a handler runs elsewhere.

use std::sync::{Arc, PoisonError};
use std::task::Waker;

use futures_util::task::AtomicWaker;

use crate::connection::Outgoing;
use crate::context::Metadata;
use crate::error::EncodeError;
use crate::fault::{Fault, code};
use crate::in_place::Aside;
use crate::payload::Payload;
#[cfg(feature = "json")]
use crate::protocol::jsonrpc;
use crate::protocol::native;
pub use crate::protocol::subscription::Subscription;
use crate::protocol::tail::Tail;
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};

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
    /// The same of a method with streams.
    Subscription(Arc<Subscription>),
}

impl ReplyId {
    /// The number that tells calls with streams apart, and native calls.
    pub(crate) fn number(&self) -> Option<u64> {
        match self {
            Self::Native(id) => Some(*id),
            Self::Subscription(subscription) => Some(subscription.number),
            Self::Json { .. } => None,
        }
    }

    /// The id of a JSON-RPC request, as it was written, and whether that had the form of 1.0.
    pub(crate) fn json(&self) -> (&[u8], bool) {
        match self {
            Self::Json { raw, version_1 } => (raw, *version_1),
            Self::Subscription(of) => (&of.raw, of.version_1),
            Self::Native(_) => (b"null", false),
        }
    }
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
        let ReplyId::Native(id) = id else {
            let mut message = Tail::begin(&mut bytes.whole);
            let written = write_json_reply(&mut message, id, encode);
            return finish(message, written, self.message_limit(), 0);
        };
        let mut aside = bytes.aside(*id);
        let mut message = Tail::begin(&mut bytes.whole);
        let written = native::write_reply(message.out, *id, metadata, encode);
        // The limit is that of a frame's body; its header does not count.
        let (segments, beside) = aside.as_mut().and_then(Aside::take).unzip();
        message.beside = beside.unwrap_or_default();
        finish(message, written, self.message_limit(), native::HEADER)?;
        bytes.settle(start, *id, segments);
        Ok(())
    }

    /// Appends `fault` as the reply to a call, unless it was a notification.
    #[cold]
    pub(crate) fn refuse(&self, id: Option<&ReplyId>, fault: &Fault) {
        if let Some(id) = id {
            self.fault(id, fault);
        }
    }

    /// Says that the call `id` is answered with a stream.
    pub(crate) fn open(&self, id: &ReplyId, metadata: &Metadata) -> Result<(), EncodeError> {
        let mut bytes = self.lock();
        let message = Tail::begin(&mut bytes.whole);
        match id {
            ReplyId::Native(id) => native::write_opened(message.out, *id, metadata)?,
            #[cfg(feature = "json")]
            ReplyId::Subscription(of) => {
                jsonrpc::write_opened(message.out, of)?;
                // Under the lock: a fault is either the reply, or the end of the stream.
                of.open();
            }
            _ => {}
        }
        message.keep();
        Ok(())
    }

    /// Appends an item of the call `id`; gives its length.
    pub(crate) fn item(
        &self,
        id: &ReplyId,
        encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<usize, Fault> {
        let mut bytes = self.lock();
        let start = bytes.whole.len();
        let message = Tail::begin(&mut bytes.whole);
        match id {
            ReplyId::Native(id) => {
                let written = native::write_item(message.out, *id, encode);
                let length = message.len().saturating_sub(native::HEADER);
                finish(message, written, self.message_limit(), native::HEADER)?;
                bytes.settle(start, *id, None);
                Ok(length)
            }
            #[cfg(feature = "json")]
            ReplyId::Subscription(of) => {
                let mut length = 0;
                let written = jsonrpc::write_subscription_item(message.out, of, encode);
                let written = written.map(|item| length = item);
                finish(message, written, self.message_limit(), 0)?;
                Ok(length)
            }
            _ => Ok(0),
        }
    }

    /// Appends the end of the stream of the call `id`.
    pub(crate) fn end(&self, id: &ReplyId) {
        let mut bytes = self.lock();
        match id {
            ReplyId::Native(id) => {
                let start = bytes.whole.len();
                native::write_empty(&mut bytes.whole, native::Kind::End, *id);
                bytes.settle(start, *id, None);
            }
            #[cfg(feature = "json")]
            ReplyId::Subscription(of) => jsonrpc::write_subscription_end(&mut bytes.whole, of),
            _ => {}
        }
    }

    /// Lets the caller send `bytes` more of the items of its call `id`.
    pub(crate) fn credit(&self, id: &ReplyId, bytes: usize) {
        let out = &mut self.lock().whole;
        match id {
            ReplyId::Native(id) => native::write_credit(out, *id, bytes),
            #[cfg(feature = "json")]
            ReplyId::Subscription(of) => jsonrpc::write_credit(out, &of.raw, bytes),
            _ => {}
        }
    }

    /// Appends `fault` as the reply to `id`, or as the end of its stream.
    pub(crate) fn fault(&self, id: &ReplyId, fault: &Fault) {
        let mut bytes = self.lock();
        let start = bytes.whole.len();
        let out = &mut bytes.whole;
        match id {
            ReplyId::Native(id) => {
                native::write_fault(out, *id, fault);
                bytes.settle(start, *id, None);
            }
            #[cfg(feature = "json")]
            ReplyId::Subscription(of) if of.is_open() => {
                jsonrpc::write_subscription_error(out, of, fault);
            }
            #[cfg(feature = "json")]
            ReplyId::Subscription(of) => jsonrpc::write_fault(out, &of.raw, of.version_1, fault),
            #[cfg(feature = "json")]
            ReplyId::Json { raw, version_1 } => jsonrpc::write_fault(out, raw, *version_1, fault),
            #[cfg(not(feature = "json"))]
            _ => {}
        }
    }
}

/// Appends a reply in JSON-RPC.
fn write_json_reply(
    message: &mut Tail<'_>,
    id: &ReplyId,
    encode: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    #[cfg(feature = "json")]
    {
        let (raw, version_1) = id.json();
        jsonrpc::write_reply(message.out, raw, version_1, encode)
    }
    #[cfg(not(feature = "json"))]
    encode(message.out)
}

/// Keeps a reply if it was `written` and, without its `header`, is not too large.
#[inline]
pub(crate) fn finish(
    reply: Tail<'_>,
    written: Result<(), EncodeError>,
    limit: usize,
    header: usize,
) -> Result<(), Fault> {
    written.map_err(|error| Fault::new(code::INTERNAL_ERROR, error.to_string()))?;
    let size = reply.len() - header;
    if size > limit {
        return Err(too_large(size, limit));
    }
    reply.keep();
    Ok(())
}

#[cold]
fn too_large(size: usize, limit: usize) -> Fault {
    let words = format!(
        "the reply has {size} bytes; the limit is {limit} (`Limits::message_bytes`, of either side)"
    );
    Fault::new(code::TOO_LARGE, words)
}
