//! A JSON-RPC call with streams, as a server answers it.

use std::fmt;

use crate::payload::Payload;
use crate::sync::atomic::{AtomicBool, Ordering};

/// What the messages of such a call refer to: until its stream is open the id of its request,
/// from then on the number of its subscription.
///
/// ```
/// use farcall_core::protocol::outbox::ReplyId;
///
/// fn has_streams(call: &ReplyId) -> bool {
///     matches!(call, ReplyId::Native(_) | ReplyId::Subscription(_))
/// }
/// assert!(has_streams(&ReplyId::Native(1)));
/// ```
pub struct Subscription {
    /// The request's id, as it was written.
    pub(crate) raw: Payload,
    pub(crate) version_1: bool,
    /// No other call on the connection has this number.
    pub(crate) number: u64,
    /// The method's wire name.
    pub(crate) method: &'static str,
    /// How many bytes of items the caller takes at first, if it said so.
    pub(crate) window: Option<usize>,
    opened: AtomicBool,
}

impl Subscription {
    pub(crate) fn new(
        raw: Payload,
        version_1: bool,
        number: u64,
        method: &'static str,
        window: Option<usize>,
    ) -> Self {
        Self {
            raw,
            version_1,
            number,
            method,
            window,
            opened: AtomicBool::new(false),
        }
    }

    /// From now on its number is known to the caller.
    pub(crate) fn open(&self) {
        self.opened.store(true, Ordering::Release);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.opened.load(Ordering::Acquire)
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({} {})", self.method, self.number)
    }
}
