//! The visitor's side of the guard: what a parser found, on its way to the type.

use std::fmt;

use serde::de::{Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, Visitor};

use super::access::{Entries, Items, Variant};
use super::{Guard, Level, Policy};

/// What the type asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::codec) enum Asked {
    Anything,
    /// An integer: a float that is one may stand in for it.
    Integer,
    /// As many members as the type has: nothing to count.
    Fixed,
}

/// A visitor whose lists, maps and wrapped values are guarded too.
pub(in crate::codec) struct Watched<'a, V, P> {
    pub(super) visitor: V,
    pub(super) asked: Asked,
    pub(super) level: Level<'a, P>,
}

macro_rules! forward {
    ($($method:ident($type:ty))*) => {$(
        #[inline]
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>, P: Policy> Visitor<'de> for Watched<'_, V, P> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    forward! {
        visit_bool(bool)
        visit_i8(i8)
        visit_i16(i16)
        visit_i32(i32)
        visit_i64(i64)
        visit_i128(i128)
        visit_u8(u8)
        visit_u16(u16)
        visit_u32(u32)
        visit_u64(u64)
        visit_u128(u128)
        visit_f32(f32)
        visit_char(char)
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    #[inline]
    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        if self.asked != Asked::Integer {
            self.level.note(value);
            return self.visitor.visit_f64(value);
        }
        match exact_integer(value) {
            Some(integer) => self.visitor.visit_i64(integer),
            None => Err(E::invalid_type(Unexpected::Float(value), &self.visitor)),
        }
    }

    #[inline]
    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    #[inline]
    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit()
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let level = self.level.wrapped()?;
        self.visitor.visit_some(Guard { inner, level })
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let level = self.level.wrapped()?;
        self.visitor.visit_newtype_struct(Guard { inner, level })
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let level = self.level.inside()?;
        let counted = self.asked != Asked::Fixed;
        let prepaid = prepay(level, counted, inner.size_hint())?;
        self.visitor.visit_seq(Items {
            inner,
            level,
            counted,
            prepaid,
        })
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let level = self.level.inside()?;
        let counted = self.asked != Asked::Fixed;
        let prepaid = prepay(level, counted, inner.size_hint())?;
        self.visitor.visit_map(Entries {
            inner,
            level,
            counted,
            prepaid,
        })
    }

    #[inline]
    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let level = self.level;
        self.visitor.visit_enum(Variant { inner, level })
    }
}

/// Pays at once for as many items as the bytes announce, so that a lie ends before anything is
/// allocated for it. Gives how many were paid for.
fn prepay<P: Policy, E: Error>(
    level: Level<'_, P>,
    counted: bool,
    announced: Option<usize>,
) -> Result<usize, E> {
    match announced {
        Some(count) if counted => level.spend(count).map(|()| count),
        _ => Ok(0),
    }
}

/// The integer that `value` is. Beyond 2^53 a float stands for more than one, so it is none.
pub(crate) fn exact_integer(value: f64) -> Option<i64> {
    const LIMIT: f64 = 9_007_199_254_740_992.0;
    // The cast is exact: the value is whole and within ±2^53.
    (value.fract() == 0.0 && value.abs() < LIMIT).then_some(value as i64)
}
