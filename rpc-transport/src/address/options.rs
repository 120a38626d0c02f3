//! What stands behind the `?` of an address.

use std::fmt;

use super::Transport;

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Version {
    Http1,
    /// From the first byte.
    Http2,
    /// What both sides can, as they find in the TLS handshake (ALPN).
    Negotiated,
}

/// The options of an address, each as it is if nothing is said of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Options {
    pub(super) version: Option<Version>,
    pub(super) gzip: bool,
    pub(super) ca: Option<String>,
    /// The files of a certificate and of its key.
    pub(super) identity: Option<(String, String)>,
}

impl Options {
    /// Reads `name=value&name=value`, or why it cannot be.
    pub(super) fn parse(transport: Transport, text: &str) -> Result<Self, String> {
        let mut options = Self::default();
        if text.is_empty() {
            return Ok(options);
        }
        let known =
            known(transport).ok_or_else(|| format!("{} takes no options", transport.name()))?;
        let (mut cert, mut key) = (None, None);
        let mut names = Vec::new();
        for option in text.split('&') {
            let no_option = || format!("`{option}` is no option; there are {known}");
            let (name, value) = option.split_once('=').ok_or_else(no_option)?;
            match (name, value) {
                ("version", "1") if is_http(transport) => {
                    // Without TLS it is what is spoken anyway.
                    options.version = transport.is_secure().then_some(Version::Http1);
                }
                ("version", "2") if is_http(transport) => options.version = Some(Version::Http2),
                ("gzip", "0") if is_http(transport) => options.gzip = false,
                ("gzip", "1") if is_http(transport) => options.gzip = true,
                ("ca", path) if is_file(transport, path) => options.ca = Some(path.to_owned()),
                ("cert", path) if is_file(transport, path) => cert = Some(path.to_owned()),
                ("key", path) if is_file(transport, path) => key = Some(path.to_owned()),
                _ => return Err(no_option()),
            }
            if names.contains(&name) {
                return Err(format!("it says `{name}` twice"));
            }
            names.push(name);
        }
        options.identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err("`cert` and `key` go together".to_owned()),
        };
        Ok(options)
    }
}

fn is_http(transport: Transport) -> bool {
    matches!(transport, Transport::Http | Transport::Https)
}

fn is_file(transport: Transport, path: &str) -> bool {
    transport.is_secure() && !path.is_empty()
}

/// The options that there are, in words.
fn known(transport: Transport) -> Option<&'static str> {
    match transport {
        Transport::Http => Some("version=1, version=2, gzip=0 and gzip=1"),
        Transport::Https => {
            Some("version=1, version=2, gzip=0, gzip=1, ca=FILE, cert=FILE and key=FILE")
        }
        Transport::Tls | Transport::Wss => Some("ca=FILE, cert=FILE and key=FILE"),
        _ => None,
    }
}

/// As it stands in an address, with the `?`.
impl fmt::Display for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = match self.version {
            None | Some(Version::Negotiated) => None,
            Some(Version::Http1) => Some("1"),
            Some(Version::Http2) => Some("2"),
        };
        let identity = self.identity.as_ref();
        let options = [
            ("version", version),
            ("gzip", self.gzip.then_some("1")),
            ("ca", self.ca.as_deref()),
            ("cert", identity.map(|(cert, _)| cert.as_str())),
            ("key", identity.map(|(_, key)| key.as_str())),
        ];
        let given = options
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)));
        for (index, (name, value)) in given.enumerate() {
            let before = if index == 0 { '?' } else { '&' };
            write!(f, "{before}{name}={value}")?;
        }
        Ok(())
    }
}
