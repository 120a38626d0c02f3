//! Where in a value something was that could not be written: `[3].age`.
//!
//! The place is put together from the inside out while the error is on its way, so that a value
//! that can be written costs nothing for it. It is kept in the error's words, the one thing that
//! every serializer's error has.

use std::fmt::Display;

use serde::ser::Error;

use crate::fault::shown;

/// The error for what is in the item `index` of a list.
#[cold]
pub(super) fn in_item<E: Error>(index: usize, error: impl Display) -> E {
    E::custom(within(format_args!("[{index}]"), error))
}

/// The error for what is in the field `name` of a struct.
#[cold]
pub(super) fn in_field<E: Error>(name: &str, error: impl Display) -> E {
    E::custom(within(format_args!(".{name}"), error))
}

/// The error for what is under `key` in a map, in JSON.
#[cold]
pub(super) fn in_entry<E: Error>(key: &str, error: impl Display) -> E {
    let name = key.strip_prefix('"').and_then(|key| key.strip_suffix('"'));
    match name {
        Some(name) if name.chars().all(|c| c.is_alphanumeric() || c == '_') => {
            in_field(name, error)
        }
        _ => E::custom(within(format_args!("[{}]", shown(key)), error)),
    }
}

/// `error` with what it is in before it: a place stands right behind that, a reason after a colon.
pub(crate) fn within(outer: impl Display, error: impl Display) -> String {
    let words = error.to_string();
    let between = if words.starts_with(['.', '[']) {
        ""
    } else {
        ": "
    };
    format!("{outer}{between}{words}")
}
