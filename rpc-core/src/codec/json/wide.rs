//! Integers of 128 bits in JSON.
//!
//! The parser reads their digits and stops: of `1e2` it takes 1, and complains about what is behind it
//! when the next value is due. So the number is taken whole, as text.

use serde::de::{Deserialize, Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use crate::codec::guard::{Asked, Guard, Sign};

/// Reads one for `visitor`.
pub(super) fn read<'de, D: Deserializer<'de>, V: Visitor<'de>>(
    guard: Guard<'_, D, super::bytes::Textual>,
    sign: Sign,
    visitor: V,
) -> Result<V::Value, D::Error> {
    let watched = guard.watch(Asked::Integer, visitor);
    if guard.is_key() {
        // It ends with its quotes, and nothing can be behind it.
        return match sign {
            Sign::Signed => guard.inner.deserialize_i128(watched),
            Sign::Unsigned => guard.inner.deserialize_u128(watched),
        };
    }
    let value = <&RawValue>::deserialize(guard.inner)?.get();
    let is_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if !is_number {
        return Err(D::Error::invalid_type(kind(value), &watched));
    }
    if value.contains(['.', 'e', 'E']) {
        return match value.parse() {
            // Whole ones are read like any other.
            Ok(float) => watched.visit_f64(float),
            Err(_) => Err(D::Error::invalid_type(Unexpected::Float(0.0), &watched)),
        };
    }
    let read = match sign {
        Sign::Signed => value.parse().map(Wide::Signed),
        Sign::Unsigned => value.parse().map(Wide::Unsigned),
    };
    match read {
        Ok(Wide::Signed(integer)) => watched.visit_i128(integer),
        Ok(Wide::Unsigned(integer)) => watched.visit_u128(integer),
        // `-0`, or out of range.
        Err(_) => match value.parse() {
            Ok(small) => watched.visit_i64(small),
            Err(_) => Err(D::Error::invalid_value(Unexpected::Signed(0), &watched)),
        },
    }
}

enum Wide {
    Signed(i128),
    Unsigned(u128),
}

/// What `value` is, which is no number.
fn kind(value: &str) -> Unexpected<'_> {
    match value.as_bytes().first() {
        Some(b'"') => Unexpected::Str(""),
        Some(b'{') => Unexpected::Map,
        Some(b'[') => Unexpected::Seq,
        Some(b'n') => Unexpected::Unit,
        _ => Unexpected::Bool(true),
    }
}
