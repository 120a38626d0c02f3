//! JSON (RFC 8259) by serde_json, strict where JSON is silent.
//!
//! Bytes travel as base64 text, NaN and the infinities not at all; reading is behind the guard.
//! Integers are exact or an error: `2.0` is 2, `2.5` and what is out of range are refused.

mod bytes;
mod strict;
#[cfg(test)]
mod tests;

use serde::de::{DeserializeSeed, IgnoredAny};
use serde::{Deserialize, Serialize};

use super::guard::{Limit, too_deep};
use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;
use bytes::{Base64, Textual};
use strict::Strict;

/// Appends `value` to `out`.
///
/// # Errors
/// If the value has no JSON form.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut json = serde_json::Serializer::with_formatter(out, Base64);
    value.serialize(Strict(&mut json)).map_err(EncodeError::new)
}

/// Reads what `seed` describes from all of `bytes`.
///
/// # Errors
/// If the bytes are not JSON, not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    Limit::<Textual>::new(budget.json_depth, budget.items)
        .read(seed, &mut json)
        .and_then(|value| json.end().map(|()| value))
        .map_err(|error| explained(error, bytes))
}

/// True if `bytes` are one JSON value and nothing else.
pub(crate) fn is_well_formed(bytes: &[u8]) -> bool {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    IgnoredAny::deserialize(&mut json).is_ok() && json.end().is_ok()
}

/// Tells text that is no JSON from JSON that is no such value. The parser's own category does not:
/// it calls `2.0` for an `i128` a syntax error, and loses a syntax error that a type wraps in words
/// of its own. So what failed is looked through again.
fn explained(error: serde_json::Error, bytes: &[u8]) -> DecodeError {
    if !is_well_formed(bytes) {
        DecodeError::malformed(error)
    } else if error.is_syntax() && error.to_string().starts_with("recursion limit exceeded") {
        too_deep(127, "the JSON parser's own bound")
    } else {
        DecodeError::new(error)
    }
}
