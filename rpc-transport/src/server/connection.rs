//! One connection from its first byte to its last.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
use farcall_core::context::Peer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::protocol::native::refusal;
use farcall_core::router::Router;
use tokio::io::AsyncReadExt;

use super::door::admit_speaker;
use super::gate::Gate;
use super::{Protocol, Protocols};
use crate::allow::AllowList;
use crate::drain::Drain;
use crate::net::linger;
use crate::net::listener::Arrival;
use crate::proxies::Proxies;
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
    pub(super) proxies: Option<Proxies>,
}

/// Serves a connection to its end, whatever it speaks.
pub(super) async fn serve(host: Host, gate: Gate, arrival: Arrival, mut drain: Drain) {
    let time = host.limits.handshake_time;
    // What comes before the first byte of a protocol has one limit: the client's TLS handshake too.
    // (In boxes, as are the protocols below: a connection has the room of what it does now, and not
    // of the largest thing that one can do.)
    let Some(begun) = in_time(time, Box::pin(begin(&gate, arrival)), &mut drain).await else {
        return;
    };
    let begun = match begun {
        Begun::Clear(beginning) if !gate.takes_clear() => {
            let words = "this port speaks TLS only (tls:// and https://)";
            return refuse(beginning, words).await;
        }
        Begun::Clear(beginning) => beginning,
        // The same again inside of TLS.
        Begun::Secure(arrival) => {
            match in_time(time, Box::pin(Beginning::read(arrival)), &mut drain).await {
                Some(beginning) => beginning,
                None => return,
            }
        }
    };
    let spoken = match begun.sniffed {
        Sniffed::Native => Protocol::Native,
        Sniffed::JsonRpc => Protocol::JsonRpc,
        Sniffed::Http => Protocol::Http,
        // The other side closed before it said anything, as health checks do.
        Sniffed::NeedMore => return,
        Sniffed::Tls | Sniffed::Unknown => {
            let words = format!("that is not spoken here, only: {}", host.protocols);
            return refuse(begun, &words).await;
        }
    };
    if !host.protocols.includes(spoken) {
        let words = format!("this port speaks only: {}", host.protocols);
        return refuse(begun, &words).await;
    }
    let Beginning { arrival, start, .. } = begun;
    let Some(drain) = admit_speaker(&host, &arrival, spoken, drain) else {
        return;
    };
    match spoken {
        Protocol::Native => {
            if let Some(conversation) = Box::pin(native(host, arrival, start, drain)).await {
                conversation.await;
            }
        }
        Protocol::JsonRpc => {
            run(host, arrival, start, drain, Speech::JsonRpc, Encoding::Json).await;
        }
        Protocol::Http => Box::pin(http(host, arrival, start, drain)).await,
    }
}

/// What `work` gives, unless it takes too long or the server is to end.
async fn in_time<T>(
    time: Duration,
    work: impl Future<Output = Option<T>>,
    drain: &mut Drain,
) -> Option<T> {
    tokio::select! {
        done = tokio::time::timeout(time, work) => done.ok().flatten(),
        () = drain.started() => None,
    }
}

/// A connection whose first bytes were read.
struct Beginning {
    arrival: Arrival,
    start: BytesMut,
    sniffed: Sniffed,
}

enum Begun {
    Clear(Beginning),
    /// TLS: nothing of what is inside was read yet.
    Secure(Arrival),
}

/// Reads the first bytes, and makes the TLS handshake if that is what they ask for.
async fn begin(gate: &Gate, arrival: Arrival) -> Option<Begun> {
    let beginning = Beginning::read(arrival).await?;
    if beginning.sniffed == Sniffed::Tls && gate.takes_tls() {
        let Beginning { arrival, start, .. } = beginning;
        return Box::pin(gate.secured(arrival, start))
            .await
            .map(Begun::Secure);
    }
    Some(Begun::Clear(beginning))
}

impl Beginning {
    async fn read(mut arrival: Arrival) -> Option<Self> {
        let mut start = BytesMut::new();
        let sniffed = first(&mut arrival, &mut start).await;
        Some(Self {
            arrival,
            start,
            sniffed,
        })
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
async fn native(
    host: Host,
    mut arrival: Arrival,
    mut start: BytesMut,
    drain: Drain,
) -> Option<Conversation> {
    let hello = stream::hello(&mut arrival.io, &mut start);
    let hello = tokio::time::timeout(host.limits.handshake_time, hello).await;
    let (speech, encoding) = (Speech::Native, hello.ok()?);
    Some(run(host, arrival, start, drain, speech, encoding))
}

/// All that follows once it is known what is spoken.
type Conversation = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The conversation. (No `async fn`, which would keep the room of its parameters to its end.)
fn run(
    host: Host,
    arrival: Arrival,
    start: BytesMut,
    drain: Drain,
    speech: Speech,
    encoding: Encoding,
) -> Conversation {
    let mut peer = Peer::new(arrival.transport, encoding, arrival.peer, host.limits);
    peer.tls = arrival.tls;
    peer.threads = Some(threads());
    peer.clock = Some(clock());
    peer.is_farcall = speech == Speech::Native;
    let peer = Arc::new(peer);
    let Ok(connection) = Server::new(host.router, Arc::clone(&peer), speech) else {
        return Box::pin(std::future::ready(()));
    };
    let received = Received::from_start(start);
    Box::pin(stream::serve(
        arrival.io,
        connection,
        received,
        &peer.limits,
        None,
        drain,
    ))
}

#[cfg(feature = "http")]
async fn http(host: Host, arrival: Arrival, start: BytesMut, drain: Drain) {
    use crate::http::Origin;

    let origin = Origin {
        transport: match arrival.transport {
            "tcp" => "http",
            "tls" => "https",
            other => other,
        },
        peer: arrival.peer,
        tls: arrival.tls,
        local: arrival.local,
        limits: host.limits,
        hosts: host.hosts,
        allow: host.allow,
        proxies: host.proxies,
        is_mounted: false,
    };
    crate::http::serve(arrival.io, start, host.router, origin, drain).await;
}

#[cfg(not(feature = "http"))]
async fn http(_: Host, _: Arrival, _: BytesMut, _: Drain) {}

/// Says in words that the other side can show what is spoken here, and closes.
async fn refuse(beginning: Beginning, words: &str) {
    let answer = match beginning.sniffed {
        // A fatal `protocol_version` alert (RFC 8446 §6.2): the nearest that TLS has to "not here".
        Sniffed::Tls => b"\x15\x03\x01\x00\x02\x02\x46".to_vec(),
        Sniffed::Http => {
            let words = format!("farcall: {words}\n");
            format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{words}",
                words.len()
            )
            .into_bytes()
        }
        Sniffed::Native => refusal(words),
        Sniffed::JsonRpc => format!(
            "{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":-32600,\"message\":\"{words}\"}},\
             \"id\":null}}\n"
        )
        .into_bytes(),
        Sniffed::NeedMore | Sniffed::Unknown => format!("farcall: {words}\n").into_bytes(),
    };
    let mut io = beginning.arrival.io;
    linger::close(&mut io, &answer).await;
}
