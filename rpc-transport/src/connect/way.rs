//! How the connections of one address are made.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use farcall_core::channel::Carrier;
use farcall_core::connection::client::Client;
use farcall_core::error::Failure;
use farcall_core::limits::Limits;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::address::{Address, Transport};
#[cfg(any(feature = "http", feature = "tls"))]
use crate::net::dial::Dialer;
use crate::net::{memory, socket};
use crate::stream;
#[cfg(feature = "tls")]
use crate::tls::{ClientTls, Secured};

/// How long a connection may take to be made, up to the server's hello.
pub(super) const CONNECT_TIME: Duration = Duration::from_secs(10);

/// What leads to an address.
pub(super) enum Way {
    /// Byte streams, one at a time.
    Stream(Box<Maker>),
    /// Something that makes connections itself, as HTTP does.
    Carrier(Arc<dyn Carrier>),
}

impl Way {
    /// The way to `address`, which `tls` secures if the address asks for TLS and does not say itself how.
    pub(super) fn new(
        address: &Address,
        limits: &Limits,
        #[cfg(feature = "tls")] tls: Option<&ClientTls>,
    ) -> Result<Self, Failure> {
        #[cfg(feature = "tls")]
        if address.transport().is_secure() {
            let own;
            let tls = match tls {
                Some(tls) => tls,
                None => {
                    own = ClientTls::of(address)
                        .map_err(|error| Failure::unsupported(format!("{address}: {error}")))?;
                    &own
                }
            };
            return Self::secure(address, limits, tls);
        }
        match address.transport() {
            #[cfg(not(feature = "tls"))]
            Transport::Tls | Transport::Https | Transport::Wss => Err(Failure::unsupported(
                "this build has no TLS (a feature of farcall)",
            )),
            #[cfg(feature = "http")]
            Transport::Http => Ok(Self::carrier(address, limits, Dialer::plain(address))),
            #[cfg(not(feature = "http"))]
            Transport::Http => Err(Failure::unsupported(NO_HTTP)),
            _ => Ok(Self::Stream(Box::new(Maker {
                address: address.clone(),
                limits: limits.clone(),
                #[cfg(feature = "tls")]
                dialer: None,
            }))),
        }
    }

    #[cfg(feature = "tls")]
    fn secure(address: &Address, limits: &Limits, tls: &ClientTls) -> Result<Self, Failure> {
        if address.transport() == Transport::Https {
            #[cfg(feature = "http")]
            {
                let secured = Secured::new(address, tls, crate::http::alpn(address), limits)?;
                let dialer = Dialer::secure(address, secured);
                return Ok(Self::carrier(address, limits, dialer));
            }
            #[cfg(not(feature = "http"))]
            return Err(Failure::unsupported(NO_HTTP));
        }
        let secured = Secured::new(address, tls, &[], limits)?;
        Ok(Self::Stream(Box::new(Maker {
            address: address.clone(),
            limits: limits.clone(),
            dialer: Some(Dialer::secure(address, secured)),
        })))
    }

    #[cfg(feature = "http")]
    fn carrier(address: &Address, limits: &Limits, dialer: Dialer) -> Self {
        Self::Carrier(crate::http::carrier(address, dialer, limits.clone()))
    }
}

#[cfg(not(feature = "http"))]
const NO_HTTP: &str = "this build has no HTTP (a feature of farcall)";

/// Makes connections over byte streams.
pub(super) struct Maker {
    pub(super) address: Address,
    pub(super) limits: Limits,
    /// What secures them.
    #[cfg(feature = "tls")]
    dialer: Option<Dialer>,
}

impl Maker {
    /// A connection whose server has said hello, if it says one: until then nothing may be sent that
    /// would be lost without a trace.
    pub(super) async fn make(&self) -> Result<Arc<Client>, Failure> {
        let making = async {
            let client = self.connect().await?;
            std::future::poll_fn(|cx| client.poll_greeted(cx))
                .await
                .map_err(|failure| match failure.is_retryable() {
                    true => self.failed(io::Error::new(
                        io::ErrorKind::ConnectionReset,
                        "the connection was closed before the server said hello",
                    )),
                    false => failure,
                })?;
            Ok(client)
        };
        match tokio::time::timeout(CONNECT_TIME, making).await {
            Ok(made) => made,
            Err(_) => Err(self.failed(io::ErrorKind::TimedOut.into())),
        }
    }

    fn failed(&self, source: io::Error) -> Failure {
        Failure::connect(&self.address, source)
    }

    async fn connect(&self) -> Result<Arc<Client>, Failure> {
        #[cfg(feature = "tls")]
        if let Some(dialer) = &self.dialer {
            let io = dialer.dial().await.map_err(|source| self.failed(source))?;
            return self.begin(io).await;
        }
        let address = &self.address;
        match address.transport() {
            Transport::Unix => {
                let io = UnixStream::connect(address.path()).await;
                self.begin(io.map_err(|source| self.failed(source))?).await
            }
            Transport::Mem => {
                let io = memory::connect(address.authority()).await;
                self.begin(io.map_err(|source| self.failed(source))?).await
            }
            _ => {
                let io = TcpStream::connect(address.authority()).await;
                let io = io.map_err(|source| self.failed(source))?;
                socket::set_up(&io).map_err(|source| self.failed(source))?;
                if matches!(address.transport(), Transport::Tcp) {
                    let limits = self.limits.clone();
                    return Ok(stream::connection_over(io, address.encoding(), limits));
                }
                self.begin(io).await
            }
        }
    }

    /// Begins what is spoken on `io`.
    async fn begin<IO>(&self, io: IO) -> Result<Arc<Client>, Failure>
    where
        IO: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let limits = self.limits.clone();
        let encoding = self.address.encoding();
        if !matches!(self.address.transport(), Transport::Ws | Transport::Wss) {
            return Ok(stream::connection(io, encoding, limits));
        }
        #[cfg(feature = "ws")]
        {
            let socket = crate::ws::connect(io, &self.address).await?;
            Ok(stream::connection_in_messages(socket, encoding, limits))
        }
        #[cfg(not(feature = "ws"))]
        Err(Failure::unsupported(
            "this build has no WebSocket (a feature of farcall)",
        ))
    }
}
