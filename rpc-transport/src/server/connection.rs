//! One connection from its first byte to its last.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use farcall_core::connection::server::Server;
use farcall_core::connection::{Received, Speech};
#[cfg(feature = "http")]
use farcall_core::context::TlsPeer;
use farcall_core::encoding::Encoding;
use farcall_core::limits::Limits;
use farcall_core::router::Router;

use super::beginning::Beginning;
use super::door::admit_speaker;
use super::gate::Gate;
use super::{Protocol, Protocols};
use crate::allow::AllowList;
use crate::drain::Drain;
use crate::net::later::later;
use crate::net::linger;
use crate::net::listener::Arrival;
use crate::peer::peer;
use crate::proxies::Proxies;
use crate::sniff::Sniffed;
use crate::stream;

/// What all connections of a server share.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) router: Arc<Router>,
    pub(super) limits: Limits,
    pub(super) protocols: Protocols,
    pub(super) hosts: Arc<[String]>,
    #[cfg(feature = "http")]
    pub(super) cors: Option<crate::http::Cors>,
    pub(super) allow: Option<AllowList>,
    pub(super) proxies: Option<Proxies>,
}

/// The conversation on a connection that is let in, once it is known what is spoken; none if nothing
/// is said, or nothing that can be understood.
pub(super) async fn open(
    host: Arc<Host>,
    gate: Gate,
    arrival: Arrival,
    mut drain: Drain,
) -> Option<Conversation> {
    let time = host.limits.handshake_time;
    // What comes before the first byte of a protocol has one limit: the client's TLS handshake too.
    // (In boxes, as are the protocols below: a connection has the room of what it does now, and not
    // of the largest thing that one can do.)
    let begun = before_end(Box::pin(begin(&gate, arrival, time)), &mut drain).await?;
    let begun = match begun {
        Begun::Clear(beginning) if !gate.takes_clear() => {
            let words = "this port speaks TLS only (tls:// and https://)";
            beginning.refuse(words).await;
            return None;
        }
        Begun::Clear(beginning) => beginning,
        // The same again inside of TLS.
        Begun::Secure(arrival) => {
            let beginning = Box::pin(Beginning::read_in(time, later(time), arrival));
            before_end(beginning, &mut drain).await?
        }
    };
    let spoken = match begun.sniffed {
        Sniffed::Native => Protocol::Native,
        Sniffed::JsonRpc => Protocol::JsonRpc,
        Sniffed::Http => Protocol::Http,
        // The other side closed before it said anything, as health checks do.
        Sniffed::NeedMore => return None,
        Sniffed::Tls | Sniffed::Unknown => {
            let words = format!("that is not spoken here, only: {}", host.protocols);
            begun.refuse(&words).await;
            return None;
        }
    };
    let is_spoken = |protocol| host.protocols.includes(protocol);
    // A WebSocket begins as HTTP.
    let opens = spoken == Protocol::Http && is_spoken(Protocol::WebSocket);
    if !is_spoken(spoken) && !opens {
        let words = format!("this port speaks only: {}", host.protocols);
        begun.refuse(&words).await;
        return None;
    }
    let Beginning { arrival, start, .. } = begun;
    let drain = admit_speaker(&host, &arrival, spoken, drain)?;
    match spoken {
        Protocol::Native => Box::pin(native(host, arrival, start, drain)).await,
        Protocol::JsonRpc => {
            let (speech, encoding) = (Speech::JsonRpc, Encoding::Json);
            Some(run(&host, arrival, start, drain, speech, encoding))
        }
        Protocol::Http | Protocol::WebSocket => {
            let http = Box::pin(http(host, arrival, start, drain));
            Some(Box::pin(async move {
                if let Some(conversation) = http.await {
                    conversation.await;
                }
            }))
        }
    }
}

/// Tells somebody who may not come in why, if it says soon what it speaks.
pub(super) async fn turn_away(arrival: Arrival, words: &str, mut drain: Drain) {
    const PATIENCE: Duration = Duration::from_secs(1);
    let began = async {
        let read = tokio::time::timeout(PATIENCE, Beginning::read(arrival));
        read.await.ok()
    };
    let began = before_end(began, &mut drain).await;
    // Whoever wants TLS first could not read it.
    if let Some(beginning) = began.filter(|began| began.sniffed != Sniffed::Tls) {
        beginning.turn_away(words).await;
    }
}

/// What `work` gives, unless the server is to end.
async fn before_end<T>(work: impl Future<Output = Option<T>>, drain: &mut Drain) -> Option<T> {
    tokio::select! {
        biased;
        done = work => done,
        () = late(drain) => None,
    }
}

/// How long a connection has to say something that was made as the server was ending: on a busy machine it
/// may take its client that long to send what it was made for.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// Waits until it is too late to begin. What came just before the end is read, and told that it was not
/// run: closed unread it would not know.
async fn late(drain: &mut Drain) {
    drain.started().await;
    // Others wait for the place of one that was asked to go.
    if !drain.is_evicted() {
        tokio::time::sleep(LAST_LOOK).await;
    }
}

