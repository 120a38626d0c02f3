//! Which requests are calls, and from whom they are taken. Decisions only; no bodies.
//!
//! A web page is an attacker on localhost: it can send `text/plain` and forms anywhere without
//! asking (the Fetch standard's CORS-safelisted types), and have its own name point at this machine
//! ("DNS rebinding"). So the content type must be one that a page cannot send unasked, `Origin` must
//! be where the request goes (or one that [`Cors`](super::cors::Cors) lists), and a server on a loopback address answers only to loopback names.

use std::net::{IpAddr, SocketAddr};

use farcall_core::encoding::Encoding;
use http::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, ORIGIN, TRANSFER_ENCODING};
use http::{HeaderValue, StatusCode, Version};

use super::BINCODE;
use super::fields::{self, Fields};
use super::page::{Reply, text};
use super::tunnel::STREAM;

/// Why a request is turned away, in words for whoever sent it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) words: String,
    /// The codings that are read, where it is the body's coding that is not. For no other reason may
    /// the answer name them (RFC 9110 §12.5.3).
    pub(super) codings: Option<&'static str>,
}

impl Refused {
    pub(super) fn reply(self) -> Reply {
        let mut reply = text(self.status, self.words + "\n");
        if let Some(codings) = self.codings {
            let codings = HeaderValue::from_static(codings);
            reply.headers_mut().insert(ACCEPT_ENCODING, codings);
        }
        reply
    }
}

pub(super) fn refused(status: StatusCode, words: impl Into<String>) -> Refused {
    Refused {
        status,
        words: words.into(),
        codings: None,
    }
}

/// The address that a request comes from is not on the allow-list, or not any more.
pub(super) fn not_allowed() -> Refused {
    refused(
        StatusCode::FORBIDDEN,
        "your address may not call this server",
    )
}

/// Nobody said where a request comes from, and not everybody may come in.
pub(super) fn unknown_address() -> Refused {
    refused(
        StatusCode::FORBIDDEN,
        "this server has an allow-list, and is not told where this request comes from",
    )
}

/// Why a request is refused whose body somebody else could see end elsewhere: it is in codings besides
/// `chunked`, or in that one twice (RFC 9112 §6.1). HTTP/2 has no such header.
pub(super) fn misframed(version: Version, headers: &impl Fields) -> Option<Refused> {
    if version > Version::HTTP_11 {
        return None;
    }
    let mut codings = headers.all(&TRANSFER_ENCODING);
    let is_chunked = codings.next()?.eq_ignore_ascii_case(b"chunked") && codings.next().is_none();
    let words = "of Transfer-Encoding `chunked` is read here, once, and no other";
    (!is_chunked).then(|| refused(StatusCode::NOT_IMPLEMENTED, words))
}

/// What a request's body is in, as far as its head tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentType {
    Known(Encoding),
    /// A native byte stream, which says itself what its values are in.
    Stream,
    /// Old clients send none, or an empty one: the body's first byte tells.
    Missing,
}

/// What the body of a POST is in.
pub(super) fn content_type(headers: &impl Fields) -> Result<ContentType, Refused> {
    let value = match headers.first(&CONTENT_TYPE) {
        None => "",
        // What nearly all say.
        Some(b"application/json") => return built_in(Encoding::Json).map(ContentType::Known),
        Some(b"text/xml") => return built_in(Encoding::Xml).map(ContentType::Known),
        Some(value) if value == BINCODE.as_bytes() => {
            return built_in(Encoding::Bincode).map(ContentType::Known);
        }
        // What is no text is no type either, and not an empty one.
        Some(value) => fields::text(value).ok_or_else(not_taken)?,
    };
    if value.trim().is_empty() {
        // A page can send a body without a type too (a Blob); browsers then say their Origin.
        return match headers.has(&ORIGIN) {
            true => Err(not_taken()),
            false => Ok(ContentType::Missing),
        };
    }
    let essence = value.split(';').next().unwrap_or_default().trim();
    let is = |known: &&str| essence.eq_ignore_ascii_case(known);
    let encoding = if [
        "application/json",
        "application/json-rpc",
        "application/jsonrequest",
        "text/json",
    ]
    .iter()
    .any(is)
    {
        Encoding::Json
    } else if ["text/xml", "application/xml", "application/xml-rpc"]
        .iter()
        .any(is)
    {
        Encoding::Xml
    } else if is(&BINCODE) {
        Encoding::Bincode
    } else if is(&STREAM) {
        return Ok(ContentType::Stream);
    } else {
        return Err(not_taken());
    };
    built_in(encoding).map(ContentType::Known)
}

