//! Typed RPC from one Rust trait: bincode, JSON-RPC 2.0 and XML-RPC over TCP and HTTP, on one port.

// `#[farcall::service]` says `::farcall::…`, in this crate's own examples too.
extern crate self as farcall;

use std::sync::Arc;

use farcall_core::channel::{Carrier, InFlight, Outbound};

pub use farcall_core::channel::{Call, Channel};
pub use farcall_core::context::Context;
pub use farcall_core::encoding::Encoding;
pub use farcall_core::error::{Error, Failure};
pub use farcall_core::fault::{Fault, TypedFault};
pub use farcall_core::method::{Method, Param};
pub use farcall_core::params;
pub use farcall_core::service::{Answer, Reply, Request, Service};
pub use farcall_core::wire::Wire;
pub use farcall_macros::{Fault, service};

/// A channel to the server at `address`.
///
/// # Errors
/// Always: this build has no transport yet.
pub async fn connect(address: &str) -> Result<Channel, Error> {
    Err(Failure::unsupported(format!(
        "cannot connect to {address}: there is no transport yet"
    ))
    .into())
}

/// A channel to `server` in this process. Its calls fail: this build has no transport yet.
pub fn in_memory(server: impl Service, encoding: Encoding) -> Channel {
    drop(server);
    Channel::carried_by(Arc::new(Nowhere(encoding)))
}

struct Nowhere(Encoding);

impl Carrier for Nowhere {
    fn encoding(&self) -> Encoding {
        self.0
    }

    fn start(&self, _: Outbound<'_>) -> Result<InFlight, Failure> {
        Err(Failure::unsupported("there is no transport yet"))
    }
}