enum Begun {
    Clear(Beginning),
    /// TLS: nothing of what is inside was read yet.
    Secure(Arrival),
}

/// Reads the first bytes, and makes the TLS handshake if that is what they ask for.
async fn begin(gate: &Gate, arrival: Arrival, time: Duration) -> Option<Begun> {
    let end = later(time);
    let beginning = Beginning::read_in(time, end, arrival).await?;
    if beginning.sniffed == Sniffed::Tls && gate.takes_tls() {
        let Beginning { arrival, start, .. } = beginning;
        let secured = Box::pin(gate.secured(arrival, start, end)).await;
        return secured.map(Begun::Secure);
    }
    Some(Begun::Clear(beginning))
}

/// The encoding of a native connection stands in its hello.
async fn native(
    host: Arc<Host>,
    mut arrival: Arrival,
    mut start: BytesMut,
    mut drain: Drain,
) -> Option<Conversation> {
    let time = host.limits.handshake_time;
    let hello = async {
        let hello = stream::hello(&mut arrival.io, &mut start);
        Some(tokio::time::timeout(time, hello).await)
    };
    let Ok(encoding) = before_end(hello, &mut drain).await? else {
        linger::close(&mut arrival.io, &stream::late_hello(time)).await;
        return None;
    };
    let speech = Speech::Native;
    Some(run(&host, arrival, start, drain, speech, encoding))
}

/// All that follows once it is known what is spoken.
pub(super) type Conversation = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The conversation. (No `async fn`, which would keep the room of its parameters to its end.)
fn run(
    host: &Host,
    arrival: Arrival,
    start: BytesMut,
    drain: Drain,
    speech: Speech,
    encoding: Encoding,
) -> Conversation {
    let Arrival { transport, tls, .. } = arrival;
    let mut peer = peer(transport, encoding, arrival.peer, tls, host.limits.clone());
    peer.is_farcall = speech == Speech::Native;
    let peer = Arc::new(peer);
    let Ok(connection) = Server::new(Arc::clone(&host.router), Arc::clone(&peer), speech) else {
        return Box::pin(std::future::ready(()));
    };
    #[cfg(feature = "json")]
    let connection = match arrival.has_messages {
        true => connection.in_messages(),
        false => connection,
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
async fn http(
    host: Arc<Host>,
    arrival: Arrival,
    start: BytesMut,
    drain: Drain,
) -> Option<Conversation> {
    use crate::http::{Origin, Speaks};

    let origin = Origin {
        transport: match arrival.transport {
            "tcp" => "http",
            "tls" => "https",
            other => other,
        },
        peer: arrival.peer,
        tls: arrival.tls.clone(),
        local: arrival.local,
        limits: host.limits.clone(),
        hosts: Arc::clone(&host.hosts),
        cors: host.cors.clone(),
        allow: host.allow.clone(),
        proxies: host.proxies.clone(),
        is_mounted: false,
        speaks: Speaks {
            http: host.protocols.includes(Protocol::Http),
            web_socket: host.protocols.includes(Protocol::WebSocket),
        },
    };
    let router = Arc::clone(&host.router);
    let opened = crate::http::serve(arrival.io, start, router, origin, drain).await?;
    let transport = match arrival.transport {
        "tls" => "wss",
        _ => "ws",
    };
    web_socket(host, opened, transport, arrival.tls).await
}

/// The conversation on a WebSocket, which is a byte stream like any other.
#[cfg(feature = "ws")]
async fn web_socket<IO>(
    host: Arc<Host>,
    opened: crate::http::Opened<IO>,
    transport: &'static str,
    tls: Option<Arc<TlsPeer>>,
) -> Option<Conversation>
where
    IO: crate::net::Stream + 'static,
{
    use crate::ws::{Content, Socket};

    let content = match opened.is_native {
        true => Content::Native,
        false => Content::Json,
    };
    let drain = opened.drain;
    let frame_time = host.limits.body_time;
    let socket = Socket::server(opened.io, opened.start, content, frame_time, drain.clone());
    let arrival = Arrival {
        peer: opened.peer,
        tls,
        has_messages: true,
        ..Arrival::new(socket, transport)
    };
    let start = BytesMut::new();
    match content {
        Content::Native => native(host, arrival, start, drain).await,
        Content::Json => {
            let (speech, encoding) = (Speech::JsonRpc, Encoding::Json);
            Some(run(&host, arrival, start, drain, speech, encoding))
        }
    }
}

/// None is opened where there are none.
#[cfg(all(feature = "http", not(feature = "ws")))]
#[expect(clippy::unused_async, reason = "as the one that waits")]
async fn web_socket<IO>(
    _: Arc<Host>,
    _: crate::http::Opened<IO>,
    _: &'static str,
    _: Option<Arc<TlsPeer>>,
) -> Option<Conversation> {
    None
}

#[cfg(not(feature = "http"))]
async fn http(_: Arc<Host>, _: Arrival, _: BytesMut, _: Drain) -> Option<Conversation> {
    None
}
