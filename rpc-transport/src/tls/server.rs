//! A server's side: who it is, which callers it knows, and the handshake.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use farcall_core::context::TlsPeer;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use tokio_rustls::server::TlsStream;

use super::pem::Pem;
use super::reload::{lock, look};
use super::who::who;
use super::{TlsError, provider};
use crate::address::Address;

/// Who a server is, for `tls://` and `https://` addresses: its certificate, and whose clients it
/// takes. TLS is 1.2 or 1.3.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use farcall_transport::{server::Server, tls::ServerTls};
///
/// let tls = ServerTls::from_pem_files("/etc/calc/cert.pem", "/etc/calc/key.pem")?;
/// let listening = Server::new().tls(tls).listen("https://0.0.0.0:8443").await?;
/// listening.run().await;
/// # Ok(())
/// # }
/// ```
///
/// While the server runs it notices that the files have changed: see [`reload`](Self::reload).
/// Clones are the same, and what one reads again all have.
#[derive(Clone)]
pub struct ServerTls(Arc<Inner>);

struct Inner {
    source: Source,
    /// What new connections get.
    current: RwLock<Arc<ServerConfig>>,
    /// What was in the files when they were last read.
    seen: Mutex<Option<u64>>,
    told: Mutex<Option<Told>>,
}

/// Who wants to know what came of reading the files again.
pub(super) type Told = Arc<dyn Fn(&Result<(), TlsError>) + Send + Sync>;

#[derive(Clone)]
pub(super) enum Source {
    Pem(Files),
    Given,
}

/// Where the certificates are.
#[derive(Clone)]
pub(super) struct Files {
    certificate: Pem,
    key: Pem,
    client_ca: Option<Pem>,
    /// Which certificates of clients were taken back.
    client_crl: Option<Pem>,
    /// A client may have no certificate. One that it has must be good.
    client_may_be_unknown: bool,
}

impl ServerTls {
    /// With the certificate in one PEM file (and those behind it that lead to the CA), and its
    /// private key in another.
    ///
    /// # Errors
    /// If a file cannot be read, or the key is not the certificate's.
    pub fn from_pem_files(
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        Self::from_pems(Pem::file(certificate), Pem::file(key))
    }

    /// As [`from_pem_files`](Self::from_pem_files), from PEM that is at hand.
    ///
    /// # Errors
    /// If there is no certificate or no key in it, or the key is not the certificate's.
    pub fn from_pem(
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, TlsError> {
        Self::from_pems(Pem::given(certificate), Pem::given(key))
    }

    fn from_pems(certificate: Pem, key: Pem) -> Result<Self, TlsError> {
        Self::from_files(Files {
            certificate,
            key,
            client_ca: None,
            client_crl: None,
            client_may_be_unknown: false,
        })
    }

    fn from_files(files: Files) -> Result<Self, TlsError> {
        let config = files.read()?;
        Ok(Self::of_parts(Source::Pem(files), config))
    }

    /// With a configuration of rustls, whose rules are then the ones that hold. If it names no ALPN
    /// protocols, those of HTTP are added.
    #[must_use]
    pub fn from_config(mut config: ServerConfig) -> Self {
        if config.alpn_protocols.is_empty() {
            config.alpn_protocols = alpn();
        }
        Self::of_parts(Source::Given, config)
    }

    fn of_parts(source: Source, config: ServerConfig) -> Self {
        let tls = Self(Arc::new(Inner {
            source,
            current: RwLock::new(Arc::new(config)),
            seen: Mutex::default(),
            told: Mutex::default(),
        }));
        let seen = look(&tls);
        *tls.seen() = seen;
        tls
    }

    pub(super) fn source(&self) -> &Source {
        &self.0.source
    }

    pub(super) fn seen(&self) -> MutexGuard<'_, Option<u64>> {
        lock(&self.0.seen)
    }

