//! Byte streams: where they come from.

#[cfg(any(feature = "http", feature = "tls"))]
pub(crate) mod dial;
pub(crate) mod halves;
pub(crate) mod later;
pub(crate) mod linger;
pub(crate) mod listener;
pub(crate) mod memory;
pub(crate) mod rewind;
pub(crate) mod socket;

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

/// Any byte stream.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<IO: AsyncRead + AsyncWrite + Send + Unpin> Stream for IO {}

/// What a server said in the words of TLS as it ended a connection, if it refused it.
#[cfg(feature = "tls")]
pub(crate) fn said(error: &io::Error) -> Option<String> {
    crate::tls::refusal(error)
}

#[cfg(not(feature = "tls"))]
pub(crate) fn said(_: &io::Error) -> Option<String> {
    None
}
