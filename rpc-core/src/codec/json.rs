//! JSON (RFC 8259) by serde_json.

use serde::{Serialize, de::DeserializeSeed};

use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;

/// Appends `value` to `out`.
///
/// # Errors
/// If the value has no JSON form.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    serde_json::to_writer(out, value).map_err(EncodeError::new)
}

/// Reads what `seed` describes from all of `bytes`.
///
/// # Errors
/// If the bytes are not JSON, not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    _budget: Budget,
) -> Result<S::Value, DecodeError> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = seed.deserialize(&mut json).map_err(DecodeError::new)?;
    json.end().map_err(DecodeError::new)?;
    Ok(value)
}
