//! Native frames, as each side reads them.

use farcall::Encoding;
use farcall_core::connection::Speech;
use farcall_core::protocol::native::{MAGIC, Version};

use crate::memory::bounded;
use crate::{client, stream};

/// What a server of native frames says does not depend on where its bytes were cut.
pub fn native_server(bytes: &[u8]) {
    let Some((length, bytes)) = stream::cut(bytes) else {
        return;
    };
    let bytes = &[&MAGIC, bytes].concat();
    let encoding = match Version::read(bytes) {
        Ok(Some(Version::Known(hello))) => hello.encoding,
        _ => Encoding::Bincode,
    };
    let serve = |length| stream::serve(Speech::Native, encoding, bytes, length);
    let whole = bounded(bytes, || serve(bytes.len()));
    if length < bytes.len() {
        assert_eq!(whole, serve(length), "cut every {length} bytes");
    }
}

/// A client of native frames takes whatever its server says.
pub fn native_client(bytes: &[u8]) {
    let Some((length, bytes)) = stream::cut(bytes) else {
        return;
    };
    let Some((encoding, bytes)) = bytes.split_first() else {
        return;
    };
    let encoding = Encoding::ALL[usize::from(*encoding) % Encoding::ALL.len()];
    let bytes = &[&MAGIC, bytes].concat();
    bounded(bytes, || {
        client::receive(Speech::Native, encoding, bytes, length)
    });
}
