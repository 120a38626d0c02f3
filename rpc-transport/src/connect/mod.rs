//! From an address to a channel.

mod line;
mod recovery;
mod way;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use farcall_core::channel::Channel;
use farcall_core::encoding::Encoding;
use farcall_core::error::{Error, Failure};
use farcall_core::limits::Limits;
use farcall_core::router::Router;
use farcall_core::service::Service;
use tokio::io::{AsyncRead, AsyncWrite};

use self::line::Line;
use self::recovery::Recovery;
use self::way::Way;
use crate::address::{Address, BadAddress};
use crate::net::memory;
use crate::retry::Retry;
use crate::server::Server;
use crate::stream;
#[cfg(feature = "tls")]
use crate::tls::ClientTls;

/// A channel to the server at `address`, to be awaited; before that, what is to be different can be
/// said.
///
/// ```no_run
/// use farcall_transport::connect::connect;
/// use farcall_transport::retry::Retry;
///
/// # async fn example() -> Result<(), farcall_core::error::Error> {
/// let usual = connect("tcp://calc.example:8000").await?;
/// let other = connect("tcp://calc.example:8000").retry(Retry::never()).await?;
/// # Ok(())
/// # }
/// ```
pub fn connect(address: &str) -> Connect {
    Connect::of(address.parse())
}

/// A channel to a server that is not connected before it is awaited; see [`connect`].
///
/// The channel outlives its connections. When one is lost, or the server takes no further calls on it,
/// the next call has another made, and waits for it within its own time; all that wait share one
/// attempt. Calls that did not run are made again as [`Retry`] says. Over HTTP, which has several
/// connections and makes them as calls need them, awaiting this sends nothing.
///
/// ```no_run
/// use std::time::Duration;
///
/// use farcall_transport::{connect::connect, retry::Retry};
///
/// # async fn example() -> Result<(), farcall_core::error::Error> {
/// let channel = connect("tcp://calc.example:8000")
///     .retry(Retry::default().attempts(10))
///     .lazily()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[must_use = "nothing is connected before it is awaited"]
#[derive(Clone)]
pub struct Connect {
    address: Result<Address, BadAddress>,
    limits: Limits,
    retry: Retry,
    is_lazy: bool,
    keeps_one: bool,
    #[cfg(feature = "tls")]
    tls: Option<ClientTls>,
}

impl Connect {
    fn of(address: Result<Address, BadAddress>) -> Self {
        Self {
            address,
            limits: Limits::default(),
            retry: Retry::default(),
            is_lazy: false,
            keeps_one: false,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Sets what the server may ask of this side.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets which calls are made again, how often and when.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Does not connect before the first call does, so that the server may start later than this.
    pub fn lazily(mut self) -> Self {
        self.is_lazy = true;
        self
    }

    /// Has the channel end with its connection, and no call made again. (Over HTTP, which has several,
    /// only the latter.)
    pub fn once(mut self) -> Self {
        self.keeps_one = true;
        self
    }

    /// Sets whom to trust and who this side is, where the address does not say it.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: &ClientTls) -> Self {
        self.tls = Some(tls.clone());
        self
    }

    async fn channel(self) -> Result<Channel, Failure> {
        let Self {
            address, limits, ..
        } = self;
        let address = address.map_err(|error| Failure::unsupported(error.to_string()))?;
        #[cfg(feature = "tls")]
        if self.tls.is_some() {
            fits_tls(&address)?;
        }
        let way = Way::new(
            &address,
            &limits,
            #[cfg(feature = "tls")]
            self.tls.as_ref(),
        )?;
        let call_time = limits.call_time;
        match way {
            Way::Carrier(carrier) => {
                let channel = Channel::carried_by(carrier);
                let recovery = || Arc::new(Recovery::new(self.retry, call_time, None));
                Ok(match self.keeps_one {
                    true => channel,
                    false => channel.recovering(recovery()),
                })
            }
            Way::Stream(maker) => {
                let client = match self.is_lazy {
                    true => stream::ended(address.encoding(), limits),
                    false => maker.make().await?,
                };
                if self.keeps_one {
                    return Ok(Channel::over(client));
                }
                let line = Arc::new(Line::new(client, maker, &self.retry));
                let connections = Arc::clone(&line.line);
                let recovery = Recovery::new(self.retry, call_time, Some(line));
                Ok(Channel::over_line(connections, Arc::new(recovery)))
            }
        }
    }
}

impl IntoFuture for Connect {
    type Output = Result<Channel, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(self.channel().await?) })
    }
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("address", &self.address)
            .field("retry", &self.retry)
            .finish_non_exhaustive()
    }
}

/// A channel to the server at `address`, with these `limits`; else as [`connect`].
///
/// # Errors
/// If the address cannot be, or nobody answers there.
pub async fn connect_with(address: &Address, limits: Limits) -> Result<Channel, Failure> {
    Connect::of(Ok(address.clone()))
        .limits(limits)
        .channel()
        .await
}

/// A channel to the server at `address`, whose certificate is verified as `tls` says; else as
/// [`connect`].
///
/// # Errors
/// As [`connect_with`]; and if the address is not one of TLS, or names certificates itself.
#[cfg(feature = "tls")]
pub async fn connect_with_tls(
    address: &Address,
    limits: Limits,
    tls: &ClientTls,
) -> Result<Channel, Failure> {
    Connect::of(Ok(address.clone()))
        .limits(limits)
        .tls(tls)
        .channel()
        .await
}

/// Fails if `address` has no place for a `ClientTls`.
#[cfg(feature = "tls")]
fn fits_tls(address: &Address) -> Result<(), Failure> {
    let why = if !address.transport().is_secure() {
        "it is in clear, and TLS was asked for: use tls://, https:// or wss://"
    } else if address.ca_file().is_some() || address.identity_files().is_some() {
        "it names certificates, and so does the `ClientTls` that was given: one of them must do"
    } else {
        return Ok(());
    };
    Err(Failure::unsupported(format!("{address}: {why}")))
}

/// A channel over a byte stream that is connected already.
///
/// Must be called inside a tokio runtime, which drives it. Where the stream comes from only its owner
/// knows: the channel ends with it.
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
