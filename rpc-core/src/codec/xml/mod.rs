//! The values of XML-RPC.
//!
//! Written straight into bytes and read straight from them: there is no tree and no list of events
//! between a `<value>` and the Rust value. From the bytes up:
//!
//! - `text`: what characters XML carries, and how they are written
//! - `literal`: references and line ends
//! - `tokens`: tags and text, well-formed or an error; `usual`: those that are as they mostly are
//! - `reader`: the grammar of `<value>`, within a budget
//! - `number`, `key`: numbers as text; names of members from and to keys of maps
//! - `encode`, `decode` with `inside`: serde's view of it; `params` is a list of values with its envelope's end
//!
//! The envelopes (`<methodCall>` and its kind) are in `protocol::xmlrpc`, on the same tokens.

mod decode;
mod encode;
mod inside;
mod key;
mod literal;
mod number;
mod params;
pub(crate) mod reader;
pub(crate) mod text;
pub(crate) mod tokens;
mod usual;

use serde::{Serialize, de::DeserializeSeed};

use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;
use decode::read_value;
use params::Params;
use reader::Reader;

/// Appends `value` to `out` as one `<value>` element.
///
/// ```
/// let mut out = Vec::new();
/// farcall_core::codec::xml::encode(&7, &mut out)?;
/// assert_eq!(out, b"<value><int>7</int></value>");
/// # Ok::<(), farcall_core::error::EncodeError>(())
/// ```
///
/// # Errors
/// If the value has no XML-RPC form: an integer beyond 64 bits, NaN or an infinity, text with a
/// character that XML 1.0 has not, a map whose keys are not text-like. Or its own `Serialize` fails.
pub fn encode<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    value.serialize(encode::Encoder::new(out)).map(|_| ())
}

/// Reads what `seed` describes from `bytes`, one `<value>` element.
///
/// ```
/// use std::marker::PhantomData;
///
/// let bytes = b"<value><array><data><value>a</value></data></array></value>";
/// let seed = PhantomData::<Vec<String>>;
/// let list = farcall_core::codec::xml::decode(seed, bytes, Default::default())?;
/// assert_eq!(list, ["a"]);
/// # Ok::<(), farcall_core::error::DecodeError>(())
/// ```
///
/// # Errors
/// If the bytes are not well-formed, not such a value, or the budget is spent.
pub fn decode<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    let mut reader = Reader::new(text::readable(bytes)?, budget);
    read(&mut reader, seed).map_err(|error| reader.tokens.located(&error))
}

fn read<'de, S: DeserializeSeed<'de>>(
    reader: &mut Reader<'de>,
    seed: S,
) -> Result<S::Value, DecodeError> {
    let value = read_value(reader, seed)?;
    reader.tokens.end()?;
    Ok(value)
}

/// Reads what `seed` describes, as a sequence, from a `<params>` element and what may follow it in
/// a `<methodCall>` document.
pub(crate) fn decode_params<'de, S: DeserializeSeed<'de>>(
    seed: S,
    bytes: &'de [u8],
    budget: Budget,
) -> Result<S::Value, DecodeError> {
    let mut reader = Reader::new(text::readable(bytes)?, budget);
    seed.deserialize(Params::new(&mut reader))
        .map_err(|error| reader.tokens.located(&error))
}
