//! JSON-RPC texts, on a stream and alone.

use farcall::Encoding;
use farcall_core::connection::Speech;

use crate::memory::bounded;
use crate::{alone, client, stream};

/// What a server of JSON-RPC says on a stream does not depend on where its bytes were cut.
pub fn jsonrpc_server(bytes: &[u8]) {
    let Some((length, bytes)) = stream::cut(bytes) else {
        return;
    };
    let serve = |length| stream::serve(Speech::JsonRpc, Encoding::Json, bytes, length);
    let whole = bounded(bytes, || serve(bytes.len().max(1)));
    if length < bytes.len() {
        assert_eq!(whole, serve(length), "cut every {length} bytes");
    }
}

/// A client of JSON-RPC takes whatever its server says.
pub fn jsonrpc_client(bytes: &[u8]) {
    let Some((length, bytes)) = stream::cut(bytes) else {
        return;
    };
    bounded(bytes, || {
        client::receive(Speech::JsonRpc, Encoding::Json, bytes, length)
    });
}

/// One request or batch, and one reply, as they travel over HTTP.
pub fn jsonrpc_post(bytes: &[u8]) {
    bounded(bytes, || alone::answer(Encoding::Json, bytes));
    bounded(bytes, || alone::read(Encoding::Json, bytes));
}
