//! The parser's side of the guard: what is in a list, a map or a variant.

use serde::de::{DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess};
use serde::de::{Error, Visitor};

use super::visitor::{Asked, Watched};
use super::{Guard, Level, Policy};

/// A seed that gets a guarded deserializer.
pub(super) struct Seed<'a, S, P> {
    pub(super) seed: S,
    pub(super) level: Level<'a, P>,
}

impl<'de, S: DeserializeSeed<'de>, P: Policy> DeserializeSeed<'de> for Seed<'_, S, P> {
    type Value = S::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let level = self.level;
        self.seed.deserialize(Guard { inner, level })
    }
}

/// The items of a list.
pub(super) struct Items<'a, A, P> {
    pub(super) inner: A,
    pub(super) level: Level<'a, P>,
    pub(super) counted: bool,
    pub(super) prepaid: usize,
}

/// The entries of a map.
pub(super) struct Entries<'a, A, P> {
    pub(super) inner: A,
    pub(super) level: Level<'a, P>,
    pub(super) counted: bool,
    pub(super) prepaid: usize,
}

/// Pays for one more item, unless it was paid for in advance.
#[inline]
fn pay<P: Policy, E: Error>(
    level: Level<'_, P>,
    counted: bool,
    prepaid: &mut usize,
) -> Result<(), E> {
    if *prepaid > 0 {
        *prepaid = prepaid.saturating_sub(1);
        Ok(())
    } else if counted {
        level.spend(1)
    } else {
        Ok(())
    }
}

impl<'de, A: SeqAccess<'de>, P: Policy> SeqAccess<'de> for Items<'_, A, P> {
    type Error = A::Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let level = self.level;
        let item = self.inner.next_element_seed(Seed { seed, level })?;
        if item.is_some() {
            pay(level, self.counted, &mut self.prepaid)?;
        }
        Ok(item)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.level.believe(self.inner.size_hint())
    }
}

impl<'de, A: MapAccess<'de>, P: Policy> MapAccess<'de> for Entries<'_, A, P> {
    type Error = A::Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let level = Level {
            is_key: true,
            ..self.level
        };
        let key = self.inner.next_key_seed(Seed { seed, level })?;
        if key.is_some() {
            pay(level, self.counted, &mut self.prepaid)?;
        }
        Ok(key)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let level = self.level;
        self.inner.next_value_seed(Seed { seed, level })
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.level.believe(self.inner.size_hint())
    }
}

/// An enum: first which variant, then what is in it. Only a variant that holds something is a
/// level.
pub(super) struct Variant<'a, A, P> {
    pub(super) inner: A,
    pub(super) level: Level<'a, P>,
}

impl<'de, 'a, A: EnumAccess<'de>, P: Policy> EnumAccess<'de> for Variant<'a, A, P> {
    type Error = A::Error;
    type Variant = Variant<'a, A::Variant, P>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let level = self.level;
        let (name, inner) = self.inner.variant_seed(Seed { seed, level })?;
        Ok((name, Variant { inner, level }))
    }
}

impl<'de, A: VariantAccess<'de>, P: Policy> VariantAccess<'de> for Variant<'_, A, P> {
    type Error = A::Error;

    #[inline]
    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let level = self.level.inside()?;
        self.inner.newtype_variant_seed(Seed { seed, level })
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        let watched = Watched {
            visitor,
            asked: Asked::Fixed,
            level: self.level.inside()?,
        };
        self.inner.tuple_variant(len, watched)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let watched = Watched {
            visitor,
            asked: Asked::Fixed,
            level: self.level.inside()?,
        };
        self.inner.struct_variant(fields, watched)
    }
}
