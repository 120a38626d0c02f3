//! Where connections arrive.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};

use farcall_core::context::TlsPeer;

use super::Stream;
use super::memory::MemoryListener;
use super::socket;
use crate::address::{Address, Transport};

/// A bound address.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
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
    pub(crate) async fn bind(address: &Address) -> io::Result<Self> {
        match address.transport() {
            Transport::Tcp
            | Transport::Tls
            | Transport::Http
            | Transport::Https
            | Transport::Ws
            | Transport::Wss => Ok(Self::Tcp(TcpListener::bind(address.authority()).await?)),
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
            Self::Tcp(listener) => listener.local_addr().ok(),
            Self::Unix(_) | Self::Memory(_) => None,
        }
    }

    pub(crate) async fn accept(&mut self) -> io::Result<Arrival> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                socket::set_up(&stream)?;
                let local = stream.local_addr().ok();
                Ok(Arrival {
                    peer: Some(peer),
                    local,
                    ..Arrival::new(stream, "tcp")
                })
            }
            Self::Unix(socket) => {
                let (stream, _) = socket.listener.accept().await?;
                Ok(Arrival::new(stream, "unix"))
            }
            Self::Memory(listener) => Ok(Arrival::in_memory(listener.accept().await?)),
        }
    }
}

/// Removes the socket of a server that is no more; one that answers is left alone.
fn remove_stale(path: &PathBuf) {
    use std::os::unix::fs::FileTypeExt;

    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|meta| meta.file_type().is_socket());
    if is_socket && std::os::unix::net::UnixStream::connect(path).is_err() {
        let _ = std::fs::remove_file(path);
    }
}
