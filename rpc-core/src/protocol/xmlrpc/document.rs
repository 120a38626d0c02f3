//! What stands before the values: character encodings, the prolog, the envelope's first elements.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::borrow::Cow;

use crate::codec::place::Place;
use crate::codec::scan::past;
use crate::codec::xml::reader::Reader;
use crate::codec::xml::text::readable;
use crate::codec::xml::tokens::Tag;
use crate::error::DecodeError;
use crate::fault::{Fault, code};
use crate::limits::Budget;
use crate::payload::Payload;

/// How most documents begin, in UTF-8.
pub(super) const DECLARATION: &[u8] = b"<?xml version=\"1.0\"?>";
/// How they go on when they are calls, a line feed aside.
const CALL: &[u8] = b"<methodCall><methodName>";

/// The document in UTF-8, whatever it came in.
///
/// The declaration counts, else a byte order mark, else it is UTF-8; the charset of the
/// Content-Type, which formally outranks them, is ignored by all software in use.
pub(super) fn in_utf8(body: Payload) -> Result<Payload, Fault> {
    if body.starts_with(DECLARATION) {
        return Ok(body);
    }
    if let Some(rest) = body.strip_prefix(b"\xef\xbb\xbf") {
        return Ok(Payload::copied_from(rest));
    }
    if let Some(text) = utf16(&body)? {
        return Ok(Payload::from(text.into_bytes()));
    }
    let Some(declared) = declared_encoding(&body) else {
        return Ok(body);
    };
    match declared.to_ascii_lowercase().as_str() {
        "utf-8" | "utf8" => Ok(body),
        "us-ascii" | "ascii" | "ansi_x3.4-1968" => {
            let Some(at) = body.iter().position(|byte| !byte.is_ascii()) else {
                return Ok(body);
            };
            Err(bad_character(
                "a character that the declared encoding, US-ASCII, does not have",
                body.get(..at).unwrap_or_default(),
            ))
        }
        // Its characters are the first 256 of Unicode.
        "iso-8859-1" | "iso8859-1" | "latin1" | "latin-1" => {
            let text: String = body.iter().map(|&byte| char::from(byte)).collect();
            Ok(Payload::from(text.into_bytes()))
        }
        _ => Err(Fault::new(
            code::UNSUPPORTED_ENCODING,
            "the declared encoding is not read here; UTF-8, UTF-16, US-ASCII and ISO-8859-1 are",
        )),
    }
}

/// UTF-16 by its byte order mark, or by the zeros of `<?`.
fn utf16(body: &[u8]) -> Result<Option<String>, Fault> {
    let (bytes, big_endian) = match body {
        [0xff, 0xfe, rest @ ..] => (rest, false),
        [0xfe, 0xff, rest @ ..] => (rest, true),
        [b'<', 0, ..] => (body, false),
        [0, b'<', ..] => (body, true),
        _ => return Ok(None),
    };
    let (units, rest) = bytes.as_chunks::<2>();
    let read = |&unit: &[u8; 2]| match big_endian {
        true => u16::from_be_bytes(unit),
        false => u16::from_le_bytes(unit),
    };
    let mut text = String::with_capacity(units.len());
    let mut whole = rest.is_empty();
    for read in char::decode_utf16(units.iter().map(read)) {
        match read {
            Ok(c) => text.push(c),
            Err(_) => {
                whole = false;
                break;
            }
        }
    }
    if whole {
        return Ok(Some(text));
    }
    let reason = "the document is not UTF-16 throughout";
    Err(bad_character(reason, text.as_bytes()))
}

/// The encoding that `<?xml … encoding="…"?>` declares.
fn declared_encoding(body: &[u8]) -> Option<Cow<'_, str>> {
    let declaration = body.strip_prefix(b"<?xml")?;
    let end = memchr::memchr(b'>', declaration)?;
    let declaration = String::from_utf8_lossy(declaration.get(..end)?);
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (name, _) = rest.get(1..)?.split_once(quote)?;
    Some(Cow::Owned(name.to_owned()))
}

/// What a `<methodCall>` says before its parameters.
#[derive(Debug)]
pub(super) struct Head<'a> {
    pub(super) method: Cow<'a, str>,
    /// Where its parameters begin: right after `</methodName>`.
    pub(super) params: usize,
}

/// Reads the head of a call.
pub(super) fn head(document: &[u8]) -> Result<Head<'_>, Fault> {
    let text = readable(document).map_err(|error| bad_characters(&error))?;
    if let Some(head) = plain_head(text) {
        return Ok(head);
    }
    let mut reader = Reader::new(text, Budget::default());
    let head = read_head(&mut reader).map_err(|error| {
        // Only the tokens know whether the document is malformed.
        let error = reader.tokens.located(&error);
        let code = if error.is_malformed() {
            code::PARSE_ERROR
        } else {
            code::INVALID_REQUEST
        };
        Fault::new(code, error.to_string())
    })?;
    // Whoever reads the parameters cannot tell a document that was cut behind them from the bare
    // parameters that other envelopes hold.
    if memchr::memmem::rfind(document, b"</methodCall").is_none() {
        return Err(Fault::new(
            code::PARSE_ERROR,
            "expected `</methodCall>`, found the end",
        ));
    }
    Ok(head)
}

/// The head of a call that is written as nearly everybody does: nothing in it has to be resolved.
fn plain_head(text: &str) -> Option<Head<'_>> {
    let document = text.as_bytes();
    let rest = document.strip_prefix(DECLARATION)?;
    let rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    let name = rest.strip_prefix(CALL)?;
    let is_plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'/');
    let len = name.iter().take_while(|b| is_plain(b)).count();
    let params = name.get(len..)?.strip_prefix(b"</methodName>")?;
    let is_whole = params.trim_ascii_end().ends_with(b"</methodCall>");
    (params.starts_with(b"<params>") && is_whole).then_some(())?;
    let start = document.len().saturating_sub(name.len());
    Some(Head {
        method: Cow::Borrowed(text.get(start..past(start, len))?),
        params: document.len().saturating_sub(params.len()),
    })
}

fn read_head<'a>(reader: &mut Reader<'a>) -> Result<Head<'a>, DecodeError> {
    let tokens = &mut reader.tokens;
    match tokens.root()? {
        Tag::Open("methodCall") => {}
        found => return Err(tokens.expected("`<methodCall>`", found)),
    }
    let method = match tokens.tag()? {
        Tag::Open("methodName") => tokens.text()?,
        found => return Err(tokens.expected("`<methodName>`", found)),
    };
    tokens.close("methodName")?;
    let params = tokens.at();
    // Whoever reads the parameters takes what is wrong there for a mistake in them.
    match tokens.tag()? {
        Tag::Open("params") | Tag::Empty("params") | Tag::Close("methodCall") | Tag::End => {}
        found => {
            return Err(tokens.unfit("methodCall", "`<params>` or `</methodCall>`", found));
        }
    }
    Ok(Head {
        method: trimmed(method),
        params,
    })
}

fn trimmed(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
        Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
    }
}

/// What is wrong with the characters right behind `before`.
fn bad_character(reason: &str, before: &[u8]) -> Fault {
    bad_characters(&DecodeError::malformed(reason).at(Place::after(before)))
}

/// Bytes that are no text, or hold characters that XML has not.
fn bad_characters(error: &DecodeError) -> Fault {
    Fault::new(code::INVALID_CHARACTER, error.to_string())
}
