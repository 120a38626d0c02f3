//! What farcall says in headers: how long a caller waits, and what it sends along.

use std::time::{Duration, Instant};

use farcall_core::context::Metadata;
use farcall_core::error::Failure;
use farcall_core::fault::shown;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::fields::{self, Fields};
use crate::stream::now;

/// How long the caller waits, in milliseconds.
pub(super) static TIMEOUT: HeaderName = HeaderName::from_static("farcall-timeout-ms");
/// Sent by servers that end, unasked: no request that comes now is run.
pub(super) static GOING_AWAY: HeaderName = HeaderName::from_static("farcall-going-away");
/// Sent by clients that are farcall's: the version of what this module describes.
pub(super) static VERSION: HeaderName = HeaderName::from_static("farcall-version");

/// When the caller stops waiting, but no later than in `longest`. A time that is no number is
/// none; one beyond all numbers is just long; 0 is over at once.
pub(super) fn deadline(headers: &impl Fields, longest: Duration) -> Option<Instant> {
    let ms = fields::text(headers.first(&TIMEOUT)?)?;
    if ms.is_empty() || !ms.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    now().checked_add(Duration::from_millis(ms.parse().unwrap_or(u64::MAX)).min(longest))
}

/// The header that says how long a caller waits. At least 1, as 0 means no time at all.
pub(super) fn timeout(time: Duration) -> HeaderValue {
    HeaderValue::from(u64::try_from(time.as_millis()).unwrap_or(u64::MAX).max(1))
}

/// The headers that are the caller's own, not HTTP's.
pub(super) fn metadata(headers: &impl Fields) -> Metadata {
    let mut metadata = Metadata::default();
    for (name, value) in headers.each() {
        if is_https_own(name) {
            continue;
        }
        if let Ok(value) = std::str::from_utf8(value) {
            metadata.insert(name.to_ascii_lowercase(), value);
        }
    }
    metadata
}

/// Adds `metadata` to the headers of a request.
///
/// Nothing in it can change what the request is: a `content-length` from a caller would let two
/// servers in a row see two different requests.
pub(super) fn put_metadata(headers: &mut HeaderMap, metadata: &Metadata) -> Result<(), Failure> {
    for (name, value) in metadata.iter() {
        let unfit = |why| {
            let name = shown(name);
            Failure::unsupported(format!("metadata `{name}` cannot be an HTTP header: {why}"))
        };
        let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
            return Err(unfit("the name has characters that no header's may have"));
        };
        if is_https_own(header.as_str()) {
            return Err(unfit("HTTP uses that name itself"));
        }
        if value.trim_matches([' ', '\t']) != value {
            return Err(unfit(
                "the value begins or ends with a blank, which would be lost",
            ));
        }
        let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) else {
            return Err(unfit("the value has control characters"));
        };
        headers.append(header, value);
    }
    Ok(())
}

/// What stands before the name of a reply's metadata. No other header begins so: what a handler sends
/// along can be nothing that means something to HTTP, a browser or a proxy.
const OF_REPLY: &str = "farcall-meta-";

/// The headers of a response for what its handler sent along. (That they can be headers was found
/// before: see `Context::reply_metadata`.)
pub(super) fn reply_headers(
    metadata: &Metadata,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> + '_ {
    metadata.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(format!("{OF_REPLY}{name}").as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    })
}

/// What a handler sent along, in the headers of its response.
pub(super) fn reply_metadata<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Metadata {
    let mut metadata = Metadata::default();
    for (name, value) in headers {
        let known = name.get(..OF_REPLY.len());
        if known.is_some_and(|start| start.eq_ignore_ascii_case(OF_REPLY))
            && let Ok(value) = std::str::from_utf8(value)
        {
            let name = name.get(OF_REPLY.len()..).unwrap_or_default();
            metadata.insert(name.to_ascii_lowercase(), value);
        }
    }
    metadata
}

/// True for the headers that are metadata of a call.
pub(super) fn is_a_callers(name: &str) -> bool {
    !is_https_own(name)
}

/// True for the headers that are metadata of a reply.
pub(super) fn is_of_reply(name: &str) -> bool {
    name.starts_with(OF_REPLY)
}

