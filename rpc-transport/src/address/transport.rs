//! What stands before the `://` of an address, without its codec.

use farcall_core::encoding::Encoding;

/// How bytes get there.
///
/// ```
/// assert_eq!(farcall_transport::address::Transport::Tcp.name(), "tcp");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A TLS connection.
    Tls,
    /// A Unix domain socket.
    Unix,
    /// HTTP/1.1, or HTTP/2 with the option `version=2`.
    Http,
    /// HTTP over TLS.
    Https,
    /// A WebSocket, opened over HTTP/1.1.
    Ws,
    /// A WebSocket over TLS.
    Wss,
    /// Inside this process.
    Mem,
}

impl Transport {
    pub(super) const ALL: [Self; 8] = [
        Self::Tcp,
        Self::Tls,
        Self::Unix,
        Self::Http,
        Self::Https,
        Self::Ws,
        Self::Wss,
        Self::Mem,
    ];

    /// Its scheme in an address.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Unix => "unix",
            Self::Http => "http",
            Self::Https => "https",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Mem => "mem",
        }
    }

    /// What is spoken over it where the address does not say.
    pub(super) fn usual_encoding(self) -> Encoding {
        match self {
            Self::Http | Self::Https | Self::Ws | Self::Wss => Encoding::Json,
            Self::Tcp | Self::Tls | Self::Unix | Self::Mem => Encoding::Bincode,
        }
    }

    /// True if it is encrypted, and the server's certificate verified.
    #[must_use]
    pub fn is_secure(self) -> bool {
        matches!(self, Self::Tls | Self::Https | Self::Wss)
    }

    /// The port where an address says none.
    pub(super) fn usual_port(self) -> Option<u16> {
        match self {
            Self::Http | Self::Ws => Some(80),
            Self::Https | Self::Wss => Some(443),
            _ => None,
        }
    }
}
