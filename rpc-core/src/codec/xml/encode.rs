//! Writing values, straight into the buffer of the message.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::key::KeyEncoder;
use super::{number, text};
use crate::codec::place::{in_entry, in_field, in_item};
use crate::error::EncodeError;
use crate::types;

/// Writes one value.
pub(super) struct Encoder<'a> {
    out: &'a mut Vec<u8>,
    /// Text that comes is a date, in the form of RFC 3339 and in UTC.
    date: bool,
}

/// What was written. A member that is absent is left out of its struct: many clients cannot read
/// `<nil/>`, and all of them can do without a member.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrote {
    Value,
    Nothing,
}

type Written = Result<Wrote, EncodeError>;

impl<'a> Encoder<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, date: false }
    }

    /// Writes `<int>` where 32 bits are enough, which everybody reads, else `<i8>`.
    fn integer(self, n: i64) -> Written {
        let (open, close): (&[u8], &[u8]) = match i32::try_from(n) {
            Ok(_) => (b"<value><int>", b"</int></value>"),
            Err(_) => (b"<value><i8>", b"</i8></value>"),
        };
        self.out.extend_from_slice(open);
        let mut digits = itoa::Buffer::new();
        self.out.extend_from_slice(digits.format(n).as_bytes());
        self.out.extend_from_slice(close);
        Ok(Wrote::Value)
    }

    fn wide_integer<N: TryInto<i64> + fmt::Display + Copy>(self, n: N) -> Written {
        match n.try_into() {
            Ok(n) => self.integer(n),
            Err(_) => Err(EncodeError::new(format!(
                "the integers of XML-RPC are from -2^63 to 2^63-1; {n} is beyond"
            ))),
        }
    }

    fn float(self, n: impl zmij::Float + fmt::Display, is_finite: bool) -> Written {
        if !is_finite {
            return Err(EncodeError::new(format!("XML-RPC has no {n}")));
        }
        self.out.extend_from_slice(b"<value><double>");
        number::write_float(self.out, n);
        self.out.extend_from_slice(b"</double></value>");
        Ok(Wrote::Value)
    }

    /// Writes the one form that everybody reads: no dashes, no zone.
    fn date_time(self, text: &str) -> Written {
        self.out.extend_from_slice(b"<value><dateTime.iso8601>");
        let kept = text.bytes().filter(|b| !matches!(b, b'-' | b'Z'));
        self.out.extend(kept);
        self.out.extend_from_slice(b"</dateTime.iso8601></value>");
        Ok(Wrote::Value)
    }

    fn nil(self) -> Written {
        self.out.extend_from_slice(b"<value><nil/></value>");
        Ok(Wrote::Value)
    }

    fn items(self, close: &'static [u8]) -> Items<'a> {
        self.out.extend_from_slice(b"<value><array><data>");
        Items {
            out: self.out,
            close,
            index: 0,
        }
    }

    fn members(self, close: &'static [u8]) -> Members<'a> {
        self.out.extend_from_slice(b"<value><struct>");
        Members {
            out: self.out,
            close,
        }
    }

    /// Opens the one-member struct that a variant with something in it is.
    fn variant(self, name: &str) -> Result<Self, EncodeError> {
        self.out.extend_from_slice(b"<value><struct><member><name>");
        text::write(self.out, name)?;
        self.out.extend_from_slice(b"</name>");
        Ok(self)
    }
}

/// What closes such a struct.
const END_OF_VARIANT: &[u8] = b"</member></struct></value>";

macro_rules! integers {
    ($($method:ident $T:ty;)*) => {$(
        fn $method(self, n: $T) -> Written {
            self.integer(n.into())
        }
    )*};
}

impl<'a> Serializer for Encoder<'a> {
    type Ok = Wrote;
    type Error = EncodeError;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Members<'a>;

    integers! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
    }

    fn serialize_u64(self, n: u64) -> Written {
        self.wide_integer(n)
    }

    fn serialize_i128(self, n: i128) -> Written {
        self.wide_integer(n)
    }

    fn serialize_u128(self, n: u128) -> Written {
        self.wide_integer(n)
    }

    fn serialize_f32(self, n: f32) -> Written {
        self.float(n, n.is_finite())
    }

    fn serialize_f64(self, n: f64) -> Written {
        self.float(n, n.is_finite())
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.out.extend_from_slice(if value {
            b"<value><boolean>1</boolean></value>"
        } else {
            b"<value><boolean>0</boolean></value>"
        });
        Ok(Wrote::Value)
    }

    fn serialize_char(self, c: char) -> Written {
        self.serialize_str(c.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        if self.date {
            return self.date_time(value);
        }
        self.out.extend_from_slice(b"<value><string>");
        text::write(self.out, value)?;
        self.out.extend_from_slice(b"</string></value>");
        Ok(Wrote::Value)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Written {
        self.out.extend_from_slice(b"<value><base64>");
        let start = self.out.len();
        let room = base64::encoded_len(bytes.len(), true);
        self.out.resize(start + room.unwrap_or_default(), 0);
        let place = self.out.get_mut(start..).unwrap_or_default();
        STANDARD
            .encode_slice(bytes, place)
            .map_err(EncodeError::new)?;
        self.out.extend_from_slice(b"</base64></value>");
        Ok(Wrote::Value)
    }

    fn serialize_none(self) -> Written {
        self.nil().map(|_| Wrote::Nothing)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.nil()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.nil()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Written {
        self.serialize_str(variant)
    }

    /// A newtype is never left out, whatever is in it: serde fills in absent `Option`s only.
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, v: &T) -> Written {
        let date = name == types::DATE_TIME;
        let inner = Encoder { date, ..self };
        v.serialize(inner).map(|_| Wrote::Value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Written {
        let Encoder { out, .. } = self.variant(variant)?;
        value.serialize(Encoder::new(&mut *out))?;
        out.extend_from_slice(END_OF_VARIANT);
        Ok(Wrote::Value)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, EncodeError> {
        Ok(self.items(b""))
    }

    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, EncodeError> {
        Ok(self.items(b""))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, EncodeError> {
        Ok(self.items(b""))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, EncodeError> {
        Ok(self.variant(variant)?.items(END_OF_VARIANT))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Members<'a>, EncodeError> {
        Ok(self.members(b""))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Members<'a>, EncodeError> {
        Ok(self.members(b""))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Members<'a>, EncodeError> {
        Ok(self.variant(variant)?.members(END_OF_VARIANT))
    }
}

/// Writes the items of an array.
pub(super) struct Items<'a> {
    out: &'a mut Vec<u8>,
    close: &'static [u8],
    /// How many were written.
    index: usize,
}

impl Items<'_> {
    fn finish(self) -> Written {
        self.out.extend_from_slice(b"</data></array></value>");
        self.out.extend_from_slice(self.close);
        Ok(Wrote::Value)
    }
}

macro_rules! items {
    ($($trait:ident $method:ident;)*) => {$(
        impl $trait for Items<'_> {
            type Ok = Wrote;
            type Error = EncodeError;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                let index = self.index;
                self.index += 1;
                match value.serialize(Encoder::new(self.out)) {
                    Ok(_) => Ok(()),
                    Err(error) => Err(in_item(index, error)),
                }
            }

            fn end(self) -> Written {
                self.finish()
            }
        }
    )*};
}

items! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

/// Writes the members of a struct.
pub(super) struct Members<'a> {
    out: &'a mut Vec<u8>,
    close: &'static [u8],
}

impl Members<'_> {
    fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), EncodeError> {
        let start = self.out.len();
        self.out.extend_from_slice(b"<member><name>");
        text::write(self.out, name)?;
        self.out.extend_from_slice(b"</name>");
        let wrote = value.serialize(Encoder::new(self.out));
        match wrote.map_err(|error| in_field(name, error))? {
            Wrote::Value => self.out.extend_from_slice(b"</member>"),
            Wrote::Nothing => self.out.truncate(start),
        }
        Ok(())
    }

    fn finish(self) -> Written {
        self.out.extend_from_slice(b"</struct></value>");
        self.out.extend_from_slice(self.close);
        Ok(Wrote::Value)
    }
}

