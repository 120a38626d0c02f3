//! What is left to read of the bytes, and what it may still cost.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

use std::cell::Cell;

use crate::error::DecodeError;
use crate::limits::Budget;

/// How many options and newtypes may wrap each other without a level between them. A newtype costs no
/// byte, so that a type like `struct N(Box<N>)` would recurse on nothing for ever; no sensible type
/// has half as many.
const WRAPS: u8 = 16;

/// The bytes that were not read yet.
pub(super) struct Reader<'de> {
    rest: &'de [u8],
    /// How many more items there may be.
    items: usize,
    /// For how many more items room may be made before they came. Each list may be believed to a
    /// megabyte by `serde`, and lists may announce lists.
    ahead: Cell<usize>,
    most: Budget,
}

impl<'de> Reader<'de> {
    /// All of `bytes`. A message has no more items than bytes, units aside, which need no room.
    pub(super) fn new(bytes: &'de [u8], budget: Budget) -> Self {
        Self {
            rest: bytes,
            items: budget.items,
            ahead: Cell::new(bytes.len()),
            most: budget,
        }
    }

    /// Takes the next bytes, so many.
    #[inline]
    pub(super) fn take<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or_else(short)?;
        self.rest = rest;
        Ok(*bytes)
    }

    /// Takes a length.
    #[inline]
    pub(super) fn len(&mut self) -> Result<usize, DecodeError> {
        let len = u64::from_le_bytes(self.take()?);
        // More than there can be is more than there are.
        Ok(usize::try_from(len).unwrap_or(usize::MAX))
    }

    /// Takes a length, and as many bytes.
    #[inline]
    pub(super) fn bytes(&mut self) -> Result<&'de [u8], DecodeError> {
        let len = self.len()?;
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or_else(short)?;
        self.rest = rest;
        Ok(bytes)
    }

    /// Takes a text.
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'de str, DecodeError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| no_text())
    }

    /// Takes a character, which is as long as its first byte says.
    pub(super) fn char(&mut self) -> Result<char, DecodeError> {
        let width = match self.rest.first().ok_or_else(short)? {
            ..0x80 => 1,
            0xc2..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0..0xf5 => 4,
            _ => return Err(no_char()),
        };
        let (bytes, rest) = self.rest.split_at_checked(width).ok_or_else(short)?;
        self.rest = rest;
        let text = std::str::from_utf8(bytes).ok();
        text.and_then(|text| text.chars().next())
            .ok_or_else(no_char)
    }

    /// Pays for as many items as the bytes announce, so that a lie ends before anything is allocated
    /// for it.
    #[inline]
    pub(super) fn spend(&mut self, count: usize) -> Result<(), DecodeError> {
        self.items = self.items.checked_sub(count).ok_or_else(|| {
            let most = self.most.items;
            DecodeError::new(format!("more than {most} items (`Limits::items`)"))
        })?;
        Ok(())
    }

    /// How many of `announced` items the type may make room for before it reads them.
    #[inline]
    pub(super) fn believe(&self, announced: usize) -> usize {
        let ahead = self.ahead.get();
        let believed = announced.min(ahead);
        self.ahead.set(ahead.saturating_sub(believed));
        believed
    }

    /// Where all begins.
    pub(super) fn top(&self) -> Level {
        Level {
            depth: self.most.depth,
            wraps: WRAPS,
        }
    }

    /// One level further in: a list, a map, a struct, what is in a variant.
    #[inline]
    pub(super) fn inside(&self, level: Level) -> Result<Level, DecodeError> {
        match level.depth.checked_sub(1) {
            Some(depth) => Ok(Level {
                depth,
                wraps: WRAPS,
            }),
            None => Err(too_deep(self.most.depth)),
        }
    }

    /// Requires that nothing is left.
    pub(super) fn end(&self) -> Result<(), DecodeError> {
        match self.rest {
            [] => Ok(()),
            _ => Err(DecodeError::new("there are bytes behind the value")),
        }
    }
}

/// A place in the value: how much deeper it may go from here.
#[derive(Clone, Copy)]
pub(super) struct Level {
    depth: u16,
    wraps: u8,
}

impl Level {
    /// Inside an option or a newtype, which is no level of its own.
    #[inline]
    pub(super) fn wrapped(self) -> Result<Self, DecodeError> {
        let wraps = self.wraps.checked_sub(1).ok_or_else(too_wrapped)?;
        Ok(Self { wraps, ..self })
    }
}

#[cold]
fn short() -> DecodeError {
    DecodeError::new("the bytes end in the middle of the value")
}

#[cold]
fn no_text() -> DecodeError {
    DecodeError::new("a text that is not UTF-8")
}

#[cold]
fn no_char() -> DecodeError {
    DecodeError::new("a character that is not UTF-8")
}

#[cold]
fn too_deep(most: u16) -> DecodeError {
    DecodeError::new(format!(
        "nested deeper than {most} levels (`Limits::depth`)"
    ))
}

#[cold]
fn too_wrapped() -> DecodeError {
    DecodeError::new(format!(
        "more than {WRAPS} options and newtypes around each other"
    ))
}

/// The error for a byte that says of something whether it is so, and is neither 0 nor 1.
#[cold]
pub(super) fn neither(what: &str) -> DecodeError {
    DecodeError::new(format!("expected 0 or 1 for {what}, found another number"))
}

/// The error for a type that wants to be told what it is.
#[cold]
pub(super) fn not_told() -> DecodeError {
    DecodeError::new(
        "the type asks what comes next (as `serde_json::Value` and untagged enums do), and bincode \
         does not say",
    )
}