/// True for the headers that tell about the request rather than about the call.
fn is_https_own(name: &str) -> bool {
    // By the first letter, as it is asked of each header of each request.
    let (own, families): (&[&str], &[&str]) = match name.as_bytes().first() {
        Some(b'a' | b'A') => (&[], &["accept"]),
        Some(b'c' | b'C') => (&["cache-control", "connection"], &["content-"]),
        Some(b'd' | b'D') => (&["date", "dnt"], &[]),
        Some(b'e' | b'E') => (&["expect"], &[]),
        Some(b'f' | b'F') => (&[], &["farcall-"]),
        Some(b'h' | b'H') => (&["host"], &[]),
        Some(b'k' | b'K') => (&["keep-alive"], &[]),
        Some(b'o' | b'O') => (&["origin"], &[]),
        Some(b'p' | b'P') => (&["pragma", "priority"], &["proxy-"]),
        Some(b'r' | b'R') => (&["referer"], &[]),
        Some(b's' | b'S') => (&[], &["sec-"]),
        Some(b't' | b'T') => (&["te", "trailer", "transfer-encoding"], &[]),
        Some(b'u' | b'U') => (&["upgrade", "user-agent"], &[]),
        _ => return false,
    };
    // Most write them small, and those are compared at once.
    let is = |known: &str, name: &str| known == name || known.eq_ignore_ascii_case(name);
    let begins = |family: &&str| {
        let start = name.get(..family.len());
        start.is_some_and(|start| is(family, start))
    };
    own.iter().any(|own| is(own, name)) || families.iter().any(begins)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(entries: &[(&'static str, &str)]) -> HeaderMap {
        let entries = entries.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_bytes(value.as_bytes()).unwrap())
        });
        entries.collect()
    }

    #[test]
    fn any_time_is_a_deadline_or_none() {
        let hour = Duration::from_secs(3600);
        let said = |ms| deadline(&headers(&[("farcall-timeout-ms", ms)]), hour);
        let at_most = |time| now().checked_add(time).unwrap();
        assert_eq!(deadline(&headers(&[]), hour), None);
        for no_number in ["", "soon", "-1", "+1", "1.5", "1 "] {
            assert_eq!(said(no_number), None, "{no_number}");
        }
        assert!(said("0").is_some_and(|at| at <= now()));
        for ms in [
            "50",
            "3600000",
            "18446744073709551615",
            "99999999999999999999999",
        ] {
            let Some(at) = said(ms) else {
                panic!("{ms} is a time")
            };
            assert!(at > now() && at <= at_most(hour), "{ms}");
        }
        assert!(deadline(&headers(&[("farcall-timeout-ms", "9")]), Duration::MAX).is_some());
    }

    #[test]
    fn a_caller_sends_no_time_as_the_shortest_there_is() {
        assert_eq!(timeout(Duration::from_nanos(1)), "1");
        assert_eq!(timeout(Duration::MAX), u64::MAX.to_string().as_str());
    }

    #[test]
    fn metadata_is_what_is_not_https_own() {
        let headers = headers(&[
            ("host", "h"),
            ("accept-encoding", "gzip"),
            ("content-length", "1"),
            ("sec-fetch-mode", "cors"),
            ("cache-control", "no-cache"),
            ("connection", "close"),
            ("date", "now"),
            ("dnt", "1"),
            ("expect", "100-continue"),
            ("keep-alive", "timeout=5"),
            ("origin", "http://h"),
            ("pragma", "no-cache"),
            ("priority", "u=1"),
            ("proxy-authorization", "x"),
            ("referer", "http://h/"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("user-agent", "a"),
            ("authorization", "Bearer x"),
            ("trace-id", "7f"),
            ("farcall-version", "1"),
            ("greeting", "grüß dich"),
        ]);
        let metadata = metadata(&headers);
        let mut names: Vec<_> = metadata.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        assert_eq!(names, ["authorization", "greeting", "trace-id"]);
        assert_eq!(metadata.get("Greeting"), Some("grüß dich"));
    }

    #[test]
    fn metadata_that_would_change_the_request_is_refused() {
        for (name, value, why) in [
            ("a b", "x", "no header's"),
            ("", "x", "no header's"),
            ("Content-Length", "0", "HTTP uses"),
            ("transfer-encoding", "chunked", "HTTP uses"),
            ("farcall-timeout-ms", "1", "HTTP uses"),
            ("trace", "a\r\nhost: b", "control"),
            ("trace", " a", "blank"),
        ] {
            let mut metadata = Metadata::default();
            metadata.insert(name, value);
            let refused = put_metadata(&mut HeaderMap::new(), &metadata).unwrap_err();
            let words = refused.to_string();
            assert!(words.contains(why) && words.contains(name), "{words}");
        }
    }
}
