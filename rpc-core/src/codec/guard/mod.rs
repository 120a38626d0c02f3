//! Depth and item limits around any `serde` deserializer.
//!
//! A parser that is not ours believes what the bytes claim: eight bytes of bincode may announce a set
//! of 2^36 units, four megabytes may nest a million deep. [`Guard`] stands between the parser and
//! the type that is read, counts, and gives up with words that name the limit. `visitor` and
//! `access` hand it down to whatever is inside. serde_json is behind it, and in tests the bincode crate.

// Numbers from outside are not added up unchecked.
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod access;
mod visitor;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::types;

pub(super) use visitor::Asked;
#[cfg(feature = "json")]
pub(crate) use visitor::exact_integer;

use access::Seed;
use visitor::Watched;

/// How many options and newtypes may wrap each other without a level between them. They cost
/// nothing in JSON, so that a type like `struct N(Option<Box<N>>)` would recurse on a single
/// number for ever; no sensible type has half as many.
const WRAPS: u8 = 16;

/// What differs between encodings.
pub(super) trait Policy: Copy {
    /// The name of the depth limit, for the error.
    const DEPTH: &'static str;

    /// Reads an integer of 128 bits for `visitor`.
    fn wide<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        guard: Guard<'_, D, Self>,
        sign: Sign,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let watched = guard.watch(Asked::Integer, visitor);
        match sign {
            Sign::Signed => guard.inner.deserialize_i128(watched),
            Sign::Unsigned => guard.inner.deserialize_u128(watched),
        }
    }

    /// Reads bytes for `visitor`.
    fn bytes<'de, D: Deserializer<'de>, V: Visitor<'de>>(
        guard: Guard<'_, D, Self>,
        visitor: V,
    ) -> Result<V::Value, D::Error>;
}

/// Whether an integer may be negative.
#[derive(Clone, Copy)]
pub(super) enum Sign {
    Signed,
    Unsigned,
}

/// What one message may still cost.
pub(super) struct Limit<P> {
    depth: u16,
    most_items: usize,
    items: Cell<usize>,
    /// For how many more items room may be made before they came. Each list may be believed to a
    /// megabyte by `serde`, and lists may announce lists.
    ahead: Cell<usize>,
    /// The whole floats beyond 64 bits that a `types::Value` took: a parser may have made them of
    /// integers.
    whole: RefCell<Vec<f64>>,
    policy: PhantomData<P>,
}

impl<P: Policy> Limit<P> {
    /// A message of `bytes` bytes has no more items than that, units aside, which need no room.
    pub(super) fn new(depth: u16, items: usize, bytes: usize) -> Self {
        Self {
            depth,
            most_items: items,
            items: Cell::new(items),
            ahead: Cell::new(bytes),
            whole: RefCell::default(),
            policy: PhantomData,
        }
    }

    /// The whole floats beyond 64 bits that a [`Value`](types::Value) took.
    #[cfg(feature = "json")]
    pub(super) fn whole(self) -> Vec<f64> {
        self.whole.into_inner()
    }

    /// Reads what `seed` describes from `deserializer`, within the limit.
    pub(super) fn read<'de, S, D>(&self, seed: S, deserializer: D) -> Result<S::Value, D::Error>
    where
        S: DeserializeSeed<'de>,
        D: Deserializer<'de>,
    {
        let level = Level {
            limit: self,
            depth: self.depth,
            wraps: WRAPS,
            is_key: false,
            is_any: false,
        };
        Seed { seed, level }.deserialize(deserializer)
    }
}

/// A place in the value: how much deeper it may go, and the limit of the whole.
pub(super) struct Level<'a, P> {
    limit: &'a Limit<P>,
    depth: u16,
    wraps: u8,
    /// In the key of a map, which JSON has as text.
    is_key: bool,
    /// It is a `types::Value`, not what is in one.
    is_any: bool,
}

// By hand: a derive would ask for `P: Clone`.
impl<P> Clone for Level<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Level<'_, P> {}

