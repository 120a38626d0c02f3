//! Where requests come from, and what they may ask for.

use std::net::SocketAddr;
use std::sync::Arc;

use farcall_core::context::TlsPeer;
use farcall_core::limits::Limits;

use super::admission::{Refused, not_allowed, unknown_address};
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
