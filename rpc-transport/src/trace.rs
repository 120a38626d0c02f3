//! What `tracing` is told of who comes in. Without the feature of that name nothing here does
//! anything.

#[cfg(not(feature = "tracing"))]
mod silent {
    use std::net::SocketAddr;

    use crate::allow::AllowListError;

    pub(crate) fn reloaded(_: &Result<usize, AllowListError>) {}

    pub(crate) fn refused(_: SocketAddr, _: u64) {}

    pub(crate) fn full(_: u64) {}

    pub(crate) fn not_accepted(_: &std::io::Error) {}

    #[cfg(feature = "tls")]
    pub(crate) fn certificates(_: &Result<(), crate::tls::TlsError>) {}

    #[cfg(feature = "tls")]
    pub(crate) fn no_handshake(_: Option<SocketAddr>, _: &std::io::Error) {}
}

#[cfg(all(feature = "tls", not(feature = "tracing")))]
pub(crate) use silent::{certificates, no_handshake};
#[cfg(not(feature = "tracing"))]
pub(crate) use silent::{full, not_accepted, refused, reloaded};

#[cfg(feature = "tracing")]
mod told {
    use std::net::SocketAddr;

    use tracing::field::display;
    use tracing::{info, warn};

    use crate::allow::AllowListError;

    /// Says what came of reading an allow-list again.
    pub(crate) fn reloaded(reloaded: &Result<usize, AllowListError>) {
        match reloaded {
            Ok(entries) => info!(entries, "the allow-list was read again"),
            Err(error) => warn!("the old allow-list stays: {error}"),
        }
    }

    /// Says that `peer` was turned away, and how many were since the last one of whom it was said.
    pub(crate) fn refused(peer: SocketAddr, others: u64) {
        let peer = display(peer);
        info!(peer, others, "not on the allow-list: turned away");
    }

    /// Says that connections are turned away for want of places; how many made room until now.
    pub(crate) fn full(evicted: u64) {
        warn!(
            evicted,
            "all connections are in use (`Limits::connections`): others are turned away"
        );
    }

    /// Says why no connection could be accepted.
    pub(crate) fn not_accepted(error: &std::io::Error) {
        warn!("no connection can be accepted, the next try is in a second: {error}");
    }

    /// Says what came of reading certificates again.
    #[cfg(feature = "tls")]
    pub(crate) fn certificates(reloaded: &Result<(), crate::tls::TlsError>) {
        match reloaded {
            Ok(()) => info!("the certificates were read again"),
            Err(error) => warn!("the old certificates stay: {error}"),
        }
    }

    /// Says why a TLS handshake failed. (Strangers must not fill the log: few listen to this.)
    #[cfg(feature = "tls")]
    pub(crate) fn no_handshake(peer: Option<SocketAddr>, error: &std::io::Error) {
        let peer = peer.map(display);
        tracing::debug!(peer, "a TLS handshake failed: {error}");
    }
}

#[cfg(all(feature = "tls", feature = "tracing"))]
pub(crate) use told::{certificates, no_handshake};
#[cfg(feature = "tracing")]
pub(crate) use told::{full, not_accepted, refused, reloaded};
