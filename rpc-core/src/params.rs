//! The parameters of a call: a tuple in Rust, a list or names on the wire.
//!
//! The generated client hands over a tuple of what it was called with, [`EncodeParams`]; the
//! generated server asks for a tuple of what the method takes, [`DecodeParams`]. Positional,
//! named and short lists are told apart here, once for all codecs, and every complaint names the
//! parameter.

mod borrowed;
mod decode;
mod encode;
mod names;

pub use borrowed::{Blob, Bytes, Text};
pub(crate) use decode::decode_fields;
pub use decode::{Arguments, DecodeParams, Part, Tuple, optional, required};
pub(crate) use encode::Fields;
pub use encode::{EachParam, EncodeParams, Outgoing, Style};
pub use names::Names;
