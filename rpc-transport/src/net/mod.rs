//! Byte streams: where they come from.

pub(crate) mod linger;
pub(crate) mod listener;
pub(crate) mod memory;
#[cfg(feature = "http")]
pub(crate) mod rewind;

use tokio::io::{AsyncRead, AsyncWrite};

/// Any byte stream.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<IO: AsyncRead + AsyncWrite + Send + Unpin> Stream for IO {}
