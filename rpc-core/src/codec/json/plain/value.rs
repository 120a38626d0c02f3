//! Serde's view of a value.

use std::borrow::Cow;

use serde::de::value::{BorrowedStrDeserializer, StringDeserializer};
use serde::de::{Deserializer, Visitor};

use super::inside::{Entries, Items, Variant};
use super::text::{Number, Text};
use super::{GivenUp, give_up};
use crate::codec::json::bytes::Bytes;

/// How many options and newtypes may wrap each other, as the guard has it.
pub(super) const WRAPS: u8 = 16;

/// The value that is next.
pub(super) struct Value<'a, 'de> {
    text: &'a mut Text<'de>,
    wraps: u8,
}

impl<'a, 'de> Value<'a, 'de> {
    #[inline]
    pub(super) fn new(text: &'a mut Text<'de>) -> Self {
        Self { text, wraps: WRAPS }
    }

    fn wrapped(self) -> Result<Self, GivenUp> {
        let wraps = self.wraps.checked_sub(1).ok_or_else(give_up)?;
        Ok(Self { wraps, ..self })
    }

    fn list<V: Visitor<'de>>(self, counted: bool, visitor: V) -> Result<V::Value, GivenUp> {
        self.text.enter(b'[')?;
        let value = visitor.visit_seq(Items::new(self.text, counted))?;
        self.text.leave(b']')?;
        Ok(value)
    }

    fn object<V: Visitor<'de>>(self, counted: bool, visitor: V) -> Result<V::Value, GivenUp> {
        self.text.enter(b'{')?;
        let value = visitor.visit_map(Entries::new(self.text, counted))?;
        self.text.leave(b'}')?;
        Ok(value)
    }

    #[inline]
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.number()? {
            Number::Positive(integer) => visitor.visit_u64(integer),
            Number::Negative(integer) => visitor.visit_i64(integer),
            // It may be whole.
            Number::Float(_) => Err(give_up()),
        }
    }
}

pub(super) fn float(text: &str) -> Result<f64, GivenUp> {
    let float: f64 = text.parse().map_err(|_| give_up())?;
    float.is_finite().then_some(float).ok_or_else(give_up)
}

macro_rules! forward {
    ($($method:ident $to:ident;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
            self.$to(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_, 'de> {
    type Error = GivenUp;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.peek() {
            b'"' => self.deserialize_str(visitor),
            b'[' => self.list(true, visitor),
            b'{' => self.object(true, visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            b'n' => self.deserialize_unit(visitor),
            _ => self.deserialize_f64(visitor),
        }
    }

    forward! {
        deserialize_i8 integer;
        deserialize_i16 integer;
        deserialize_i32 integer;
        deserialize_i64 integer;
        deserialize_u8 integer;
        deserialize_u16 integer;
        deserialize_u32 integer;
        deserialize_u64 integer;
        deserialize_char deserialize_str;
        deserialize_string deserialize_str;
        deserialize_identifier deserialize_str;
        deserialize_byte_buf deserialize_bytes;
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.number()? {
            Number::Positive(integer) => visitor.visit_i128(integer.into()),
            Number::Negative(integer) => visitor.visit_i128(integer.into()),
            Number::Float(_) => Err(give_up()),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.number()? {
            Number::Positive(integer) => visitor.visit_u128(integer.into()),
            Number::Negative(_) | Number::Float(_) => Err(give_up()),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.number()? {
            Number::Positive(integer) => visitor.visit_u64(integer),
            Number::Negative(integer) => visitor.visit_i64(integer),
            Number::Float(text) => {
                // Over `f64` it would be rounded twice.
                let float: f32 = text.parse().map_err(|_| give_up())?;
                let float = float.is_finite().then_some(float).ok_or_else(give_up)?;
                visitor.visit_f64(float.into())
            }
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.number()? {
            Number::Positive(integer) => visitor.visit_u64(integer),
            Number::Negative(integer) => visitor.visit_i64(integer),
            Number::Float(text) => visitor.visit_f64(float(text)?),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.peek() {
            b't' => {
                self.text.word(b"true")?;
                visitor.visit_bool(true)
            }
            _ => {
                self.text.word(b"false")?;
                visitor.visit_bool(false)
            }
        }
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.string()? {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        self.deserialize_any(Bytes(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.text.peek() {
            b'n' => {
                self.text.word(b"null")?;
                visitor.visit_none()
            }
            _ => visitor.visit_some(self.wrapped()?),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        self.text.peek();
        self.text.word(b"null")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        // The parser's own types, such as `RawValue`, know its own ways.
        if name.starts_with('$') {
            return Err(give_up());
        }
        visitor.visit_newtype_struct(self.wrapped()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        self.list(true, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, GivenUp> {
        self.list(false, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        self.list(false, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        self.object(true, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        match self.text.peek() {
            b'[' => self.list(false, visitor),
            _ => self.object(false, visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        if self.text.peek() != b'{' {
            return unit_variant(self.text.string()?, visitor);
        }
        self.text.enter(b'{')?;
        let value = visitor.visit_enum(Variant::new(self.text))?;
        self.text.leave(b'}')?;
        Ok(value)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        self.text.skip()?;
        visitor.visit_unit()
    }
}

/// The variant of this name, with nothing in it.
pub(super) fn unit_variant<'de, V: Visitor<'de>>(
    name: Cow<'de, str>,
    visitor: V,
) -> Result<V::Value, GivenUp> {
    match name {
        Cow::Borrowed(name) => visitor.visit_enum(BorrowedStrDeserializer::new(name)),
        Cow::Owned(name) => visitor.visit_enum(StringDeserializer::new(name)),
    }
}
