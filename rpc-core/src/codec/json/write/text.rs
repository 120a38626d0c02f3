//! Strings: copied in one step up to whatever has to be escaped, which is rare.

use std::fmt;

use crate::codec::scan::{self, past};

/// Appends `text` as a string.
pub(super) fn put_text(out: &mut Vec<u8>, text: &str) {
    // Most need no more than that.
    out.reserve(past(text.len(), 2));
    out.push(b'"');
    put_inside(out, text);
    out.push(b'"');
}

/// Appends the name of a field, between `before` and a colon. All of it is known where the field is
/// written, so that the compiler has nothing left to look at.
#[inline(always)]
pub(super) fn put_name(out: &mut Vec<u8>, before: u8, name: &'static str) {
    out.extend_from_slice(&[before, b'"']);
    match is_plain(name.as_bytes()) {
        true => out.extend_from_slice(name.as_bytes()),
        false => put_escaped(out, name.as_bytes()),
    }
    out.extend_from_slice(b"\":");
}

/// What is inside a string, as it comes.
pub(super) struct Inside<'a>(pub(super) &'a mut Vec<u8>);

impl fmt::Write for Inside<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put_inside(self.0, text);
        Ok(())
    }
}

#[inline]
fn put_inside(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    if is_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        put_escaped(out, bytes);
    }
}

/// Appends what has something to escape.
#[cold]
fn put_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|&byte| is_special(byte)) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&byte, behind)) = special.split_first() else {
            break;
        };
        put_escape(out, byte);
        rest = behind;
    }
    out.extend_from_slice(rest);
}

fn put_escape(out: &mut Vec<u8>, byte: u8) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        b'\t' => b't',
        b'\n' => b'n',
        0x0c => b'f',
        b'\r' => b'r',
        _ => {
            let digit = |half: u8| match half {
                0..10 => b'0' + half,
                _ => b'a' + half - 10,
            };
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// True for what cannot stand in a string as it is.
#[inline]
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// True if nothing in them has to be escaped. What is at the end is looked at twice, in part.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    if let Some(last) = bytes.last_chunk() {
        let (chunks, _) = bytes.as_chunks();
        return chunks.iter().all(are_plain) && are_plain(last);
    }
    let word = |start: Option<&[u8; 4]>, end: Option<&[u8; 4]>| {
        let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        Some(half(start?) | half(end?) << 32)
    };
    if let (Some(start), Some(end)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return marks(u64::from_le_bytes(*start)) | marks(u64::from_le_bytes(*end)) == 0;
    }
    match word(bytes.first_chunk(), bytes.last_chunk()) {
        Some(word) => marks(word) == 0,
        None => !bytes.iter().any(|&byte| is_special(byte)),
    }
}

/// The same of sixteen. No early exit: that is what lets the compiler compare all at once.
#[inline]
fn are_plain(bytes: &[u8; 16]) -> bool {
    bytes
        .iter()
        .fold(true, |plain, &byte| plain & !is_special(byte))
}

#[inline]
fn marks(word: u64) -> u64 {
    scan::equal(word, b'"') | scan::equal(word, b'\\') | scan::below(word, b' ')
}
