//! Calls that failed.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use super::{DecodeError, EncodeError};
use crate::fault::{Fault, code};

/// Why a call failed, and whether its method may have run.
///
/// ```
/// use farcall_core::{error::Failure, fault::{Fault, code}};
///
/// let failure = Failure::remote(Fault::new(code::METHOD_NOT_FOUND, "no method `ad`"));
/// assert_eq!(failure.to_string(), "no method `ad` (fault -32601)");
/// assert!(failure.was_sent());
/// ```
#[derive(Debug)]
pub struct Failure(Box<Kind>);

#[derive(Debug)]
enum Kind {
    /// The connection could not be made.
    Connect { to: String, source: io::Error },
    /// The connection ended; `sent` tells whether the request may have left before.
    Closed { sent: bool },
    /// The deadline passed; `usual` if it was that of calls that do not say one.
    Timeout {
        after: Option<Duration>,
        sent: bool,
        usual: bool,
    },
    /// The deadline passed, and why is known.
    TimeoutBecause { after: Duration, why: &'static str },
    /// The arguments have no form in the encoding.
    Encode {
        method: &'static str,
        source: EncodeError,
    },
    /// The reply could not be read.
    Decode {
        method: &'static str,
        source: DecodeError,
    },
    /// The request is larger than a limit; nothing was sent.
    TooLarge { size: usize, limit: usize },
    /// The reply, or an item of a stream, is larger than a limit, by as much as is known.
    ReplyTooLarge { size: Option<usize>, limit: usize },
    /// A fault came back that is none of the method's own.
    Remote(Fault),
    /// A fault came back for a whole batch, none of whose members ran.
    BatchRefused(Fault),
    /// Nothing came for so long, nor an answer to a ping for so long.
    Silent { silence: Duration, pong: Duration },
    /// The other side broke the protocol.
    Peer(String),
    /// The other side refused the conversation, in these words.
    Refused(String),
    /// What was asked for cannot be done here.
    Unsupported(String),
}

impl Failure {
    fn of(kind: Kind) -> Self {
        Self(Box::new(kind))
    }

    /// No connection to `to` could be made.
    #[must_use]
    pub fn connect(to: impl fmt::Display, source: io::Error) -> Self {
        Self::of(Kind::Connect {
            to: to.to_string(),
            source,
        })
    }

    /// The connection ended; `sent` if the request may have left before.
    #[must_use]
    pub fn closed(sent: bool) -> Self {
        Self::of(Kind::Closed { sent })
    }

    /// The deadline passed `after` so long; `sent` if the request may have left.
    #[must_use]
    pub fn timeout(after: Option<Duration>, sent: bool) -> Self {
        Self::of(Kind::Timeout {
            after,
            sent,
            usual: false,
        })
    }

    /// The deadline passed `after` so long, the time of calls that do not say one
    /// (`Limits::call_time`); `sent` if the request may have left.
    #[must_use]
    pub fn usual_timeout(after: Duration, sent: bool) -> Self {
        Self::of(Kind::Timeout {
            after: Some(after),
            sent,
            usual: true,
        })
    }

    /// The same where it is known that the call had the `usual` time, if it ended with that.
    pub(crate) fn after_usual(self, usual: Duration) -> Self {
        match *self.0 {
            Kind::Timeout {
                after: None, sent, ..
            } => Self::usual_timeout(usual, sent),
            kind => Self::of(kind),
        }
    }

    /// The deadline passed `after` so long, probably because of this; the request has left.
    #[must_use]
    pub fn timeout_because(after: Duration, why: &'static str) -> Self {
        Self::of(Kind::TimeoutBecause { after, why })
    }

    /// The same where the request may have left.
    pub(crate) fn sent(self) -> Self {
        match *self.0 {
            Kind::Timeout { after, usual, .. } => Self::of(Kind::Timeout {
                after,
                sent: true,
                usual,
            }),
            kind => Self::of(kind),
        }
    }

