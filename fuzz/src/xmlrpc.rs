//! XML-RPC documents.

use farcall::Encoding;

use crate::alone;
use crate::memory::bounded;

/// A request, or a `system.multicall`.
pub fn xmlrpc_request(bytes: &[u8]) {
    bounded(bytes, || alone::answer(Encoding::Xml, bytes));
}

/// A reply.
pub fn xmlrpc_reply(bytes: &[u8]) {
    bounded(bytes, || alone::read(Encoding::Xml, bytes));
}
