//! What each fuzz target does with its bytes.
//!
//! A target must come back: no panic, no hang, and no more memory than what came justifies. Where
//! there is a second way to the same answer (cut elsewhere, written and read again), the two are
//! compared.
//!
//! `scripts/fuzz` runs them. A target is a function here and a line in `targets/`.

mod alone;
mod client;
pub mod conversation;
mod http;
mod jsonrpc;
mod memory;
mod native;
mod questions;
pub mod service;
mod stream;
mod values;
mod who;
mod xmlrpc;

pub use http::{http_bodies, http_server, web_socket};
pub use jsonrpc::{jsonrpc_client, jsonrpc_post, jsonrpc_server};
pub use native::{native_client, native_server};
pub use questions::{address, sniff};
pub use values::values;
pub use who::{allow_list, proxies};
pub use xmlrpc::{xmlrpc_reply, xmlrpc_request};
