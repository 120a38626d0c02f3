//! TLS, by rustls: who a server is, whom a client trusts, and both handshakes.
//!
//! [`ServerTls`] and [`ClientTls`] are what users configure; `pem` reads their files, `reload` a
//! server's again when they change, `who` looks into a caller's certificate, `words` says what went
//! wrong. Nothing here is process-wide: rustls' provider of cryptography (ring) is named wherever it is
//! used.

mod client;
mod pem;
mod reload;
mod server;
mod who;
mod words;

use std::fmt;
use std::sync::{Arc, LazyLock};

use tokio_rustls::rustls::crypto::{CryptoProvider, ring};

pub use client::ClientTls;
pub use server::ServerTls;

pub(crate) use client::Secured;
pub(crate) use words::{explained, refusal};

/// rustls itself, for those who bring a configuration of their own.
pub use tokio_rustls::rustls;

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(ring::default_provider()));

fn provider() -> Arc<CryptoProvider> {
    Arc::clone(&PROVIDER)
}

/// Certificates, or a key, that cannot be used, and why.
///
/// ```
/// use farcall_transport::tls::ServerTls;
///
/// let error = ServerTls::from_pem_files("/nowhere/cert.pem", "/nowhere/key.pem").unwrap_err();
/// assert!(error.to_string().starts_with("cannot read `/nowhere/cert.pem`"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsError(String);

impl TlsError {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TlsError {}
