//! Calls as HTTP requests: one POST, one message (or batch) and its answer.
//!
//! The server's side: `server` runs a connection: `plain` what most clients send, and hyper the rest
//! over a `line` (of HTTP/2 with a `backlog`); `upgrade` opens a WebSocket, and `opened` takes its connection; `answer` turns one
//! request into one response, `origin` knows where it comes from, `admission` decides what may come in, `cors` which pages of other
//! sites may, `limited` which heads are too large or late, `page` is what a browser sees,
//! `events` streams that it reads, `tunnel` those of farcall's own, `mounted` is the same inside
//! somebody else's server, `fields` how all of them look at headers. The client's side is `client/`.
//! Both sides: `headers` and `body`; `coding` decides which bodies are compressed, `gzip` does it.

mod admission;
mod answer;
mod backlog;
mod body;
mod client;
mod coding;
mod cors;
#[cfg(feature = "json")]
mod events;
mod fields;
mod gzip;
mod headers;
mod limited;
mod line;
mod mounted;
mod opened;
mod origin;
mod page;
mod pipe;
mod plain;
mod reply;
mod response;
mod server;
mod tunnel;
#[cfg(feature = "ws")]
mod upgrade;

pub use cors::{BadOrigin, Cors};
pub use mounted::HttpService;
pub use reply::ResponseBody;

#[cfg(feature = "tls")]
pub(crate) use client::alpn;
pub(crate) use client::carrier;
pub(crate) use opened::Opened;
pub(crate) use origin::{Origin, Speaks};
pub(crate) use server::serve;

/// The content type of one native message in bincode.
const BINCODE: &str = "application/vnd.farcall.bincode";
