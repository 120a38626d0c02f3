//! Which codec a message is in: a fact of run time, never a type parameter.
//!
//! This file holds the only `match` over codecs; a new one is a file in `codec/` and an arm here.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed};

use crate::codec::{bincode, json, xml};
use crate::error::{DecodeError, EncodeError};
use crate::limits::Budget;

/// How values become bytes.
///
/// ```
/// use farcall_core::encoding::Encoding;
///
/// let mut bytes = Vec::new();
/// Encoding::Json.encode(&(7, "x"), &mut bytes)?;
/// assert_eq!(bytes, br#"[7,"x"]"#);
/// let back: (i32, String) = Encoding::Json.decode(&bytes)?;
/// assert_eq!(back, (7, "x".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Encoding {
    /// bincode 1.3's default layout: fixed-width little-endian integers, 64-bit lengths.
    Bincode,
    /// JSON (RFC 8259).
    Json,
    /// The values of XML-RPC.
    Xml,
}

impl Encoding {
    /// Every encoding there is.
    pub const ALL: [Self; 3] = [Self::Bincode, Self::Json, Self::Xml];

    /// The name in an address: `bincode`, `json` or `xml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bincode => "bincode",
            Self::Json => "json",
            Self::Xml => "xml",
        }
    }

    /// Appends `value` to `out`.
    ///
    /// # Errors
    /// If the value has no form in this encoding (NaN in JSON, a control character in XML…). What
    /// was appended until then stays in `out`; the caller cuts it off.
    pub fn encode<T: Serialize + ?Sized>(
        self,
        value: &T,
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        match self {
            Self::Bincode => bincode::encode(value, out),
            Self::Json => json::encode(value, out),
            Self::Xml => xml::encode(value, out),
        }
    }

    /// Reads one value that fills all of `bytes`, within the default [`Budget`].
    ///
    /// # Errors
    /// If the bytes are not such a value, or more than the budget allows.
    pub fn decode<'de, T: Deserialize<'de>>(self, bytes: &'de [u8]) -> Result<T, DecodeError> {
        self.decode_seed(std::marker::PhantomData, bytes, Budget::default())
    }

    /// Reads what `seed` describes from all of `bytes`, within `budget`. JSON that is wrong or
    /// unusual is read twice.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn decode_seed<'de, S: DeserializeSeed<'de> + Clone>(
        self,
        seed: S,
        bytes: &'de [u8],
        budget: Budget,
    ) -> Result<S::Value, DecodeError> {
        match self {
            Self::Bincode => bincode::decode(seed, bytes, budget),
            Self::Json => json::decode(seed, bytes, budget),
            Self::Xml => xml::decode(seed, bytes, budget),
        }
    }
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// There is no encoding of that name.
///
/// ```
/// let error = "yaml".parse::<farcall_core::encoding::Encoding>().unwrap_err();
/// assert_eq!(error.to_string(), "no encoding is called `yaml`; there are bincode, json and xml");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownEncoding(String);

impl fmt::Display for UnknownEncoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no encoding is called `{}`; there are bincode, json and xml",
            self.0
        )
    }
}

impl std::error::Error for UnknownEncoding {}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        Self::ALL
            .into_iter()
            .find(|encoding| encoding.name() == name)
            .ok_or_else(|| UnknownEncoding(name.to_owned()))
    }
}
