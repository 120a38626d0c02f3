//! Reading the parameters of a call, and the end of the document they stand in.

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::decode::read_value;
use super::reader::Reader;
use super::tokens::Tag;
use crate::error::DecodeError;

/// The parameters of a call as a sequence, and the end of the message.
pub(super) struct Params<'a, 'de> {
    reader: &'a mut Reader<'de>,
    ended: bool,
}

impl<'a, 'de> Params<'a, 'de> {
    pub(super) fn new(reader: &'a mut Reader<'de>) -> Self {
        Self {
            reader,
            ended: false,
        }
    }

    fn end_of_message(self) -> Result<(), DecodeError> {
        let tokens = &mut self.reader.tokens;
        tokens.mark();
        match tokens.tag()? {
            Tag::End => Ok(()),
            Tag::Close("methodCall") => tokens.end(),
            found => Err(tokens.unfit("methodCall", "`</methodCall>`", found)),
        }
    }
}

impl<'de> Deserializer<'de> for Params<'_, 'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, DecodeError> {
        let tokens = &mut self.reader.tokens;
        let none = match tokens.tag()? {
            Tag::Open("params") => false,
            Tag::Empty("params") | Tag::End => true,
            Tag::Close("methodCall") => {
                tokens.end()?;
                true
            }
            found => {
                return Err(tokens.unfit("methodCall", "`<params>` or `</methodCall>`", found));
            }
        };
        self.ended = none;
        let value = visitor.visit_seq(&mut self)?;
        if !self.ended && self.next_element::<IgnoredAny>()?.is_some() {
            return Err(DecodeError::new("there are too many parameters"));
        }
        self.end_of_message()?;
        Ok(value)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option
        unit unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier
        ignored_any
    }
}

impl<'de> SeqAccess<'de> for Params<'_, 'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        if self.ended {
            return Ok(None);
        }
        let tokens = &mut self.reader.tokens;
        match tokens.tag()? {
            Tag::Open("param") => {}
            Tag::Close("params") => {
                // What is missing is missing here.
                tokens.mark();
                self.ended = true;
                return Ok(None);
            }
            found => return Err(tokens.unfit("params", "`<param>` or `</params>`", found)),
        }
        self.reader.count()?;
        let value = read_value(self.reader, seed)?;
        self.reader.tokens.close("param")?;
        Ok(Some(value))
    }
}
