//! Writes JSON, compact, straight to the end of a buffer: the bytes that serde_json would write.
//!
//! What JSON cannot write is refused. serde_json writes NaN and the infinities as `null`, which no
//! float reads back. Errors say where in the value they are.
//!
//! - `inside`: what is in lists, objects and variants; `text`: strings; `key`: the keys of maps

mod inside;
mod key;
#[cfg(test)]
mod tests;
mod text;

use std::fmt::{self, Display};

use serde::Serialize;
use serde::ser::Serializer;

use super::bytes::put_base64;
use crate::error::EncodeError;
use inside::{Fields, Items, RAW};
use text::{Inside, put_text};

/// The end of a buffer, where the next value is written.
pub(super) struct Json<'a>(pub(super) &'a mut Vec<u8>);

/// The error for a float that is no number.
#[cold]
fn no_number(value: impl Display) -> EncodeError {
    EncodeError::new(format!("JSON has no number {value}"))
}

fn put_integer(out: &mut Vec<u8>, integer: impl itoa::Integer) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(integer).as_bytes());
}

fn put_float<F: zmij::Float + Display>(
    out: &mut Vec<u8>,
    value: F,
    is_finite: bool,
) -> Result<(), EncodeError> {
    if !is_finite {
        return Err(no_number(value));
    }
    let mut digits = zmij::Buffer::new();
    out.extend_from_slice(digits.format_finite(value).as_bytes());
    Ok(())
}

macro_rules! integers {
    ($($method:ident $type:ident;)*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), EncodeError> {
            put_integer(self.0, value);
            Ok(())
        }
    )*};
}

impl<'a> Json<'a> {
    /// A list, or what is written as one.
    #[inline]
    fn list(self, close: &'static [u8]) -> Items<'a> {
        self.0.push(b'[');
        Items::new(self.0, close)
    }

    /// An object, or what is written as one.
    #[inline]
    fn object(self, close: &'static [u8]) -> Fields<'a> {
        Fields::new(self.0, close)
    }

    /// The beginning of a variant with something in it.
    fn variant(&mut self, name: &str) {
        self.0.push(b'{');
        put_text(self.0, name);
        self.0.push(b':');
    }
}

impl<'a> Serializer for Json<'a> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Items<'a>;
    type SerializeTuple = Items<'a>;
    type SerializeTupleStruct = Items<'a>;
    type SerializeTupleVariant = Items<'a>;
    type SerializeMap = Fields<'a>;
    type SerializeStruct = Fields<'a>;
    type SerializeStructVariant = Fields<'a>;

    integers! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_i128 i128;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
        serialize_u64 u64;
        serialize_u128 u128;
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        put_float(self.0, value, value.is_finite())
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        put_float(self.0, value, value.is_finite())
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.0.extend_from_slice(word);
        Ok(())
    }

    #[inline]
    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        put_text(self.0, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), EncodeError> {
        put_base64(self.0, value)
    }

    #[inline]
    fn serialize_none(self) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<(), EncodeError> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), EncodeError> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        self.variant(variant);
        value.serialize(Json(self.0))?;
        self.0.push(b'}');
        Ok(())
    }

    #[inline]
    fn serialize_seq(self, _: Option<usize>) -> Result<Items<'a>, EncodeError> {
        Ok(self.list(b"]"))
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Items<'a>, EncodeError> {
        Ok(self.list(b"]"))
    }

    #[inline]
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Items<'a>, EncodeError> {
        Ok(self.list(b"]"))
    }

    #[inline]
    fn serialize_tuple_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Items<'a>, EncodeError> {
        self.variant(variant);
        Ok(self.list(b"]}"))
    }

    #[inline]
    fn serialize_map(self, _: Option<usize>) -> Result<Fields<'a>, EncodeError> {
        Ok(self.object(b"}"))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields<'a>, EncodeError> {
        if name == RAW {
            return Ok(Fields::raw(self.0));
        }
        Ok(self.object(b"}"))
    }

    #[inline]
    fn serialize_struct_variant(
        mut self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields<'a>, EncodeError> {
        self.variant(variant);
        Ok(self.object(b"}}"))
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        self.0.push(b'"');
        fmt::write(&mut Inside(self.0), format_args!("{value}")).map_err(EncodeError::new)?;
        self.0.push(b'"');
        Ok(())
    }
}
