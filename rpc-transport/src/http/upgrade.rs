//! A request for a WebSocket, and the answer that opens it (RFC 6455 §4.2). Decisions only; `opened`
//! takes the connection.

use std::net::SocketAddr;

use http::header::{
    ALLOW, CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use tungstenite::handshake::derive_accept_key;

use super::admission::refused;
use super::fields::{Fields, text};
use super::opened::Opening;
use super::page::{self, Reply};
use crate::drain::Drain;
use crate::ws::{Content, JSON, NATIVE};

/// True if a request asks for a WebSocket.
pub(super) fn is_asked_for(headers: &HeaderMap) -> bool {
    says(headers, &UPGRADE, "websocket")
}

/// Answers a request for a WebSocket, from a page or program that may ask for one.
pub(super) fn answer(parts: &mut Parts, peer: Option<SocketAddr>, drain: Drain) -> Reply {
    let opened = open(&parts.method, parts.version, &parts.headers);
    let connection = parts.extensions.remove();
    let opened = opened.and_then(|(reply, content)| {
        let connection = connection.ok_or(NotOpened::Wrong(
            "the server that farcall is mounted in lets no WebSocket be opened",
        ))?;
        Ok((reply, content, connection))
    });
    match opened {
        Ok((mut reply, content, connection)) => {
            reply.extensions_mut().insert(Opening {
                connection,
                is_native: content == Content::Native,
                peer,
                drain,
            });
            reply
        }
        Err(not_opened) => not_opened.reply(),
    }
}

/// Why a request opens no socket.
#[derive(Debug)]
enum NotOpened {
    Method,
    Version,
    Wrong(&'static str),
}

impl NotOpened {
    /// Says so, and what would be right.
    fn reply(self) -> Reply {
        let (status, words, header) = match self {
            Self::Wrong(words) => (StatusCode::BAD_REQUEST, words, None),
            Self::Method => (
                StatusCode::METHOD_NOT_ALLOWED,
                "a WebSocket is opened with GET",
                Some((ALLOW, "GET")),
            ),
            Self::Version => (
                StatusCode::UPGRADE_REQUIRED,
                "of WebSocket there is version 13, with the header Sec-WebSocket-Version: 13",
                Some((SEC_WEBSOCKET_VERSION, "13")),
            ),
        };
        let mut reply = refused(status, words).reply();
        if let Some((name, value)) = header {
            let value = HeaderValue::from_static(value);
            reply.headers_mut().insert(name, value);
        }
        reply
    }
}

fn open(
    method: &Method,
    version: Version,
    headers: &HeaderMap,
) -> Result<(Reply, Content), NotOpened> {
    if method != Method::GET {
        return Err(NotOpened::Method);
    }
    if version != Version::HTTP_11 || !says(headers, &CONNECTION, "upgrade") {
        return Err(NotOpened::Wrong(
            "a WebSocket is opened over HTTP/1.1, with the header Connection: Upgrade",
        ));
    }
    if only(headers, &SEC_WEBSOCKET_VERSION) != Some("13") {
        return Err(NotOpened::Version);
    }
    let Some(key) = only(headers, &SEC_WEBSOCKET_KEY).filter(|key| is_key(key)) else {
        return Err(NotOpened::Wrong(
            "a WebSocket is opened with one Sec-WebSocket-Key, 16 bytes in base64",
        ));
    };
    let protocol = words(headers, &SEC_WEBSOCKET_PROTOCOL)
        .find_map(|name| [NATIVE, JSON].into_iter().find(|known| *known == name));
    let content = match protocol {
        Some(NATIVE) => Content::Native,
        _ if cfg!(feature = "json") => Content::Json,
        _ => {
            return Err(NotOpened::Wrong(
                "this server was built without JSON: ask for the subprotocol farcall.native",
            ));
        }
    };
    let mut reply = page::text(StatusCode::SWITCHING_PROTOCOLS, "");
    let to = reply.headers_mut();
    to.clear();
    to.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    to.insert(UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::try_from(derive_accept_key(key.as_bytes())) {
        to.insert(SEC_WEBSOCKET_ACCEPT, accept);
    }
    if let Some(protocol) = protocol {
        to.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    }
    Ok((reply, content))
}

/// The words of a header that is a list.
fn words<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.all(name).filter_map(text);
    values.flat_map(|value| value.split(',')).map(str::trim)
}

fn says(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    words(headers, name).any(|said| said.eq_ignore_ascii_case(word))
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    match values.next() {
        Some(_) => None,
        None => text(value.as_bytes()).map(str::trim),
    }
}

/// True for 16 bytes in base64.
fn is_key(key: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    key.strip_suffix("==")
        .is_some_and(|digits| digits.len() == 22 && digits.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As in RFC 6455 §1.3.
    const RIGHT: [(&str, &str); 4] = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "WebSocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];

    #[allow(clippy::result_large_err, reason = "both are replies")]
    fn opened(method: &Method, headers: &[(&'static str, &'static str)]) -> Result<Reply, Reply> {
        let headers = headers.iter().map(|(name, value)| {
            let value = HeaderValue::from_static(value);
            (HeaderName::from_static(name), value)
        });
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, value);
        }
        let opened = open(method, Version::HTTP_11, &map);
        opened.map(|(reply, _)| reply).map_err(NotOpened::reply)
    }

    #[test]
    fn the_example_of_the_specification_is_opened() {
        let reply = opened(&Method::GET, &RIGHT).unwrap();
        assert_eq!(reply.status(), StatusCode::SWITCHING_PROTOCOLS);
        let accept = &reply.headers()[SEC_WEBSOCKET_ACCEPT];
        assert_eq!(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert!(!reply.headers().contains_key(SEC_WEBSOCKET_PROTOCOL));
    }

    #[test]
    fn the_first_subprotocol_that_is_known_is_spoken() {
        for (asked, chosen) in [
            ("farcall.native", Some("farcall.native")),
            ("chat, jsonrpc , farcall.native", Some("jsonrpc")),
            ("chat", None),
        ] {
            let headers = [&RIGHT[..], &[("sec-websocket-protocol", asked)]].concat();
            let reply = opened(&Method::GET, &headers).unwrap();
            let said = reply.headers().get(SEC_WEBSOCKET_PROTOCOL);
            assert_eq!(said.map(|said| said.to_str().unwrap()), chosen, "{asked}");
        }
    }

    #[test]
    fn what_is_no_handshake_is_refused_and_told_what_would_be() {
        let with = |name, value| {
            let others = RIGHT.into_iter().filter(move |(known, _)| *known != name);
            others.chain([(name, value)]).collect::<Vec<_>>()
        };
        let key = "sec-websocket-key";
        let twice = [&RIGHT[..], &[(key, "dGhlIHNhbXBsZSBub25jZQ==")]].concat();
        for (method, headers, status) in [
            (Method::POST, RIGHT.to_vec(), 405),
            (Method::GET, with("connection", "keep-alive"), 400),
            (Method::GET, with("sec-websocket-version", "8"), 426),
            (Method::GET, with("sec-websocket-version", "13, 8"), 426),
            (Method::GET, with(key, "short"), 400),
            (Method::GET, with(key, "dGhlIHNhbXBsZSBub25jZ!=="), 400),
            (Method::GET, twice, 400),
        ] {
            let reply = opened(&method, &headers).unwrap_err();
            assert_eq!(reply.status(), status, "{headers:?}");
        }
        let reply = opened(&Method::GET, &with("sec-websocket-version", "8")).unwrap_err();
        assert_eq!(reply.headers()[SEC_WEBSOCKET_VERSION], "13");
    }
}
