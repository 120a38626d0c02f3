//! A value of whatever type the other end chose.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::DateTime;
use crate::params::Bytes;

pub(crate) const NAME: &str = "farcall::Value";

/// Of an integer that is no [`Value::Integer`].
pub(crate) const TOO_LARGE: &str = "an integer beyond -2^63 to 2^63-1";

/// Any value of XML-RPC: for methods that take or give whatever a foreign program has.
///
/// XML-RPC and bincode keep every variant. JSON has no dates and no bytes: they are written as
/// text, and come back as [`String`](Self::String). Integers beyond −2^63 to 2^63−1 are refused, not
/// rounded.
///
/// In a field with `#[serde(flatten)]`, values come through a buffer of serde's, which has no dates
/// and no integers of more than 64 bits: there a date is a [`String`](Self::String) in XML-RPC too,
/// and JSON's larger integers are doubles.
///
/// ```
/// use farcall_core::{encoding::Encoding, types::Value};
///
/// let value: Value = Encoding::Xml.decode(b"<value><array><data>
///     <value><int>7</int></value>
///     <value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>
/// </data></array></value>")?;
/// let moment = "1998-07-17T14:08:55Z".parse().unwrap();
/// assert_eq!(value, Value::Array(vec![Value::Integer(7), Value::DateTime(moment)]));
/// # Ok::<(), farcall_core::error::DecodeError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: `<nil/>`, `null`.
    Nil,
    /// True or false.
    Boolean(bool),
    /// An integer of up to 64 bits.
    Integer(i64),
    /// A floating-point number.
    Double(f64),
    /// Text.
    String(String),
    /// A date and time.
    DateTime(DateTime),
    /// Bytes.
    Bytes(Bytes),
    /// A list.
    Array(Vec<Self>),
    /// Named values. Their order means nothing.
    Struct(BTreeMap<String, Self>),
}

/// A value in an encoding that does not say of what type its values are.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Value")]
enum Tagged {
    Nil,
    Boolean(bool),
    Integer(i64),
    Double(f64),
    String(String),
    DateTime(DateTime),
    Bytes(Bytes),
    Array(Vec<Value>),
    Struct(BTreeMap<String, Value>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return Tagged::serialize(self, serializer);
        }
        match self {
            Self::Nil => serializer.serialize_unit(),
            Self::Boolean(value) => value.serialize(serializer),
            Self::Integer(value) => value.serialize(serializer),
            Self::Double(value) => value.serialize(serializer),
            Self::String(value) => value.serialize(serializer),
            Self::DateTime(value) => value.serialize(serializer),
            Self::Bytes(value) => value.serialize(serializer),
            Self::Array(value) => value.serialize(serializer),
            Self::Struct(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Tagged::deserialize(deserializer);
        }
        // By its name the XML codec knows that a date may be told from a string.
        deserializer.deserialize_newtype_struct(NAME, ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Integer(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Integer)
            .map_err(|_| E::custom(TOO_LARGE))
    }

    fn visit_i128<E: Error>(self, value: i128) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Integer)
            .map_err(|_| E::custom(TOO_LARGE))
    }

    fn visit_u128<E: Error>(self, _: u128) -> Result<Value, E> {
        // Nobody uses so many bits for less.
        Err(E::custom(TOO_LARGE))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Double(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    /// As serde's buffers give them.
    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Bytes(value.to_vec().into()))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Value, D::Error> {
        inner.deserialize_any(self)
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Bytes(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = BTreeMap::new();
        while let Some((name, value)) = map.next_entry()? {
            members.insert(name, value);
        }
        Ok(Value::Struct(members))
    }

    /// How the XML codec tells a date from a string: as a variant of that name.
    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let (text, rest) = access.variant::<String>()?;
        rest.unit_variant()?;
        text.parse().map(Value::DateTime).map_err(A::Error::custom)
    }
}
