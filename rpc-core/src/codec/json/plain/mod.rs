//! The short way to read JSON: straight from the text into serde's visitors, limits and all.
//!
//! It has no words. At whatever is wrong, and at what is right but rare, it gives up; then the text
//! is read once more by the long way, serde_json behind the guard, which takes it or says what is
//! wrong with it. So this may refuse what it likes, and what it takes must be what the long way
//! takes: `tests` compares the two.
//!
//! - `text`: tokens
//! - `value`: serde's view of them; `inside`: what is in lists, objects and variants

mod inside;
#[cfg(test)]
mod tests;
mod text;
mod value;

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error};

use crate::limits::Budget;
use text::Text;
use value::Value;

/// Reads what `seed` describes from all of `bytes`, or gives up.
pub(super) fn read<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Option<S::Value> {
    let before = GIVEN_UP.get();
    let mut text = Text::new(bytes, budget);
    let value = seed.deserialize(Value::new(&mut text)).ok()?;
    text.end().ok()?;
    // A type may take any error for something else than was expected, and go on.
    (GIVEN_UP.get() == before).then_some(value)
}

thread_local! {
    /// How often something was given up on this thread.
    static GIVEN_UP: Cell<u64> = const { Cell::new(0) };
}

/// It was given up.
#[derive(Debug)]
pub(super) struct GivenUp(());

#[cold]
fn give_up() -> GivenUp {
    GIVEN_UP.set(GIVEN_UP.get().wrapping_add(1));
    GivenUp(())
}

impl fmt::Display for GivenUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("given up")
    }
}

impl std::error::Error for GivenUp {}

impl Error for GivenUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        give_up()
    }

    fn invalid_type(_: serde::de::Unexpected<'_>, _: &dyn serde::de::Expected) -> Self {
        give_up()
    }
}
