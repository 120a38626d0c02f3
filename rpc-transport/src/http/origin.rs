//! Where requests come from, and what they may ask for.

use std::net::SocketAddr;
use std::sync::Arc;

use farcall_core::context::TlsPeer;
use farcall_core::limits::Limits;

use super::admission::{Refused, known_host, not_allowed, same_site, unknown_address};
use super::cors::{Cors, Shared};
use super::fields::Fields;
use crate::allow::AllowList;
use crate::proxies::Proxies;

/// Where the requests of one connection come from.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    /// What they come in by.
    pub(crate) transport: &'static str,
    /// From where.
    pub(crate) peer: Option<SocketAddr>,
    /// What TLS says of whoever sends them.
    pub(crate) tls: Option<Arc<TlsPeer>>,
    /// To which address of this machine.
    pub(crate) local: Option<SocketAddr>,
    /// What they may ask for.
    pub(crate) limits: Limits,
    /// Names they may call this server by.
    pub(crate) hosts: Arc<[String]>,
    /// Which pages of other sites may call.
    pub(crate) cors: Option<Cors>,
    /// Who may come in.
    pub(crate) allow: Option<AllowList>,
    /// Who is believed about where they come from.
    pub(crate) proxies: Option<Proxies>,
    /// Somebody else accepts the connections, and may say where each request comes from.
    pub(crate) is_mounted: bool,
    /// What is spoken besides.
    pub(crate) speaks: Speaks,
}

impl Origin {
    /// True over TLS that ends here.
    pub(super) fn is_secure(&self) -> bool {
        self.transport == "https"
    }

    /// What an answer to a request with these headers says to browsers.
    pub(super) fn shared(&self, headers: &impl Fields) -> Option<Shared> {
        self.cors.as_ref().map(|cors| cors.shared(headers))
    }

    /// Whether the page that has a request sent, if a page does, may call. `authority` is the host in the
    /// request's own address.
    pub(super) fn admits(
        &self,
        headers: &impl Fields,
        authority: Option<&str>,
    ) -> Result<(), Refused> {
        let Self {
            local, hosts, cors, ..
        } = self;
        let host = known_host(headers, authority, *local, hosts)?;
        match cors.as_ref().is_some_and(|cors| cors.takes(headers)) {
            true => Ok(()),
            false => same_site(headers, host, self.is_secure()),
        }
    }

    /// Who sends a request with these headers, which came from `direct`; or why it is not taken.
    pub(super) fn client(
        &self,
        direct: Option<SocketAddr>,
        headers: &impl Fields,
    ) -> Result<Option<SocketAddr>, Refused> {
        let (client, is_told) = match (&self.proxies, direct) {
            (Some(proxies), Some(proxy)) if proxies.has(direct) => {
                let values: Vec<_> = headers.all(&proxies.header()).collect();
                (proxies.client(proxy, &values), true)
            }
            _ => (direct, self.is_mounted),
        };
        // Asked for each request, as the list may have changed since the connection was accepted.
        match (&self.allow, client) {
            (Some(list), Some(client)) if !list.allows(client.ip()) => Err(not_allowed()),
            (Some(_), None) if is_told => Err(unknown_address()),
            _ => Ok(client),
        }
    }
}

/// What an HTTP request may ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Speaks {
    /// Calls, and pages.
    pub(crate) http: bool,
    /// A WebSocket.
    pub(crate) web_socket: bool,
}
