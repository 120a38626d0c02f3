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
use farcall_core::fault::code;
use farcall_core::limits::Limits;
use farcall_core::protocol::native::refusal as native_refusal;
use farcall_core::router::Router;
use tokio::io::AsyncReadExt;

use super::door::admit_speaker;
use super::gate::Gate;
use super::{Protocol, Protocols};
use crate::allow::AllowList;
use crate::drain::Drain;
use crate::net::linger;
use crate::net::listener::Arrival;
use crate::peer::peer;
use crate::proxies::Proxies;
use crate::sniff::{Sniffed, sniff};
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
    let begun = in_time(time, Box::pin(begin(&gate, arrival)), &mut drain).await?;
    let begun = match begun {
        Begun::Clear(beginning) if !gate.takes_clear() => {
            let words = "this port speaks TLS only (tls:// and https://)";
            refuse(beginning, words).await;
            return None;
        }
        Begun::Clear(beginning) => beginning,
        // The same again inside of TLS.
        Begun::Secure(arrival) => {
            in_time(time, Box::pin(Beginning::read(arrival)), &mut drain).await?
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
            refuse(begun, &words).await;
            return None;
        }
    };
    let is_spoken = |protocol| host.protocols.includes(protocol);
    // A WebSocket begins as HTTP.
    let opens = spoken == Protocol::Http && is_spoken(Protocol::WebSocket);
    if !is_spoken(spoken) && !opens {
        let words = format!("this port speaks only: {}", host.protocols);
        refuse(begun, &words).await;
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
    let began = in_time(PATIENCE, Beginning::read(arrival), &mut drain).await;
    // Whoever wants TLS first could not read it.
    if let Some(beginning) = began.filter(|began| began.sniffed != Sniffed::Tls) {
        say(beginning, words, &OVERLOADED).await;
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
        () = late(drain) => None,
    }
}

/// How long a connection has to say something that was made as the server was ending.
const LAST_LOOK: Duration = Duration::from_millis(100);

/// Waits until it is too late to begin. What came just before the end is read, and told that it was not
/// run: closed unread it would not know.
async fn late(drain: &mut Drain) {
    drain.started().await;
    tokio::time::sleep(LAST_LOOK).await;
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
    host: Arc<Host>,
    mut arrival: Arrival,
    mut start: BytesMut,
    mut drain: Drain,
) -> Option<Conversation> {
    let time = host.limits.handshake_time;
    let hello = async { Some(stream::hello(&mut arrival.io, &mut start).await) };
    let encoding = in_time(time, hello, &mut drain).await?;
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

/// How a refusal is numbered, where it is.
struct Refusal {
    status: &'static str,
    code: i32,
}

const NOT_SPOKEN: Refusal = Refusal {
    status: "400 Bad Request",
    code: code::INVALID_REQUEST,
};
const OVERLOADED: Refusal = Refusal {
    status: "503 Service Unavailable",
    code: code::OVERLOADED,
};

/// Says in words that the other side can show what is spoken here, and closes.
async fn refuse(beginning: Beginning, words: &str) {
    say(beginning, words, &NOT_SPOKEN).await;
}

async fn say(beginning: Beginning, words: &str, refusal: &Refusal) {
    let Refusal { status, code } = refusal;
    let answer = match beginning.sniffed {
        // A fatal `protocol_version` alert (RFC 8446 §6.2): the nearest that TLS has to "not here".
        Sniffed::Tls => b"\x15\x03\x01\x00\x02\x02\x46".to_vec(),
        Sniffed::Http => {
            let words = format!("farcall: {words}\n");
            format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\
                 Connection: close\r\n\r\n{words}",
                words.len()
            )
            .into_bytes()
        }
        Sniffed::Native => native_refusal(words),
        Sniffed::JsonRpc => format!(
            "{{\"jsonrpc\":\"2.0\",\"error\":{{\"code\":{code},\"message\":\"{words}\"}},\
             \"id\":null}}\n"
        )
        .into_bytes(),
        Sniffed::NeedMore | Sniffed::Unknown => format!("farcall: {words}\n").into_bytes(),
    };
    let mut io = beginning.arrival.io;
    linger::close(&mut io, &answer).await;
}
