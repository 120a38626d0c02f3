//! A deserializer that makes some value of any type: whatever is smallest.
//!
//! Not every type has such a value. What refuses it is not looked at further.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, SeqAccess, VariantAccess, Visitor};

use super::probe::{Stop, key};

/// Values in values.
const DEPTH: usize = 16;
/// Values in all, as an array may be long.
const VALUES: usize = 1_000;

#[derive(Clone, Copy)]
pub(super) struct Maker<'a> {
    depth: usize,
    made: &'a Cell<usize>,
}

impl<'a> Maker<'a> {
    pub(super) fn new(made: &'a Cell<usize>) -> Self {
        Self { depth: 0, made }
    }

    fn deeper(self) -> Result<Self, Stop> {
        let made = self.made.get();
        if self.depth == DEPTH || made == VALUES {
            return Err(Stop::Here);
        }
        self.made.set(made + 1);
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn elements(self, left: usize) -> Elements<'a> {
        Elements { maker: self, left }
    }
}

macro_rules! makes {
    ($($method:ident $visit:ident($($value:expr)?);)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
            visitor.$visit($($value)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Maker<'_> {
    type Error = Stop;

    makes! {
        deserialize_any visit_unit();
        deserialize_ignored_any visit_unit();
        deserialize_bool visit_bool(false);
        // One, because there are types without zero.
        deserialize_i8 visit_i8(1);
        deserialize_i16 visit_i16(1);
        deserialize_i32 visit_i32(1);
        deserialize_i64 visit_i64(1);
        deserialize_i128 visit_i128(1);
        deserialize_u8 visit_u8(1);
        deserialize_u16 visit_u16(1);
        deserialize_u32 visit_u32(1);
        deserialize_u64 visit_u64(1);
        deserialize_u128 visit_u128(1);
        deserialize_f32 visit_f32(1.0);
        deserialize_f64 visit_f64(1.0);
        deserialize_char visit_char('a');
        // Borrowed, because there are types that only borrow.
        deserialize_str visit_borrowed_str("");
        deserialize_string visit_borrowed_str("");
        deserialize_identifier visit_borrowed_str("");
        deserialize_bytes visit_borrowed_bytes(&[]);
        deserialize_byte_buf visit_borrowed_bytes(&[]);
        deserialize_option visit_none();
        deserialize_unit visit_unit();
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self.deeper()?)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.elements(0))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.elements(len))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.elements(len))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        let nothing = std::iter::empty::<((), ())>();
        visitor.visit_map(serde::de::value::MapDeserializer::new(nothing))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        // By position: the names hold aliases too, and a field given twice is an error.
        visitor.visit_seq(self.elements(fields.len()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        // Another one at each depth: the first may hold the enum itself, and one must end it.
        let name = (self.depth.checked_rem(variants.len())).and_then(|at| variants.get(at));
        let name = name.copied().ok_or(Stop::Here)?;
        visitor.visit_enum(OneVariant { name, maker: self })
    }
}

struct Elements<'a> {
    maker: Maker<'a>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(self.maker.deeper()?).map(Some)
    }
}

struct OneVariant<'a> {
    name: &'static str,
    maker: Maker<'a>,
}

impl<'de> EnumAccess<'de> for OneVariant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        key(self.name, seed).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for OneVariant<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self.maker.deeper()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.maker.elements(len))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_seq(self.maker.elements(fields.len()))
    }
}
