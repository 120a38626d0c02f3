//! What went wrong here, and whose fault it was.
//!
//! A [`Fault`] travelled; an error did not. [`Error`] is what a call gives:
//! the method's own fault, or a [`Failure`] of the call itself.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use serde::de::{Expected, Unexpected};

use crate::codec::found::kind_of;
use crate::codec::place::Place;
use crate::fault::{Fault, code};

type Source = Box<dyn StdError + Send + Sync>;

/// A value that could not be written in an encoding.
///
/// ```
/// let error = farcall_core::error::EncodeError::new("JSON has no NaN");
/// assert_eq!(error.to_string(), "JSON has no NaN");
/// ```
#[derive(Debug)]
pub struct EncodeError {
    reason: Source,
}

/// Bytes that are not the value that was expected.
///
/// ```
/// let error = farcall_core::error::DecodeError::new("expected `,` at line 1 column 5");
/// assert_eq!(error.to_string(), "expected `,` at line 1 column 5");
/// ```
#[derive(Debug)]
pub struct DecodeError {
    reason: Source,
    malformed: bool,
    place: Option<Place>,
    /// The steps to where it is in the value: `[3]`, `.age`.
    path: Vec<String>,
}

macro_rules! message_error {
    ($name:ident $(, $field:ident: $value:expr)*) => {
        impl $name {
            /// An error with this reason.
            pub fn new(reason: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
                Self {
                    reason: reason.into(),
                    $($field: $value,)*
                }
            }
        }

        impl StdError for $name {
            fn source(&self) -> Option<&(dyn StdError + 'static)> {
                self.reason.source()
            }
        }
    };
}

message_error!(EncodeError);
message_error!(DecodeError, malformed: false, place: None, path: Vec::new());

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason.fmt(f)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", steps(&self.path))?;
        }
        self.reason.fmt(f)?;
        match self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

impl DecodeError {
    /// An error of the encoding itself: there is no value in the bytes, of whatever type.
    #[cfg_attr(
        not(any(feature = "json", feature = "xml")),
        allow(dead_code, reason = "only the text encodings tell the two apart")
    )]
    pub(crate) fn malformed(reason: impl Into<Source>) -> Self {
        Self {
            reason: reason.into(),
            malformed: true,
            place: None,
            path: Vec::new(),
        }
    }

    /// The same error, where the value that it is about is at `step` in another.
    #[cfg(feature = "xml")]
    #[cold]
    pub(crate) fn inside(mut self, step: String) -> Self {
        self.path.insert(0, step);
        self
    }

    /// The same error, at the end of these steps.
    #[cfg(feature = "json")]
    pub(crate) fn along(mut self, path: Vec<String>) -> Self {
        self.path = path;
        self
    }

    /// The same error, about the parameters of a call: the first step is the parameter, which the
    /// words name if they are about what is in it.
    pub(crate) fn in_parameters(mut self) -> Self {
        let path = std::mem::take(&mut self.path);
        let Some(path) = path.get(1..).filter(|path| !path.is_empty()) else {
            return self;
        };
        let words = self.reason.to_string();
        let named = words.strip_prefix("parameter `");
        if let Some((name, rest)) = named.and_then(|words| words.split_once("`: ")) {
            self.reason = format!("parameter `{name}`{}: {rest}", steps(path)).into();
        }
        self
    }

    /// The same error, at this place in the text.
    pub(crate) fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    /// The same error where the text that was read stands behind `before` in its document.
    pub(crate) fn behind(mut self, before: &[u8]) -> Self {
        self.place = self.place.map(|place| place.behind(before));
        self
    }

    /// True if the bytes are known to be no value at all, rather than one of another type.
    pub(crate) fn is_malformed(&self) -> bool {
        self.malformed
    }
}

impl serde::ser::Error for EncodeError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason.to_string())
    }
}

/// Says what was found by its kind, where serde's own words would repeat whatever a stranger sent.
impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(reason: T) -> Self {
        Self::new(reason.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::new(format!("expected {expected}, found {}", Found(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let words = format!("expected {expected}, found {}", Found(found));
        Self::new(match found {
            // The type is right, but for these it has its bounds.
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => words + " that does not fit",
            _ => words,
        })
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!("expected one of {}", Alternatives(expected)))
    }

    fn unknown_field(_: &str, expected: &'static [&'static str]) -> Self {
        Self::new(format!(
            "there is a field beside {}",
            Alternatives(expected)
        ))
    }
}

/// The steps in one. What is too deep for words is cut.
fn steps(path: &[String]) -> String {
    const MOST: usize = 128;
    let mut steps = path.concat();
    if steps.len() > MOST {
        steps.truncate(steps.floor_char_boundary(MOST));
        steps.push('…');
    }
    steps
}

struct Found<'a>(Unexpected<'a>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Unexpected::Str(_) | Unexpected::Char(_) => f.write_str("a string"),
            Unexpected::Bytes(_) => f.write_str("bytes"),
            Unexpected::Bool(_) => f.write_str("a boolean"),
            Unexpected::Signed(_) | Unexpected::Unsigned(_) => f.write_str("an integer"),
            Unexpected::Float(_) => f.write_str("a float"),
            Unexpected::Unit => f.write_str("no value"),
            Unexpected::Seq => f.write_str("a list"),
            Unexpected::Map => f.write_str("a struct"),
            // In these words serde has integers of 128 bits, with their value.
            Unexpected::Other(what) if what.starts_with("integer `") => {
                f.write_str("an integer of more than 64 bits")
            }
            Unexpected::Other(what) => f.write_str(kind_of(what)),
            other => other.fmt(f),
        }
    }
}

