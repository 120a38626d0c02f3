//! Heads beyond the limits, and how they are refused.

use farcall_core::limits::Limits;
use http::request::Parts;
use http::{StatusCode, Version};

use super::admission::{Refused, refused};
use super::fields::Fields;

/// What each header counts for besides its letters, where HTTP/2 counts them (RFC 9113 §6.5.2).
const OVERHEAD: usize = 32;

/// How many times the limit hyper takes of a head in HTTP/2: what is larger it refuses without a word.
pub(super) const HTTP2_ROOM: usize = 2;

/// Why a head is not taken that came whole. (In HTTP/1.1 hyper counts, and refuses them itself.)
pub(super) fn oversized(parts: &Parts, limits: &Limits) -> Option<Refused> {
    if parts.version != Version::HTTP_2 {
        return None;
    }
    let target = parts.uri.path_and_query();
    let mut bytes = target.map_or(0, |target| target.as_str().len());
    let mut count = 0_usize;
    for (name, value) in parts.headers.each() {
        count = count.saturating_add(1);
        let header = name.len().saturating_add(value.len());
        bytes = bytes.saturating_add(header).saturating_add(OVERHEAD);
    }
    let Limits {
        head_bytes,
        headers,
        ..
    } = *limits;
    (bytes > head_bytes || count > headers).then(|| large_head(head_bytes, headers))
}

/// Why a head is not read to its end, of which some has come.
pub(super) fn late_head(limits: &Limits) -> Refused {
    let time = limits.head_time;
    let words = format!("the head took longer than {time:?} (`Limits::head_time`)");
    refused(StatusCode::REQUEST_TIMEOUT, words)
}

/// Why a head is not taken that is beyond one of two limits: hyper does not tell which.
pub(super) fn large_head(head_bytes: usize, headers: usize) -> Refused {
    let words = format!(
        "the head is larger than {head_bytes} bytes (`Limits::head_bytes`), or has more than {headers} \
         headers (`Limits::headers`)"
    );
    refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, words)
}
