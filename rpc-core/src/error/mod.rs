//! What went wrong here, and whose fault it was.
//!
//! A [`Fault`] travelled; an error did not. [`Error`] is what a call gives:
//! the method's own fault, or a [`Failure`] of the call itself.

mod codec;
mod failure;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::fmt;

pub use codec::{DecodeError, EncodeError};
pub use failure::Failure;

use crate::fault::Fault;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_at_most_three_words() {
        assert!(size_of::<Error<()>>() <= 3 * size_of::<usize>());
    }
}
