//! Reading values: serde's view of the reader.
//!
//! The element says what is there, the target what is wanted; most of the time serde's own
//! visitors bring the two together, so nearly everything is `deserialize_any`. The exceptions are
//! where other implementations send something else than what is wanted: integers, bytes, absence.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::SeqDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::forward_to_deserialize_any;

use super::key::Key;
use super::number::{Integer, float, integral, whole};
use super::reader::{Item, Reader, Type};
use super::text::{is_blank, trimmed};
use crate::codec::place::member;
use crate::error::DecodeError;
use crate::types;

/// How many options and newtypes may wrap each other without a level between them. They cost
/// nothing on the wire, so that a type like `struct N(Option<Box<N>>)` would recurse on a single
/// number for ever; no sensible type has half as many.
const WRAPS: u8 = 16;

/// One value whose beginning was read.
pub(super) struct Value<'a, 'de> {
    reader: &'a mut Reader<'de>,
    item: Item<'de>,
    wraps: u8,
}

impl<'a, 'de> Value<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>, item: Item<'de>) -> Self {
        Self {
            reader,
            item,
            wraps: WRAPS,
        }
    }

    /// Inside an option or a newtype.
    fn wrapped(self) -> Result<Self, DecodeError> {
        match self.wraps.checked_sub(1) {
            Some(wraps) => Ok(Self { wraps, ..self }),
            None => Err(DecodeError::new(format!(
                "more than {WRAPS} options and newtypes around each other"
            ))),
        }
    }

    /// For integers. An integral double will do: some clients send one when 32 bits are too few.
    fn integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Item::Scalar(Type::Double, text) = &self.item
            && let Some(integer) = integral(float(text)?)
        {
            return visitor.visit_i64(integer);
        }
        self.deserialize_any(visitor)
    }

    /// For integers of 64 bits and more. Text will do as well: a client that has no `<i8>` has no
    /// other way to send one.
    fn wide_integer<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Item::Scalar(Type::String, text) = &self.item
            && let Some(integer) = Integer::parse(text)
        {
            return integer.visit(visitor);
        }
        self.integer(visitor)
    }
}