macro_rules! members {
    ($($trait:ident;)*) => {$(
        impl $trait for Members<'_> {
            type Ok = Wrote;
            type Error = EncodeError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.member(name, value)
            }

            fn end(self) -> Written {
                self.finish()
            }
        }
    )*};
}

members! {
    SerializeStruct;
    SerializeStructVariant;
}

/// In a map, unlike in a struct, a key is there even if its value is not.
impl SerializeMap for Members<'_> {
    type Ok = Wrote;
    type Error = EncodeError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.out.extend_from_slice(b"<member><name>");
        key.serialize(KeyEncoder { out: self.out })?;
        self.out.extend_from_slice(b"</name>");
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        value.serialize(Encoder::new(self.out))?;
        self.out.extend_from_slice(b"</member>");
        Ok(())
    }

    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), EncodeError>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        self.serialize_key(key)?;
        let name_ends = self.out.len();
        self.serialize_value(value).map_err(|error| {
            let written = self.out.get(..name_ends).unwrap_or_default();
            in_entry(&last_name(written), error)
        })
    }

    fn end(self) -> Written {
        self.finish()
    }
}

/// The name that was written last, in quotes.
fn last_name(written: &[u8]) -> String {
    let name = written.strip_suffix(b"</name>").unwrap_or_default();
    let start = memchr::memmem::rfind(name, b"<name>").map_or(0, |at| at + 6);
    let name = name.get(start..).unwrap_or_default();
    format!("\"{}\"", String::from_utf8_lossy(name))
}
