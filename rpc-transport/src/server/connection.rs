//! One connection from its first byte to its last.

use std::sync::Arc;

use bytes::BytesMut;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::protocol::native::refusal;
use farcall_core::router::Router;
use tokio::io::AsyncReadExt;

use super::{Protocol, Protocols};
use crate::allow::AllowList;
use crate::drain::Drain;
use crate::net::linger;
use crate::net::listener::Arrival;
use crate::sniff::{Sniffed, sniff};
use crate::stream::{self, clock};
use crate::threads::threads;

/// What all connections of a server share.
#[derive(Clone, Debug)]
pub(super) struct Host {
    pub(super) router: Arc<Router>,
    pub(super) limits: Limits,
    pub(super) protocols: Protocols,
    pub(super) hosts: Arc<[String]>,
    pub(super) allow: Option<AllowList>,
}

/// Serves a connection to its end, whatever it speaks.
pub(super) async fn serve(host: Host, mut arrival: Arrival, mut drain: Drain) {
    let mut start = BytesMut::new();
    // The first bytes are read, not peeked at: to wait for more behind a peek is to spin.
    let sniffed = tokio::select! {
        sniffed = tokio::time::timeout(host.limits.handshake_time, first(&mut arrival, &mut start)) => sniffed,
        () = drain.started() => return,
    };
    let Ok(sniffed) = sniffed else { return };
    let spoken = match sniffed {
        Sniffed::Native => Protocol::Native,
        Sniffed::JsonRpc => Protocol::JsonRpc,
        Sniffed::Http => Protocol::Http,
        // The other side closed before it said anything, as health checks do.
        Sniffed::NeedMore => return,
        Sniffed::Tls | Sniffed::Unknown => return refuse(&host, arrival, sniffed).await,
    };
    if !host.protocols.includes(spoken) {
        return refuse(&host, arrival, sniffed).await;
    }
    match spoken {
        Protocol::Native => native(host, arrival, start, drain).await,
        Protocol::JsonRpc => {
            run(host, arrival, start, drain, Speech::JsonRpc, Encoding::Json).await;
        }
        Protocol::Http => http(host, arrival, start, drain).await,
    }
}

/// Reads until the first bytes tell what is spoken.
async fn first(arrival: &mut Arrival, start: &mut BytesMut) -> Sniffed {
    loop {
        let sniffed = sniff(start);
        if sniffed != Sniffed::NeedMore {
            return sniffed;
        }
        match arrival.io.read_buf(start).await {
            Ok(0) | Err(_) if start.is_empty() => return Sniffed::NeedMore,
            Ok(0) | Err(_) => return Sniffed::Unknown,
            Ok(_) => {}
        }
    }
}

/// The encoding of a native connection stands in its hello.
async fn native(host: Host, mut arrival: Arrival, mut start: BytesMut, drain: Drain) {
    let hello = stream::hello(&mut arrival.io, &mut start);
    let Ok(encoding) = tokio::time::timeout(host.limits.handshake_time, hello).await else {
        return;
    };
    run(host, arrival, start, drain, Speech::Native, encoding).await;
}

async fn run(
    host: Host,
    arrival: Arrival,
    start: BytesMut,
    drain: Drain,
    speech: Speech,
    encoding: Encoding,
) {
    let limits = host.limits.clone();
    let mut peer = Peer::new(arrival.transport, encoding, arrival.peer, host.limits);
    peer.threads = Some(threads());
    peer.clock = Some(clock());
    peer.is_farcall = speech == Speech::Native;
    let Ok(connection) = Server::new(host.router, Arc::new(peer), speech) else {
        return;
    };
    stream::serve(
        arrival.io,
        connection,
        Received::from_start(start),
        &limits,
        None,
        drain,
    )
    .await;
}

#[cfg(feature = "http")]
async fn http(host: Host, arrival: Arrival, start: BytesMut, drain: Drain) {
    use crate::http::Origin;

    let origin = Origin {
        transport: if arrival.transport == "tcp" {
            "http"
        } else {
            arrival.transport
        },
        peer: arrival.peer,
        local: arrival.local,
        limits: host.limits,
        hosts: host.hosts,
    };
    crate::http::serve(arrival.io, start, host.router, origin, drain).await;
}

#[cfg(not(feature = "http"))]
async fn http(_: Host, _: Arrival, _: BytesMut, _: Drain) {}

/// Says in words that the other side can show what is spoken here, and closes.
async fn refuse(host: &Host, mut arrival: Arrival, sniffed: Sniffed) {
    let spoken = &host.protocols;
    let answer = match sniffed {
        // A fatal `protocol_version` alert (RFC 8446 §6.2): the nearest that TLS has to "not here".
        Sniffed::Tls => b"\x15\x03\x01\x00\x02\x02\x46".to_vec(),
        Sniffed::Http => {
            let words = format!("farcall: this port does not speak HTTP, only: {spoken}\n");
            format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{words}",
                words.len()
            )
            .into_bytes()
        }
        Sniffed::Native => refusal(&format!("this port speaks only: {spoken}")),
        Sniffed::JsonRpc => format!(
            "{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":-32600,\"message\":\"this port does not \
             speak JSON-RPC on the stream, only: {spoken}\"}},\"id\":null}}\n"
        )
        .into_bytes(),
        Sniffed::NeedMore | Sniffed::Unknown => {
            format!("farcall: that is not spoken here, only: {spoken}\n").into_bytes()
        }
    };
    linger::close(&mut arrival.io, &answer).await;
}
