//! A client's side: whom it trusts, who it is, and the handshake.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use farcall_core::error::Failure;
use farcall_core::limits::Limits;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::pem::Pem;
use super::{TlsError, explained, provider};
use crate::address::Address;

/// Whom a client trusts, and who it is, where its address does not say it (`?ca=…&cert=…&key=…`).
///
/// A server's certificate is always verified: signed by somebody who is trusted, valid now, and for
/// the host of the address. There is no way to turn that off. TLS is 1.2 or 1.3.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use farcall_transport::connect::connect_with_tls;
/// use farcall_transport::tls::ClientTls;
/// use farcall_core::limits::Limits;
///
/// let tls = ClientTls::new()
///     .ca_file("/etc/calc/ca.pem")?
///     .identity_files("/etc/calc/me.pem", "/etc/calc/me.key")?;
/// let channel = connect_with_tls(&"tls://calc.example:8443".parse()?, Limits::default(), &tls).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct ClientTls(Kind);

#[derive(Clone)]
enum Kind {
    Own {
        /// Who is trusted; none: whom this machine trusts.
        roots: Option<Arc<RootCertStore>>,
        identity: Option<Arc<Identity>>,
    },
    Given(Arc<ClientConfig>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Own {
            roots: None,
            identity: None,
        }
    }
}

type Own = (Option<Arc<RootCertStore>>, Option<Arc<Identity>>);

