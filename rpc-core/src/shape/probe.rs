//! Asks a type what it reads, one place at a time.
//!
//! A `Visitor` is used up by one answer, so one pass sees one place: a [path](Step) leads there,
//! and what is asked for at its end is noted. Whoever wants to see all of a type makes a pass for
//! each place in it.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{Deserialize, DeserializeSeed, IntoDeserializer};

use super::tracer::{Notes, Tracer};

/// One step into a type.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// The value in a newtype struct.
    Inner,
    /// This field of a struct.
    Field(&'static str),
    /// This element of a list or tuple.
    Element(usize),
    /// The values of a map.
    Value,
    /// This variant of an enum.
    Variant(&'static str),
    /// What the variant holds.
    Content,
    /// A struct of these fields and no others, to see which one it lacks.
    Given(Vec<&'static str>),
    /// A struct of this field alone, which holds this variant's name.
    Tagged(&'static str, &'static str),
}

/// What a type asks for in one place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    Nil,
    Boolean,
    Integer {
        least: Option<i64>,
        /// None as well where it is beyond `i64`, and with it beyond XML-RPC.
        most: Option<i64>,
    },
    Double,
    Char,
    Text,
    Bytes,
    List,
    Tuple(usize),
    Map,
    Newtype(Named),
    Struct(Named, &'static [&'static str]),
    Enum(Named, &'static [&'static str]),
    /// A variant that is only its name.
    UnitVariant,
    /// A variant with content.
    FullVariant,
    /// A struct made of [given](Step::Given) fields was whole.
    Whole,
    /// It lacked this one.
    Lacks(&'static str),
    /// Several of these, or none that can be told.
    Anything,
}

/// A type with a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Named {
    /// As serde has it, without module and type parameters; none for what a variant holds.
    pub(crate) name: &'static str,
    /// Tells two types of one name apart: the name of the visitor has module and parameters.
    pub(crate) visitor: &'static str,
}

/// What is at the end of a path.
#[derive(Clone, Debug)]
pub(crate) struct Sight {
    /// True in an `Option`.
    pub(crate) nullable: bool,
    pub(crate) node: Node,
}

/// What `T` reads at the end of `path`.
pub(crate) fn look<'de, T: Deserialize<'de>>(path: &[Step]) -> Sight {
    let notes = Notes::default();
    // The outcome says nothing that was not noted: a type may put words of its own in its place.
    let _ = T::deserialize(Tracer::new(path, &notes));
    notes.sight()
}

/// The "error" with which a pass ends.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is seen, or cannot be.
    Here,
    /// A struct lacks this field.
    Lacks(&'static str),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the look at a type ends here")
    }
}

impl std::error::Error for Stop {}

impl serde::de::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Here
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Lacks(field)
    }
}

/// Reads the name of a field or variant.
pub(super) fn key<'de, K: DeserializeSeed<'de>>(name: &str, seed: K) -> Result<K::Value, Stop> {
    let name: StrDeserializer<'_, Stop> = name.into_deserializer();
    seed.deserialize(name)
}
