//! Values to bytes and back. No envelopes, no frames, no names of methods.
//!
//! Each codec is one module with the same two functions, `encode` and `decode`; a codec that the
//! build leaves out is `absent`, whose functions say so.

#[cfg(not(all(feature = "bincode", feature = "json", feature = "xml")))]
mod absent;
#[cfg(any(feature = "json", all(test, feature = "bincode")))]
mod guard;

pub(crate) mod found;
#[cfg(any(feature = "json", feature = "xml"))]
pub(crate) mod scan;

#[cfg_attr(
    not(any(feature = "json", feature = "xml")),
    allow(
        dead_code,
        reason = "only the text encodings refuse values for what they are"
    )
)]
pub(crate) mod place;

#[cfg(feature = "bincode")]
pub mod bincode;
#[cfg(feature = "json")]
pub mod json;
#[cfg(feature = "xml")]
pub mod xml;

#[cfg(not(feature = "bincode"))]
pub(crate) use absent::bincode;
#[cfg(not(feature = "json"))]
pub(crate) use absent::json;
#[cfg(not(feature = "xml"))]
pub(crate) use absent::xml;
