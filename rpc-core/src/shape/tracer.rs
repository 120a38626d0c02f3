//! The deserializer that follows a path into a type, notes what is asked for at its end, and gives
//! up. The values that must come before a place, as the first members of a tuple, are
//! [made](super::make).

use std::any::type_name;
use std::cell::{Cell, RefCell};

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::make::Maker;
use super::probe::{Named, Node, Sight, Step, Stop, key};

/// Options in options, which a path does not count.
const OPTIONS: usize = 16;

/// What was seen.
#[derive(Default)]
pub(super) struct Notes {
    nullable: Cell<bool>,
    node: RefCell<Option<Node>>,
}

impl Notes {
    pub(super) fn sight(self) -> Sight {
        Sight {
            nullable: self.nullable.get(),
            node: self.node.take().unwrap_or(Node::Anything),
        }
    }
}

#[derive(Clone, Copy)]
pub(super) struct Tracer<'a> {
    path: &'a [Step],
    options: usize,
    notes: &'a Notes,
}

impl<'a> Tracer<'a> {
    pub(super) fn new(path: &'a [Step], notes: &'a Notes) -> Self {
        Self {
            path,
            options: 0,
            notes,
        }
    }

    fn at(self, path: &'a [Step]) -> Self {
        Self {
            path,
            options: 0,
            ..self
        }
    }

    /// Ends the pass; notes `node` if this is the end of the path.
    fn stop(self, node: Node) -> Stop {
        if self.path.is_empty() {
            self.notes.node.replace(Some(node));
        }
        Stop::Here
    }

    fn elements<'de, V: Visitor<'de>>(self, node: Node, visitor: V) -> Result<V::Value, Stop> {
        match self.path {
            [Step::Element(at), rest @ ..] => visitor.visit_seq(Elements {
                before: *at,
                last: Some(self.at(rest)),
            }),
            _ => Err(self.stop(node)),
        }
    }

    fn fields<'de, V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match self.path {
            [Step::Field(name), rest @ ..] => visitor.visit_map(OneField {
                name: Some(name),
                value: self.at(rest),
            }),
            [Step::Given(names), rest @ ..] => {
                let given = visitor.visit_map(Given {
                    names: names.iter(),
                });
                Err(self.at(rest).stop(lack(&given)))
            }
            [Step::Tagged(tag, variant), rest @ ..] => {
                let given = visitor.visit_map(OneTag {
                    tag: Some(tag),
                    variant,
                });
                Err(self.at(rest).stop(lack(&given)))
            }
            _ => Err(self.stop(Node::Struct(named::<V>(name), fields))),
        }
    }
}

/// What a struct lacked that was made of some fields.
fn lack<T>(made: &Result<T, Stop>) -> Node {
    match made {
        Ok(_) => Node::Whole,
        Err(Stop::Lacks(name)) => Node::Lacks(name),
        Err(Stop::Here) => Node::Anything,
    }
}

fn named<V>(name: &'static str) -> Named {
    Named {
        name,
        visitor: type_name::<V>(),
    }
}

macro_rules! sees {
    ($($method:ident($($argument:ty),*) $node:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, $(_: $argument,)* _: V) -> Result<V::Value, Stop> {
            Err(self.stop($node))
        }
    )*};
}

macro_rules! sees_integers {
    ($($method:ident $least:expr, $most:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Stop> {
            Err(self.stop(Node::Integer { least: $least, most: $most }))
        }
    )*};
}

