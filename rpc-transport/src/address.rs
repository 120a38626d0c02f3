//! Where a server is, and how to talk to it: `[codec+]transport://authority[/path][?options]`.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod options;
mod transport;

use std::fmt;
use std::str::FromStr;

use farcall_core::encoding::Encoding;

pub(crate) use options::Version;
pub use transport::Transport;

use options::Options;

/// An address, parsed. Prints as it can be parsed again.
///
/// ```
/// use farcall_transport::address::{Address, Transport};
///
/// let address: Address = "xml+http://localhost:8000/RPC2".parse()?;
/// assert_eq!(address.encoding().name(), "xml");
/// assert_eq!(address.transport(), Transport::Http);
/// assert_eq!((address.authority(), address.path()), ("localhost:8000", "/RPC2"));
/// assert_eq!(address.to_string(), "xml+http://localhost:8000/RPC2");
/// # Ok::<(), farcall_transport::address::BadAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    encoding: Encoding,
    transport: Transport,
    authority: String,
    path: String,
    options: Options,
}

impl Address {
    /// What values are encoded in.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How bytes get there.
    #[must_use]
    pub fn transport(&self) -> Transport {
        self.transport
    }

    /// `host:port`; the name of a `mem` address; nothing for `unix`.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// The path of an HTTP or WebSocket address (`/` if it gives none), or of a Unix socket.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The host of `host:port`, an IPv6 address without its brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = match self.authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => host,
            _ => &self.authority,
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        bare.unwrap_or(host)
    }

    /// True if HTTP/2 is to be spoken from the first byte, and nothing else (`?version=2`).
    #[must_use]
    pub fn is_http2(&self) -> bool {
        self.version() == Version::Http2
    }

    /// Which HTTP is spoken. Over TLS both sides agree on it, where the address does not say.
    pub(crate) fn version(&self) -> Version {
        self.options.version.unwrap_or(match self.transport {
            Transport::Https => Version::Negotiated,
            _ => Version::Http1,
        })
    }

    /// The PEM file with whom is trusted over TLS (`?ca=FILE`), nobody else being so: a client
    /// trusts servers, and a server that listens on the address its clients, from whom it asks a
    /// certificate.
    ///
    /// ```
    /// use farcall_transport::address::Address;
    ///
    /// let address: Address = "tls://h:8443?ca=/etc/calc/ca.pem".parse()?;
    /// assert_eq!(address.ca_file(), Some("/etc/calc/ca.pem"));
    /// assert_eq!(address.identity_files(), None);
    /// # Ok::<(), farcall_transport::address::BadAddress>(())
    /// ```
    #[must_use]
    pub fn ca_file(&self) -> Option<&str> {
        self.options.ca.as_deref()
    }

    /// The PEM files of the certificate that this side shows over TLS, and of its private key
    /// (`?cert=FILE&key=FILE`).
    #[must_use]
    pub fn identity_files(&self) -> Option<(&str, &str)> {
        let (certificate, key) = self.options.identity.as_ref()?;
        Some((certificate, key))
    }

    /// True if a client compresses its requests, and asks for compressed replies (`?gzip=1`).
    ///
    /// ```
    /// use farcall_transport::address::Address;
    ///
    /// let address: Address = "xml+http://h/RPC2?gzip=1".parse()?;
    /// assert!(address.is_gzip());
    /// assert_eq!(address.to_string(), "xml+http://h:80/RPC2?gzip=1");
    /// # Ok::<(), farcall_transport::address::BadAddress>(())
    /// ```
    #[must_use]
    pub fn is_gzip(&self) -> bool {
        self.options.gzip
    }

    /// The same place, in another encoding.
    #[must_use]
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = encoding;
        self
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            encoding,
            transport,
            authority,
            path,
            options,
        } = self;
        let transport = transport.name();
        write!(f, "{encoding}+{transport}://{authority}{path}{options}")
    }
}

/// An address that cannot be, and what would be right.
///
/// ```
/// use farcall_transport::address::Address;
///
/// let error = "yaml+tcp://h:1".parse::<Address>().unwrap_err();
/// assert!(error.to_string().contains("there are bincode, json and xml"));
/// let error = "http//h".parse::<Address>().unwrap_err();
/// assert!(error.to_string().contains("tcp://host:port"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadAddress {
    address: String,
    why: String,
}

