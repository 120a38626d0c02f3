//! What `tracing` is told of who comes in. Without the feature of that name nothing here does
//! anything.

#[cfg(not(feature = "tracing"))]
mod silent {
    use std::net::SocketAddr;

    use crate::allow::AllowListError;

    pub(crate) fn reloaded(_: &Result<usize, AllowListError>) {}

    pub(crate) fn refused(_: SocketAddr, _: u64) {}
}

#[cfg(not(feature = "tracing"))]
pub(crate) use silent::{refused, reloaded};

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
}

#[cfg(feature = "tracing")]
pub(crate) use told::{refused, reloaded};
