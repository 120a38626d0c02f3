//! Heads beyond the limits, and how they are refused.

use farcall_core::limits::Limits;
use http::request::Parts;
use http::{StatusCode, Version};

use super::admission::{Refused, refused};
use super::fields::Fields;

/// What each header counts for besides its letters: its line (RFC 9112 §5), or as HTTP/2 has it
/// (RFC 9113 §6.5.2).
const OVERHEAD: [usize; 2] = [": \r\n".len(), 32];

/// What else there is in the first line, and the last.
const LINES: usize = "  HTTP/1.1\r\n\r\n".len();

/// How much more than the limits hyper takes of a head, so that those beyond them are refused here; what is
/// larger it refuses without a word.
pub(super) mod room {
    pub(in super::super) const BYTES: usize = 8 * 1024;
    /// So many times.
    pub(in super::super) const HEADERS: usize = 2;
}

/// Why a head is not taken that came whole.
pub(super) fn oversized(parts: &Parts, limits: &Limits) -> Option<Refused> {
    let [per_line, in_http2] = OVERHEAD;
    let overhead = match parts.version {
        Version::HTTP_2 => in_http2,
        _ => per_line,
    };
    let target = parts.uri.path_and_query();
    let mut bytes = target.map_or(0, |target| target.as_str().len());
    bytes = bytes.saturating_add(parts.method.as_str().len().saturating_add(LINES));
    let mut count = 0_usize;
    for (name, value) in parts.headers.each() {
        count = count.saturating_add(1);
        let header = name.len().saturating_add(value.len());
        bytes = bytes.saturating_add(header).saturating_add(overhead);
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

fn large_head(head_bytes: usize, headers: usize) -> Refused {
    let words = format!(
        "the head is larger than {head_bytes} bytes (`Limits::head_bytes`), or has more than {headers} \
         headers (`Limits::headers`)"
    );
    refused(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, words)
}
