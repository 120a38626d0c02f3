//! Where connections arrive.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket, TcpStream, UnixListener, UnixStream};

use farcall_core::context::TlsPeer;

use super::Stream;
use super::memory::MemoryListener;
use super::socket;
use crate::address::{Address, Transport};

/// A bound address.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    /// One that others may accept from as well, or after this.
    Given(TcpListener),
    Unix(UnixSocket),
    Memory(MemoryListener),
}

/// A connection that arrived.
pub(crate) struct Arrival {
    pub(crate) io: Box<dyn Stream>,
    pub(crate) transport: &'static str,
    pub(crate) peer: Option<SocketAddr>,
    pub(crate) local: Option<SocketAddr>,
    /// What TLS says of whoever calls, once the handshake is made.
    pub(crate) tls: Option<Arc<TlsPeer>>,
    /// Its bytes came in messages, with a mark behind each that is a text.
    pub(crate) has_messages: bool,
}

impl Arrival {
    pub(crate) fn new(io: impl Stream + 'static, transport: &'static str) -> Self {
        Self {
            io: Box::new(io),
            transport,
            peer: None,
            local: None,
            tls: None,
            has_messages: false,
        }
    }

    fn over_tcp(stream: TcpStream, peer: Option<SocketAddr>) -> Self {
        // (If it cannot be, its peer is gone, which is found out soon.)
        let _ = socket::set_up(&stream);
        let local = stream.local_addr().ok();
        Self {
            peer,
            local,
            ..Self::new(stream, "tcp")
        }
    }

    /// A stream that is connected already.
    pub(crate) fn in_memory(io: impl Stream + 'static) -> Self {
        Self::new(io, "mem")
    }
}

/// A Unix socket whose file goes with it.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Listener {
    /// One that is bound already.
    pub(crate) fn given(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self::Given(TcpListener::from_std(listener)?))
    }

    /// True if connections that wait to be accepted are lost with it.
    pub(crate) fn is_last(&self) -> bool {
        !matches!(self, Self::Given(_))
    }

    /// Binds `address`; several may have the same port if all of them `share` it.
    pub(crate) async fn bind(address: &Address, share: bool) -> io::Result<Self> {
        match address.transport() {
            Transport::Tcp
            | Transport::Tls
            | Transport::Http
            | Transport::Https
            | Transport::Ws
            | Transport::Wss => {
                let authority = address.authority();
                Ok(Self::Tcp(match share {
                    false => TcpListener::bind(authority).await?,
                    true => shared(authority).await?,
                }))
            }
            Transport::Unix => {
                let path = PathBuf::from(address.path());
                remove_stale(&path);
                let listener = UnixListener::bind(&path)?;
                Ok(Self::Unix(UnixSocket { listener, path }))
            }
            Transport::Mem => Ok(Self::Memory(MemoryListener::bind(address.authority())?)),
        }
    }

    pub(crate) fn local_addr(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) | Self::Given(listener) => listener.local_addr().ok(),
            Self::Unix(_) | Self::Memory(_) => None,
        }
    }

    pub(crate) async fn accept(&mut self) -> io::Result<Arrival> {
        match self {
            Self::Tcp(listener) | Self::Given(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok(Arrival::over_tcp(stream, Some(peer)))
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                Ok(Arrival::new(stream, "unix"))
            }
            Self::Memory(listener) => Ok(Arrival::in_memory(listener.accept().await?)),
        }
    }

    /// A connection that waits to be accepted, of which a busy runtime may not have heard yet.
    ///
    /// # Errors
    /// `WouldBlock` if none does.
    pub(crate) fn accept_waiting(&mut self) -> io::Result<Arrival> {
        match self {
            Self::Tcp(listener) | Self::Given(listener) => {
                let (socket, peer) = SockRef::from(&*listener).accept()?;
                socket.set_nonblocking(true)?;
                let stream = TcpStream::from_std(socket.into())?;
                Ok(Arrival::over_tcp(stream, peer.as_socket()))
            }
            Self::Unix(socket) => {
                let (socket, _) = SockRef::from(&socket.listener).accept()?;
                socket.set_nonblocking(true)?;
                Ok(Arrival::new(UnixStream::from_std(socket.into())?, "unix"))
            }
            Self::Memory(listener) => Ok(Arrival::in_memory(listener.accept_waiting()?)),
        }
    }
}

/// How many connections may wait to be accepted, as in std.
const BACKLOG: u32 = 1024;

/// A listener at a port that others may have too (`SO_REUSEPORT`).
async fn shared(authority: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in tokio::net::lookup_host(authority).await? {
        let socket = match address.is_ipv4() {
            true => TcpSocket::new_v4()?,
            false => TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.set_reuseport(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// Removes the socket of a server that is no more; one that answers is left alone.
fn remove_stale(path: &PathBuf) {
    use std::os::unix::fs::FileTypeExt;

    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
}