impl fmt::Display for BadAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no address: {}",
            self.address.escape_debug(),
            self.why
        )
    }
}

impl std::error::Error for BadAddress {}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(address: &str) -> Result<Self, BadAddress> {
        parse(address).map_err(|why| BadAddress {
            address: address.to_owned(),
            why,
        })
    }
}

fn parse(address: &str) -> Result<Address, String> {
    let (scheme, rest) = address.split_once("://").ok_or_else(|| {
        "it begins with how to get there, such as tcp://host:port or xml+http://host/RPC2"
            .to_owned()
    })?;
    let (codec, transport) = match scheme.split_once('+') {
        Some((codec, transport)) => (Some(codec), transport),
        None => (None, scheme),
    };
    let transport = Transport::ALL
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(transport))
        .ok_or_else(|| {
            format!(
                "`{transport}` is no transport; there are tcp, tls, unix, http, https, ws, wss and \
                 mem"
            )
        })?;
    let encoding = match codec {
        Some(codec) => codec.parse().map_err(|error| format!("{error}"))?,
        None => transport.usual_encoding(),
    };
    let (rest, options) = rest.split_once('?').unwrap_or((rest, ""));
    let options = Options::parse(transport, options)?;
    if rest.contains('#') {
        return Err("it has no fragments: what follows a # is for browsers".to_owned());
    }
    if rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("it has white space in it".to_owned());
    }
    let (authority, path) = match transport {
        Transport::Unix => (String::new(), unix_path(rest)?),
        Transport::Mem => (mem_name(rest)?, String::new()),
        Transport::Tcp | Transport::Tls => (tcp_authority(transport, rest)?, String::new()),
        Transport::Http | Transport::Https | Transport::Ws | Transport::Wss => {
            http_parts(transport, rest)?
        }
    };
    Ok(Address {
        encoding,
        transport,
        authority,
        path,
        options,
    })
}

fn unix_path(rest: &str) -> Result<String, String> {
    if rest.starts_with('/') && rest.len() > 1 {
        Ok(rest.to_owned())
    } else {
        Err(format!(
            "a socket's path is absolute: unix:///{}",
            rest.trim_matches('/')
        ))
    }
}

fn mem_name(rest: &str) -> Result<String, String> {
    if rest.is_empty() || rest.contains('/') {
        Err("a place in memory has a plain name: mem://name".to_owned())
    } else {
        Ok(rest.to_owned())
    }
}

fn tcp_authority(transport: Transport, rest: &str) -> Result<String, String> {
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains('/') {
        return Err(format!("{} has no paths; http has", transport.name()));
    }
    check_port(authority)?
        .ok_or_else(|| format!("it needs a port: {}://{authority}:8000", transport.name()))?;
    Ok(authority.to_owned())
}

fn http_parts(transport: Transport, rest: &str) -> Result<(String, String), String> {
    let (authority, path) = match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    };
    let authority = match (check_port(authority)?, transport.usual_port()) {
        (None, Some(port)) => format!("{authority}:{port}"),
        _ => authority.to_owned(),
    };
    if !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("other characters than ASCII in a path are written %XX".to_owned());
    }
    Ok((authority, path.to_owned()))
}

