//! What a Rust type looks like to another language, asked of its own `Deserialize`.
//!
//! A deserializer that only notes what it is asked for, and then gives up, tells an integer from a
//! struct without a derive of ours: `system.methodSignature` is truthful for the user's types too.
//! [`schema`](crate::schema) looks further into them.

mod make;
pub(crate) mod probe;
mod tracer;

use serde::de::Deserialize;

use probe::{Node, Step, look};

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
    let mut path = Vec::new();
    // Names in names may go on for ever.
    while path.len() < 16 {
        match look::<T>(&path).node {
            Node::Newtype(named) if named.name == types::DATE_TIME => return Shape::DateTime,
            Node::Newtype(_) => path.push(Step::Inner),
            Node::Enum(_, variants) => {
                let variants = variants.iter();
                return together(
                    variants.map(|name| look::<T>(&with(&path, Step::Variant(name))).node),
                );
            }
            Node::Nil => return Shape::Nil,
            Node::Boolean => return Shape::Boolean,
            Node::Integer { .. } => return Shape::Integer,
            Node::Double => return Shape::Double,
            Node::Char | Node::Text => return Shape::String,
            Node::Bytes => return Shape::Bytes,
            Node::List | Node::Tuple(_) => return Shape::Array,
            Node::Struct(..) | Node::Map => return Shape::Struct,
            _ => return Shape::Any,
        }
    }
    Shape::Any
}

fn with(path: &[Step], step: Step) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(step);
    path
}

/// An enum of units alone is text, and one whose variants all hold something a struct.
fn together(variants: impl Iterator<Item = Node>) -> Shape {
    let shapes = variants.map(|variant| match variant {
        Node::UnitVariant => Shape::String,
        Node::FullVariant => Shape::Struct,
        _ => Shape::Any,
    });
    shapes
        .reduce(|one, other| if one == other { one } else { Shape::Any })
        .unwrap_or(Shape::Any)
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

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    enum Color {
        Red,
        Green,
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    enum Figure {
        Circle(f64),
        Square { side: f64 },
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    enum Mixed {
        Nothing,
        Something(i32),
    }

    #[derive(Deserialize)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    struct Chain(Option<Box<Self>>);

    #[derive(Deserialize)]
    #[serde(transparent)]
    #[allow(dead_code, reason = "only its shape is looked at")]
    struct Thread(Option<Box<Self>>);

    #[test]
    fn an_enum_is_what_all_its_variants_are() {
        assert_eq!(of::<Color>(), Shape::String);
        assert_eq!(of::<Figure>(), Shape::Struct);
        assert_eq!(of::<Mixed>(), Shape::Any);
    }

    #[test]
    fn a_type_that_holds_only_itself_has_no_shape() {
        assert_eq!(of::<Chain>(), Shape::Any);
        assert_eq!(of::<Thread>(), Shape::Any);
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
