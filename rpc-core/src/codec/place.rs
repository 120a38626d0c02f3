//! Where something is: in a text that is read, and in a value that is written.
//!
//! The place in a value (`[3].age`) is put together from the inside out while the error is on its way, so that a value
//! that can be written costs nothing for it. It is kept in the error's words, the one thing that
//! every serializer's error has.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::fmt::{self, Display};

use serde::ser::Error;

use crate::fault::shown;

/// A line and a column, counted from 1, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    line: u32,
    column: u32,
}

impl Place {
    /// The place right behind `before`.
    pub(crate) fn after(before: &[u8]) -> Self {
        let lines = before.iter().filter(|&&byte| byte == b'\n').count();
        let last = before.rsplit(|&byte| byte == b'\n').next();
        // Every byte but the later ones of a character.
        let starts = |byte: &&u8| (**byte & 0xc0) != 0x80;
        let column = last.unwrap_or_default().iter().filter(starts).count();
        Self {
            line: number(lines.saturating_add(1)),
            column: number(column.saturating_add(1)),
        }
    }

    /// The same place in a text that has `before` before it.
    pub(crate) fn behind(self, before: &[u8]) -> Self {
        let start = Self::after(before);
        let column = if self.line == 1 { start.column } else { 1 };
        Self {
            line: self.line.saturating_add(start.line.saturating_sub(1)),
            column: self.column.saturating_add(column.saturating_sub(1)),
        }
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} column {}", self.line, self.column)
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

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

/// The step of a path that leads to the member `name`.
pub(super) fn member(name: &str) -> String {
    match !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        true => format!(".{}", shown_name(name)),
        false => format!("[\"{}\"]", shown_name(name)),
    }
}

/// A name that a stranger chose, as an error may show it: at most 32 characters of it.
pub(super) fn shown_name(name: &str) -> String {
    const MOST: usize = 32;
    match name.char_indices().nth(MOST) {
        None => shown(name),
        Some((end, _)) => shown(name.get(..end).unwrap_or_default()) + "…",
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