/// Refuses the encodings that were left out when this program was built.
fn built_in(encoding: Encoding) -> Result<Encoding, Refused> {
    let left_out = [
        (Encoding::Json, cfg!(feature = "json")),
        (Encoding::Xml, cfg!(feature = "xml")),
        (Encoding::Bincode, cfg!(feature = "bincode")),
    ]
    .contains(&(encoding, false));
    if left_out {
        let words = format!("this server was built without {encoding}");
        return Err(refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    Ok(encoding)
}

fn not_taken() -> Refused {
    refused(StatusCode::UNSUPPORTED_MEDIA_TYPE, TAKEN)
}

const TAKEN: &str = "set the Content-Type: application/json for JSON-RPC (curl -H \
                     content-type:application/json), text/xml for XML-RPC, \
                     application/vnd.farcall.bincode for farcall's own messages";

/// What a body without a type is in, by its first byte.
pub(super) fn sniff(body: &[u8]) -> Result<Encoding, Refused> {
    let body = body
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(body)
        .trim_ascii_start();
    match body.first() {
        Some(b'<') => built_in(Encoding::Xml),
        Some(b'{' | b'[') => built_in(Encoding::Json),
        _ => Err(not_taken()),
    }
}

/// The host that a request names: `authority`, which stands in its own address, as always in HTTP/2 and
/// in requests to proxies, or `Host`. Where there are both, `Host` says nothing (RFC 9112 §3.2.2).
fn named_host<'a>(headers: &'a impl Fields, authority: Option<&'a str>) -> Option<&'a str> {
    match authority {
        Some(_) => authority,
        None => headers.first(&HOST).and_then(fields::text),
    }
}

/// The host that a request is for, if this server answers to it. `authority` is the host in the
/// request's own address.
pub(super) fn known_host<'a>(
    headers: &'a impl Fields,
    authority: Option<&'a str>,
    local: Option<SocketAddr>,
    hosts: &[String],
) -> Result<Option<&'a str>, Refused> {
    if headers.all(&HOST).nth(1).is_some() {
        // Whoever looked at the other one would see another request (RFC 9112 §3.2).
        return Err(refused(
            StatusCode::BAD_REQUEST,
            "there is more than one Host",
        ));
    }
    let host = named_host(headers, authority);
    if host.is_some_and(|host| host.contains('@')) {
        // `localhost:80@evil.example` begins with a name and is another (RFC 9110 §4.2.4).
        return Err(refused(
            StatusCode::BAD_REQUEST,
            "a host has no user before it",
        ));
    }
    if let Some(host) = host
        && local.is_some_and(|local| local.ip().to_canonical().is_loopback())
        && !is_loopback_name(host)
        && !is_listed(host, hosts)
    {
        let words = "this server is on a loopback address and does not answer to that Host \
                     (`Server::host` adds a name)";
        return Err(refused(StatusCode::MISDIRECTED_REQUEST, words));
    }
    Ok(host)
}

/// Whether the page that sends this, if a page does, is one of `host` itself. A page that came in clear
/// may be anybody's: over TLS, `is_secure`, it is of another site.
pub(super) fn same_site(
    headers: &impl Fields,
    host: Option<&str>,
    is_secure: bool,
) -> Result<(), Refused> {
    let mut origins = headers.all(&ORIGIN);
    let Some(origin) = origins.next() else {
        return Ok(());
    };
    // No browser says two. Whoever looked at the other one would see another page.
    let only = origins.next().is_none().then_some(origin);
    let origin = only.and_then(fields::text).unwrap_or_default();
    let from = origin.split_once("://");
    let from = from.filter(|(scheme, _)| !is_secure || *scheme == "https");
    match (from, host) {
        (Some((_, from)), Some(host)) if from.eq_ignore_ascii_case(host) => Ok(()),
        _ => Err(refused(
            StatusCode::FORBIDDEN,
            "a page of another site may not call this server (`Server::cors` lets it)",
        )),
    }
}

/// Whether a GET that runs a method comes from a page of this server, or from no page. A
/// page can have its browser send a GET anywhere without an `Origin`, as for an image; newer browsers
/// say from where in `Sec-Fetch-Site`, but not to hosts that they do not trust (plain HTTP). Those
/// send a `Referer` to their own site unless its page forbids that, and say what they are.
#[cfg(feature = "json")]
pub(super) fn from_own_page(headers: &impl Fields, authority: Option<&str>) -> Result<(), Refused> {
    use http::HeaderName;
    use http::header::{REFERER, USER_AGENT};

    static FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
    let host = named_host(headers, authority);
    let is_own = if let Some(site) = headers.first(&FETCH_SITE) {
        // None: whoever sits before it asked, and no page.
        matches!(site, b"same-origin" | b"none")
    } else if headers.has(&ORIGIN) {
        true
    } else if let Some(page) = headers.first(&REFERER) {
        let page = fields::text(page).and_then(|page| page.split_once("://"));
        let from = page.and_then(|(_, page)| page.split(['/', '?']).next());
        matches!((from, host), (Some(from), Some(host)) if from.eq_ignore_ascii_case(host))
    } else {
        let agent = headers.first(&USER_AGENT).unwrap_or_default();
        !agent.starts_with(b"Mozilla/")
    };
    match is_own {
        true => Ok(()),
        false => Err(refused(
            StatusCode::FORBIDDEN,
            "a browser must say that a page of this server asks: in Sec-Fetch-Site, Origin or Referer",
        )),
    }
}

