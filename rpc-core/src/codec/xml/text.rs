//! Which characters XML 1.0 carries, and how text is written with them.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::fmt;

use crate::codec::place::Place;
use crate::codec::scan::{self, past};
use crate::error::{DecodeError, EncodeError};

/// Whether XML 1.0 has this character (its production `Char`), be it raw or as `&#…;`.
pub(crate) fn is_char(c: char) -> bool {
    match c {
        '\t' | '\n' | '\r' => true,
        '\u{fffe}' | '\u{ffff}' => false,
        c => c >= ' ',
    }
}

/// `bytes` as text, if they are UTF-8 and every character is one that XML has.
///
/// Looks at everything once, many bytes at a time, so that nothing behind this has to ask again.
pub(crate) fn readable(bytes: &[u8]) -> Result<&str, DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        DecodeError::malformed("a byte that is not UTF-8").at(Place::after(before))
    })?;
    if has_control(bytes) || memchr::memchr_iter(0xef, bytes).any(|at| is_noncharacter(bytes, at)) {
        let found = text.char_indices().find(|&(_, c)| !is_char(c));
        let (at, c) = found.unwrap_or_default();
        let words = format!("the character {} is none of XML's", Code(c));
        let before = bytes.get(..at).unwrap_or_default();
        return Err(DecodeError::malformed(words).at(Place::after(before)));
    }
    Ok(text)
}

/// Whether one of `bytes` is a control character that is none of XML's.
fn has_control(bytes: &[u8]) -> bool {
    let is_control = |&b: &u8| b < b' ' && !is_blank(b);
    let (chunks, rest) = bytes.as_chunks::<256>();
    // No early exit within a chunk: that is what lets the compiler compare 16 bytes at a time. Many
    // documents are one line, so that there is nothing to tell from white space.
    let is_low = |chunk: &[u8; 256]| chunk.iter().fold(false, |low, &b| low | (b < b' '));
    let is_bad = |chunk: &[u8; 256]| chunk.iter().fold(false, |bad, b| bad | is_control(b));
    let in_chunk = |chunk: &[u8; 256]| is_low(chunk) && is_bad(chunk);
    let (words, rest) = rest.as_chunks::<8>();
    // What is marked may be white space.
    let in_word = |word: &[u8; 8]| {
        scan::below(u64::from_le_bytes(*word), b' ') != 0 && word.iter().any(is_control)
    };
    chunks.iter().any(in_chunk) || words.iter().any(in_word) || rest.iter().any(is_control)
}

/// U+FFFE or U+FFFF in UTF-8.
fn is_noncharacter(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at..past(at, 3)), Some([_, 0xbf, 0xbe | 0xbf]))
}

/// White space as XML has it.
pub(crate) fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r')
}

/// `text` without white space around it.
pub(crate) fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        // Nearly always there is none.
        [first, .., last] if !is_blank(*first) && !is_blank(*last) => text,
        _ => text.trim_matches([' ', '\t', '\n', '\r']),
    }
}