    pub(super) fn told(&self) -> MutexGuard<'_, Option<Told>> {
        lock(&self.0.told)
    }

    /// Has connections that come from now on get this.
    pub(super) fn replace(&self, config: ServerConfig) {
        let current = self.0.current.write();
        *current.unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
    }

    /// Takes only clients that show a certificate which somebody in this PEM file has signed.
    /// Handlers find it in [`Context::tls`](farcall_core::context::Context::tls).
    ///
    /// # Errors
    /// If the file cannot be read, or has no certificate in it.
    pub fn client_ca_file(self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        self.client_ca(Pem::file(path))
    }

    /// As [`client_ca_file`](Self::client_ca_file), from PEM that is at hand.
    ///
    /// # Errors
    /// If there is no certificate in it.
    pub fn client_ca_pem(self, pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        self.client_ca(Pem::given(pem))
    }

    fn client_ca(self, pem: Pem) -> Result<Self, TlsError> {
        self.with(|files| files.client_ca = Some(pem))
    }

    /// Turns away clients whose certificate was taken back: this PEM file has the revocation lists of
    /// the clients' CAs (`-----BEGIN X509 CRL-----`), one of each. A certificate of which no list
    /// tells is refused, and so are all while their list is past its next update.
    ///
    /// # Errors
    /// If the file cannot be read, has no list in it, or no CA of clients was named before.
    pub fn client_crl_file(self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        self.client_crl(Pem::file(path))
    }

    /// As [`client_crl_file`](Self::client_crl_file), from PEM that is at hand.
    ///
    /// # Errors
    /// If there is no list in it, or no CA of clients was named before.
    pub fn client_crl_pem(self, pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        self.client_crl(Pem::given(pem))
    }

    fn client_crl(self, pem: Pem) -> Result<Self, TlsError> {
        self.with(|files| files.client_crl = Some(pem))
    }

    /// Takes clients without a certificate too; handlers tell them by
    /// [`TlsPeer::certificate`]. A certificate that is shown must still be good.
    ///
    /// # Errors
    /// If the configuration is one of rustls', which says this itself.
    pub fn client_certificate_optional(self) -> Result<Self, TlsError> {
        self.with(|files| files.client_may_be_unknown = true)
    }

    fn with(self, change: impl FnOnce(&mut Files)) -> Result<Self, TlsError> {
        match &self.0.source {
            Source::Pem(files) => {
                let mut files = files.clone();
                change(&mut files);
                let changed = Self::from_files(files)?;
                changed.told().clone_from(&self.told());
                Ok(changed)
            }
            Source::Given => Err(TlsError::new(
                "a configuration of rustls has its own rules for clients: set them there",
            )),
        }
    }

    /// What the options of an address say: `cert` and `key`, and `ca` for clients.
    pub(crate) fn of(address: &Address) -> Result<Option<Self>, TlsError> {
        let Some((certificate, key)) = address.identity_files() else {
            return match address.ca_file() {
                None => Ok(None),
                Some(_) => Err(TlsError::new(
                    "`ca` says which clients are taken, and needs `cert` and `key` beside it",
                )),
            };
        };
        let mut tls = Self::from_pem_files(certificate, key)?;
        if let Some(ca) = address.ca_file() {
            tls = tls.client_ca_file(ca)?;
        }
        Ok(Some(tls))
    }

    fn current(&self) -> Arc<ServerConfig> {
        let current = self.0.current.read();
        Arc::clone(&current.unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes the handshake. If it fails, gives the stream back: an alert was written to it.
    pub(crate) async fn accept<IO>(
        &self,
        io: IO,
    ) -> Result<(TlsStream<IO>, TlsPeer), (io::Error, IO)>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let handshake = TlsAcceptor::from(self.current()).accept(io);
        let stream = handshake.into_fallible().await?;
        let (_, session) = stream.get_ref();
        let peer = who(session.peer_certificates().unwrap_or_default());
        Ok((stream, peer))
    }
}

impl Files {
    /// All that is read.
    pub(super) fn all(&self) -> impl Iterator<Item = &Pem> {
        [&self.certificate, &self.key]
            .into_iter()
            .chain(&self.client_ca)
            .chain(&self.client_crl)
    }

    pub(super) fn read(&self) -> Result<ServerConfig, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::new(error.to_string()))?;
        let builder = match &self.client_ca {
            None if self.client_crl.is_some() => {
                return Err(TlsError::new(
                    "a revocation list is about the clients of a CA: name that first \
                     (`client_ca_file`)",
                ));
            }
            None => builder.with_no_client_auth(),
            Some(ca) => {
                let roots = Arc::new(ca.roots()?);
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider());
                let verifier = match self.client_may_be_unknown {
                    true => verifier.allow_unauthenticated(),
                    false => verifier,
                };
                let verifier = match &self.client_crl {
                    Some(lists) => verifier
                        .with_crls(lists.revocations()?)
                        .enforce_revocation_expiration(),
                    None => verifier,
                };
                let verifier = verifier.build();
                builder.with_client_cert_verifier(verifier.map_err(|error| {
                    TlsError::new(format!(
                        "the clients' CA, or its revocation list, cannot be used: {error}"
                    ))
                })?)
            }
        };
        let (certificates, key) = (self.certificate.certificates()?, self.key.key()?);
        let mut config = builder
            .with_single_cert(certificates, key)
            .map_err(|error| {
                TlsError::new(format!("the server's certificate cannot be used: {error}"))
            })?;
        config.alpn_protocols = alpn();
        if self.client_ca.is_some() {
            // rustls takes the client of a resumed session for who it was, without another look.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }
}

/// What HTTP is called in ALPN; farcall's other protocols are told by their first bytes.
fn alpn() -> Vec<Vec<u8>> {
    match cfg!(feature = "http") {
        true => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        false => Vec::new(),
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match &self.0.source {
            Source::Pem(_) => "PEM",
            Source::Given => "a configuration of rustls",
        };
        write!(f, "ServerTls({kind})")
    }
}