/// `host:port` or `[v6]:port` without the port.
fn without_port(host: &str) -> &str {
    match host.rfind(']') {
        Some(end) => host.get(..=end).unwrap_or(host),
        None => host.split(':').next().unwrap_or(host),
    }
}

fn is_loopback_name(host: &str) -> bool {
    // What nearly all say.
    for known in ["127.0.0.1", "localhost"] {
        let port = host.strip_prefix(known);
        let port = port.and_then(|rest| rest.strip_prefix(':'));
        if port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit())) {
            return true;
        }
    }
    let name = without_port(host);
    let ip = name
        .strip_prefix('[')
        .and_then(|name| name.strip_suffix(']'))
        .unwrap_or(name);
    match ip.parse::<IpAddr>() {
        Ok(ip) => ip.to_canonical().is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

fn is_listed(host: &str, hosts: &[String]) -> bool {
    let name = without_port(host);
    hosts
        .iter()
        .any(|listed| listed.eq_ignore_ascii_case(name) || listed.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(headers: &[(&str, &str)]) -> http::HeaderMap {
        let mut request = http::Request::post("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0.headers
    }

    #[test]
    fn content_types_in_the_wild_are_taken() {
        for (value, encoding) in [
            ("application/json", Encoding::Json),
            ("application/json; charset=utf-8", Encoding::Json),
            ("Application/JSON-RPC", Encoding::Json),
            ("application/jsonrequest", Encoding::Json),
            ("text/json", Encoding::Json),
            ("text/xml", Encoding::Xml),
            ("application/xml-rpc", Encoding::Xml),
            ("text/xml; charset=iso-8859-1", Encoding::Xml),
            ("application/xml", Encoding::Xml),
            ("application/vnd.farcall.bincode", Encoding::Bincode),
        ] {
            let headers = map(&[("content-type", value)]);
            assert_eq!(
                content_type(&headers),
                Ok(ContentType::Known(encoding)),
                "{value}"
            );
        }
        for headers in [&[][..], &[("content-type", "")], &[("content-type", " ")]] {
            let content_type = content_type(&map(headers));
            assert_eq!(content_type, Ok(ContentType::Missing), "{headers:?}");
        }
    }

    #[test]
    fn what_a_page_can_send_unasked_is_not_taken() {
        for value in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "text/plain;charset=utf-8",
            "; charset=utf-8",
            "\u{ff}",
        ] {
            let headers = map(&[("content-type", value)]);
            assert!(content_type(&headers).is_err(), "{value}");
        }
        let origin = ("origin", "http://evil.example");
        for headers in [&[origin][..], &[origin, ("content-type", "")]] {
            assert!(content_type(&map(headers)).is_err(), "{headers:?}");
        }
    }

    #[test]
    fn another_site_is_turned_away_and_ones_own_is_not() {
        let local = "127.0.0.1:8000".parse().ok();
        let outside = "192.0.2.1:8000".parse().ok();
        let listed = ["calc.example".to_owned()];
        for (headers, local, expected) in [
            (&[("host", "localhost:8000")][..], local, None),
            (&[("host", "127.0.0.1:8000")], local, None),
            (&[("host", "[::1]:8000")], local, None),
            (&[("host", "calc.example")], local, None),
            (&[("host", "evil.example")], outside, None),
            (&[], local, None),
            (
                &[("host", "evil.example")],
                local,
                Some(StatusCode::MISDIRECTED_REQUEST),
            ),
            (
                &[("host", "localhost.evil.example")],
                local,
                Some(StatusCode::MISDIRECTED_REQUEST),
            ),
            (
                &[
                    ("host", "localhost:8000"),
                    ("origin", "http://localhost:8000"),
                ],
                local,
                None,
            ),
            (
                &[
                    ("host", "localhost:8000"),
                    ("origin", "http://evil.example"),
                ],
                local,
                Some(StatusCode::FORBIDDEN),
            ),
            (
                &[("host", "localhost:8000"), ("origin", "null")],
                local,
                Some(StatusCode::FORBIDDEN),
            ),
        ] {
            let headers = map(headers);
            let host = known_host(&headers, None, local, &listed);
            let refused = host.and_then(|host| same_site(&headers, host, false)).err();
            assert_eq!(
                refused.map(|refused| refused.status),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn a_page_that_came_in_clear_is_another_site_than_a_server_of_tls() {
        for (origin, is_secure, is_taken) in [
            ("https://calc.example", true, true),
            ("http://calc.example", true, false),
            ("http://calc.example", false, true),
            // TLS may end at a proxy.
            ("https://calc.example", false, true),
        ] {
            let headers = map(&[("host", "calc.example"), ("origin", origin)]);
            let taken = same_site(&headers, Some("calc.example"), is_secure);
            assert_eq!(taken.is_ok(), is_taken, "{origin}, {is_secure}");
        }
    }
}
