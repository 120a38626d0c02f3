//! The keys of maps, which are text in JSON: also numbers and what else has a text.

use std::fmt::Display;

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::text::put_text;
use super::{Json, put_float, put_integer};
use crate::error::EncodeError;

/// The end of a buffer, where a key is written.
pub(super) struct Key<'a>(pub(super) &'a mut Vec<u8>);

impl Key<'_> {
    /// Appends what is no text between quotes.
    fn quoted(
        self,
        put: impl FnOnce(&mut Vec<u8>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.0.push(b'"');
        put(self.0)?;
        self.0.push(b'"');
        Ok(())
    }
}

#[cold]
fn no_text() -> EncodeError {
    EncodeError::new("key must be a string")
}

macro_rules! integers {
    ($($method:ident $type:ident;)*) => {$(
        fn $method(self, value: $type) -> Result<(), EncodeError> {
            self.quoted(|out| {
                put_integer(out, value);
                Ok(())
            })
        }
    )*};
}

macro_rules! refused {
    ($($method:ident($($type:ty),*) -> $made:ty;)*) => {$(
        fn $method(self, $(_: $type),*) -> Result<$made, EncodeError> {
            Err(no_text())
        }
    )*};
}

type Never = Impossible<(), EncodeError>;

impl Serializer for Key<'_> {
    type Ok = ();
    type Error = EncodeError;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    #[inline]
    fn serialize_str(self, value: &str) -> Result<(), EncodeError> {
        put_text(self.0, value);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), EncodeError> {
        Json(self.0).serialize_char(value)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), EncodeError> {
        self.serialize_str(variant)
    }

    fn serialize_bool(self, value: bool) -> Result<(), EncodeError> {
        self.quoted(|out| Json(out).serialize_bool(value))
    }

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

    fn serialize_f32(self, value: f32) -> Result<(), EncodeError> {
        self.quoted(|out| put_float(out, value, value.is_finite()))
    }

    fn serialize_f64(self, value: f64) -> Result<(), EncodeError> {
        self.quoted(|out| put_float(out, value, value.is_finite()))
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), EncodeError> {
        Err(no_text())
    }

    refused! {
        serialize_bytes(&[u8]) -> ();
        serialize_none() -> ();
        serialize_unit() -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_seq(Option<usize>) -> Never;
        serialize_tuple(usize) -> Never;
        serialize_tuple_struct(&'static str, usize) -> Never;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never;
        serialize_map(Option<usize>) -> Never;
        serialize_struct(&'static str, usize) -> Never;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never;
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), EncodeError> {
        Json(self.0).collect_str(value)
    }
}
