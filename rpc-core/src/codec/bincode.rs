//! bincode 1.3's default layout, by an own writer and an own reader with the limits in it.
//!
//! Integers are little-endian and as wide as their type, lengths are 64 bits, variants 32 bits,
//! an option is a byte and what follows, structs and tuples are their members and nothing else.
//! `tests` has the layout as golden bytes, `oracle` what the crate of that name makes of values and
//! bytes.
//!
//! - `reader`: the bytes that are read, and the limits; `value`: serde's view of them
//! - `write`: values to bytes

#[cfg(test)]
mod oracle;
mod reader;
#[cfg(test)]
mod tests;
mod value;
mod write;

use serde::Serialize;
use serde::de::DeserializeSeed;

use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;
use reader::Reader;
use value::Value;
use write::Bytes;

/// Appends `value` to `out`.
///
/// # Errors
/// If the value's own `Serialize` fails, or a sequence does not know its length.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    value.serialize(Bytes(out))
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
    let mut reader = Reader::new(bytes, budget);
    let level = reader.top();
    let value = seed.deserialize(Value::new(&mut reader, level))?;
    reader.end()?;
    Ok(value)
}
