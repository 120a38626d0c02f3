//! What parameters are called, where they are told apart by that and where something is wrong with one.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, Visitor};

use crate::codec::place::within;
use crate::fault::shown;
use crate::method::Param;

/// The names of a tuple's members.
///
/// ```
/// use farcall_core::params::Names;
///
/// assert!(format!("{:?}", Names::Fields(&["path"])).contains("path"));
/// ```
#[derive(Clone, Copy, Debug)]
pub enum Names {
    /// The parameters of a method.
    Params(&'static [Param]),
    /// The fields of a fault.
    Fields(&'static [&'static str]),
}

impl Names {
    fn at(self, index: usize) -> &'static str {
        match self {
            Self::Params(params) => params.get(index).map_or("?", |param| param.name),
            Self::Fields(names) => names.get(index).copied().unwrap_or("?"),
        }
    }

    fn find(self, name: &str) -> Option<usize> {
        match self {
            Self::Params(params) => params.iter().position(|param| param.name == name),
            Self::Fields(names) => names.iter().position(|&known| known == name),
        }
    }

    pub(super) fn wrong<E: Error>(self, index: usize, error: &impl fmt::Display) -> E {
        let parameter = format_args!("parameter `{}`", self.at(index));
        E::custom(within(parameter, error))
    }

    pub(super) fn missing<E: Error>(self, index: usize) -> E {
        E::custom(format_args!("parameter `{}` is missing", self.at(index)))
    }

    pub(super) fn twice<E: Error>(self, index: usize) -> E {
        E::custom(format_args!(
            "parameter `{}` is given twice",
            self.at(index)
        ))
    }
}

/// Reads a name and gives its place.
pub(super) struct Name(pub(super) Names);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        // Not `deserialize_identifier`: bincode has names as text only.
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a parameter")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        self.0
            .find(name)
            .ok_or_else(|| E::custom(format_args!("there is no parameter `{}`", shown(name))))
    }
}