impl<'de> Deserializer<'de> for Tracer<'_> {
    type Error = Stop;

    sees! {
        deserialize_any() Node::Anything;
        deserialize_ignored_any() Node::Anything;
        deserialize_bool() Node::Boolean;
        deserialize_f32() Node::Double;
        deserialize_f64() Node::Double;
        deserialize_char() Node::Char;
        deserialize_str() Node::Text;
        deserialize_string() Node::Text;
        deserialize_identifier() Node::Text;
        deserialize_bytes() Node::Bytes;
        deserialize_byte_buf() Node::Bytes;
        deserialize_unit() Node::Nil;
        deserialize_unit_struct(&'static str) Node::Nil;
    }

    sees_integers! {
        deserialize_i8 Some(i8::MIN.into()), Some(i8::MAX.into());
        deserialize_i16 Some(i16::MIN.into()), Some(i16::MAX.into());
        deserialize_i32 Some(i32::MIN.into()), Some(i32::MAX.into());
        deserialize_i64 Some(i64::MIN), Some(i64::MAX);
        deserialize_i128 None, None;
        deserialize_u8 Some(0), Some(u8::MAX.into());
        deserialize_u16 Some(0), Some(u16::MAX.into());
        deserialize_u32 Some(0), Some(u32::MAX.into());
        deserialize_u64 Some(0), None;
        deserialize_u128 Some(0), None;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        if self.path.is_empty() {
            self.notes.nullable.set(true);
        }
        if self.options == OPTIONS {
            return Err(self.stop(Node::Anything));
        }
        visitor.visit_some(Self {
            options: self.options + 1,
            ..self
        })
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match self.path {
            [Step::Inner, rest @ ..] => visitor.visit_newtype_struct(self.at(rest)),
            // Names that a codec gives to types of its own: no Rust type is called so.
            _ if name.starts_with('$') => Err(self.stop(Node::Anything)),
            _ => Err(self.stop(Node::Newtype(named::<V>(name)))),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        self.elements(Node::List, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.elements(Node::Tuple(len), visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.elements(Node::Tuple(len), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.path {
            [Step::Value, rest @ ..] => visitor.visit_map(OneField {
                name: None,
                value: self.at(rest),
            }),
            _ => Err(self.stop(Node::Map)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        if name.starts_with('$') {
            return Err(self.stop(Node::Anything));
        }
        self.fields(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        match self.path {
            [Step::Variant(name), rest @ ..] => visitor.visit_enum(OneVariant {
                name,
                inside: self.at(rest),
            }),
            _ => Err(self.stop(Node::Enum(named::<V>(name), variants))),
        }
    }
}

/// Made elements, then the one to look at.
struct Elements<'a> {
    before: usize,
    last: Option<Tracer<'a>>,
}

impl<'de> SeqAccess<'de> for Elements<'_> {
    type Error = Stop;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Stop> {
        if let Some(before) = self.before.checked_sub(1) {
            self.before = before;
            return seed.deserialize(Maker::new(&Cell::default())).map(Some);
        }
        match self.last.take() {
            Some(tracer) => seed.deserialize(tracer).map(Some),
            None => Ok(None),
        }
    }
}

/// A field, or the value behind some key of a map.
struct OneField<'a> {
    name: Option<&'static str>,
    value: Tracer<'a>,
}

impl<'de> MapAccess<'de> for OneField<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        match self.name {
            Some(name) => key(name, seed).map(Some),
            None => seed.deserialize(Maker::new(&Cell::default())).map(Some),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        seed.deserialize(self.value)
    }
}

/// Made values in these fields.
struct Given<'a> {
    names: std::slice::Iter<'a, &'static str>,
}

impl<'de> MapAccess<'de> for Given<'_> {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        self.names.next().map(|name| key(name, seed)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        let made = seed.deserialize(Maker::new(&Cell::default()));
        // What a value in the field lacks is not what the struct lacks.
        made.map_err(|_| Stop::Here)
    }
}

/// The name of a variant in the field `tag`.
struct OneTag {
    tag: Option<&'static str>,
    variant: &'static str,
}

impl<'de> MapAccess<'de> for OneTag {
    type Error = Stop;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Stop> {
        self.tag.take().map(|name| key(name, seed)).transpose()
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Stop> {
        key(self.variant, seed)
    }
}

struct OneVariant<'a> {
    name: &'static str,
    inside: Tracer<'a>,
}

impl<'de> EnumAccess<'de> for OneVariant<'_> {
    type Error = Stop;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Stop> {
        key(self.name, seed).map(|variant| (variant, self))
    }
}

impl<'a> OneVariant<'a> {
    fn content(self) -> Result<Tracer<'a>, Stop> {
        match self.inside.path {
            [Step::Content, rest @ ..] => Ok(self.inside.at(rest)),
            _ => Err(self.inside.stop(Node::FullVariant)),
        }
    }
}

impl<'de> VariantAccess<'de> for OneVariant<'_> {
    type Error = Stop;

    fn unit_variant(self) -> Result<(), Stop> {
        Err(self.inside.stop(Node::UnitVariant))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Stop> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Stop> {
        self.content()?.elements(Node::Tuple(len), visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.content()?.fields("", fields, visitor)
    }
}
