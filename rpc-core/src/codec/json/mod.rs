//! JSON (RFC 8259), strict where JSON is silent.
//!
//! Reading goes the short way first (`plain`), the words of errors are serde_json's; `write` writes.
//! Bytes travel as base64 text, NaN and the infinities not at all; reading is behind the guard.
//! Integers are exact or an error: `2.0` is 2, `2.5` and what is out of range are refused.

mod bytes;
mod integers;
mod path;
mod plain;
#[cfg(test)]
mod tests;
mod wide;
mod write;

use std::str::Utf8Error;

use serde::de::{DeserializeSeed, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::found::without_input;
use super::guard::Limit;
pub(crate) use super::guard::exact_integer;
use super::place::Place;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;
use crate::types::TOO_LARGE;
use bytes::Textual;
use write::Json;

/// Appends `value` to `out`.
///
/// # Errors
/// If the value has no JSON form.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    value.serialize(Json(out))
}

/// Reads what `seed` describes from all of `bytes`.
///
/// # Errors
/// If the bytes are not JSON, not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de> + Clone>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    match plain::read(seed.clone(), bytes, budget) {
        Some(value) => Ok(value),
        None => decode_again(seed, bytes, budget),
    }
}

/// Reads what the short way gave up at, or says what is wrong with it.
#[cold]
fn decode_again<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    // All of it at once, also what the type skips: what is not UTF-8 is no JSON.
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error))?;
    decode_at_length(seed, text, budget)
}

/// Reads a text by serde_json, behind the guard.
fn decode_at_length<'de, S: DeserializeSeed<'de>>(
    seed: S,
    text: &'de str,
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let limit = Limit::<Textual>::new(budget.json_depth, budget.items, text.len());
    let value = limit
        .read(seed, &mut json)
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| explained(&error, text))?;
    match integers::rounded(text, limit.whole()) {
        None => Ok(value),
        Some(place) => Err(DecodeError::new(TOO_LARGE).at(place)),
    }
}

/// Requires that `bytes` are one JSON value and nothing else.
pub(crate) fn well_formed(bytes: &[u8]) -> Result<(), DecodeError> {
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error))?;
    let mut json = serde_json::Deserializer::from_str(text);
    IgnoredAny::deserialize(&mut json)
        .and_then(|_| json.end())
        .map_err(|error| malformed(&error, text))
}

/// The error for bytes that are no text.
#[cold]
pub(crate) fn not_utf8(bytes: &[u8], error: Utf8Error) -> DecodeError {
    let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
    DecodeError::malformed("a byte that is not UTF-8").at(Place::after(before))
}

/// The error for `text` that is no JSON.
#[cold]
fn malformed(error: &serde_json::Error, text: &str) -> DecodeError {
    let words = match is_too_deep(error) {
        true => TOO_DEEP.to_owned(),
        false => words(error),
    };
    placed(DecodeError::malformed(words), error, text)
}

/// Tells text that is no JSON from JSON that is no such value. The parser's own category does not:
/// it calls `2.0` for an `i128` a syntax error, and loses a syntax error that a type wraps in words
/// of its own. So what failed is looked through again.
#[cold]
pub(crate) fn explained(error: &serde_json::Error, text: &str) -> DecodeError {
    if let Err(malformed) = well_formed(text.as_bytes()) {
        return malformed;
    }
    if is_too_deep(error) {
        return placed(DecodeError::new(TOO_DEEP), error, text);
    }
    // A type may have wrapped the parser's words in its own.
    let reason = without_input(&words(error)).replace(RECURSION, TOO_DEEP);
    let reason = DecodeError::new(reason);
    let reason = match offset(error, text) {
        Some(at) => reason.along(path::path(text, at)),
        None => reason,
    };
    placed(reason, error, text)
}

/// What is said where the parser gave up at its own bound.
const TOO_DEEP: &str = "nested deeper than 127 levels, the most for JSON (`Limits::json_depth`)";

/// What the parser says there.
const RECURSION: &str = "recursion limit exceeded";

/// True if it did.
fn is_too_deep(error: &serde_json::Error) -> bool {
    error.is_syntax() && words(error).starts_with(RECURSION)
}

/// What `error` says, without the place.
fn words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    match words.strip_suffix(&place) {
        Some(before) => before.to_owned(),
        None => words,
    }
}

/// `reason`, at the place of `error`, if it has one.
fn placed(reason: DecodeError, error: &serde_json::Error, text: &str) -> DecodeError {
    match offset(error, text) {
        None => reason,
        Some(at) => reason.at(Place::after(text.as_bytes().get(..at).unwrap_or_default())),
    }
}

/// Where in `text` the last byte is that was read before `error`.
fn offset(error: &serde_json::Error, text: &str) -> Option<usize> {
    // The parser counts bytes, up to the one that it does not like.
    let lines = text
        .split_inclusive('\n')
        .take(error.line().checked_sub(1)?);
    Some(lines.map(str::len).sum::<usize>() + error.column().saturating_sub(1))
}