struct Identity {
    certificates: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl ClientTls {
    /// Trusts whom this machine trusts: its system's certificates, or those in the file and the
    /// folder that the variables `SSL_CERT_FILE` and `SSL_CERT_DIR` name. They are read once, when
    /// they are first needed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With a configuration of rustls, whose rules are then the ones that hold. Its ALPN protocols
    /// are replaced by those of the address.
    #[must_use]
    pub fn from_config(config: ClientConfig) -> Self {
        Self(Kind::Given(Arc::new(config)))
    }

    /// Trusts the certificates in this PEM file, and nobody else.
    ///
    /// # Errors
    /// If the file cannot be read, or has no certificate in it.
    pub fn ca_file(self, path: impl AsRef<Path>) -> Result<Self, TlsError> {
        self.ca(&Pem::file(path))
    }

    /// Trusts these certificates, and nobody else.
    ///
    /// # Errors
    /// If there is no certificate in it.
    pub fn ca_pem(self, pem: impl AsRef<[u8]>) -> Result<Self, TlsError> {
        self.ca(&Pem::given(pem))
    }

    fn ca(self, pem: &Pem) -> Result<Self, TlsError> {
        let roots = Some(Arc::new(pem.roots()?));
        let (_, identity) = self.own()?;
        Ok(Self(Kind::Own { roots, identity }))
    }

    /// Shows servers that ask who calls the certificate in one PEM file (and those behind it that
    /// lead to the CA), with the private key in another.
    ///
    /// # Errors
    /// If a file cannot be read, or the key is not the certificate's.
    pub fn identity_files(
        self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<Self, TlsError> {
        self.identity(&Pem::file(certificate), &Pem::file(key))
    }

    /// As [`identity_files`](Self::identity_files), from PEM that is at hand.
    ///
    /// # Errors
    /// If there is no certificate or no key in it, or the key is not the certificate's.
    pub fn identity_pem(
        self,
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
    ) -> Result<Self, TlsError> {
        self.identity(&Pem::given(certificate), &Pem::given(key))
    }

    fn identity(self, certificate: &Pem, key: &Pem) -> Result<Self, TlsError> {
        let identity = Identity {
            certificates: certificate.certificates()?,
            key: key.key()?,
        };
        let (roots, _) = self.own()?;
        let identity = Some(Arc::new(identity));
        let with_identity = Self(Kind::Own { roots, identity });
        // Now, and not at the first connection, is the time to say that the key is another's.
        with_identity.config_trusting(RootCertStore::empty())?;
        Ok(with_identity)
    }

    fn own(self) -> Result<Own, TlsError> {
        match self.0 {
            Kind::Own { roots, identity } => Ok((roots, identity)),
            Kind::Given(_) => Err(TlsError::new(
                "a configuration of rustls has its own certificates: set them there",
            )),
        }
    }

    /// What the options of an address say.
    pub(crate) fn of(address: &Address) -> Result<Self, TlsError> {
        let mut tls = Self::new();
        if let Some(ca) = address.ca_file() {
            tls = tls.ca_file(ca)?;
        }
        if let Some((certificate, key)) = address.identity_files() {
            tls = tls.identity_files(certificate, key)?;
        }
        Ok(tls)
    }

    /// rustls' configuration, with these ALPN protocols.
    fn config(&self, alpn: &[&[u8]]) -> Result<ClientConfig, TlsError> {
        let mut config = match &self.0 {
            Kind::Given(config) => ClientConfig::clone(config),
            Kind::Own { roots, .. } => {
                let roots = match roots {
                    Some(roots) => Arc::clone(roots),
                    None => machine_roots()?,
                };
                self.config_trusting(roots)?
            }
        };
        config.alpn_protocols = alpn.iter().map(|&name| name.to_owned()).collect();
        Ok(config)
    }

    fn config_trusting(
        &self,
        roots: impl Into<Arc<RootCertStore>>,
    ) -> Result<ClientConfig, TlsError> {
        let unusable = |error: tokio_rustls::rustls::Error| TlsError::new(error.to_string());
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(unusable)?
            .with_root_certificates(roots);
        let identity = match &self.0 {
            Kind::Own { identity, .. } => identity.as_ref(),
            Kind::Given(_) => None,
        };
        match identity {
            None => Ok(config.with_no_client_auth()),
            Some(identity) => config
                .with_client_auth_cert(identity.certificates.clone(), identity.key.clone_key())
                .map_err(|error| {
                    TlsError::new(format!("the client certificate cannot be used: {error}"))
                }),
        }
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

/// Whom this machine trusts.
fn machine_roots() -> Result<Arc<RootCertStore>, TlsError> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();

    if let Some(roots) = ROOTS.get() {
        return Ok(Arc::clone(roots));
    }
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        // Not remembered: they may be installed while this runs.
        return Err(TlsError::new(format!(
            "this machine has no certificates that it trusts{}; install its CA certificates, name \
             a file in SSL_CERT_FILE, or name the server's CA by `ca` in the address",
            why.unwrap_or_default()
        )));
    }
    Ok(Arc::clone(ROOTS.get_or_init(|| Arc::new(roots))))
}

/// How one address is reached over TLS: made once, used for each connection.
#[derive(Clone)]
pub(crate) struct Secured {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    time: Duration,
}

impl Secured {
    /// `alpn` are the protocols that are offered; with none the server is not asked.
    pub(crate) fn new(
        address: &Address,
        tls: &ClientTls,
        alpn: &[&[u8]],
        limits: &Limits,
    ) -> Result<Self, Failure> {
        let refused = |why: String| Failure::unsupported(format!("{address}: {why}"));
        let config = tls
            .config(alpn)
            .map_err(|error| refused(error.to_string()))?;
        let name = ServerName::try_from(address.host().to_owned())
            .map_err(|_| refused("no certificate can be for such a host".to_owned()))?;
        Ok(Self {
            config: Arc::new(config),
            name,
            time: limits.handshake_time,
        })
    }

    /// Makes the handshake on a connection; an error says what is wrong with whom.
    pub(crate) async fn connect(&self, io: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let connector = TlsConnector::from(Arc::clone(&self.config));
        let handshake = connector.connect(self.name.clone(), io);
        tokio::time::timeout(self.time, handshake)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|error| explained(&error))
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secured({:?})", self.name)
    }
}
