//! Which connections of an address are let in: in clear, over TLS, or either.

use bytes::BytesMut;
use tokio::time::Instant;

use crate::address::Address;
use crate::net::listener::Arrival;
#[cfg(feature = "tls")]
use crate::tls::ServerTls;

/// What a server has for TLS, whatever its addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Security {
    #[cfg(feature = "tls")]
    pub(super) tls: Option<ServerTls>,
    /// TLS is also taken where an address does not ask for it.
    #[cfg(feature = "tls")]
    pub(super) beside_plain: bool,
}

/// How connections of one address come in.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    #[cfg(feature = "tls")]
    tls: Option<ServerTls>,
    takes_clear: bool,
}

impl Gate {
    /// The gate of an address; or why there can be none.
    pub(super) fn of(address: &Address, security: &Security) -> Result<Self, String> {
        match address.transport().is_secure() {
            true => Self::secure(address, security),
            false => Ok(Self::plain(security)),
        }
    }

    #[cfg(feature = "tls")]
    fn secure(address: &Address, security: &Security) -> Result<Self, String> {
        let own = ServerTls::of(address).map_err(|error| error.to_string())?;
        let tls = own.or_else(|| security.tls.clone()).ok_or(
            "TLS needs a certificate: `Server::tls`, or cert=FILE and key=FILE in the address",
        )?;
        Ok(Self {
            tls: Some(tls),
            takes_clear: false,
        })
    }

    #[cfg(not(feature = "tls"))]
    fn secure(_: &Address, _: &Security) -> Result<Self, String> {
        Err("this build has no TLS (a feature of farcall)".to_owned())
    }

    /// The gate of what is no TLS address.
    #[cfg(feature = "tls")]
    pub(super) fn plain(security: &Security) -> Self {
        let tls = security.tls.clone().filter(|_| security.beside_plain);
        Self {
            tls,
            takes_clear: true,
        }
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn plain(_: &Security) -> Self {
        Self { takes_clear: true }
    }

    pub(super) fn takes_clear(&self) -> bool {
        self.takes_clear
    }

    #[cfg(feature = "tls")]
    pub(super) fn takes_tls(&self) -> bool {
        self.tls.is_some()
    }

    #[cfg(not(feature = "tls"))]
    pub(super) fn takes_tls(&self) -> bool {
        false
    }

    /// Takes new certificates as they come, for ever.
    #[cfg(feature = "tls")]
    pub(super) async fn follow(self) {
        if let Some(tls) = self.tls {
            tls.follow().await;
        }
    }

    #[cfg(not(feature = "tls"))]
    pub(super) async fn follow(self) {}

    /// Makes the handshake with somebody of whom `start` was read, until `end`. If it fails, they were told
    /// why; TLS has no words for one that takes too long.
    #[cfg(feature = "tls")]
    pub(super) async fn secured(
        &self,
        arrival: Arrival,
        start: BytesMut,
        end: Instant,
    ) -> Option<Arrival> {
        use std::io;
        use std::sync::Arc;

        use crate::net::linger;
        use crate::net::rewind::Rewind;

        let tls = self.tls.as_ref()?;
        let accepting = tls.accept(Rewind::new(start, arrival.io));
        let Ok(accepted) = tokio::time::timeout_at(end, accepting).await else {
            let words = "it took longer than `Limits::handshake_time`";
            let error = io::Error::new(io::ErrorKind::TimedOut, words);
            crate::trace::no_handshake(arrival.peer, &error);
            return None;
        };
        match accepted {
            Ok((io, peer)) => Some(Arrival {
                io: Box::new(io),
                transport: "tls",
                tls: Some(Arc::new(peer)),
                ..arrival
            }),
            Err((error, mut io)) => {
                crate::trace::no_handshake(arrival.peer, &error);
                // The alert is to arrive although there are bytes that nobody has read.
                linger::close(&mut io, &[]).await;
                None
            }
        }
    }

    #[cfg(not(feature = "tls"))]
    pub(super) async fn secured(&self, _: Arrival, _: BytesMut, _: Instant) -> Option<Arrival> {
        None
    }
}
