//! What is in a list, an object or a variant.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

use super::Json;
use super::key::Key;
use super::text::put_name;
use crate::codec::place::{in_entry, in_field, in_item};
use crate::error::EncodeError;

/// What serde_json calls the struct that stands for its `RawValue`.
pub(super) const RAW: &str = "$serde_json::private::RawValue";

/// The items of a list, counted.
pub(in crate::codec::json) struct Items<'a> {
    out: &'a mut Vec<u8>,
    index: usize,
    close: &'static [u8],
}

/// The members of an object.
pub(in crate::codec::json) struct Fields<'a> {
    out: &'a mut Vec<u8>,
    /// What stands before the next one: the bracket, or a comma. 0 if it is there as it is.
    before: u8,
    close: &'static [u8],
}

impl<'a> Items<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, close: &'static [u8]) -> Self {
        Self {
            out,
            index: 0,
            close,
        }
    }
}

macro_rules! items {
    ($($trait:ident::$method:ident)*) => {$(
        impl $trait for Items<'_> {
            type Ok = ();
            type Error = EncodeError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
                if self.index > 0 {
                    self.out.push(b',');
                }
                let index = self.index;
                self.index += 1;
                value
                    .serialize(Json(self.out))
                    .map_err(|error| in_item(index, error))
            }

            #[inline]
            fn end(self) -> Result<(), EncodeError> {
                self.out.extend_from_slice(self.close);
                Ok(())
            }
        }
    )*};
}

items! {
    SerializeSeq::serialize_element
    SerializeTuple::serialize_element
    SerializeTupleStruct::serialize_field
    SerializeTupleVariant::serialize_field
}

impl<'a> Fields<'a> {
    #[inline]
    pub(super) fn new(out: &'a mut Vec<u8>, close: &'static [u8]) -> Self {
        Self {
            out,
            before: b'{',
            close,
        }
    }

    /// The one field of serde_json's `RawValue`.
    #[cold]
    pub(super) fn raw(out: &'a mut Vec<u8>) -> Self {
        Self {
            out,
            before: 0,
            close: b"",
        }
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), EncodeError> {
        if self.before == 0 {
            return put_raw(self.out, name, value);
        }
        put_name(self.out, self.before, name);
        self.before = b',';
        value
            .serialize(Json(self.out))
            .map_err(|error| in_field(name, error))
    }

    #[inline]
    fn close(self) {
        if self.before == b'{' {
            self.out.push(b'{');
        }
        self.out.extend_from_slice(self.close);
    }
}

/// The error for a key: its own says no more than that it is no text.
#[cold]
fn no_name(error: &EncodeError) -> EncodeError {
    EncodeError::new(format!(
        "the keys of a map are text in JSON, and this one has none ({error})"
    ))
}

/// Appends JSON as it is, which only serde_json knows how to get at.
#[cold]
fn put_raw<T: Serialize + ?Sized>(
    out: &mut Vec<u8>,
    name: &'static str,
    value: &T,
) -> Result<(), EncodeError> {
    let mut json = serde_json::Serializer::new(out);
    let mut raw = json.serialize_struct(RAW, 1).map_err(EncodeError::new)?;
    SerializeStruct::serialize_field(&mut raw, name, value).map_err(EncodeError::new)
}

macro_rules! fields {
    ($($trait:ident)*) => {$(
        impl $trait for Fields<'_> {
            type Ok = ();
            type Error = EncodeError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), EncodeError> {
                self.field(name, value)
            }

            #[inline]
            fn end(self) -> Result<(), EncodeError> {
                self.close();
                Ok(())
            }
        }
    )*};
}

fields! {
    SerializeStruct
    SerializeStructVariant
}

impl SerializeMap for Fields<'_> {
    type Ok = ();
    type Error = EncodeError;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), EncodeError> {
        self.out.push(self.before);
        self.before = b',';
        key.serialize(Key(self.out))
            .map_err(|error| no_name(&error))
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), EncodeError> {
        self.out.push(b':');
        value.serialize(Json(self.out))
    }

    #[inline]
    fn serialize_entry<K, V>(&mut self, key: &K, value: &V) -> Result<(), EncodeError>
    where
        K: Serialize + ?Sized,
        V: Serialize + ?Sized,
    {
        self.serialize_key(key)?;
        self.serialize_value(value).map_err(|error| {
            let key = serde_json::to_string(key).unwrap_or_default();
            in_entry(&key, error)
        })
    }

    #[inline]
    fn end(self) -> Result<(), EncodeError> {
        self.close();
        Ok(())
    }
}