struct Alternatives(&'static [&'static str]);

impl fmt::Display for Alternatives {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.0.iter().enumerate() {
            let between = if at == 0 { "" } else { ", " };
            write!(f, "{between}`{name}`")?;
        }
        Ok(())
    }
}

/// How a call can end without a value.
///
/// `E` is the method's own error type; a method that cannot fail has none, and its calls fail only
/// with [`Error::Failed`].
///
/// ```
/// use farcall_core::error::{Error, Failure};
///
/// let error: Error = Failure::closed(false).into();
/// assert!(error.is_retryable() && !error.was_sent());
/// assert_eq!(error.to_string(), "the connection was closed before the call was sent");
/// ```
#[derive(Debug)]
pub enum Error<E = Infallible> {
    /// The method ran and answered with an error of its own.
    Fault(E),
    /// The call failed: see [`Failure`].
    Failed(Failure),
}

impl<E> Error<E> {
    /// The failure, if it is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Fault(_) => None,
            Self::Failed(failure) => Some(failure),
        }
    }

    /// The fault that the other side sent, where it is none of the method's own errors. Of a method
    /// whose own error is [`Fault`] there is none: every fault is [`Error::Fault`].
    pub fn fault(&self) -> Option<&Fault> {
        self.failure().and_then(Failure::fault)
    }

    /// True if the deadline passed, here or there.
    pub fn is_timeout(&self) -> bool {
        self.failure().is_some_and(Failure::is_timeout)
    }

    /// True if the method surely did not run, so that the call may be made again.
    pub fn is_retryable(&self) -> bool {
        self.failure().is_some_and(Failure::is_retryable)
    }

    /// True if the request left, or may have left, this side.
    pub fn was_sent(&self) -> bool {
        self.failure().is_none_or(Failure::was_sent)
    }
}

impl<E> From<Failure> for Error<E> {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl<E: fmt::Display> fmt::Display for Error<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fault.fmt(f),
            Self::Failed(failure) => failure.fmt(f),
        }
    }
}

impl<E: StdError + 'static> StdError for Error<E> {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Fault(fault) => fault.source(),
            Self::Failed(failure) => failure.source(),
        }
    }
}

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
    /// The deadline passed.
    Timeout { after: Option<Duration>, sent: bool },
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
    /// A fault came back that is none of the method's own.
    Remote(Fault),
    /// A fault came back for a whole batch, none of whose members ran.
    BatchRefused(Fault),
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
        Self::of(Kind::Timeout { after, sent })
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
            Kind::Timeout { .. } => true,
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
            Kind::Remote(fault) | Kind::BatchRefused(fault) => {
                matches!(fault.code, code::OVERLOADED | code::UNAVAILABLE)
            }
            _ => false,
        }
    }

    /// True if the request left, or may have left, this side.
    #[must_use]
    pub fn was_sent(&self) -> bool {
        match &*self.0 {
            Kind::Closed { sent } | Kind::Timeout { sent, .. } => *sent,
            Kind::Decode { .. } | Kind::Remote(_) | Kind::BatchRefused(_) | Kind::Peer(_) => true,
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
            Kind::Connect { to, .. } => write!(f, "cannot connect to {to}"),
            Kind::Closed { sent: false } => {
                f.write_str("the connection was closed before the call was sent")
            }
            Kind::Closed { sent: true } => {
                f.write_str("the connection was closed before the reply came")
            }
            Kind::Timeout {
                after: Some(after), ..
            } => write!(f, "no reply within {after:?}"),
            Kind::Timeout { after: None, .. } => f.write_str("no reply before the deadline"),
            Kind::Encode { method, source } => {
                write!(f, "`{method}` cannot be called with this: {source}")
            }
            Kind::Decode { method, source } => {
                write!(f, "the reply of `{method}` makes no sense: {source}")
            }
            Kind::TooLarge { size, limit } => write!(
                f,
                "the message has {size} bytes; the limit is {limit} (`Limits::message_bytes`)"
            ),
            Kind::Remote(fault) => fault.fmt(f),
            Kind::BatchRefused(fault) => write!(f, "the batch was refused: {fault}"),
            Kind::Peer(how) => write!(f, "the other side broke the protocol: {how}"),
            Kind::Refused(words) => write!(f, "the other side refused: {words}"),
            Kind::Unsupported(why) => f.write_str(why),
        }
    }
}

impl StdError for Failure {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &*self.0 {
            Kind::Connect { source, .. } => Some(source),
            // Their own words are in `Display` already.
            Kind::Encode { source, .. } => source.source(),
            Kind::Decode { source, .. } => source.source(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_at_most_three_words() {
        assert!(size_of::<Error<()>>() <= 3 * size_of::<usize>());
    }
}
