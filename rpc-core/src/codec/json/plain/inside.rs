//! What is in a list, an object or a variant.

use std::borrow::Cow;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::text::{Number, Text};
use super::value::{Value, WRAPS, unit_variant};
use super::{GivenUp, give_up};
use crate::limits::Budget;

/// The items of a list.
pub(super) struct Items<'a, 'de> {
    text: &'a mut Text<'de>,
    counted: bool,
    first: bool,
}

impl<'a, 'de> Items<'a, 'de> {
    pub(super) fn new(text: &'a mut Text<'de>, counted: bool) -> Self {
        Self {
            text,
            counted,
            first: true,
        }
    }
}

/// Whether another item follows, in front of which there is a comma unless it is the first.
#[inline]
fn another(text: &mut Text<'_>, first: &mut bool, close: u8) -> Result<bool, GivenUp> {
    if text.peek() == close {
        return Ok(false);
    }
    if *first {
        *first = false;
        return Ok(true);
    }
    text.expect(b',')?;
    // `[1,]` is no list.
    match text.peek() == close {
        true => Err(give_up()),
        false => Ok(true),
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = GivenUp;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, GivenUp> {
        if !another(self.text, &mut self.first, b']')? {
            return Ok(None);
        }
        if self.counted {
            self.text.count()?;
        }
        seed.deserialize(Value::new(self.text)).map(Some)
    }
}

/// The members of an object.
pub(super) struct Entries<'a, 'de> {
    text: &'a mut Text<'de>,
    counted: bool,
    first: bool,
}

impl<'a, 'de> Entries<'a, 'de> {
    pub(super) fn new(text: &'a mut Text<'de>, counted: bool) -> Self {
        Self {
            text,
            counted,
            first: true,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = GivenUp;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, GivenUp> {
        if !another(self.text, &mut self.first, b'}')? {
            return Ok(None);
        }
        if self.counted {
            self.text.count()?;
        }
        let name = self.text.string()?;
        seed.deserialize(Key { name, wraps: WRAPS }).map(Some)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, GivenUp> {
        self.text.expect(b':')?;
        seed.deserialize(Value::new(self.text))
    }
}

/// A variant with something in it: a name and a value.
pub(super) struct Variant<'a, 'de> {
    text: &'a mut Text<'de>,
}

impl<'a, 'de> Variant<'a, 'de> {
    pub(super) fn new(text: &'a mut Text<'de>) -> Self {
        Self { text }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = GivenUp;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), GivenUp> {
        let name = self.text.string()?;
        self.text.expect(b':')?;
        let variant = seed.deserialize(Key { name, wraps: WRAPS })?;
        Ok((variant, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = GivenUp;

    fn unit_variant(self) -> Result<(), GivenUp> {
        self.text.peek();
        self.text.word(b"null")
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, GivenUp> {
        seed.deserialize(Value::new(self.text))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, GivenUp> {
        Value::new(self.text).deserialize_tuple(len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        Value::new(self.text).deserialize_struct("", fields, visitor)
    }
}

/// The name of a member. Numbers may be keys too.
struct Key<'de> {
    name: Cow<'de, str>,
    wraps: u8,
}

impl<'de> Key<'de> {
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        let Cow::Borrowed(name) = self.name else {
            return Err(give_up());
        };
        // White space is no part of a number.
        if name.contains(|c: char| c.is_ascii_whitespace()) {
            return Err(give_up());
        }
        let mut text = Text::new(name.as_bytes(), Budget::default());
        let number = text.number()?;
        text.end()?;
        match number {
            Number::Positive(integer) => visitor.visit_u64(integer),
            Number::Negative(integer) => visitor.visit_i64(integer),
            Number::Float(_) => Err(give_up()),
        }
    }

    fn wrapped(self) -> Result<Self, GivenUp> {
        let wraps = self.wraps.checked_sub(1).ok_or_else(give_up)?;
        Ok(Self { wraps, ..self })
    }
}

macro_rules! integers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
            self.integer(visitor)
        }
    )*};
}

/// What nobody has for a key is left to the long way.
macro_rules! rare {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, GivenUp> {
            Err(give_up())
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'de> {
    type Error = GivenUp;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        match self.name {
            Cow::Borrowed(name) => visitor.visit_borrowed_str(name),
            Cow::Owned(name) => visitor.visit_string(name),
        }
    }

    integers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    rare! {
        deserialize_i128 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_bool
        deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GivenUp> {
        visitor.visit_some(self.wrapped()?)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        visitor.visit_newtype_struct(self.wrapped()?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, GivenUp> {
        unit_variant(self.name, visitor)
    }

    forward_to_deserialize_any! {
        char str string unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