    /// The same for another who waited for the same connection.
    #[must_use]
    pub fn of_connection(&self) -> Self {
        Self::of(match &*self.0 {
            Kind::Connect { to, source } => Kind::Connect {
                to: to.clone(),
                source: io::Error::new(source.kind(), source.to_string()),
            },
            Kind::Refused(words) => Kind::Refused(words.clone()),
            Kind::Unsupported(why) => Kind::Unsupported(why.clone()),
            Kind::Peer(how) => Kind::Refused(how.clone()),
            _ => Kind::Closed { sent: false },
        })
    }

    /// The arguments of `method` could not be written.
    #[must_use]
    pub fn encode(method: &'static str, source: EncodeError) -> Self {
        Self::of(Kind::Encode { method, source })
    }

    /// The reply of `method` could not be read.
    #[must_use]
    pub fn decode(method: &'static str, source: DecodeError) -> Self {
        Self::of(Kind::Decode { method, source })
    }

    /// The request has `size` bytes where `limit` are taken.
    #[must_use]
    pub fn too_large(size: usize, limit: usize) -> Self {
        Self::of(Kind::TooLarge { size, limit })
    }

    /// The reply, or an item of its stream, has `size` bytes, if that is known, where `limit` are taken.
    #[must_use]
    pub fn reply_too_large(size: Option<usize>, limit: usize) -> Self {
        Self::of(Kind::ReplyTooLarge { size, limit })
    }

    /// The other side answered with `fault`.
    #[must_use]
    pub fn remote(fault: Fault) -> Self {
        Self::of(Kind::Remote(fault))
    }

    /// The other side answered a batch, and left this call of it out.
    pub(crate) fn left_out() -> Self {
        Self::peer("the answer to the batch leaves this call out")
    }

    /// The other side answered a batch, and left this call of it out; what it said `instead`, of a
    /// call that it did not name, is the best explanation there is.
    pub(crate) fn left_out_but_for(instead: Option<Fault>) -> Self {
        instead.map_or_else(Self::left_out, Self::remote)
    }

    /// How the other side broke the protocol, if that is what happened; else all there is to say.
    #[cfg(feature = "json")]
    pub(crate) fn how(&self) -> String {
        match &*self.0 {
            Kind::Peer(how) => how.clone(),
            _ => self.to_string(),
        }
    }

    /// The other side refused a batch as a whole with `fault`.
    pub(crate) fn batch_refused(fault: Fault) -> Self {
        Self::of(Kind::BatchRefused(fault))
    }

    /// True if the call did not run because the other side refused the batch it was in.
    pub(crate) fn is_of_batch(&self) -> bool {
        matches!(&*self.0, Kind::BatchRefused(_))
    }

    /// Nothing came for `silence`, nor an answer to a ping within `pong`.
    pub(crate) fn silent(silence: Duration, pong: Duration) -> Self {
        Self::of(Kind::Silent { silence, pong })
    }

    /// The other side broke the protocol: `how`.
    #[must_use]
    pub fn peer(how: impl Into<String>) -> Self {
        Self::of(Kind::Peer(how.into()))
    }

    /// The other side refused the conversation in these `words`.
    #[must_use]
    pub fn refused(words: impl Into<String>) -> Self {
        Self::of(Kind::Refused(words.into()))
    }

    /// What was asked for cannot be done here, and `why`.
    #[must_use]
    pub fn unsupported(why: impl Into<String>) -> Self {
        Self::of(Kind::Unsupported(why.into()))
    }

