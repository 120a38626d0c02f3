//! The hello that a native connection begins with, as a server reads it.

use std::time::Duration;

use bytes::BytesMut;
use farcall_core::encoding::Encoding;
use farcall_core::protocol::native::{Version, refusal};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Reads until the hello of a native connection is in `start`; its encoding. What cannot be read is
/// refused by the connection itself, in the words of its protocol.
pub(crate) async fn hello<IO: AsyncRead + Unpin>(io: &mut IO, start: &mut BytesMut) -> Encoding {
    loop {
        match Version::read(start) {
            Ok(None) => {}
            Ok(Some(Version::Known(hello))) => return hello.encoding,
            _ => return Encoding::Bincode,
        }
        if matches!(io.read_buf(start).await, Ok(0) | Err(_)) {
            return Encoding::Bincode;
        }
    }
}

/// What is said to somebody whose hello did not come within `time`.
pub(crate) fn late_hello(time: Duration) -> Vec<u8> {
    let words = format!("the hello took longer than {time:?} (`Limits::handshake_time`)");
    refusal(&words)
}