macro_rules! forward {
    ($($method:ident $to:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.$to(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let (kind, text) = match self.item {
            Item::Scalar(kind, text) => (kind, text),
            Item::Nil => return visitor.visit_unit(),
            Item::Array { ended } => return read_items(self.reader, ended, visitor),
            Item::Struct { ended } => return read_members(self.reader, ended, visitor),
        };
        match kind {
            Type::Integer => Integer::from_element(&text)?.visit(visitor),
            Type::Double => visitor.visit_f64(float(&text)?),
            Type::Boolean => match trimmed(&text) {
                // By the letter a digit; npm's davexmlrpc sends the words.
                "0" | "false" => visitor.visit_bool(false),
                "1" | "true" => visitor.visit_bool(true),
                _ => Err(DecodeError::new("a `<boolean>` that is neither 0 nor 1")),
            },
            Type::String => visit_text(text, visitor),
            Type::Base64 => visitor.visit_byte_buf(bytes(&text)?),
            Type::DateTime => match text {
                Cow::Borrowed(text) => visitor.visit_borrowed_str(trimmed(text)),
                Cow::Owned(text) => visitor.visit_str(trimmed(&text)),
            },
        }
    }

    forward! {
        deserialize_i8 integer;
        deserialize_i16 integer;
        deserialize_i32 integer;
        deserialize_u8 integer;
        deserialize_u16 integer;
        deserialize_u32 integer;
        deserialize_i64 wide_integer;
        deserialize_u64 wide_integer;
        deserialize_i128 wide_integer;
        deserialize_u128 wide_integer;
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.item {
            Item::Scalar(Type::Double, text) => visitor.visit_f32(float(text)?),
            Item::Scalar(Type::Integer, text) => visitor.visit_f32(whole(text)?),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.item {
            Item::Scalar(Type::Double, text) => visitor.visit_f64(float(text)?),
            Item::Scalar(Type::Integer, text) => visitor.visit_f64(whole(text)?),
            _ => self.deserialize_any(visitor),
        }
    }

    /// A plain `Vec<u8>` takes base64 as well as a list of numbers; what asks for bytes proper
    /// takes both too, by its visitor.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.item {
            Item::Scalar(Type::Base64, text) => {
                let mut items = SeqDeserializer::new(bytes(text)?.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.item {
            Item::Nil => visitor.visit_none(),
            _ => visitor.visit_some(self.wrapped()?),
        }
    }

    /// A [`Value`](types::Value) is told what nobody else can know, that text is a date; and it
    /// takes the floats that JavaScript clients call integers.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.item {
            Item::Scalar(Type::DateTime, text) if name == types::VALUE => {
                visitor.visit_enum(Key(text))
            }
            Item::Scalar(Type::Integer, ref text)
                // What is all digits may be too large, but is no float.
                if name == types::VALUE && text.contains(['e', 'E', '.']) =>
            {
                visitor.visit_f64(whole(text)?)
            }
            _ => visitor.visit_newtype_struct(self.wrapped()?),
        }
    }

    /// Text is a variant without anything in it; else it is a struct of one member.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        const WANTED: &str = "expected a variant: a string, or a struct of one member";
        let Self { reader, item, .. } = self;
        match item {
            Item::Scalar(Type::String, name) => visitor.visit_enum(Key(name)),
            Item::Struct { ended: false } => {
                let Some(name) = reader.next_member()? else {
                    return Err(DecodeError::new(WANTED));
                };
                let value = visitor.visit_enum(Variant { reader, name })?;
                reader.end_member()?;
                match reader.next_member()? {
                    None => Ok(value),
                    Some(_) => Err(DecodeError::new(WANTED)),
                }
            }
            _ => Err(DecodeError::new(WANTED)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.reader.skip(&self.item)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool char str string bytes byte_buf unit unit_struct map struct identifier
    }
}

fn visit_text<'de, V: Visitor<'de>>(
    text: Cow<'de, str>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// What base64 `text` says. Many break it into lines.
fn bytes(text: &str) -> Result<Vec<u8>, DecodeError> {
    let text = text.as_bytes();
    let decoded = if text.iter().copied().any(is_blank) {
        let whole: Vec<u8> = text.iter().copied().filter(|&b| !is_blank(b)).collect();
        STANDARD.decode(whole)
    } else {
        STANDARD.decode(text)
    };
    // Its own error shows bytes of the message.
    decoded.map_err(|_| DecodeError::new("a `<base64>` that holds something else"))
}

fn read_items<'de, V: Visitor<'de>>(
    reader: &mut Reader<'de>,
    ended: bool,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut items = Items {
        reader,
        ended,
        index: 0,
    };
    let value = visitor.visit_seq(&mut items)?;
    if !items.ended && items.reader.next_item()?.is_some() {
        return Err(DecodeError::new("there are too many items in the array"));
    }
    Ok(value)
}

fn read_members<'de, V: Visitor<'de>>(
    reader: &mut Reader<'de>,
    ended: bool,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut members = Members {
        reader,
        ended,
        name: Cow::Borrowed(""),
    };
    let value = visitor.visit_map(&mut members)?;
    if !members.ended && members.reader.next_member()?.is_some() {
        return Err(DecodeError::new("there are too many members in the struct"));
    }
    Ok(value)
}

struct Items<'a, 'de> {
    reader: &'a mut Reader<'de>,
    ended: bool,
    index: usize,
}

impl Items<'_, '_> {
    fn place(&self, error: DecodeError) -> DecodeError {
        error.inside(format!("[{}]", self.index))
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        if self.ended {
            return Ok(None);
        }
        let item = self.reader.next_item();
        let Some(item) = item.map_err(|error| self.place(error))? else {
            self.ended = true;
            return Ok(None);
        };
        let value = seed.deserialize(Value::new(self.reader, item));
        let value = value.map_err(|error| self.place(error))?;
        self.index += 1;
        Ok(Some(value))
    }
}

struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    ended: bool,
    /// Of the member that is being read.
    name: Cow<'de, str>,
}

impl Members<'_, '_> {
    fn place(&self, error: DecodeError) -> DecodeError {
        error.inside(member(&self.name))
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        if self.ended {
            return Ok(None);
        }
        let Some(name) = self.reader.next_member()? else {
            self.ended = true;
            return Ok(None);
        };
        self.name.clone_from(&name);
        seed.deserialize(Key(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let item = self.reader.value();
        let item = item.map_err(|error| self.place(error))?;
        let value = seed.deserialize(Value::new(self.reader, item));
        let value = value.map_err(|error| self.place(error))?;
        self.reader.end_member()?;
        Ok(value)
    }
}

/// The one member of a struct that stands for a variant.
struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    name: Cow<'de, str>,
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = DecodeError;
    type Variant = Value<'a, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Value<'a, 'de>), DecodeError> {
        let variant = seed.deserialize(Key(self.name))?;
        let item = self.reader.value()?;
        Ok((variant, Value::new(self.reader, item)))
    }
}

impl<'de> VariantAccess<'de> for Value<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        match self.item {
            Item::Nil => Ok(()),
            _ => Err(DecodeError::new(
                "expected nothing in this variant, found something",
            )),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_any(visitor)
    }
}
