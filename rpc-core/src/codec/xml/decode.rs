//! Reading values: serde's view of the reader.
//!
//! The element says what is there, the target what is wanted; most of the time serde's own
//! visitors bring the two together, so nearly everything is `deserialize_any`. The exceptions are
//! where other implementations send something else than what is wanted: integers, bytes, absence.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeSeed, Deserializer, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::inside::{Variant, read_items, read_members};
use super::key::Key;
use super::number::{Integer, float, integral, whole};
use super::reader::{Item, Reader, Type};
use super::text::{is_blank, trimmed};
use crate::error::DecodeError;
use crate::types;

/// How many options and newtypes may wrap each other without a level between them. They cost
/// nothing on the wire, so that a type like `struct N(Option<Box<N>>)` would recurse on a single
/// number for ever; no sensible type has half as many.
const WRAPS: u8 = 16;

/// Reads the value that is next. One that its type does not look at is passed over.
pub(super) fn read_value<'de, S: DeserializeSeed<'de>>(
    reader: &mut Reader<'de>,
    seed: S,
) -> Result<S::Value, DecodeError> {
    let start = reader.tokens.at();
    let value = seed.deserialize(Value::next(reader))?;
    if reader.tokens.at() == start {
        let item = reader.value()?;
        reader.skip(&item)?;
    }
    Ok(value)
}

/// One value. What its type asks for is looked for first, as most write it; for all else the reader
/// says what is there.
pub(super) struct Value<'a, 'de> {
    reader: &'a mut Reader<'de>,
    /// Its beginning, if that was read already.
    item: Option<Item<'de>>,
    wraps: u8,
}

impl<'a, 'de> Value<'a, 'de> {
    /// The value that is next, of which nothing was read.
    pub(super) fn next(reader: &'a mut Reader<'de>) -> Self {
        reader.tokens.mark_value();
        Self {
            reader,
            item: None,
            wraps: WRAPS,
        }
    }

