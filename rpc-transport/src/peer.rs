//! Who is at the other end, with what the runtime lends to the core.

use std::net::SocketAddr;
use std::sync::Arc;

use farcall_core::context::{Peer, Threads, TlsPeer};
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::stream::clock;

/// Whoever came in by `transport`, with this runtime's clock and threads.
pub(crate) fn peer(
    transport: &'static str,
    encoding: Encoding,
    address: Option<SocketAddr>,
    tls: Option<Arc<TlsPeer>>,
    limits: Limits,
) -> Peer {
    let mut peer = Peer::new(transport, encoding, address, limits);
    peer.tls = tls;
    peer.threads = Some(threads());
    peer.clock = Some(clock());
    peer
}

/// The threads that tokio keeps for blocking work (at most 512, unless the runtime was built with
/// another number). Handlers may still wait for anything of the runtime's there.
fn threads() -> Threads {
    Threads {
        run: |future| {
            let runtime = Handle::current();
            // Nobody waits for it here: the call does, by other means.
            drop(spawn_blocking(move || runtime.block_on(future)));
        },
    }
}
