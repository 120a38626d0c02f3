//! From an address to a channel.

use std::io;
use std::time::Duration;

use farcall_core::channel::Channel;
use farcall_core::encoding::Encoding;
use farcall_core::error::Failure;
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use farcall_core::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::address::{Address, Transport};
use crate::net::{memory, socket};
use crate::server::Server;
use crate::stream;
#[cfg(feature = "tls")]
use crate::tls::ClientTls;

/// How long a connection may take to be made.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// A channel to the server at `address`, with default limits.
///
/// Over HTTP nothing is sent yet: connections are made as calls need them.
///
/// # Errors
/// If the address cannot be, or nobody answers there.
pub async fn connect(address: &str) -> Result<Channel, Failure> {
    let address: Address = address
        .parse()
        .map_err(|error| Failure::unsupported(format!("{error}")))?;
    connect_with(&address, Limits::default()).await
}

/// A channel to the server at `address`, with these `limits`.
///
/// # Errors
/// As [`connect`].
pub async fn connect_with(address: &Address, limits: Limits) -> Result<Channel, Failure> {
    let encoding = address.encoding();
    let failed = |source| Failure::connect(address, source);
    match address.transport() {
        Transport::Tcp => {
            let io = in_time(TcpStream::connect(address.authority()))
                .await
                .map_err(failed)?;
            socket::set_up(&io).map_err(failed)?;
            Ok(stream::client(io, encoding, limits))
        }
        Transport::Unix => {
            let io = in_time(UnixStream::connect(address.path()))
                .await
                .map_err(failed)?;
            Ok(stream::client(io, encoding, limits))
        }
        Transport::Mem => {
            let io = in_time(memory::connect(address.authority()))
                .await
                .map_err(failed)?;
            Ok(stream::client(io, encoding, limits))
        }
        #[cfg(feature = "http")]
        Transport::Http => {
            let dialer = crate::net::dial::Dialer::plain(address);
            Ok(Channel::carried_by(crate::http::carrier(
                address, dialer, limits,
            )))
        }
        #[cfg(not(feature = "http"))]
        Transport::Http => Err(Failure::unsupported(NO_HTTP)),
        #[cfg(feature = "tls")]
        Transport::Tls | Transport::Https | Transport::Wss => {
            let tls = ClientTls::of(address)
                .map_err(|error| Failure::unsupported(format!("{address}: {error}")))?;
            secure(address, limits, &tls).await
        }
        #[cfg(not(feature = "tls"))]
        Transport::Tls | Transport::Https | Transport::Wss => Err(Failure::unsupported(
            "this build has no TLS (a feature of farcall)",
        )),
        Transport::Ws => {
            let io = in_time(TcpStream::connect(address.authority()))
                .await
                .map_err(failed)?;
            socket::set_up(&io).map_err(failed)?;
            web_socket(io, address, limits).await
        }
    }
}

#[cfg(not(feature = "http"))]
const NO_HTTP: &str = "this build has no HTTP (a feature of farcall)";

/// A channel to the server at `address`, whose certificate is verified as `tls` says.
///
/// # Errors
/// As [`connect`]; and if the address is not one of TLS, or names certificates itself.
#[cfg(feature = "tls")]
pub async fn connect_with_tls(
    address: &Address,
    limits: Limits,
    tls: &ClientTls,
) -> Result<Channel, Failure> {
    let why = if !address.transport().is_secure() {
        "it is in clear, and TLS was asked for: use tls://, https:// or wss://"
    } else if address.ca_file().is_some() || address.identity_files().is_some() {
        "it names certificates, and so does the `ClientTls` that was given: one of them must do"
    } else {
        return secure(address, limits, tls).await;
    };
    Err(Failure::unsupported(format!("{address}: {why}")))
}

#[cfg(feature = "tls")]
async fn secure(address: &Address, limits: Limits, tls: &ClientTls) -> Result<Channel, Failure> {
    use crate::net::dial::Dialer;
    use crate::tls::Secured;

    if address.transport() == Transport::Https {
        #[cfg(feature = "http")]
        {
            let secured = Secured::new(address, tls, crate::http::alpn(address), &limits)?;
            let dialer = Dialer::secure(address, secured);
            return Ok(Channel::carried_by(crate::http::carrier(
                address, dialer, limits,
            )));
        }
        #[cfg(not(feature = "http"))]
        return Err(Failure::unsupported(NO_HTTP));
    }
    let dialer = Dialer::secure(address, Secured::new(address, tls, &[], &limits)?);
    let io = in_time(dialer.dial())
        .await
        .map_err(|source| Failure::connect(address, source))?;
    if address.transport() == Transport::Wss {
        return web_socket(io, address, limits).await;
    }
    Ok(stream::client(io, address.encoding(), limits))
}

/// A channel over a WebSocket, which is opened on `io`.
#[cfg(feature = "ws")]
async fn web_socket<IO>(io: IO, address: &Address, limits: Limits) -> Result<Channel, Failure>
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let opening = tokio::time::timeout(CONNECT_TIME, crate::ws::connect(io, address));
    let socket = opening
        .await
        .unwrap_or_else(|_| Err(Failure::connect(address, io::ErrorKind::TimedOut.into())))?;
    let encoding = address.encoding();
    Ok(stream::client_in_messages(socket, encoding, limits))
}

#[cfg(not(feature = "ws"))]
#[expect(clippy::unused_async, reason = "as the one that waits")]
async fn web_socket<IO>(_: IO, _: &Address, _: Limits) -> Result<Channel, Failure> {
    Err(Failure::unsupported(
        "this build has no WebSocket (a feature of farcall)",
    ))
}

async fn in_time<T>(connecting: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    tokio::time::timeout(CONNECT_TIME, connecting)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A channel over a byte stream that is connected already.
///
/// Must be called inside a tokio runtime, which drives it.
pub fn over<IO>(io: IO, encoding: Encoding, limits: Limits) -> Channel
where
    IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    stream::client(io, encoding, limits)
}

/// A channel to `service` in this process, through the real encoding and protocol.
///
/// Must be called inside a tokio runtime, which drives both ends.
pub fn in_memory(service: impl Service, encoding: Encoding) -> Channel {
    let (mine, theirs) = memory::pair();
    // One service alone cannot be in conflict with another, and its own names were checked when
    // it was compiled.
    if let Ok(router) = Router::builder().service(service).build() {
        tokio::spawn(Server::serve_one(router, theirs, Limits::default()));
    }
    stream::client(mine, encoding, Limits::default())
}