    /// Its beginning, whatever it is.
    fn item(&mut self) -> Result<Item<'de>, DecodeError> {
        match self.item.take() {
            Some(item) => Ok(item),
            None => self.reader.value(),
        }
    }

    /// The reader, if nothing of it was read.
    #[inline]
    fn unread(&mut self) -> Option<&mut Reader<'de>> {
        match self.item {
            Some(_) => None,
            None => Some(self.reader),
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
    fn integer<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(integer) = self.unread().and_then(Reader::plain_integer) {
            return visitor.visit_i64(integer);
        }
        let item = self.item()?;
        if let Item::Scalar(Type::Double, text) = &item
            && let Some(integer) = integral(float(text)?)
        {
            return visitor.visit_i64(integer);
        }
        visit(self.reader, item, visitor)
    }

    /// For integers of 64 bits and more. Text will do as well: a client that has no `<i8>` has no
    /// other way to send one.
    fn wide_integer<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(integer) = self.unread().and_then(Reader::plain_integer) {
            return visitor.visit_i64(integer);
        }
        let item = self.item()?;
        if let Item::Scalar(Type::String, text) = &item
            && let Some(integer) = Integer::parse(text)
        {
            return integer.visit(visitor);
        }
        self.item = Some(item);
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

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let item = self.item()?;
        visit(self.reader, item, visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.unread().and_then(Reader::plain_string) {
            Some(text) => visitor.visit_borrowed_str(text),
            None => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.unread().and_then(Reader::plain_boolean) {
            Some(value) => visitor.visit_bool(value),
            None => self.deserialize_any(visitor),
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
        deserialize_char deserialize_str;
        deserialize_string deserialize_str;
        deserialize_identifier deserialize_str;
    }

    fn deserialize_f32<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let item = match self.unread().and_then(Reader::plain_double) {
            Some(text) => return visitor.visit_f32(float(text)?),
            None => self.item()?,
        };
        match &item {
            Item::Scalar(Type::Double, text) => visitor.visit_f32(float(text)?),
            Item::Scalar(Type::Integer, text) => visitor.visit_f32(whole(text)?),
            _ => visit(self.reader, item, visitor),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let item = match self.unread().and_then(Reader::plain_double) {
            Some(text) => return visitor.visit_f64(float(text)?),
            None => self.item()?,
        };
        match &item {
            Item::Scalar(Type::Double, text) => visitor.visit_f64(float(text)?),
            Item::Scalar(Type::Integer, text) => visitor.visit_f64(whole(text)?),
            _ => visit(self.reader, item, visitor),
        }
    }

    /// A plain `Vec<u8>` takes base64 as well as a list of numbers; what asks for bytes proper
    /// takes both too, by its visitor.
    fn deserialize_seq<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(reader) = self.unread()
            && reader.plain_array()?
        {
            return read_items(reader, false, visitor);
        }
        let item = self.item()?;
        match &item {
            Item::Scalar(Type::Base64, text) => {
                let mut items = SeqDeserializer::new(bytes(text)?.into_iter());
                let value = visitor.visit_seq(&mut items)?;
                items.end()?;
                Ok(value)
            }
            _ => visit(self.reader, item, visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.members(&[], visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.members(fields, visitor)
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

    fn deserialize_option<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        if self
            .unread()
            .is_some_and(|reader| reader.is_plainly_something())
        {
            return visitor.visit_some(self.wrapped()?);
        }
        match self.item()? {
            Item::Nil => visitor.visit_none(),
            item => {
                self.item = Some(item);
                visitor.visit_some(self.wrapped()?)
            }
        }
    }

    /// A [`Value`](types::Value) is told what nobody else can know, that text is a date; and it
    /// takes the floats that JavaScript clients call integers.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        mut self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name != types::VALUE {
            return visitor.visit_newtype_struct(self.wrapped()?);
        }
        match self.item()? {
            Item::Scalar(Type::DateTime, text) => visitor.visit_enum(Key(text)),
            // What is all digits may be too large, but is no float.
            Item::Scalar(Type::Integer, text) if text.contains(['e', 'E', '.']) => {
                visitor.visit_f64(whole(&text)?)
            }
            item => {
                self.item = Some(item);
                visitor.visit_newtype_struct(self.wrapped()?)
            }
        }
    }

    /// Text is a variant without anything in it; else it is a struct of one member.
    fn deserialize_enum<V: Visitor<'de>>(
        mut self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        const WANTED: &str = "expected a variant: a string, or a struct of one member";
        let item = self.item()?;
        let Self { reader, .. } = self;
        match item {
            Item::Scalar(Type::String, name) => visitor.visit_enum(Key(name)),
            Item::Struct { ended: false } => {
                let Some(name) = reader.next_member()? else {
                    return Err(DecodeError::new(WANTED));
                };
                let value = visitor.visit_enum(Variant::new(reader, name))?;
                reader.end_member()?;
                match reader.next_member()? {
                    None => Ok(value),
                    Some(_) => Err(DecodeError::new(WANTED)),
                }
            }
            _ => Err(DecodeError::new(WANTED)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(
        mut self,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let item = self.item()?;
        self.reader.skip(&item)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bytes byte_buf unit unit_struct
    }
}

impl<'de> Value<'_, 'de> {
    /// For structs, whose members mostly come in the order of their `fields`, and maps.
    fn members<V: Visitor<'de>>(
        mut self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if let Some(reader) = self.unread()
            && reader.plain_struct()?
        {
            return read_members(reader, false, fields, visitor);
        }
        match self.item()? {
            Item::Struct { ended } => read_members(self.reader, ended, fields, visitor),
            item => visit(self.reader, item, visitor),
        }
    }
}

/// Shows a value that begins with `item` to a visitor that takes what there is.
fn visit<'de, V: Visitor<'de>>(
    reader: &mut Reader<'de>,
    item: Item<'de>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let (kind, text) = match item {
        Item::Scalar(kind, text) => (kind, text),
        Item::Nil => return visitor.visit_unit(),
        Item::Array { ended } => return read_items(reader, ended, visitor),
        Item::Struct { ended } => return read_members(reader, ended, &[], visitor),
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

impl<'de> VariantAccess<'de> for Value<'_, 'de> {
    type Error = DecodeError;

    fn unit_variant(mut self) -> Result<(), DecodeError> {
        match self.item()? {
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
        read_value(self.reader, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.members(fields, visitor)
    }
}
