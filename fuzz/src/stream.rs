//! Bytes into one side of a connection, in pieces.

use std::slice::Chunks;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use farcall::Limits;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::router::Router;

use crate::conversation::all;
use crate::service::{EverythingServer, Plain};

/// The service behind all targets.
pub(crate) fn router() -> Arc<Router> {
    static ROUTER: OnceLock<Arc<Router>> = OnceLock::new();
    let build = || {
        let service = EverythingServer::new(Plain);
        match Router::builder().service(service).build() {
            Ok(router) => router,
            Err(conflict) => panic!("{conflict}"),
        }
    };
    Arc::clone(ROUTER.get_or_init(build))
}

/// A point in time that is the same for a whole run of the fuzzer.
pub(crate) fn now() -> Instant {
    static NOW: OnceLock<Instant> = OnceLock::new();
    *NOW.get_or_init(Instant::now)
}

/// The first byte says how the others are cut: 0 not at all.
pub(crate) fn cut(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, bytes) = bytes.split_first()?;
    let length = match length {
        0 => bytes.len().max(1),
        length => usize::from(*length),
    };
    Some((length, bytes))
}

/// What comes next: the rest of this piece, or the next one.
pub(crate) fn next<'a>(rest: &'a [u8], pieces: &mut Chunks<'a, u8>) -> Option<&'a [u8]> {
    match rest.is_empty() {
        true => pieces.next(),
        false => Some(rest),
    }
}

/// What a server says to `bytes` that come in pieces of `length`, and whether it hangs up.
pub(crate) fn serve(
    speech: Speech,
    encoding: Encoding,
    bytes: &[u8],
    length: usize,
) -> (Vec<u8>, bool) {
    let peer = Arc::new(Peer::new("mem", encoding, None, Limits::default()));
    let Ok(mut server) = Server::new(router(), peer, speech) else {
        panic!("{speech:?} is in this build");
    };
    let cx = Context::from_waker(Waker::noop());
    let mut received = Received::default();
    let mut hangs_up = false;
    let mut pieces = bytes.chunks(length);
    let mut piece: &[u8] = &[];
    'all: while let Some(next) = next(piece, &mut pieces) {
        piece = received.put(next);
        loop {
            match server.receive(&mut received, now()) {
                Ok(true) => {}
                Ok(false) => break,
                Err(_) => {
                    hangs_up = true;
                    break 'all;
                }
            }
        }
    }
    if !hangs_up {
        server.receive_end(&mut received);
    }
    // A stream that gives a thousand items takes its turns.
    for _ in 0..16 {
        server.poll(&cx);
    }
    server.handle_timeout(now() + Duration::from_secs(2 * 3600));
    server.abort();
    (all(|sending| server.transmit(sending)), hangs_up)
}
