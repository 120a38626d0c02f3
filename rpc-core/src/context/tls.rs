//! What TLS says of a caller.

/// What TLS says of whoever calls: the certificate it proved to have the key of, if it was asked
/// for one and gave one.
///
/// ```
/// use farcall_core::context::TlsPeer;
///
/// let stranger = TlsPeer::default();
/// assert!(stranger.certificate().is_none() && stranger.name().is_none());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsPeer {
    /// Its own certificate and those that lead to the one that is trusted, in DER; none if it is
    /// not known who calls. They were verified.
    pub certificates: Vec<Vec<u8>>,
    /// The names in its own certificate: first those of its subject alternative name (DNS names,
    /// then URIs), last the common name of its subject.
    pub names: Vec<String>,
}

impl TlsPeer {
    /// The caller's own certificate, in DER.
    #[must_use]
    pub fn certificate(&self) -> Option<&[u8]> {
        self.certificates.first().map(Vec::as_slice)
    }

    /// The first name in its certificate.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.names.first().map(String::as_str)
    }
}
