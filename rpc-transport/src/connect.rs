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
use crate::net::memory;
use crate::server::Server;
use crate::stream;

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
            io.set_nodelay(true).map_err(failed)?;
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
        Transport::Http => Ok(Channel::carried_by(crate::http::carrier(address, limits))),
        #[cfg(not(feature = "http"))]
        Transport::Http => Err(Failure::unsupported(
            "this build has no HTTP (a feature of farcall)",
        )),
        Transport::Tls | Transport::Https => Err(Failure::unsupported(format!(
            "{address}: TLS is not offered yet"
        ))),
    }
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
