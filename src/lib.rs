#![doc = include_str!("../README.md")]

// `#[farcall::service]` says `::farcall::…`, in this crate's own examples too.
extern crate self as farcall;

pub use farcall_core::channel::{Call, CallFuture, Carrier, Channel};
pub use farcall_core::context::{Context, Metadata};
pub use farcall_core::encoding::Encoding;
pub use farcall_core::error::{Error, Failure};
pub use farcall_core::fault::{Fault, TypedFault, code};
pub use farcall_core::limits::Limits;
pub use farcall_core::method::{Method, Param};
pub use farcall_core::params;
pub use farcall_core::service::{Answer, Reply, Request, Service};
pub use farcall_core::wire::Wire;
pub use farcall_macros::{Fault, service};
pub use farcall_transport::address::{Address, BadAddress, Transport};
pub use farcall_transport::connect::{connect_with, in_memory, over};
#[cfg(feature = "http")]
pub use farcall_transport::http::HttpService;
pub use farcall_transport::server::{ListenError, Listening, Protocol, Protocols, Report, Server};

/// A channel to the server at `address`, with default [`Limits`]. Generated clients have a
/// `connect` of their own that calls this.
///
/// # Errors
/// If the address cannot be, or nobody answers there.
pub async fn connect(address: &str) -> Result<Channel, Error> {
    Ok(farcall_transport::connect::connect(address).await?)
}
