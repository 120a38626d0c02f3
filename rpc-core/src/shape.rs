//! What a Rust type looks like to another language, asked of its own `Deserialize`.
//!
//! A deserializer that only notes what it is asked for, and then gives up, tells an integer from a
//! struct without a derive of ours: `system.methodSignature` is truthful for the user's types too.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, Deserializer, EnumAccess, VariantAccess, Visitor};

use crate::types;

/// The outermost form of a type's values.
///
/// ```
/// use farcall_core::shape::{Shape, of};
///
/// assert_eq!(of::<i64>(), Shape::Integer);
/// assert_eq!(of::<Option<String>>(), Shape::String);
/// assert_eq!(of::<Vec<u16>>(), Shape::Array);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// No value: `()`.
    Nil,
    /// `bool`.
    Boolean,
    /// Integers of any size.
    Integer,
    /// `f32`, `f64`.
    Double,
    /// Text; also a unit variant of an enum.
    String,
    /// Bytes.
    Bytes,
    /// [`DateTime`](crate::types::DateTime).
    DateTime,
    /// Sequences and tuples.
    Array,
    /// Structs, maps, and enum variants that hold something.
    Struct,
    /// Several of these.
    Any,
}

impl Shape {
    /// The type's name in `system.methodSignature`.
    #[must_use]
    pub fn xmlrpc_name(self) -> &'static str {
        match self {
            Self::Nil => "nil",
            Self::Boolean => "boolean",
            Self::Integer => "int",
            Self::Double => "double",
            Self::String => "string",
            Self::Bytes => "base64",
            Self::DateTime => "dateTime.iso8601",
            Self::Array => "array",
            Self::Struct => "struct",
            Self::Any => "undef",
        }
    }
}

/// The shape of `T`; of an `Option`, the shape of what is in it.
#[must_use]
pub fn of<'de, T: Deserialize<'de>>() -> Shape {
    match T::deserialize(Probe) {
        Err(Seen(shape)) => shape,
        // A type that reads nothing at all.
        Ok(_) => Shape::Any,
    }
}

/// The "error" with which the probe ends: what it saw.
#[derive(Debug)]
struct Seen(Shape);

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.xmlrpc_name())
    }
}

impl std::error::Error for Seen {}

impl serde::de::Error for Seen {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self(Shape::Any)
    }
}

struct Probe;

macro_rules! sees {
    ($($method:ident($($argument:ty),*) $shape:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Seen> {
            Err(Seen(Shape::$shape))
        }
    )*};
}

impl<'de> Deserializer<'de> for Probe {
    type Error = Seen;

    sees! {
        deserialize_any() Any;
        deserialize_ignored_any() Any;
        deserialize_bool() Boolean;
        deserialize_i8() Integer;
        deserialize_i16() Integer;
        deserialize_i32() Integer;
        deserialize_i64() Integer;
        deserialize_i128() Integer;
        deserialize_u8() Integer;
        deserialize_u16() Integer;
        deserialize_u32() Integer;
        deserialize_u64() Integer;
        deserialize_u128() Integer;
        deserialize_f32() Double;
        deserialize_f64() Double;
        deserialize_char() String;
        deserialize_str() String;
        deserialize_string() String;
        deserialize_identifier() String;
        deserialize_bytes() Bytes;
        deserialize_byte_buf() Bytes;
        deserialize_unit() Nil;
        deserialize_unit_struct(&'static str) Nil;
        deserialize_seq() Array;
        deserialize_tuple(usize) Array;
        deserialize_tuple_struct(&'static str, usize) Array;
        deserialize_map() Struct;
        deserialize_struct(&'static str, &'static [&'static str]) Struct;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Seen> {
        visitor.visit_some(Self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Seen> {
        if name == types::DATE_TIME {
            return Err(Seen(Shape::DateTime));
        }
        visitor.visit_newtype_struct(Self)
    }

    /// An enum of units alone is text; one variant that holds something makes it a struct.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Seen> {
        let Some(first) = variants.first() else {
            return Err(Seen(Shape::Any));
        };
        // Only one variant can be asked for in one visit: `Visitor` is consumed by it.
        visitor
            .visit_enum(OneVariant(first))
            .and(Err(Seen(if variants.len() == 1 {
                Shape::String
            } else {
                Shape::Any
            })))
    }

    fn is_human_readable(&self) -> bool {
        true
    }
}

struct OneVariant(&'static str);

impl<'de> EnumAccess<'de> for OneVariant {
    type Error = Seen;
    type Variant = Self;

    fn variant_seed<V: serde::de::DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Seen> {
        let name: StrDeserializer<'_, Seen> =
            serde::de::IntoDeserializer::into_deserializer(self.0);
        seed.deserialize(name).map(|variant| (variant, self))
    }
}

impl<'de> VariantAccess<'de> for OneVariant {
    type Error = Seen;

    fn unit_variant(self) -> Result<(), Seen> {
        Ok(())
    }

    fn newtype_variant_seed<T: serde::de::DeserializeSeed<'de>>(
        self,
        _: T,
    ) -> Result<T::Value, Seen> {
        Err(Seen(Shape::Struct))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Seen> {
        Err(Seen(Shape::Struct))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Seen> {
        Err(Seen(Shape::Struct))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Point {
        #[allow(dead_code, reason = "only its shape is looked at")]
        x: i32,
    }

    #[test]
    fn the_users_types_tell_their_shape() {
        assert_eq!(of::<Point>(), Shape::Struct);
        assert_eq!(of::<BTreeMap<String, i32>>(), Shape::Struct);
        assert_eq!(of::<(i32, String)>(), Shape::Array);
        assert_eq!(of::<Option<Vec<Point>>>(), Shape::Array);
        assert_eq!(of::<()>(), Shape::Nil);
        assert_eq!(of::<f32>(), Shape::Double);
        assert_eq!(of::<char>(), Shape::String);
        assert_eq!(of::<Option<types::DateTime>>(), Shape::DateTime);
        assert_eq!(of::<types::Value>(), Shape::Any);
    }
}
