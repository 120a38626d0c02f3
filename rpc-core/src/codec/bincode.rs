//! bincode 1.3's default layout, decoded from slices only, behind the guard.
//!
//! Integers are little-endian and as wide as their type, lengths are 64 bits, variants 32 bits,
//! an option is a byte and what follows, structs and tuples are their members and nothing else.
//! `tests` has the layout as golden bytes.

#[cfg(test)]
mod tests;

use bincode::{ErrorKind, Options};
use serde::{
    Deserializer, Serialize,
    de::{DeserializeSeed, Visitor},
};

use super::found::without_input;
use super::guard::{Asked, Guard, Limit, Policy};
use crate::buffers::Behind;
use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;

/// Appends `value` to `out`.
///
/// # Errors
/// If the value's own `Serialize` fails, or a sequence does not know its length.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    bincode::serialize_into(Behind(out), value).map_err(|error| match *error {
        ErrorKind::SequenceMustHaveLength => EncodeError::new(
            "bincode writes the length of a list or map first, and this one does not know it (as \
             structs with `#[serde(flatten)]` do not)",
        ),
        other => EncodeError::new(other),
    })
}

/// Reads what `seed` describes from all of `bytes`.
///
/// # Errors
/// If the bytes are short, surplus or not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    let limit = Limit::<Binary>::new(budget.depth, budget.items, bytes.len());
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .deserialize_seed(Guarded { seed, limit }, bytes)
        .map_err(|error| explained(*error))
}

/// A seed under its limit, in the shape that bincode takes.
struct Guarded<S> {
    seed: S,
    limit: Limit<Binary>,
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Guarded<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.limit.read(self.seed, deserializer)
    }
}

#[derive(Clone, Copy)]
struct Binary;

impl Policy for Binary {
    const DEPTH: &'static str = "Limits::depth";

    #[inline]
    fn bytes<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        guard: Guard<'_, D, Self>,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let watched = guard.watch(Asked::Anything, visitor);
        guard.inner.deserialize_bytes(watched)
    }
}

/// The crate's error in words that make sense alone: short input is an io error without a text.
fn explained(error: ErrorKind) -> DecodeError {
    const SHORT: &str = "the bytes end in the middle of the value";
    match error {
        ErrorKind::Io(_) => DecodeError::new(SHORT),
        ErrorKind::DeserializeAnyNotSupported => DecodeError::new(
            "the type asks what comes next (as `serde_json::Value` and untagged enums do), and \
             bincode does not say",
        ),
        // What was said about it on the way (which parameter it was) has bincode's words in it.
        ErrorKind::Custom(reason) => {
            let short = reason.replace("io error: unexpected end of file", SHORT);
            match short.strip_suffix("io error: ") {
                Some(before) => DecodeError::new(format!("{before}{SHORT}")),
                None => DecodeError::new(without_byte(&without_input(&short))),
            }
        }
        other if other.to_string().starts_with("Slice had bytes remaining") => {
            DecodeError::new("there are bytes behind the value")
        }
        other => DecodeError::new(without_byte(&other.to_string())),
    }
}

/// The crate's words about a byte that is no `bool` and no `Option`, without the byte.
fn without_byte(words: &str) -> String {
    match words.rsplit_once(", found ") {
        Some((before, byte)) if byte.bytes().all(|byte| byte.is_ascii_digit()) => {
            format!("{before}, found another number")
        }
        _ => words.to_owned(),
    }
}
