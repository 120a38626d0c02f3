//! Proxies that are believed when they say who calls.
//!
//! `preface` reads what a proxy sends ahead of a connection, `forwarded` what it writes into headers.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

#[cfg(feature = "http")]
mod forwarded;
mod preface;

use std::net::SocketAddr;

pub use preface::{Preface, preface};

use crate::allow::AllowList;

/// Proxies in front of a server, and how they say for whom they call. The allow-list, and
/// [`Context::peer_address`], then have the address of the client behind them.
///
/// Only connections of the listed addresses are believed: what anybody else says about itself counts
/// for nothing. Of several hops in a header those that are listed too are passed over from the right;
/// the first other one is the client, whatever stands further left. Where that hop cannot be told
/// (`unknown`), the client has no address, and none is on an allow-list.
///
/// [`Context::peer_address`]: farcall_core::context::Context::peer_address
///
/// ```
/// use farcall_transport::{allow::AllowList, proxies::Proxies, server::Server};
///
/// // nginx on this machine, with `proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for`.
/// let nginx = Proxies::new(AllowList::new(["127.0.0.1"])?);
/// let server = Server::new().proxies(nginx).allow(AllowList::new(["192.0.2.0/24"])?);
/// # Ok::<(), farcall_transport::allow::AllowListError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Proxies {
    addresses: AllowList,
    is_prefaced: bool,
    is_standard: bool,
}

impl Proxies {
    /// Proxies at these addresses. Over HTTP they write `X-Forwarded-For`, each behind what it was
    /// sent; over other protocols they say nothing.
    #[must_use]
    pub fn new(addresses: AllowList) -> Self {
        Self {
            addresses,
            is_prefaced: false,
            is_standard: false,
        }
    }

    /// They write the header `Forwarded` of RFC 7239, and `X-Forwarded-For` is not looked at. (Never
    /// are both: the one that a proxy does not write it passes on as a client made it up.)
    #[must_use]
    pub fn forwarded(mut self) -> Self {
        self.is_standard = true;
        self
    }

    /// They begin each connection with a header of the PROXY protocol, version 1 or 2, whatever is
    /// spoken then. One that comes without it, or takes longer than `Limits::handshake_time` for it, is
    /// closed.
    #[must_use]
    pub fn proxy_protocol(mut self) -> Self {
        self.is_prefaced = true;
        self
    }

    /// True if a proxy is there.
    pub(crate) fn has(&self, address: Option<SocketAddr>) -> bool {
        address.is_some_and(|address| self.addresses.allows(address.ip()))
    }

    /// True if connections from there begin with a header of the PROXY protocol.
    pub(crate) fn are_prefaced(&self, address: Option<SocketAddr>) -> bool {
        self.is_prefaced && self.has(address)
    }

    /// The header in which they tell.
    #[cfg(feature = "http")]
    pub(crate) fn header(&self) -> http::HeaderName {
        match self.is_standard {
            true => http::header::FORWARDED,
            false => http::HeaderName::from_static("x-forwarded-for"),
        }
    }

    /// Who calls, where a proxy at `proxy` sends these values of `X-Forwarded-For` (or of `Forwarded`,
    /// if that is [what they write](Self::forwarded)). None if it cannot be told.
    ///
    /// ```
    /// use farcall_transport::{allow::AllowList, proxies::Proxies};
    ///
    /// let proxies = Proxies::new(AllowList::new(["10.0.0.0/8"])?);
    /// let header: &[u8] = b"127.0.0.1, 192.0.2.1, 10.0.0.2";
    /// let client = proxies.client("10.0.0.1:5000".parse()?, &[header]);
    /// assert_eq!(client, Some("192.0.2.1:0".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "http")]
    #[must_use]
    pub fn client(&self, proxy: SocketAddr, values: &[&[u8]]) -> Option<SocketAddr> {
        let mut client = Some(proxy);
        let mut is_client = |hop: Option<SocketAddr>| {
            client = hop.map(canonical);
            !self.has(hop)
        };
        match self.is_standard {
            true => forwarded::forwarded(values).into_iter().any(&mut is_client),
            false => forwarded::x_forwarded_for(values).any(&mut is_client),
        };
        client
    }
}

/// The same address, and an IPv4-mapped one as the IPv4 address that it stands for.
#[cfg(feature = "http")]
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(all(test, feature = "http"))]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_the_first_hop_from_the_right_that_is_no_proxy() {
        let proxies = Proxies::new(AllowList::new(["10.0.0.0/8"]).unwrap());
        let proxy = "10.0.0.1:5".parse().unwrap();
        for (value, expected) in [
            (None, Some("10.0.0.1:5")),
            (Some("192.0.2.1"), Some("192.0.2.1:0")),
            (Some("192.0.2.9, 192.0.2.1"), Some("192.0.2.1:0")),
            (
                Some("192.0.2.9, 192.0.2.1, 10.0.0.3, 10.0.0.2"),
                Some("192.0.2.1:0"),
            ),
            (Some("192.0.2.9, unknown, 10.0.0.2"), None),
            (Some("192.0.2.9, "), None),
            (Some("10.0.0.3, 10.0.0.2"), Some("10.0.0.3:0")),
            (Some("192.0.2.9, ::ffff:10.0.0.2"), Some("192.0.2.9:0")),
            (Some("::ffff:192.0.2.1"), Some("192.0.2.1:0")),
        ] {
            let values: Vec<_> = value.iter().map(|value| value.as_bytes()).collect();
            let client = proxies.client(proxy, &values);
            assert_eq!(client, expected.map(|e| e.parse().unwrap()), "{value:?}");
        }
    }
}
