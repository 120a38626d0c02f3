//! Serving: accept, tell the protocol from the first bytes, hand over, and drain in the end.

mod beginning;
mod connection;
mod door;
mod gate;
mod gauges;
mod listening;
mod places;
mod protocols;

use std::fmt;
use std::sync::Arc;

use farcall_core::introspection::Info;
use farcall_core::limits::Limits;
use farcall_core::router::{Builder, Conflict, Router};
use farcall_core::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};

pub use gauges::Gauges;
pub use listening::{ListenError, Listening, Report};
pub(crate) use places::Seat;
pub use protocols::{Protocol, Protocols};

use crate::allow::AllowList;
use crate::drain::Drain;
#[cfg(feature = "http")]
use crate::http::Cors;
use crate::net::listener::Arrival;
use crate::proxies::Proxies;
#[cfg(feature = "tls")]
use crate::tls::ServerTls;
use connection::Host;
use gate::{Gate, Security};

/// A server to be: services, limits, and what is spoken.
///
/// ```
/// use farcall_transport::server::Server;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let listening = Server::new().listen("tcp://127.0.0.1:0").await?;
/// assert!(listening.local_addr().is_some());
/// # Ok::<(), farcall_transport::server::ListenError>(())
/// # }).unwrap();
/// ```
#[derive(Clone, Default)]
pub struct Server {
    services: Builder,
    limits: Limits,
    protocols: Protocols,
    hosts: Vec<String>,
    #[cfg(feature = "http")]
    cors: Option<Cors>,
    allow: Option<AllowList>,
    security: Security,
    proxies: Option<Proxies>,
    shares_port: bool,
}

impl Server {
    /// A server without services, that speaks every protocol of this build.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a service. Several share each port, as long as their methods' wire names differ.
    #[must_use]
    pub fn service<S: Service>(mut self, service: S) -> Self {
        self.services = self.services.service(service);
        self
    }

    /// Says what the services are, as a whole: title and version of their OpenRPC document.
    #[must_use]
    pub fn info(mut self, info: Info) -> Self {
        self.services = self.services.info(info);
        self
    }

    /// Sets what peers may ask for.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets what is spoken; anybody else is told so and turned away.
    #[must_use]
    pub fn protocols(mut self, protocols: impl Into<Protocols>) -> Self {
        self.protocols = protocols.into();
        self
    }

    /// Adds a name that HTTP requests may give as their `Host`. A server on a loopback address
    /// takes requests for `localhost` and loopback addresses, and for these names; a web page
    /// whose own name was made to point here ("DNS rebinding") is turned away.
    #[must_use]
    pub fn host(mut self, name: impl Into<String>) -> Self {
        self.hosts.push(name.into());
        self
    }

