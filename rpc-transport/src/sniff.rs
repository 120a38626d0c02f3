//! What somebody speaks, told from the first bytes.
//!
//! The first bytes choose one protocol for the life of the connection; nothing is skipped until it
//! fits.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use farcall_core::protocol::native::MAGIC;

/// What the first bytes say.
///
/// ```
/// use farcall_transport::sniff::{Sniffed, sniff};
///
/// assert_eq!(sniff(b"POST / HTTP/1.1\r\n"), Sniffed::Http);
/// assert_eq!(sniff(b"{\"jsonrpc\":"), Sniffed::JsonRpc);
/// assert_eq!(sniff(b"PO"), Sniffed::NeedMore);
/// assert_eq!(sniff(b"\x16\x03\x01"), Sniffed::Tls);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sniffed {
    /// Too little to tell.
    NeedMore,
    /// farcall's own frames.
    Native,
    /// HTTP/1.x, or HTTP/2's preface.
    Http,
    /// JSON texts.
    JsonRpc,
    /// A TLS handshake.
    Tls,
    /// Nothing that is known here.
    Unknown,
}

/// How the preface of HTTP/2 begins.
pub(crate) const HTTP2: &[u8] = b"PRI ";

/// How requests of HTTP begin.
const METHODS: [&[u8]; 10] = [
    b"GET ",
    b"POST ",
    b"PUT ",
    b"HEAD ",
    b"OPTIONS ",
    b"DELETE ",
    b"PATCH ",
    b"TRACE ",
    b"CONNECT ",
    HTTP2,
];

/// Some write it before JSON text: U+FEFF in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Tells what is spoken from the first bytes; at most eight are needed.
#[must_use]
pub fn sniff(bytes: &[u8]) -> Sniffed {
    match bytes.first() {
        None => Sniffed::NeedMore,
        Some(0x16) => Sniffed::Tls,
        // White space may come before a JSON text; RFC 7464 puts a record separator there.
        Some(b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n' | 0x1e) => Sniffed::JsonRpc,
        Some(0xef) => match bytes.strip_prefix(BYTE_ORDER_MARK) {
            Some([]) => Sniffed::NeedMore,
            // A second one is none, and nothing else begins so.
            Some([0xef, ..]) => Sniffed::Unknown,
            Some(rest) => match sniff(rest) {
                Sniffed::JsonRpc => Sniffed::JsonRpc,
                _ => Sniffed::Unknown,
            },
            None if BYTE_ORDER_MARK.starts_with(bytes) => Sniffed::NeedMore,
            None => Sniffed::Unknown,
        },
        Some(_) => {
            let all = [(&MAGIC[..], Sniffed::Native)]
                .into_iter()
                .chain(METHODS.into_iter().map(|method| (method, Sniffed::Http)));
            for (start, sniffed) in all {
                if bytes.starts_with(start) {
                    return sniffed;
                }
                if start.starts_with(bytes) {
                    return Sniffed::NeedMore;
                }
            }
            Sniffed::Unknown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_the_bytes_are_cut_the_answer_is_the_same() {
        for start in [
            &b"POST / HTTP/1.1"[..],
            b"\xfcfar\x01\x01",
            b"PRI * HTTP/2.0",
            b"\xef\xbb\xbf{}",
            b"\xef\xbb\xbf\xef\xbb\xbf{}",
            b"\xef\xbb{}",
            b"junk!!",
        ] {
            let whole = sniff(start);
            let first = (1..=start.len())
                .map(|end| sniff(&start[..end]))
                .find(|&sniffed| sniffed != Sniffed::NeedMore);
            assert_eq!(first, Some(whole));
        }
    }

    #[test]
    fn a_byte_order_mark_may_stand_before_json_and_nothing_else() {
        for (start, sniffed) in [
            (&b"\xef\xbb\xbf{"[..], Sniffed::JsonRpc),
            (b"\xef\xbb\xbf [", Sniffed::JsonRpc),
            (b"\xef\xbb\xbf", Sniffed::NeedMore),
            (b"\xef\xbb\xbfGET ", Sniffed::Unknown),
            (b"\xef\xbb\xbf<", Sniffed::Unknown),
        ] {
            assert_eq!(sniff(start), sniffed, "{start:?}");
        }
    }

    #[test]
    fn every_three_bytes_have_an_answer() {
        for first in 0..=255_u8 {
            for second in [0, b'O', b'f', 255] {
                let sniffed = sniff(&[first, second, 0]);
                assert_ne!(sniffed, Sniffed::NeedMore, "{first} {second}");
            }
        }
    }
}