    /// The fault that came back, if that is what happened.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match &*self.0 {
            Kind::Remote(fault) | Kind::BatchRefused(fault) => Some(fault),
            _ => None,
        }
    }

    /// True if the deadline passed, here or there.
    #[must_use]
    pub fn is_timeout(&self) -> bool {
        match &*self.0 {
            Kind::Timeout { .. } | Kind::TimeoutBecause { .. } => true,
            Kind::Remote(fault) | Kind::BatchRefused(fault) => fault.code == code::TIMEOUT,
            _ => false,
        }
    }

    /// True if the method surely did not run, so that the call may be made again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match &*self.0 {
            Kind::Connect { .. } => true,
            Kind::Closed { sent } => !sent,
            Kind::Remote(fault) | Kind::BatchRefused(fault) => fault.says_not_run(),
            _ => false,
        }
    }

    /// True if no connection could be made.
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(&*self.0, Kind::Connect { .. })
    }

    /// True if no connection could be made, and it may be otherwise soon: nobody was there, or it broke
    /// off.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        use io::ErrorKind::{
            ConnectionAborted, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
            NetworkUnreachable, NotFound, TimedOut, UnexpectedEof,
        };
        let Kind::Connect { source, .. } = &*self.0 else {
            return false;
        };
        matches!(
            source.kind(),
            ConnectionAborted
                | ConnectionRefused
                | ConnectionReset
                | HostUnreachable
                | NetworkDown
                | NetworkUnreachable
                | NotFound
                | TimedOut
                | UnexpectedEof
        )
    }

    /// True if it is not known whether the method ran: the connection, or the server, ended before it
    /// was answered. An idempotent method may be called again.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        match &*self.0 {
            Kind::Closed { sent } => *sent,
            Kind::Silent { .. } => true,
            Kind::Remote(fault) | Kind::BatchRefused(fault) => fault.code == code::ABORTED,
            _ => false,
        }
    }

    /// True if the request left, or may have left, this side.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        match &*self.0 {
            Kind::Closed { sent } | Kind::Timeout { sent, .. } => *sent,
            Kind::TimeoutBecause { .. }
            | Kind::Decode { .. }
            | Kind::ReplyTooLarge { .. }
            | Kind::Remote(_)
            | Kind::BatchRefused(_)
            | Kind::Silent { .. }
            | Kind::Peer(_) => true,
            Kind::Connect { .. }
            | Kind::Encode { .. }
            | Kind::TooLarge { .. }
            | Kind::Refused(_)
            | Kind::Unsupported(_) => false,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Kind::Connect { to, source } => write!(f, "cannot connect to {to}: {source}"),
            Kind::Closed { sent: false } => {
                f.write_str("the connection was closed before the call was sent")
            }
            Kind::Closed { sent: true } => {
                f.write_str("the connection was closed before the reply came")
            }
            Kind::Timeout {
                after: Some(after),
                usual,
                ..
            } => {
                write!(f, "no reply within {after:?}")?;
                match usual {
                    true => f.write_str(" (`Limits::call_time`)"),
                    false => Ok(()),
                }
            }
            Kind::Timeout { after: None, .. } => f.write_str("no reply before the deadline"),
            Kind::TimeoutBecause { after, why } => write!(f, "no reply within {after:?}: {why}"),
            Kind::Encode { method, source } => {
                write!(f, "`{method}` cannot be called with this: {source}")
            }
            Kind::Decode { method, source } => {
                write!(f, "the reply of `{method}` makes no sense: {source}")
            }
            Kind::ReplyTooLarge { size, limit } => {
                f.write_str("the reply has ")?;
                match size {
                    Some(size) => write!(f, "{size} bytes; the limit is {limit}")?,
                    None => write!(f, "more than {limit} bytes")?,
                }
                f.write_str(" (`Limits::message_bytes`)")
            }
            Kind::TooLarge { size, limit } => write!(
                f,
                "the message has {size} bytes; the limit is {limit} (`Limits::message_bytes`)"
            ),
            Kind::Remote(fault) => fault.fmt(f),
            Kind::BatchRefused(fault) => write!(f, "the batch was refused: {fault}"),
            Kind::Silent { silence, pong } => write!(
                f,
                "the other side is gone: nothing came for {silence:?} (`Limits::silence_time`), nor \
                 an answer to a ping within {pong:?} (`Limits::pong_time`)"
            ),
            Kind::Peer(how) => write!(f, "the other side broke the protocol: {how}"),
            Kind::Refused(words) => write!(f, "the other side refused: {words}"),
            Kind::Unsupported(why) => f.write_str(why),
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            // Their own words are in `Display` already.
            Kind::Connect { source, .. } => source.source(),
            Kind::Encode { source, .. } => source.source(),
            Kind::Decode { source, .. } => source.source(),
            _ => None,
        }
    }
}
