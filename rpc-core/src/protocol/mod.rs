//! Messages to bytes and back: the envelopes. Knows no sockets.
//!
//! Each protocol is one module: `native` frames, `jsonrpc`, `xmlrpc`; a new one is a module here.
//! `outbox` is where the replies of a byte stream gather.

pub mod native;
pub mod outbox;

#[cfg(feature = "json")]
pub mod jsonrpc;
#[cfg(feature = "xml")]
pub mod xmlrpc;

use crate::fault::Fault;
use crate::params::Arguments;
use crate::router::Target;
use outbox::ReplyId;

/// A request as a protocol read it, not started yet.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// Where its method is, or why it cannot be called.
    pub(crate) target: Result<Target, Fault>,
    /// Its parameters, still encoded.
    pub(crate) arguments: Arguments,
    /// What its reply must refer to; none for a notification.
    pub(crate) reply: Option<ReplyId>,
}
