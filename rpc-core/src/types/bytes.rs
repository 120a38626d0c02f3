//! Bytes that are shared and not copied.

use std::fmt;
use std::ops::Deref;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::in_place;
use crate::params::Blob;

/// Bytes that are not copied on their way: for files, images and other large values.
///
/// As a parameter or a result, alone or in structs, it is what any byte string is: base64 in JSON
/// and XML, a length and the bytes in bincode. But where more than 64 KiB travel in bincode over a
/// byte stream, they are sent from where they are, and what is received is a share of the message
/// they came in: that stays in memory, whole, for as long as the share does. Clones share too.
///
/// ```
/// use farcall_core::{encoding::Encoding, types::Bytes};
///
/// let file = Bytes::from(vec![7; 3]);
/// let mut json = Vec::new();
/// Encoding::Json.encode(&file, &mut json)?;
/// assert_eq!(json, br#""BwcH""#);
/// assert_eq!(file.len(), 3);
/// # Ok::<(), farcall_core::error::EncodeError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(bytes::Bytes);

impl Bytes {
    /// The same as the type of the crate `bytes`.
    ///
    /// ```
    /// let bytes = farcall_core::types::Bytes::from(vec![1, 2, 3]);
    /// assert_eq!(bytes.into_inner().slice(1..), [2, 3][..]);
    /// ```
    #[must_use]
    pub fn into_inner(self) -> bytes::Bytes {
        self.0
    }
}

impl<B: Into<bytes::Bytes>> From<B> for Bytes {
    fn from(bytes: B) -> Self {
        Self(bytes.into())
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bytes({} bytes)", self.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        in_place::offered(&self.0, || serializer.serialize_bytes(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let blob = Blob::deserialize(deserializer)?;
        Ok(Self(blob.either(in_place::share, bytes::Bytes::from)))
    }
}
