//! The few bytes of a text that count for where it ends, found with as few looks as possible.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use crate::codec::scan::{self, past};

/// True for what counts between strings.
#[inline]
#[allow(
    clippy::indexing_slicing,
    reason = "a table of 256, indexed by bytes, and filled by the compiler"
)]
pub(super) fn is_mark(byte: u8) -> bool {
    const MARKS: [bool; 256] = {
        let mut marks = [false; 256];
        let all = b"{}[]\"\n";
        let mut at = 0;
        while at < all.len() {
            marks[all[at] as usize] = true;
            at += 1;
        }
        marks
    };
    MARKS[usize::from(byte)]
}

/// Where the string ends whose inside begins `at`: behind its last quote. None if that is not here,
/// or a line feed is before it.
#[inline]
pub(super) fn end_of_string(buffer: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = plain_until(buffer, at);
        match buffer.get(at)? {
            b'"' => return Some(past(at, 1)),
            b'\\' => at = past(at, 2),
            _ => return None,
        }
    }
}

/// The first place from `at` on of a quote, a backslash or a line feed, or the end.
#[inline]
pub(super) fn plain_until(buffer: &[u8], mut at: usize) -> usize {
    /// Most strings are shorter, and for them a search costs more than it saves.
    const SHORT: usize = 4;
    for _ in 0..SHORT {
        let Some(word) = buffer.get(at..).and_then(scan::word) else {
            break;
        };
        let marks = scan::equal(word, b'"') | scan::equal(word, b'\\') | scan::equal(word, b'\n');
        if marks != 0 {
            return past(at, scan::before(marks));
        }
        at = past(at, 8);
    }
    let rest = buffer.get(at..).unwrap_or_default();
    let found = match rest.len() {
        0..8 => rest.iter().position(|b| matches!(b, b'"' | b'\\' | b'\n')),
        _ => memchr::memchr3(b'"', b'\\', b'\n', rest),
    };
    found.map_or(buffer.len(), |found| past(at, found))
}
