//! What is inside of arrays, structs and variants.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::borrow::Cow;

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Visitor};

use super::decode::{Value, read_value};
use super::key::Key;
use super::reader::Reader;
use crate::codec::place::member;
use crate::codec::scan::past;
use crate::error::DecodeError;

/// Shows the items of an array; `ended` if it has none.
pub(super) fn read_items<'de, V: Visitor<'de>>(
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
    if !items.ended && items.reader.another_item()? {
        return Err(DecodeError::new("there are too many items in the array"));
    }
    Ok(value)
}

/// Shows the members of a struct, which mostly come in the order of `fields`; `ended` if it has none.
pub(super) fn read_members<'de, V: Visitor<'de>>(
    reader: &mut Reader<'de>,
    ended: bool,
    fields: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut members = Members {
        reader,
        ended,
        fields,
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
        let another = self.reader.another_item();
        if !another.map_err(|error| self.place(error))? {
            self.ended = true;
            return Ok(None);
        }
        let value = read_value(self.reader, seed);
        let value = value.map_err(|error| self.place(error))?;
        self.index = self.index.saturating_add(1);
        Ok(Some(value))
    }
}

struct Members<'a, 'de> {
    reader: &'a mut Reader<'de>,
    ended: bool,
    /// The names that are still to come, if they come in this order.
    fields: &'static [&'static str],
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
        if let Some((&field, fields)) = self.fields.split_first()
            && self.reader.member_is(field)?
        {
            self.fields = fields;
            self.name = Cow::Borrowed(field);
            return seed.deserialize(Key(Cow::Borrowed(field))).map(Some);
        }
        let Some(name) = self.reader.next_member()? else {
            self.ended = true;
            return Ok(None);
        };
        // Those before it were left out, or come later.
        if let Some(at) = self.fields.iter().position(|&field| field == name) {
            self.fields = self.fields.get(past(at, 1)..).unwrap_or_default();
        }
        self.name = name.clone();
        seed.deserialize(Key(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        let value = read_value(self.reader, seed);
        let value = value.map_err(|error| self.place(error))?;
        self.reader.end_member()?;
        Ok(value)
    }
}

/// The one member of a struct that stands for a variant.
pub(super) struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    name: Cow<'de, str>,
}

impl<'a, 'de> Variant<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>, name: Cow<'de, str>) -> Self {
        Self { reader, name }
    }
}

impl<'a, 'de> EnumAccess<'de> for Variant<'a, 'de> {
    type Error = DecodeError;
    type Variant = Value<'a, 'de>;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Value<'a, 'de>), DecodeError> {
        let variant = seed.deserialize(Key(self.name))?;
        Ok((variant, Value::next(self.reader)))
    }
}
