//! Messages to bytes and back: the envelopes. Knows no sockets.
//!
//! Each protocol is one module: `native` frames, `jsonrpc`, `xmlrpc`; a new one is a module here.
//! `batch` is many calls in one message, `outbox` is where the replies of a byte stream gather,
//! `tail` a message being written there, `subscription` what the messages of a JSON-RPC stream refer
//! to, `feed` where a stream gathers as server-sent events, `room` what the members of a batch may
//! give.

mod batch;
pub(crate) mod feed;
pub mod native;
pub mod outbox;
pub(crate) mod room;
mod subscription;
pub(crate) mod tail;

#[cfg(feature = "json")]
pub mod jsonrpc;
#[cfg(feature = "xml")]
pub mod xmlrpc;

use std::sync::Arc;
use std::time::Duration;

pub use batch::Batch;

use crate::channel::{Inbound, Outbound};
use crate::context::{Caller, Metadata};
use crate::encoding::Encoding;
use crate::error::{EncodeError, Failure};
use crate::fault::Fault;
use crate::limits::Budget;
use crate::params::Arguments;
use crate::payload::Payload;
use crate::router::{Router, Target};
use outbox::ReplyId;

/// The id of a call that is alone in its message.
const ONLY: u64 = 1;

/// A request as a protocol read it, not started yet.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Where its method is, or why it cannot be called.
    pub(crate) target: Result<Target, Fault>,
    /// Its parameters, still encoded.
    pub(crate) arguments: Arguments,
    /// What its reply must refer to; none for a notification.
    pub(crate) reply: Option<ReplyId>,
    /// How many bytes of items its caller takes at first, where a stream is asked for.
    pub(crate) window: Option<usize>,
}

/// An answer to one message.
///
/// ```
/// use farcall_core::protocol::Answered;
///
/// let answered = Answered::from(b"{}".to_vec());
/// assert!(answered.metadata.is_empty());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Answered {
    /// A message.
    pub message: Vec<u8>,
    /// What the handler sent along, where that is not in the message.
    pub metadata: Metadata,
}

impl From<Vec<u8>> for Answered {
    fn from(message: Vec<u8>) -> Self {
        Self {
            message,
            metadata: Metadata::default(),
        }
    }
}

/// Answers one message (or batch) where something else tells one from the next, as HTTP does:
/// JSON-RPC in JSON, XML-RPC in XML, a native frame in bincode. `None` if there is nothing to say.
pub async fn answer(
    router: &Arc<Router>,
    encoding: Encoding,
    caller: Caller,
    body: Payload,
) -> Option<Answered> {
    match encoding {
        #[cfg(feature = "json")]
        Encoding::Json => jsonrpc::answer(router, caller, body).await,
        #[cfg(feature = "xml")]
        Encoding::Xml => Some(xmlrpc::answer(router, caller, body).await),
        _ => native::answer(router, caller, body).await.map(Into::into),
    }
}

/// The answer to a message of which nothing is known but that it is refused with `fault`.
#[must_use]
pub fn refusal(encoding: Encoding, fault: &Fault) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        #[cfg(feature = "json")]
        Encoding::Json => jsonrpc::write_fault(&mut out, b"null", false, fault),
        #[cfg(feature = "xml")]
        Encoding::Xml => xmlrpc::write_fault(&mut out, fault, false),
        _ => native::write_fault(&mut out, 0, fault),
    }
    out
}

/// Appends `call` as one message, as [`answer`] takes it.
///
/// # Errors
/// If a parameter has no form in `encoding`.
pub fn write_call(
    out: &mut Vec<u8>,
    call: &Outbound<'_>,
    encoding: Encoding,
    remaining: Option<Duration>,
) -> Result<(), EncodeError> {
    match encoding {
        #[cfg(feature = "json")]
        Encoding::Json => {
            let id = (!call.options.notification).then_some(ONLY);
            jsonrpc::write_call(out, call, call.method.style, id)
        }
        #[cfg(feature = "xml")]
        Encoding::Xml => xmlrpc::write_call(out, call),
        _ => native::write_call(out, call, encoding, ONLY, remaining),
    }
}

/// Reads the reply to a message of [`write_call`]; what is looked at of its value here may cost `budget`.
///
/// # Errors
/// The fault that came, or that it is no reply.
pub fn read_reply(encoding: Encoding, body: Payload, budget: Budget) -> Result<Inbound, Failure> {
    match encoding {
        #[cfg(feature = "json")]
        Encoding::Json => jsonrpc::read_only_reply(body, ONLY),
        #[cfg(feature = "xml")]
        Encoding::Xml => xmlrpc::read_reply(body, budget),
        _ => {
            // Nothing is: its length is before it.
            let _ = budget;
            native::read_reply(body, encoding)
        }
    }
}