/// Appends `text`, escaped.
///
/// A carriage return is written as `&#13;`, else a reader takes it for a line feed; `>` is escaped
/// because `]]>` may not stand in text.
///
/// # Errors
/// If a character is none of XML's; what was appended stays.
pub(crate) fn write(out: &mut Vec<u8>, text: &str) -> Result<(), EncodeError> {
    if is_short_and_plain(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    write_with(out, text, |_, c| {
        Err(EncodeError::new(format!(
            "XML cannot carry the character {}; bytes can (base64)",
            Code(c)
        )))
    })
}

/// Appends `text`, escaped, with U+FFFD for what XML cannot carry.
pub(crate) fn write_anyway(out: &mut Vec<u8>, text: &str) {
    let written: Result<(), std::convert::Infallible> = write_with(out, text, |out, _| {
        out.extend_from_slice("\u{fffd}".as_bytes());
        Ok(())
    });
    let Ok(()) = written;
}

fn write_with<E>(
    out: &mut Vec<u8>,
    text: &str,
    mut refused: impl FnMut(&mut Vec<u8>, char) -> Result<(), E>,
) -> Result<(), E> {
    let mut rest = text;
    while let Some(at) = special(rest.as_bytes()) {
        let (plain, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.extend_from_slice(plain.as_bytes());
        let mut chars = from.chars();
        match chars.next() {
            Some('&') => out.extend_from_slice(b"&amp;"),
            Some('<') => out.extend_from_slice(b"&lt;"),
            Some('>') => out.extend_from_slice(b"&gt;"),
            Some('\r') => out.extend_from_slice(b"&#13;"),
            Some(c) if is_char(c) => {
                out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            }
            Some(c) => refused(out, c)?,
            None => {}
        }
        rest = chars.as_str();
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}

/// The first byte that needs a look when `text` is written.
fn special(text: &[u8]) -> Option<usize> {
    let (words, rest) = text.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        // What may be special is looked at byte by byte.
        if marked(u64::from_le_bytes(*word)) != 0
            && let Some(found) = word.iter().position(|&b| is_special(b))
        {
            return Some(past(at.saturating_mul(8), found));
        }
    }
    let found = rest.iter().position(|&b| is_special(b))?;
    Some(past(text.len().saturating_sub(rest.len()), found))
}

/// Whether no byte of `text`, which is short as most is, needs a look; else nobody knows.
#[inline]
fn is_short_and_plain(text: &[u8]) -> bool {
    let word = |word: &[u8; 8]| marked(u64::from_le_bytes(*word));
    let half = |half: &[u8; 4]| u64::from(u32::from_le_bytes(*half));
    // The two looks overlap where there are less bytes.
    match text.len() {
        8..=16 => match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) => word(first) | word(last) == 0,
            _ => false,
        },
        4..8 => match (text.first_chunk(), text.last_chunk()) {
            (Some(first), Some(last)) => marked(half(first) | half(last) << 32) == 0,
            _ => false,
        },
        0..4 => !text.iter().any(|&b| is_special(b)),
        _ => false,
    }
}

/// Marks where `word` may have a byte that [`is_special`].
#[inline]
fn marked(word: u64) -> u64 {
    // `<` and `>` differ in one bit.
    scan::equal(word | 0x0202_0202_0202_0202, b'>')
        | scan::equal(word, b'&')
        | scan::below(word, b' ')
        | scan::not_ascii(word)
}

/// Whether a byte needs a look when text is written. (U+FFFE and U+FFFF begin with 0xEF.)
fn is_special(b: u8) -> bool {
    matches!(b, b'&' | b'<' | b'>' | 0xef) || (b < b' ' && b != b'\t' && b != b'\n')
}

/// A character by its number.
struct Code(char);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U+{:04X}", u32::from(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_carried_is_refused_or_replaced() {
        let mut out = Vec::new();
        let texts = [
            "\0",
            "a\u{b}",
            "\u{1f}",
            "\u{fffe}",
            "é\u{ffff}",
            "abc\u{1}",
            "abcd\u{1}",
            "\u{1}abcdef",
            "abcdefg\u{1}",
            "abcdefgh\u{1}ij",
            "abcdefghijk\u{1}",
        ];
        for text in texts {
            let error = write(&mut out, text).unwrap_err().to_string();
            assert!(error.contains("cannot carry the character U+"), "{error}");
            assert!(readable(text.as_bytes()).is_err());
        }
        out.clear();
        write_anyway(&mut out, "a\u{1}b\u{ffff}<");
        assert_eq!(out, "a\u{fffd}b\u{fffd}&lt;".as_bytes());
    }

    #[test]
    fn text_is_escaped_only_where_it_must_be() {
        let mut out = Vec::new();
        write(&mut out, "a<b>&\"'\r\n\tｅ\u{fffd}😀]]>").unwrap();
        let expected = "a&lt;b&gt;&amp;\"'&#13;\n\tｅ\u{fffd}😀]]&gt;";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert!(readable(expected.as_bytes()).is_ok());
    }

    #[test]
    fn a_special_character_is_found_wherever_it_is_in_text_of_whatever_length() {
        for len in 1..40 {
            for at in 0..len {
                let mut text = "a".repeat(len);
                assert_eq!(special(text.as_bytes()), None);
                assert_eq!(is_short_and_plain(text.as_bytes()), len <= 16);
                text.replace_range(at..=at, "<");
                assert_eq!(special(text.as_bytes()), Some(at), "{text}");
                assert!(!is_short_and_plain(text.as_bytes()), "{text}");
            }
        }
    }
}
