//! The values of XML-RPC.

use serde::{Serialize, de::DeserializeSeed};

use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;

/// Appends `value` to `out` as one `<value>` element.
///
/// # Errors
/// If the value has no XML-RPC form.
pub fn encode<T: Serialize + ?Sized>(_: &T, _: &mut Vec<u8>) -> Result<(), EncodeError> {
    Err(EncodeError::new("not written"))
}

/// Reads what `seed` describes from `bytes`, one `<value>` element.
///
/// # Errors
/// If the bytes are not well-formed, not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de>>(
    _: S,
    _: &'de [u8],
    _budget: Budget,
) -> Result<S::Value, DecodeError> {
    Err(DecodeError::new("not written"))
}

/// Reads what `seed` describes, as a sequence, from a `<params>` element and what may follow it in
/// a `<methodCall>` document.
pub(crate) fn decode_params<'de, S: DeserializeSeed<'de>>(
    _: S,
    _: &'de [u8],
    _budget: Budget,
) -> Result<S::Value, DecodeError> {
    Err(DecodeError::new("not written"))
}