    /// Lets web pages of other sites call over HTTP and WebSocket. Without this none may.
    #[cfg(feature = "http")]
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }

    /// Lets nobody in but the addresses on `allow`. All others' connections are closed as they are
    /// accepted, without a byte; the [`Report`] counts them.
    #[must_use]
    pub fn allow(mut self, allow: AllowList) -> Self {
        self.allow = Some(allow);
        self
    }

    /// Sets who this server is on its `tls://` and `https://` addresses, but for those that name a
    /// certificate themselves (`?cert=FILE&key=FILE`).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: ServerTls) -> Self {
        self.security.tls = Some(tls);
        self
    }

    /// Takes TLS on addresses that are not for TLS too, beside what comes in clear. Without this a
    /// port has one or the other.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls_beside_plain(mut self) -> Self {
        self.security.beside_plain = true;
        self
    }

    /// Believes these proxies when they say for whom they call.
    #[must_use]
    pub fn proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = Some(proxies);
        self
    }

    /// Lets other servers have the same TCP ports (`SO_REUSEPORT`), if they ask for that too: one that is to
    /// take over can begin before this one ends. New connections go to either meanwhile.
    #[must_use]
    pub fn share_port(mut self) -> Self {
        self.shares_port = true;
        self
    }

    /// Answers at a `listener` that is bound already: one that was inherited from the process before this, or
    /// from whoever starts servers. As on an address `tcp://`. Connections that wait at it are not lost when
    /// this server ends, as long as somebody else holds it.
    ///
    /// ```
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// use farcall_transport::server::Server;
    ///
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let next = listener.try_clone()?;
    /// let old = Server::new().listen_on(listener).unwrap();
    /// old.run_until(std::future::ready(())).await;
    /// // Nobody who came meanwhile was turned away.
    /// let new = Server::new().listen_on(next).unwrap();
    /// # new.run_until(std::future::ready(())).await;
    /// # Ok::<(), std::io::Error>(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    /// If it cannot be used, or two services have a method of the same name.
    pub fn listen_on(self, listener: std::net::TcpListener) -> Result<Listening, ListenError> {
        let security = self.security.clone();
        let host = self.into_host()?;
        Listening::new(Arc::new(host), security, false).listen_on(listener)
    }

    /// Binds `address`; its encoding says nothing here, as every one is understood.
    ///
    /// # Errors
    /// If the address cannot be or is taken, or asks for TLS where there is no certificate, or two
    /// services have a method of the same name.
    pub async fn listen(self, address: &str) -> Result<Listening, ListenError> {
        let security = self.security.clone();
        let shares_port = self.shares_port;
        let host = self.into_host()?;
        Listening::new(Arc::new(host), security, shares_port)
            .listen(address)
            .await
    }

    /// Serves one byte stream that is connected already, to its end.
    ///
    /// # Errors
    /// If two services have a method of the same name.
    pub async fn serve_stream<IO>(self, io: IO) -> Result<(), Conflict>
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let gate = Gate::plain(&self.security);
        let host = self.into_host()?;
        serve(host, gate, io).await;
        Ok(())
    }

    /// Serves one byte stream with a finished router.
    pub(crate) async fn serve_one<IO>(router: Arc<Router>, io: IO, limits: Limits)
    where
        IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let protocols = Protocols::default();
        let host = Host {
            router,
            limits,
            protocols,
            hosts: Arc::default(),
            #[cfg(feature = "http")]
            cors: None,
            allow: None,
            proxies: None,
        };
        serve(host, Gate::plain(&Security::default()), io).await;
    }

    /// The services as one that answers HTTP requests, to be mounted in somebody else's server. Where
    /// they come from it knows only if they have it among their extensions, as a `SocketAddr`; with an
    /// [allow-list](Self::allow) those that do not are refused.
    ///
    /// # Errors
    /// If two services have a method of the same name.
    #[cfg(feature = "http")]
    pub fn into_http_service(self) -> Result<crate::http::HttpService, Conflict> {
        let host = self.into_host()?;
        let origin = crate::http::Origin {
            transport: "http",
            peer: None,
            tls: None,
            local: None,
            limits: host.limits,
            hosts: host.hosts,
            cors: host.cors,
            allow: host.allow,
            proxies: host.proxies,
            is_mounted: true,
            speaks: crate::http::Speaks {
                http: true,
                web_socket: false,
            },
        };
        Ok(crate::http::HttpService::new(host.router, origin))
    }

    fn into_host(self) -> Result<Host, Conflict> {
        let Self {
            services,
            limits,
            protocols,
            hosts,
            #[cfg(feature = "http")]
            cors,
            allow,
            security: _,
            shares_port: _,
            proxies,
        } = self;
        Ok(Host {
            router: services.build()?,
            limits,
            protocols,
            hosts: hosts.into(),
            #[cfg(feature = "http")]
            cors,
            allow,
            proxies,
        })
    }
}

async fn serve<IO>(host: Host, gate: Gate, io: IO)
where
    IO: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    // The sender lives as long as the connection: nobody ends it from outside.
    let (_serving, drain) = Drain::new();
    let opening = connection::open(Arc::new(host), gate, Arrival::in_memory(io), drain);
    if let Some(conversation) = Box::pin(opening).await {
        conversation.await;
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("services", &self.services)
            .field("protocols", &self.protocols)
            .finish_non_exhaustive()
    }
}
