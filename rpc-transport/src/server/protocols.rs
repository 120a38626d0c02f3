//! Which protocols a port speaks.

use std::fmt;

/// One protocol, as it is told from the first bytes of a connection.
///
/// ```
/// use farcall_transport::server::Protocol;
///
/// assert_eq!(Protocol::Http.to_string(), "HTTP");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// farcall's own frames.
    Native,
    /// JSON-RPC 2.0 on the stream itself.
    JsonRpc,
    /// HTTP/1.1 and HTTP/2, with JSON-RPC, XML-RPC and bincode in them.
    Http,
    /// WebSocket, with JSON-RPC or farcall's own frames in it. It begins as HTTP/1.1; where this is
    /// chosen and [`Http`](Self::Http) is not, HTTP has no other answer than that.
    WebSocket,
}

impl Protocol {
    const ALL: [Self; 4] = [Self::Native, Self::JsonRpc, Self::Http, Self::WebSocket];

    /// False if this build leaves it out.
    fn is_built(self) -> bool {
        match self {
            Self::Native => true,
            Self::JsonRpc => cfg!(feature = "json"),
            Self::Http => cfg!(feature = "http"),
            Self::WebSocket => cfg!(feature = "ws"),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Native => "farcall's native protocol",
            Self::JsonRpc => "JSON-RPC 2.0",
            Self::Http => "HTTP",
            Self::WebSocket => "WebSocket",
        })
    }
}

/// What a port speaks: everything that is built in, or a choice.
///
/// ```
/// use farcall_transport::server::{Protocol, Protocols};
///
/// let narrow = Protocols::from([Protocol::Http]);
/// assert!(!narrow.includes(Protocol::Native));
/// assert!(Protocols::default().includes(Protocol::Native));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocols(Vec<Protocol>);

impl Protocols {
    /// True if `protocol` is spoken.
    #[must_use]
    pub fn includes(&self, protocol: Protocol) -> bool {
        self.0.contains(&protocol)
    }
}

impl Default for Protocols {
    fn default() -> Self {
        Self::from(Protocol::ALL)
    }
}

impl<const N: usize> From<[Protocol; N]> for Protocols {
    fn from(chosen: [Protocol; N]) -> Self {
        Self(
            chosen
                .into_iter()
                .filter(|protocol| protocol.is_built())
                .collect(),
        )
    }
}

/// `HTTP, JSON-RPC 2.0`
impl fmt::Display for Protocols {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, protocol) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            protocol.fmt(f)?;
        }
        Ok(())
    }
}
