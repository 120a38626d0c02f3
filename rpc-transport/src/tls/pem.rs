//! Certificates and keys in PEM.

use std::path::{Path, PathBuf};

use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, CertificateRevocationListDer, PrivateKeyDer,
};

use super::TlsError;

/// Where PEM is.
#[derive(Clone)]
pub(super) enum Pem {
    File(PathBuf),
    /// It was given; so many bytes.
    Given(Vec<u8>),
}

impl Pem {
    pub(super) fn file(path: impl AsRef<Path>) -> Self {
        Self::File(path.as_ref().to_owned())
    }

    pub(super) fn given(pem: impl AsRef<[u8]>) -> Self {
        Self::Given(pem.as_ref().to_owned())
    }

    pub(super) fn read(&self) -> Result<Vec<u8>, TlsError> {
        match self {
            Self::File(path) => std::fs::read(path).map_err(|error| {
                TlsError::new(format!("cannot read `{}`: {error}", path.display()))
            }),
            Self::Given(pem) => Ok(pem.clone()),
        }
    }

    fn named(&self) -> String {
        match self {
            Self::File(path) => format!("`{}`", path.display()),
            Self::Given(_) => "the PEM that was given".to_owned(),
        }
    }

    /// A certificate and those that lead to a trusted one.
    pub(super) fn certificates(&self) -> Result<Vec<CertificateDer<'static>>, TlsError> {
        self.all("certificate", "CERTIFICATE")
    }

    /// Lists of the certificates that were taken back.
    pub(super) fn revocations(
        &self,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
        self.all("revocation list", "X509 CRL")
    }

    /// All that stands under this heading, but not nothing.
    fn all<T: PemObject>(&self, what: &str, heading: &str) -> Result<Vec<T>, TlsError> {
        let pem = self.read()?;
        let all: Result<Vec<T>, _> = T::pem_slice_iter(&pem).collect();
        let all = all.map_err(|error| {
            TlsError::new(format!("{} cannot be read as PEM: {error}", self.named()))
        })?;
        if all.is_empty() {
            let named = self.named();
            let words = format!("{named} has no {what} in it (-----BEGIN {heading}-----)");
            return Err(TlsError::new(words));
        }
        Ok(all)
    }

    /// A private key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub(super) fn key(&self) -> Result<PrivateKeyDer<'static>, TlsError> {
        let pem = self.read()?;
        PrivateKeyDer::from_pem_slice(&pem).map_err(|error| {
            let encrypted = pem
                .windows(ENCRYPTED.len())
                .any(|window| window == ENCRYPTED);
            TlsError::new(match encrypted {
                true => format!(
                    "the key in {} is encrypted; farcall reads keys that are not",
                    self.named()
                ),
                false => format!("{} has no private key in it: {error}", self.named()),
            })
        })
    }

    /// Certificates that are trusted.
    pub(super) fn roots(&self) -> Result<RootCertStore, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in self.certificates()? {
            roots.add(certificate).map_err(|error| {
                TlsError::new(format!(
                    "{} has a certificate that cannot be trusted: {error}",
                    self.named()
                ))
            })?;
        }
        Ok(roots)
    }
}

const ENCRYPTED: &[u8] = b"ENCRYPTED";