impl<P: Policy> Level<'_, P> {
    /// One level further in: a list, a map, a struct, what is in a variant.
    fn inside<E: Error>(self) -> Result<Self, E> {
        match self.depth.checked_sub(1) {
            Some(depth) => Ok(Self {
                depth,
                wraps: WRAPS,
                is_key: false,
                is_any: false,
                ..self
            }),
            None => Err(too_deep(self.limit.depth, P::DEPTH)),
        }
    }

    /// Inside an option or a newtype, which is no level of its own.
    fn wrapped<E: Error>(self) -> Result<Self, E> {
        match self.wraps.checked_sub(1) {
            Some(wraps) => Ok(Self { wraps, ..self }),
            None => Err(E::custom(format_args!(
                "more than {WRAPS} options and newtypes around each other"
            ))),
        }
    }

    /// Notes a float that is to be a [`Value`](types::Value).
    fn note(self, value: f64) {
        const BEYOND: f64 = 9_223_372_036_854_775_808.0;
        if self.is_any && value.abs() >= BEYOND {
            self.limit.whole.borrow_mut().push(value);
        }
    }

    /// How many of `announced` items the type may make room for before it reads them.
    fn believe(self, announced: Option<usize>) -> Option<usize> {
        let ahead = self.limit.ahead.get();
        let believed = announced?.min(ahead);
        self.limit.ahead.set(ahead.saturating_sub(believed));
        Some(believed)
    }

    /// Pays for `count` items.
    fn spend<E: Error>(self, count: usize) -> Result<(), E> {
        match self.limit.items.get().checked_sub(count) {
            Some(left) => {
                self.limit.items.set(left);
                Ok(())
            }
            None => Err(E::custom(format_args!(
                "more than {} items (`Limits::items`)",
                self.limit.most_items
            ))),
        }
    }
}

/// The error for a value that nests deeper than `most`.
pub(super) fn too_deep<E: Error>(most: u16, name: &str) -> E {
    E::custom(format_args!("nested deeper than {most} levels (`{name}`)"))
}

/// A deserializer that counts.
pub(super) struct Guard<'a, D, P> {
    pub(super) inner: D,
    level: Level<'a, P>,
}

impl<'a, D, P> Guard<'a, D, P> {
    /// True in the key of a map.
    #[cfg(feature = "json")]
    pub(super) fn is_key(&self) -> bool {
        self.level.is_key
    }

    /// `visitor`, to be visited by the deserializer within.
    pub(super) fn watch<V>(&self, asked: Asked, visitor: V) -> Watched<'a, V, P> {
        Watched {
            visitor,
            asked,
            level: self.level,
        }
    }
}

macro_rules! forward {
    ($($method:ident as $asked:ident $(, $argument:ident: $type:ty)*;)*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(
            self,
            $($argument: $type,)*
            visitor: V,
        ) -> Result<V::Value, D::Error> {
            let watched = self.watch(Asked::$asked, visitor);
            self.inner.$method($($argument,)* watched)
        }
    )*};
}

impl<'de, D: Deserializer<'de>, P: Policy> Deserializer<'de> for Guard<'_, D, P> {
    type Error = D::Error;

    forward! {
        deserialize_any as Anything;
        deserialize_ignored_any as Anything;
        deserialize_bool as Anything;
        deserialize_i8 as Integer;
        deserialize_i16 as Integer;
        deserialize_i32 as Integer;
        deserialize_i64 as Integer;
        deserialize_u8 as Integer;
        deserialize_u16 as Integer;
        deserialize_u32 as Integer;
        deserialize_u64 as Integer;
        deserialize_f32 as Anything;
        deserialize_f64 as Anything;
        deserialize_char as Anything;
        deserialize_str as Anything;
        deserialize_identifier as Anything;
        deserialize_option as Anything;
        deserialize_unit as Anything;
        deserialize_unit_struct as Anything, name: &'static str;
        deserialize_seq as Anything;
        deserialize_map as Anything;
        deserialize_tuple as Fixed, len: usize;
        deserialize_tuple_struct as Fixed, name: &'static str, len: usize;
        deserialize_struct as Fixed, name: &'static str, fields: &'static [&'static str];
        deserialize_enum as Anything, name: &'static str, variants: &'static [&'static str];
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let mut watched = self.watch(Asked::Anything, visitor);
        watched.level.is_any = name == types::VALUE;
        self.inner.deserialize_newtype_struct(name, watched)
    }

    /// Text is borrowed first: a parser that is asked for a `String` may allocate what the length
    /// claims before it looks whether the bytes are there.
    #[inline]
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_str(visitor)
    }

    #[inline]
    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        P::wide(self, Sign::Signed, visitor)
    }

    #[inline]
    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        P::wide(self, Sign::Unsigned, visitor)
    }

    #[inline]
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        P::bytes(self, visitor)
    }

    #[inline]
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        P::bytes(self, visitor)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}