/// The port of `host:port` or `[v6]:port`, if there is one.
fn check_port(authority: &str) -> Result<Option<u16>, String> {
    if authority.contains('@') {
        return Err("names and passwords do not belong in it".to_owned());
    }
    let (host, port) = match authority.rfind(']') {
        Some(end) => {
            let (host, port) = authority.split_at(end.saturating_add(1));
            (
                host,
                port.strip_prefix(':')
                    .or_else(|| (!port.is_empty()).then_some(port)),
            )
        }
        None => match authority.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            Some(_) => {
                return Err("an IPv6 address stands in brackets: [::1], [::1]:8000".to_owned());
            }
            None => (authority, None),
        },
    };
    if host.is_empty() {
        return Err("it names no host".to_owned());
    }
    let Some(port) = port else { return Ok(None) };
    match port.parse::<u16>() {
        // Without a sign or a leading zero.
        Ok(number) if number.to_string() == port => Ok(Some(number)),
        _ => Err(format!("`{port}` is no port; ports are 0 to 65535")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_can_be_parsed_again() {
        for (text, printed) in [
            ("tcp://h:1", "bincode+tcp://h:1"),
            ("json+tcp://127.0.0.1:8000", "json+tcp://127.0.0.1:8000"),
            ("xml+http://h/RPC2", "xml+http://h:80/RPC2"),
            ("http://[::1]:8000", "json+http://[::1]:8000/"),
            ("bincode+https://h/rpc", "bincode+https://h:443/rpc"),
            ("ws://h", "json+ws://h:80/"),
            ("bincode+wss://h/rpc", "bincode+wss://h:443/rpc"),
            ("unix:///run/calc.sock", "bincode+unix:///run/calc.sock"),
            ("xml+mem://calc", "xml+mem://calc"),
            ("http://h:1/a/b?version=2", "json+http://h:1/a/b?version=2"),
            ("http://h:1/?gzip=1", "json+http://h:1/?gzip=1"),
            ("http://h:1/?gzip=0&version=1", "json+http://h:1/"),
            (
                "http://h:1/?gzip=1&version=2",
                "json+http://h:1/?version=2&gzip=1",
            ),
            ("json+tls://h:8443", "json+tls://h:8443"),
            ("https://h?version=1", "json+https://h:443/?version=1"),
            (
                "tls://h:1?key=/k.pem&cert=/c.pem&ca=/a b.pem",
                "bincode+tls://h:1?ca=/a b.pem&cert=/c.pem&key=/k.pem",
            ),
            (
                "https://h/x?ca=ca.pem&version=2",
                "json+https://h:443/x?version=2&ca=ca.pem",
            ),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), printed);
            assert_eq!(printed.parse(), Ok(address));
        }
    }

    #[test]
    fn the_host_is_what_a_certificate_is_for() {
        for (text, host) in [
            ("tls://calc.example:1", "calc.example"),
            ("https://calc.example", "calc.example"),
            ("https://[::1]", "::1"),
            ("tls://[::1]:8000", "::1"),
            ("tls://127.0.0.1:8000", "127.0.0.1"),
        ] {
            assert_eq!(text.parse::<Address>().unwrap().host(), host);
        }
    }

    #[test]
    fn a_wrong_one_says_what_would_be_right() {
        for (text, right) in [
            ("localhost:8000", "tcp://host:port"),
            (
                "ftp://h",
                "there are tcp, tls, unix, http, https, ws, wss and mem",
            ),
            ("yaml+http://h", "there are bincode, json and xml"),
            ("tcp://h", "tcp://h:8000"),
            ("tcp://h:1/x", "http has"),
            ("tcp://h:99999", "0 to 65535"),
            ("tcp://h:+1", "0 to 65535"),
            ("http://::1", "[::1]"),
            ("http://", "no host"),
            ("unix://run/x", "unix:///run/x"),
            ("mem://", "mem://name"),
            ("http://h?version=3", "version=2"),
            ("http://h?gzip=9", "gzip=1"),
            ("http://h?gzip", "gzip=1"),
            ("http://h?gzip=1&", "gzip=1"),
            ("http://h?version=2&version=1", "`version` twice"),
            ("tcp://h:1?version=2", "no options"),
            ("tcp://h:1?gzip=1", "no options"),
            ("tls://h", "tls://h:8000"),
            ("tls://h:1?version=2", "ca=FILE, cert=FILE and key=FILE"),
            ("tls://h:1?cert=/c.pem", "`cert` and `key` go together"),
            ("tls://h:1?ca=", "ca=FILE"),
            ("tls://h:1?ca=/a&ca=/b", "`ca` twice"),
            ("http://h?ca=/ca.pem", "`ca=/ca.pem` is no option"),
            ("https://h?verify=0", "ca=FILE"),
            ("ws://h?version=2", "no options"),
            ("http://me:pw@h/", "do not belong"),
            ("http://h/a b", "white space"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(right), "{text}: {error}");
        }
    }
}
